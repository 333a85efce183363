"""The root of simulated scores, by Broyden's steps in the coordinates of standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.accept_reject import Draws, accepted_draws
from bayesmix.classical.against_likelihood import FAR
from bayesmix.classical.fit import Fit
from bayesmix.data.columns import first_few
from bayesmix.errors import ConvergenceError, IntegrationError
from bayesmix.integration.grids import PopulationGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.progress import Progress

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


def _accepted(
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


def simulated_scores(problem: Problem, first: Fit, draws: Draws, theta: Array) -> Array:
    """Simulated scores (I, P); of persons without draws, those of their own grid's nodes."""
    scores = draws.scores(problem, theta)
    without = draws.counts == 0
    if without.any():
        scores[without] = Likelihood(problem, first.grid).by_person(theta)[1][without]
    return scores


@dataclass(frozen=True, eq=False)
class ScoreRoot:
    """Where the simulated score is 0, or as good as.

    Parameters
    ----------
    theta, draws
        The free vector (P,), and the draws of the score there.
    distance
        From a root, in standard errors.
    rounds
        How many it took.
    """

    theta: Array
    draws: Draws
    distance: float
    rounds: int


def score_root(
    problem: Problem,
    first: Fit,
    origin: Array,
    streams: tuple[PopulationGrid, PopulationGrid],
    wanted: int,
    line: Progress,
) -> ScoreRoot:
    """Broyden's (1965) steps, from differences wide enough to average over the score's steps.

    Coordinates are whitened with the likelihood's curvature: a unit is about a standard error.
    Directions that it does not tell stay at the origin.
    Where steps lead no nearer, differences are taken anew at the nearest point.
    """
    root = _whitening(problem, first)

    def score(x: Array) -> tuple[Array, Draws]:
        draws = _accepted(problem, origin + root @ x, streams, wanted)
        scores = simulated_scores(problem, first, draws, origin + root @ x)
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
    return ScoreRoot(origin + root @ best.x, best.draws, best.distance, rounds)


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


def unsought_words(problem: Problem, first: Fit) -> str:
    """In how many directions no root was sought; "" where it was in all."""
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


def without_words(problem: Problem, first: Fit, draws: Draws) -> str:
    """Of whom no candidate was accepted; "" of nobody."""
    without = np.flatnonzero(draws.counts == 0)
    if not len(without):
        return ""
    return (
        f"No candidate was accepted for {len(without)} of {problem.n_persons} persons (persons "
        f"{first_few(problem.data.persons[without])}): their scores are those of {first.grid}"
    )
