"""From an optimum to a `Fit`: curvature, standard errors, the certificate, and what to say."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
import pandas as pd

from bayesmix.accuracy.certificate import Certificate, certify, exact
from bayesmix.accuracy.refine import Tolerance
from bayesmix.arrays import Array
from bayesmix.centring.follow import following_gradient
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.covariance import (
    Information,
    shift_units,
    whole_correlations,
)
from bayesmix.classical.error_check import finer_grid, relative_errors
from bayesmix.classical.fit import Fit
from bayesmix.classical.identification import component_words, diagnosis
from bayesmix.classical.latent_class import class_words, numbered
from bayesmix.classical.progress import Progress
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import ConvergenceError
from bayesmix.integration.descriptions import DrawRule
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.class_grid import ClassGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import Multinomial, starting_values
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import boundary_words
from bayesmix.optimise.louis import DRAFT_NODES, MORE, NODES, checked
from bayesmix.optimise.maximise import Optimum, curvature, whitening

BELOW = 1.0
"""Nats below the multinomial logit that no integration error explains."""
SCORE_NODES = 512
"""Person-centred nodes of the scores that standard errors are made of, at least."""
CURVATURE_NODES, CURVATURE_SHARE = 256, 0.125
"""Person-centred nodes of the curvature: so many, or where that is more a share of the grid's.

Errors of nodes that follow the posterior cancel in differences: on the electricity data, standard
errors are within 2 % of those with 4,096 nodes."""

OUTER = "standard errors from the outer product of scores, for the curvature is noise"


@dataclass(frozen=True, eq=False)
class Search:
    """What every search for an optimum needs, and when it began.

    Weights of ``problem`` are those of effective persons: those given over ``unit``.
    """

    problem: Problem
    logit: Multinomial
    optimizer: str
    rng: np.random.Generator
    progress: Progress
    begun: float
    unit: float = 1.0


def assemble(
    search: Search,
    optimum: Optimum,
    grid: Grid,
    optima: pd.DataFrame,
    *,
    draft: bool = False,
    tolerance: Tolerance | None = None,
) -> Fit:
    """The fit at ``optimum``, on the grid on which it was found.

    A ``draft`` has curvature and scores of a person-centred grid's own nodes, however few: good
    enough for a certificate that finds the grid too coarse, and for the next search's steps. Where
    estimates miss a ``tolerance``, standard errors are not checked.

    Raises
    ------
    ConvergenceError
        If the optimiser did not converge.
    IntegrationError
        If a person's integral is not positive there.
    """
    problem = search.problem
    space = problem.parameters
    if problem.within is not None:
        optimum, grid = numbered(problem, optimum, grid)
    theta = space.canonical(optimum.theta)
    likelihood = Likelihood(problem, grid)
    known = optimum.by_person
    if known is not None and np.isfinite(optimum.value) and np.array_equal(known.theta, theta):
        logp, scores = known.logp, known.scores
    else:
        logp, scores = likelihood.check(theta)
    search.progress.phase("standard errors")
    find = held_information if optimum.held else information_at
    found = find(likelihood, theta, scores, draft=draft)
    if not (optimum.converged or draft):
        # A draft's optimum is where a finer grid begins; the fit itself has to converge.
        raise _not_converged(search, optimum, found, theta)
    search.progress.phase("certificate of the integration error")
    words = [message_of(optimum, found, problem, theta)]
    if optimum.value < search.logit.loglik - BELOW:
        words.append(
            "the log-likelihood is below the multinomial logit's: bounds or signs of laws exclude "
            "what the data say"
        )
    return Fit(
        estimator="MSLE",
        model=problem.model,
        space=space,
        theta=theta,
        loglik=float(weighted_sum(problem.data.weights, logp)),
        loglik_multinomial=search.logit.loglik,
        information=found,
        grid=grid,
        integration=_certificate(
            search, theta, likelihood, found, (logp, scores), (tolerance, optimum.held)
        ),
        optima=optima,
        converged=optimum.converged,
        message=". ".join(words),
        n_persons=problem.n_persons,
        n_situations=problem.data.n_situations,
        seconds=time.perf_counter() - search.begun,
        fingerprint=fingerprint(problem.data),
        problem=problem,
    )


def _not_converged(
    search: Search, optimum: Optimum, found: Information, theta: Array
) -> ConvergenceError:
    """Where the search stopped, what is odd there, and what to try."""
    words = [
        f"the optimiser stopped before the gradient was small ({optimum.decrement:.2g} standard "
        f"errors, norm {search.unit * np.linalg.norm(optimum.gradient):.2g}; {optimum.message}); "
        "condition "
        f"number of the scaled curvature {found.condition:.2g}",
        *boundary_words(search.problem, theta),
        _words(found, search.problem, theta),
    ]
    remedy = "try optimizer='bfgs'" if search.optimizer != "bfgs" else "try more starts, starts=4"
    return ConvergenceError(f"{'. '.join(w for w in words if w)}; {remedy}")


def information_at(
    likelihood: Likelihood, theta: Array, scores: Array | None = None, *, draft: bool = False
) -> Information:
    """Curvature and scores at the free vector ``theta`` (P,), on the likelihood's grid.

    A person-centred grid follows theta as differences are taken, with `CURVATURE_NODES` where it
    has more; its scores, one evaluation, are of `SCORE_NODES` at least: their noise does not cancel
    in a sum of squares. ``scores`` (I, P) are the grid's own, where they are known. Where
    coefficients are censored a sum over nodes has kinks, of which small differences see too many or
    too few: theirs are wide, on as many nodes as the scores. A ``draft`` takes the grid's own.
    Where differences are noise, as with coefficients in the hundreds, see `louis.checked`.
    """
    problem, grid = likelihood.problem, likelihood.grid
    weights = problem.data.weights
    gradient = lambda at: likelihood.value_and_gradient(at)[1]  # noqa: E731
    if made_of_draws(grid):
        nodes = max(CURVATURE_NODES, int(CURVATURE_SHARE * grid.size))
        nodes = SCORE_NODES if problem.kinked else min(max(grid.size, CURVATURE_NODES), nodes)
        nodes = min(grid.size, CURVATURE_NODES) if draft else nodes
        gradient = following_gradient(problem, grid.resized(nodes))
        if grid.size < SCORE_NODES and not draft:
            likelihood, scores = Likelihood(problem, grid.resized(SCORE_NODES), keep=False), None
    elif isinstance(grid, PersonGrid | ClassGrid):
        gradient = following_gradient(problem, grid)
    if scores is None:
        _, scores = likelihood.by_person(theta)
    units = natural_units(problem)
    root = whitening(scores, weights, units)
    hessian = curvature(gradient, theta, root, units if problem.kinked else None)
    attempts = (DRAFT_NODES,) if draft else (NODES, MORE * NODES)
    found = checked(problem, theta, hessian, root, attempts)
    scores = scores if found.scores is None else found.scores
    return Information(found.hessian, scores, weights, words=found.words)


def held_information(
    likelihood: Likelihood, theta: Array, scores: Array, *, draft: bool = False
) -> Information:
    """`information_at` where nodes are held in coefficient space: from posteriors (Louis 1982).

    A ``draft`` has the outer product of scores in its place, and so has a curvature that is noise
    on these, too.
    """
    problem = likelihood.problem
    weights = problem.data.weights
    root = whitening(scores, weights, natural_units(problem))
    outer = Information(np.linalg.inv(root @ root.T), scores, weights, words=OUTER)
    if draft:
        return outer
    found = checked(problem, theta, np.full_like(root, np.nan), root, (NODES,))
    if found.scores is None:
        return outer
    return Information(found.hessian, found.scores, weights, words=found.words)


def made_of_draws(grid: Grid) -> TypeGuard[PersonGrid | ClassGrid]:
    """Whether a grid is centred on persons, and made of draws, of which it may have more."""
    return isinstance(grid, PersonGrid | ClassGrid) and isinstance(grid.rule.rule, DrawRule)


def _certificate(
    search: Search,
    theta: Array,
    likelihood: Likelihood,
    found: Information,
    own: tuple[Array, Array],
    asked: tuple[Tolerance | None, bool],
) -> Certificate | None:
    """The certificate of a fit, whose log-integrals and scores on its grid are ``own``."""
    problem, grid = likelihood.problem, likelihood.grid
    if not problem.model.random:
        return None
    space = problem.parameters
    if not space.n_random:
        return exact(problem)
    errors = shift_units(space, theta, found)
    inverse = found.covariance("hessian") if isinstance(grid, PersonGrid) else None
    tolerance, held = asked
    if held:
        # No maximum on the grid's own nodes: shifts are those of the parameters as they are.
        own = own[0], np.zeros_like(own[1])
    certificate = certify(problem, theta, grid, inverse, errors, search.rng, own=own, held=held)
    if held or (
        tolerance is not None and not certificate.within(tolerance.loglik, tolerance.estimates)
    ):
        return certificate
    finer, words = finer_grid(problem, grid, theta)
    if finer is None:
        return certificate
    reference = information_at(Likelihood(problem, finer), theta)
    off = relative_errors(space, theta, found, reference)
    return replace(certificate, std_errors=off, std_errors_by=words)


def message_of(optimum: Optimum, found: Information, problem: Problem, theta: Array) -> str:
    """What there is to know of an optimum: boundaries, and what is not identified."""
    words = [f"converged (gradient {optimum.decrement:.1g} standard errors)"]
    space = problem.parameters
    words += boundary_words(problem, theta)
    whole = np.array(space.names)[whole_correlations(space, theta)]
    if len(whole):
        words.append(f"{', '.join(whole)} at the boundary: the covariance matrix is singular")
    words.append(_words(found, problem, theta))
    return ". ".join(w for w in words if w)


def _words(found: Information, problem: Problem, theta: Array) -> str:
    """What is not identified, and which latent classes are odd."""
    words = [found.words, diagnosis(found, problem.parameters, theta), component_words(problem)]
    words = [w[:1].upper() + w[1:] for w in words]
    if problem.within is not None:
        words.append(class_words(problem, theta))
    return ". ".join(w for w in words if w)


def assemble_multinomial(search: Search) -> Fit:
    """The fit of a model without random coefficients."""
    problem, logit = search.problem, search.logit
    grid = population_grid(gauss_hermite(1), 0, problem.n_persons)
    likelihood = Likelihood(problem, grid)
    theta = starting_values(problem, logit)
    found = information_at(likelihood, theta)
    words = ["converged (Newton's method; nothing to integrate)"]
    words += [w for w in [diagnosis(found, problem.parameters, theta)] if w]
    return Fit(
        estimator="MSLE",
        model=problem.model,
        space=problem.parameters,
        theta=theta,
        loglik=logit.loglik,
        loglik_multinomial=logit.loglik,
        information=found,
        grid=grid,
        integration=None,
        optima=pd.DataFrame(
            {
                "loglik": [logit.loglik],
                "evaluations": [0],
                "converged": [True],
                "grid": [str(grid)],
            },
            index=pd.Index([1], name="start"),
        ),
        converged=True,
        message=". ".join(words),
        n_persons=problem.n_persons,
        n_situations=problem.data.n_situations,
        seconds=time.perf_counter() - search.begun,
        fingerprint=fingerprint(problem.data),
        problem=problem,
    )
