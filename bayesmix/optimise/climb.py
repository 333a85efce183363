"""Maximum simulated likelihood on person-centred grids: anchor, climb a bounded way, re-anchor.

Nodes belong to the theta at which they were placed. Run to convergence on nodes of a poor anchor,
an optimiser climbs on the nodes; so each climb stays within a trust region, measured in standard
errors, and its end must be better on nodes of its own, freshly drawn. Once steps are small the
anchors are frozen, and the optimiser converges on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centred_on, class_draws
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.grids import PopulationGrid
from bayesmix.journal import Later, remembered
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.maximise import STEPS, Optimum, Steps, coordinates, whitening

ROUNDS = 60
CLIMB = 5
"""Iterations of the optimiser on one set of anchors."""
SMALL_STEP = 0.1
"""A step (in standard errors, over all parameters) that ends the re-anchoring."""
NOISY_STEP = 2.5
"""A step of so many times the integration noise ends it too: the next would be as long."""
RECOGNISED = 100.0
"""How much looser a search may be that only has to see an optimum that is known: to a hundredth of
a standard error."""
WITHIN_SIGHT = 10.0
"""Only steps shorter than this are compared with the noise, which costs an evaluation to know."""
FAR_STEP = 1.0
"""An optimum farther than this from its anchor is anchored once more."""
SETTLINGS = 4
LEAP = 3.0
"""Standard errors that an anchor moves at most, once nodes are settled on."""
NOISE = 3.0
"""Nats: more than the integration error of a sum of log-likelihoods on these grids."""


@dataclass(frozen=True, eq=False)
class _State:
    """A point, with the likelihood on nodes anchored there and its curvature.

    Nodes are placed when something is evaluated on them that is not known.
    """

    problem: Problem
    theta: Array
    likelihood: Later[Likelihood]
    value: float
    gradient: Array
    root: Array

    @property
    def grid(self) -> Any:
        return self.likelihood.made.grid

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,) and their scores (I, P) on these nodes."""
        return self.likelihood.made.by_person(theta)

    def release(self) -> None:
        """Drop nodes that are kept."""
        if self.likelihood.known:
            self.likelihood.made.release()

    def distance(self, theta: Array) -> float:
        """Of a point from this one, in standard errors."""
        return float(np.linalg.norm(coordinates(self.root, theta - self.theta)))


def _anchor(
    problem: Problem,
    rule: Centred,
    theta: Array,
    draws: Sequence[PopulationGrid],
    modes: Callable[[], Array] | None = None,
    root: Array | None = None,
) -> _State:
    """Nodes of some draws anchored at ``theta``; ``root`` (P, P) is that of scores if not given."""

    def place() -> Likelihood:
        start = None if modes is None else modes()
        return Likelihood(problem, centred_on(problem, rule, theta, draws, start))

    def evaluate() -> tuple[float, Array, Array]:
        logp, scores = likelihood.made.by_person(theta)
        weights, units, own = problem.data.weights, natural_units(problem), root
        if own is None:
            own = whitening(np.nan_to_num(scores), weights, units, problem.directions)
        return float(weighted_sum(weights, logp)), weighted_sum(weights, scores), own

    likelihood = Later(place)
    return _State(problem, theta, likelihood, *remembered("anchor", theta, evaluate))


def _modes_of(state: _State) -> Array:
    found: Array = state.grid.modes
    return found


def _noise(state: _State, rule: Centred, rng: np.random.Generator) -> float:
    """Length of the Newton step that is due to integration alone, in standard errors."""
    draws = class_draws(state.problem, rule, rng)

    def evaluate() -> tuple[Array]:
        parts = zip(state.grid.by_class, draws, strict=True)
        other = state.problem.together([replace(grid, base=base) for grid, base in parts])
        return (Likelihood(state.problem, other, keep=False).value_and_gradient(state.theta)[1],)

    (other,) = remembered("gradient on other nodes", state.theta, evaluate)
    return float(np.linalg.norm(state.root.T @ (state.gradient - other))) / np.sqrt(2.0)


def climb(
    problem: Problem,
    rule: Centred,
    start: Array,
    rng: np.random.Generator,
    *,
    steps: Steps = STEPS,
    known: Sequence[tuple[Optimum, PersonGrid]] = (),
) -> tuple[Optimum, PersonGrid]:
    """The maximum on a person-centred grid, and the grid, anchored within reach of it.

    Parameters
    ----------
    problem
        The model bound to data.
    rule
        Such as ``centred(sobol(64))``.
    start
        Free vector (P,).
    rng
        Source of scrambles: each re-anchoring has nodes of its own.
    known
        Optima that other starts have found: a climb ends there that comes as near to one of them
        as the next anchors could tell, or to it on the nodes on which it was found.
    """
    state = _anchor(problem, rule, start, class_draws(problem, rule, rng))
    radius, evaluations, few = 20.0, 0, replace(steps, iterations=CLIMB)
    for _ in range(ROUNDS):
        local = maximise_likelihood(
            state,
            state.theta,
            state.root,
            steps=few,
            known=(state.value, state.gradient),
        )
        evaluations += local.evaluations
        step, distance = local.theta - state.theta, state.distance(local.theta)
        if distance < SMALL_STEP:
            break
        if distance < WITHIN_SIGHT and distance < NOISY_STEP * _noise(state, rule, rng):
            break
        scale = min(1.0, radius / distance)
        # Signs as they are printed, for known optima have them too.
        end = problem.canonical(state.theta + scale * step)
        state.release()
        draws = class_draws(problem, rule, rng)
        trial = _anchor(problem, rule, end, draws, partial(_modes_of, state))
        # Log-likelihoods on different nodes differ by integration noise: a climb of less than a
        # few nats cannot be told from it, and is taken.
        promised = scale * (2.0 - scale) * (local.value - state.value)
        if trial.value > state.value + 0.1 * promised - NOISE:
            state = trial
            same = _nearest(state, known, FAR_STEP)
            if same is not None:
                return replace(same[0], evaluations=evaluations), same[1]
            radius = radius * 2 if scale < 1.0 else max(radius, 2 * distance)
        else:
            radius = min(radius, scale * distance) / 4
            if radius < SMALL_STEP:
                break
    same = _nearest(state, known, WITHIN_SIGHT)
    if same is not None:
        recognised, tried = _leads_to(*same, state, steps.optimizer)
        evaluations += tried
        if recognised:
            return replace(same[0], evaluations=evaluations), same[1]
    optimum, grid = settle(problem, rule, state.theta, rng, steps=steps)
    return replace(optimum, evaluations=evaluations + optimum.evaluations), grid


def _nearest(
    state: _State, known: Sequence[tuple[Optimum, PersonGrid]], within: float
) -> tuple[Optimum, PersonGrid] | None:
    """The known optimum nearest to ``state``, if it is nearer than ``within`` standard errors."""
    gaps = [state.distance(optimum.theta) for optimum, _ in known]
    return known[int(np.argmin(gaps))] if min(gaps, default=np.inf) < within else None


def _leads_to(
    optimum: Optimum, grid: PersonGrid, state: _State, optimizer: str
) -> tuple[bool, int]:
    """Whether the optimum is reached from ``state`` on its own nodes; the evaluations it took.

    On other nodes the same optimum is elsewhere, by the noise of both.
    """
    problem = state.problem
    there = maximise_likelihood(
        Likelihood(problem, grid),
        state.theta,
        state.root,
        steps=Steps(optimizer, looser=RECOGNISED),
    )
    gap = problem.canonical(there.theta) - optimum.theta
    return state.distance(state.theta + gap) < SMALL_STEP, there.evaluations


def settle(
    problem: Problem,
    rule: Centred,
    theta: Array,
    rng: np.random.Generator,
    *,
    steps: Steps = STEPS,
    root: Array | None = None,
) -> tuple[Optimum, PersonGrid]:
    """The maximum near ``theta`` on a grid anchored there, once more where that is too far away.

    Modes are searched from 0, so that the grid is a function of rule, anchor and key alone.
    ``root`` (P, P), a root of the inverse curvature where that is known, spares the optimiser half
    of its steps; the outer product of scores stands in for it.
    """
    evaluations, found, nearest = 0, None, np.inf
    draws: tuple[PopulationGrid, ...] = ()
    for _ in range(SETTLINGS):
        theta = problem.canonical(theta)
        if len(draws) != 1:
            draws = class_draws(problem, rule, rng)
        state = _anchor(problem, rule, theta, draws, root=root)
        optimum = maximise_likelihood(
            state,
            state.theta,
            state.root,
            steps=steps,
            known=(state.value, state.gradient),
        )
        evaluations += optimum.evaluations
        distance = state.distance(optimum.theta)
        if found is None or (not optimum.converged, distance) < (not found[0].converged, nearest):
            found, nearest = (optimum, state.grid), distance
        signs_kept = np.array_equal(problem.canonical(optimum.theta), optimum.theta)
        near = distance < FAR_STEP or distance < NOISY_STEP * _noise(state, rule, rng)
        if signs_kept and near:
            found = optimum, state.grid
            break
        # Far from their anchor nodes are climbed on. On the same draws, anchors come to rest (and
        # with several classes on new ones).
        theta = theta + min(1.0, LEAP / distance) * (optimum.theta - theta)
        state.release()
    assert found is not None
    return replace(found[0], evaluations=evaluations), found[1]
