"""The method of simulated scores (Hajivassiliou and McFadden 1998; Train 2009, chapter 10)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.centring.accept_reject import Draws, accepted_draws
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.against_likelihood import FAR, weak_words
from bayesmix.classical.covariance import Information
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, refuse_bounds
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.identification import component_words, diagnosis
from bayesmix.classical.information import information_at
from bayesmix.classical.latent_class import refuse_classes
from bayesmix.classical.msle import msle
from bayesmix.classical.simulation_error import simulation_error
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.errors import ConvergenceError, IntegrationError, SpecificationError
from bayesmix.integration.descriptions import Centred, MonteCarlo
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import centred, monte_carlo, sobol
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem, bind
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import boundary_words
from bayesmix.optimise.progress import Progress, progress_line
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.feasible import check_free
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit

Method = Literal["accept-reject", "importance"]

METHODS = ("accept-reject", "importance")
CANDIDATES = monte_carlo(4096)
START = centred(sobol(64))
ROUNDS = 40
WIDTH = 0.5
"""Standard errors on either side, between which the score's derivatives are differences."""
LEAST_STEP = 0.1
"""Standard errors: of shorter steps the derivatives learn little, for they may see one jump."""
RESTARTS, PATIENCE = 2, 8
"""Times that derivatives are taken anew; rounds without coming nearer, after which they are."""
WITHOUT = 0.1
"""Share of persons without an accepted candidate, up to which their own grids stand in."""
CLOSE = 10.0
"""Times `ARRIVED` that is near enough where no step leads nearer: less than the noise of draws."""
ARRIVED = 0.02
"""Standard errors from a root. Draws come and go one by one as parameters move, so that the
simulated score has steps, and 0 lies between two of them."""


def mss(
    model: MixedLogit,
    data: ChoiceData,
    *,
    method: Method = "accept-reject",
    grid: MonteCarlo | Centred | PersonGrid | None = None,
    accepted: int = 25,
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int = 1,
    rng: Seed = None,
    progress: bool = False,
) -> Fit:
    """Solve the simulated score ``sum_i w_i E[d log P(y_i | beta_i(theta)) / d theta] = 0``.

    The expectation is over the person's posterior, and its mean over draws from it is unbiased
    with any number of them, where the derivative of a simulated log-likelihood is not.

    Parameters
    ----------
    model, data
        What to fit, on what.
    method
        ``"accept-reject"``: candidates from the population are accepted with probability
        ``P(y_i | beta) / max P(y_i | .)``; exact draws, for short panels, where some are accepted.
        ``"importance"``: nodes of a person-centred grid with their posterior weights. The root of
        that score is the maximum of the likelihood on the same nodes, and is found as such.
    grid
        ``monte_carlo(4096)``, as many candidates a person, or for ``"importance"`` the rule or the
        grid of another fit, ``centred(sobol(64))`` by default.
    accepted
        Draws a person, at most, with ``"accept-reject"``.
    fixed, equal
        Parameters that are held and tied, as in `msle`; bounds are for `msle` alone.
    start
        The first of the starting values, as in `msle`.
    starts
        Starting values of the search for the likelihood's maximum, where this one begins.
    rng
        Seed or Generator; the same seed gives the same numbers.
    progress
        Whether to show a progress line.

    Returns
    -------
    Fit
        With robust standard errors by person, ``H^-1 (sum_i w_i^2 s_i s_i') H^-1``: the simulated
        scores ``s_i`` carry the noise of their draws, and ``integration`` says what part of the
        variances that is. The curvature ``H`` and ``loglik`` are those on the fit's person-centred
        ``grid``.

    Raises
    ------
    IntegrationError
        If for more than a tenth of the persons no candidate is accepted. The scores of fewer are
        those of the nodes of their own grids, and the fit says so.
    ConvergenceError
        If no root is found.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    References
    ----------
    Hajivassiliou and McFadden (1998); Train (2009), chapter 10.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf + cl", random=[bm.Normal("cl")])
    >>> nodes = bm.centred(bm.sobol(32))
    >>> score = bm.mss(model, data, method="importance", grid=nodes, rng=1)
    >>> likelihood = bm.msle(model, data, grid=nodes, starts=1, rng=1)
    >>> bool((score.params == likelihood.params).all())
    True
    """
    begun = time.perf_counter()
    refuse_classes(model, "mss")
    refuse_bounds(model, "mss")
    model = held_and_tied(model, fixed, equal)
    rule = _rule(method, grid)
    arguments.whole("accepted", accepted, least=2)
    arguments.whole("starts", starts, most=10_000)
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    if method == "importance" or (isinstance(model, MixedLogit) and not model.random):
        fit = msle(model, data, grid=rule, start=start, starts=starts, rng=rng, progress=progress)
        return replace(fit, estimator="MSS")
    given, generator = bind(model, data), np.random.default_rng(rng)
    check_free(given.constraint, "mss")
    problem, unit = in_effective_persons(given)
    first = msle(
        model,
        problem.data,
        grid=START,
        start=start,
        starts=starts,
        rng=generator,
        progress=progress,
    )
    size, persons = problem.parameters.n_random, problem.n_persons
    streams = (
        population_grid(rule, size, persons, generator),
        population_grid(monte_carlo(rule.nodes), 1, persons, generator),
    )
    with progress_line(progress, "MSS", unit) as line:
        origin = first.theta
        for _ in range(3):
            theta, draws, distance, rounds = _root(problem, first, origin, streams, accepted, line)
            origin = problem.canonical(theta)
            # On given draws the score of a negative standard deviation is not its mirror image's.
            if np.array_equal(origin, theta):
                break
        line.phase("standard errors")
        fit = _assemble(problem, first, theta, draws, (distance, rounds, begun))
        return in_given_weights(fit, given, unit, first.loglik_multinomial * unit)


def _rule(method: str, grid: Any) -> Any:
    arguments.one_of("method", method, METHODS)
    if method == "importance":
        chosen = START if grid is None else grid
        if not isinstance(chosen, Centred | PersonGrid):
            raise SpecificationError(
                f"argument 'grid': importance sampling is from person-centred nodes, such as "
                f"centred(sobol(64)), got {grid!r}"
            )
        return chosen
    chosen = CANDIDATES if grid is None else grid
    if not isinstance(chosen, MonteCarlo) or chosen.antithetic:
        raise SpecificationError(
            "argument 'grid': candidates to accept or reject are independent draws, "
            f"monte_carlo(4096), got {grid!r}"
        )
    return chosen


def _draws(
    problem: Problem, theta: Array, streams: tuple[PopulationGrid, PopulationGrid], wanted: int
) -> Draws:
    draws = accepted_draws(problem, theta, streams, wanted)
    without = np.flatnonzero(draws.counts == 0)
    if len(without) > WITHOUT * problem.n_persons:
        raise IntegrationError(
            f"no draw was accepted for {len(without)} of {problem.n_persons} persons (persons "
            f"{first_few(problem.data.persons[without])}) out of {streams[0].size} candidates, of "
            f"which {100 * draws.tried:.2g} % are accepted: use method='importance', or more "
            "candidates, such as grid=monte_carlo(65536)"
        )
    return draws


def _scores(problem: Problem, first: Fit, draws: Draws, theta: Array) -> Array:
    """Simulated scores (I, P); of persons without draws, those of their own grid's nodes."""
    scores = draws.scores(problem, theta)
    without = draws.counts == 0
    if without.any():
        scores[without] = Likelihood(problem, first.grid).by_person(theta)[1][without]
    return scores


def _root(
    problem: Problem,
    first: Fit,
    origin: Array,
    streams: tuple[PopulationGrid, PopulationGrid],
    wanted: int,
    line: Progress,
) -> tuple[Array, Draws, float, int]:
    """Broyden's (1965) steps, from differences wide enough to average over the score's steps.

    Coordinates are whitened with the likelihood's curvature: a unit is about a standard error.
    Directions that it does not tell stay at the origin.
    Where steps lead no nearer, differences are taken anew at the nearest point. Returns theta
    (P,), its draws, the distance from a root in standard errors, and the rounds.
    """
    root = _whitening(problem, first)

    def score(x: Array) -> tuple[Array, Draws]:
        draws = _draws(problem, origin + root @ x, streams, wanted)
        scores = _scores(problem, first, draws, origin + root @ x)
        return root.T @ (problem.data.weights @ scores), draws

    begin = np.zeros(root.shape[1])
    best, rounds = _Near(begin, *score(begin)), 0
    for _ in range(1 + RESTARTS):
        best, used = _broyden(score, best, line)
        rounds += used
        if best.distance < ARRIVED:
            break
    if best.distance > CLOSE * ARRIVED:
        raise ConvergenceError(
            f"after {1 + RESTARTS} times {ROUNDS} rounds the simulated score is still "
            f"{best.distance:.2g} standard errors from a root: accept more draws (accepted=), "
            "which makes its steps smaller, or use method='importance'"
        )
    return origin + root @ best.x, best.draws, best.distance, rounds


@dataclass(frozen=True, eq=False)
class _Near:
    """A whitened point (Q,), the simulated score (Q,) there, and its draws."""

    x: Array
    value: Array
    draws: Draws

    @property
    def distance(self) -> float:
        return float(np.linalg.norm(self.value))


def _broyden(
    score: Callable[[Array], tuple[Array, Draws]], start: _Near, line: Progress
) -> tuple[_Near, int]:
    """The nearest to a root that one set of differences leads to, and the rounds it took."""
    line.phase("derivatives of the simulated score")
    here = best = start
    slopes = np.column_stack(
        [(score(here.x + WIDTH * one)[0] - score(here.x - WIDTH * one)[0]) / (2 * WIDTH)
         for one in np.eye(len(here.x))]
    )  # fmt: skip
    since = 0
    for number in range(1, ROUNDS + 1):
        line.phase(f"round {number}, {here.distance:.2g} standard errors from a root")
        if here.distance < ARRIVED or since >= PATIENCE:
            return best, number
        step = -np.linalg.lstsq(slopes, here.value, rcond=None)[0]
        step /= max(1.0, float(np.linalg.norm(step)))
        for _ in range(4):
            trial = _Near(here.x + step, *score(here.x + step))
            change = trial.value - here.value - slopes @ step
            slopes += np.outer(change, step) / (step @ step + LEAST_STEP**2)
            if trial.distance < here.distance:
                break
            step = 0.5 * step
        here = trial
        since = 0 if here.distance < best.distance else since + 1
        best = here if here.distance < best.distance else best
    return best, ROUNDS


def _whitening(problem: Problem, first: Fit) -> Array:
    """A root (P, Q) of the inverse curvature, without directions that the likelihood does not tell.

    In those a standard error is of more than `FAR` utils, and the simulated score nothing but the
    noise of draws, which is less the larger the parameters are: steps would have no end.
    """
    inverse, units, constraint = _inverse(first), natural_units(problem), problem.constraint
    if constraint is not None:
        back = np.linalg.pinv(constraint.directions)
        inverse = back @ inverse @ back.T
        units = 1.0 / np.sqrt(((constraint.directions / units[:, None]) ** 2).sum(axis=0))
    values, vectors = np.linalg.eigh(inverse / np.outer(units, units))
    told = values < FAR**2
    if told.all():
        return _in_all_entries(np.linalg.cholesky(inverse), problem)
    if not told.any():
        raise ConvergenceError(f"the likelihood tells no direction to step in: {first.message}")
    root: Array = units[:, None] * vectors[:, told] * np.sqrt(np.maximum(values[told], 0.0))
    return _in_all_entries(root, problem)


def _in_all_entries(root: Array, problem: Problem) -> Array:
    """A root along the directions that are free, in the entries of the free vector."""
    return root if problem.directions is None else problem.directions @ root


def _held_words(problem: Problem, first: Fit) -> str:
    root = _whitening(problem, first)
    held = problem.free_size - root.shape[1]
    if not held:
        return ""
    which = "1 direction" if held == 1 else f"{held} directions"
    return (
        f"In {which} of standard errors above {FAR:g} utils the likelihood tells nothing, and no "
        "root was sought: estimates are where its search ended"
    )


def _inverse(fit: Fit) -> Array:
    """Inverse curvature (P, P), or that of scores where there is none."""
    for kind in ("hessian", "opg"):
        inverse = fit.information.covariance(kind)
        if np.isfinite(inverse).all():
            return inverse
    raise ConvergenceError(f"the likelihood has no curvature to step with: {fit.message}")


def _assemble(
    problem: Problem, first: Fit, theta: Array, draws: Draws, search: tuple[float, int, float]
) -> Fit:
    distance, rounds, begun = search
    likelihood = Likelihood(problem, first.grid)
    found, about = _information(first, likelihood, theta, _scores(problem, first, draws, theta))
    value = float(weighted_sum(problem.data.weights, likelihood.by_person(theta)[0]))
    most, bread = int(draws.counts.max()), found.covariance("hessian")
    noise = bread @ draws.noise(problem, theta) @ bread
    words = [
        f"converged ({distance:.2g} standard errors from a root). {int(draws.counts.min())} to "
        f"{most} draws a person, {100 * draws.tried:.2g} % of candidates "
        "accepted",
        _held_words(problem, first),
        _without_words(problem, first, draws),
        *boundary_words(problem, theta),
        diagnosis(found, problem.parameters, theta),
        about,
        weak_words(problem, _per_person(found), theta),
        component_words(problem),
    ]
    return replace(
        first,
        estimator="MSS",
        theta=theta,
        loglik=value,
        information=found,
        integration=simulation_error("MSS", most, problem.parameters, theta, (noise, found)),
        optima=pd.DataFrame(
            {
                "loglik": [value],
                "evaluations": [rounds],
                "converged": [True],
                "grid": [str(first.grid)],
            },
            index=pd.Index([1], name="start"),
        ),
        message=". ".join(w for w in words if w),
        problem=problem,
        seconds=time.perf_counter() - begun,
    )


def _information(
    first: Fit, likelihood: Likelihood, theta: Array, scores: Array
) -> tuple[Information, str]:
    """Curvature and simulated scores at ``theta``, and where the curvature is from."""
    exact = information_at(likelihood, theta)
    if exact.constraint is not None:
        scores = exact.constraint.project(scores)
    here: Information = replace(exact, scores=scores)
    if np.isfinite(here.covariance("hessian")).all():
        return here, ""
    there = replace(first.information, scores=scores)
    if np.isfinite(there.covariance("hessian")).all():
        return there, (
            "The likelihood is not concave here: standard errors have the curvature at its maximum"
        )
    # Simulated scores' noise would pass for information where there is none.
    outer = replace(here, hessian=exact.opg)
    if not np.isfinite(outer.covariance("hessian")).all():
        outer = replace(here, hessian=here.opg)
    return outer, (
        "The likelihood is not concave here, nor where its search ended: standard errors are those "
        "of scores alone (BHHH)"
    )


def _per_person(found: Information) -> Information:
    """With weights of mean 1 in the sense of variances, whatever their scale."""
    w = found.weights
    return replace(found, hessian=found.hessian * w.sum() / (w @ w))


def _without_words(problem: Problem, first: Fit, draws: Draws) -> str:
    without = np.flatnonzero(draws.counts == 0)
    if not len(without):
        return ""
    return (
        f"No candidate was accepted for {len(without)} of {problem.n_persons} persons (persons "
        f"{first_few(problem.data.persons[without])}): their scores are those of {first.grid}"
    )
