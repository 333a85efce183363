"""From an optimum to a `Fit`: curvature, standard errors, the certificate, and what to say."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.certify import certify, exact
from bayesmix.accuracy.refine import Tolerance
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.covariance import (
    Information,
    shift_units,
)
from bayesmix.classical.error_check import SCRAMBLED, checked_errors, root_errors
from bayesmix.classical.fit import Fit
from bayesmix.classical.information import information_at, root_information
from bayesmix.classical.latent_class import numbered
from bayesmix.classical.message import message_of, weaknesses
from bayesmix.classical.search import Search
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import starting_values
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Grid
from bayesmix.optimise.leave_boundary import boundary_names, boundary_words
from bayesmix.optimise.maximise import Optimum

BELOW = 1.0
"""Nats below the multinomial logit that no integration error explains."""


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
    optimum, grid = numbered(problem, optimum, grid)
    theta = problem.canonical(optimum.theta)
    likelihood = Likelihood(problem, grid)
    known = optimum.by_person
    if known is not None and np.isfinite(optimum.value) and np.array_equal(known.theta, theta):
        logp, scores = known.logp, known.scores
    else:
        logp, scores = likelihood.check(theta)
    search.progress.phase("standard errors")
    pair = None
    if optimum.frozen:
        found, pair = root_information(likelihood, theta, scores)
    else:
        found = information_at(likelihood, theta, scores, draft=draft)
    if not (optimum.converged or draft):
        # A draft's optimum is where a finer grid begins; the fit itself has to converge.
        raise _not_converged(search, optimum, found, theta)
    search.progress.phase("certificate of the integration error")
    found, certificate = _certificate(
        search, likelihood, optimum, found, (logp, scores), (tolerance, pair, draft)
    )
    words = [message_of(optimum, found, problem, theta)]
    if problem.constraint is None and optimum.value < search.logit.loglik - BELOW:
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
        integration=certificate,
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
        weaknesses(found, search.problem, theta),
    ]
    remedy = "try more starts, such as starts=12"
    if search.optimizer != "bfgs":
        remedy = "try optimizer='bfgs'"
    low = boundary_names(search.problem, theta)
    if low and search.problem.constraint is not None:
        # Held correlations have signs: beyond 0 there is a wall, with a slope.
        remedy = f"hold what does not vary at 0, fixed={{{low[0]!r}: 0}}, or {remedy}"
    return ConvergenceError(f"{'. '.join(w for w in words if w)}; {remedy}")


def _certificate(
    search: Search,
    likelihood: Likelihood,
    optimum: Optimum,
    found: Information,
    own: tuple[Array, Array],
    asked: tuple[Tolerance | None, Array | None, bool],
) -> tuple[Information, Certificate | None]:
    """The certificate of a fit, whose log-integrals and scores on its grid are ``own``.

    And what is ``found`` of standard errors, known better by their check. At a root of scores the
    curvatures (2, G, P, P) are told by which it is known, if they are.
    """
    problem, grid = likelihood.problem, likelihood.grid
    theta = problem.canonical(optimum.theta)
    if not problem.model.random:
        return found, None
    space = problem.parameters
    if not space.n_random:
        return found, exact(problem)
    errors = shift_units(space, theta, found)
    inverse = found.covariance("hessian") if isinstance(grid, PersonGrid) else None
    (tolerance, pair, draft), frozen = asked, bool(optimum.frozen)
    if frozen:
        # No maximum on the grid's own nodes: shifts are those of the parameters as they are.
        own = own[0], np.zeros_like(own[1])
    certificate = certify(problem, theta, grid, inverse, errors, search.rng, own=own, frozen=frozen)
    if frozen:
        if pair is None:
            return found, certificate
        assert isinstance(grid, PersonGrid)
        off, words = root_errors(problem, grid, found, pair), SCRAMBLED
        return found, replace(certificate, std_errors=off, std_errors_by=words)
    missed = tolerance is not None and not certificate.within(tolerance.loglik, tolerance.estimates)
    if draft or missed:
        return found, certificate
    found, checked, words = checked_errors(problem, grid, theta, found)
    return found, replace(certificate, std_errors=checked, std_errors_by=words)


def assemble_multinomial(search: Search) -> Fit:
    """The fit of a model without random coefficients."""
    problem, logit = search.problem, search.logit
    grid = points_grid(problem)
    likelihood = Likelihood(problem, grid)
    theta = starting_values(problem, logit)
    found = information_at(likelihood, theta)
    words = ["converged (Newton's method; nothing to integrate)"]
    words.append(weaknesses(found, problem, theta))
    words = [w for w in words if w]
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
