"""The search for the maximum of a likelihood with constants of markets concentrated out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.accuracy.refine import Tolerance
from bayesmix.arrays import Array
from bayesmix.classical.given_starts import with_given
from bayesmix.classical.starts import scattered_starts
from bayesmix.data.choices import ChoiceData
from bayesmix.data.market_sets import MarketSets
from bayesmix.errors import ConvergenceError
from bayesmix.identification.market_constants import UNMOVED, check_moving
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.leave_boundary import leave_boundary
from bayesmix.optimise.market_likelihood import MarketLikelihood
from bayesmix.optimise.maximise import Optimum, Steps, whitening
from bayesmix.progress import Progress
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.model import MixedLogit


@dataclass(frozen=True, eq=False)
class MarketSearch:
    """What a search with shares of markets needs: the arguments of `msle` that it has."""

    data: ChoiceData
    shares: Any
    grid: Any
    given: list
    starts: int
    optimizer: str
    tolerance: Tolerance
    progress: bool | None


def search(
    own: MarketLikelihood,
    how: MarketSearch,
    rng: np.random.Generator,
    line: Progress,
) -> tuple[Optimum, pd.DataFrame]:
    """The best optimum over all starts, and a table of them."""
    problem, given = own.problem, how.given
    effective = in_effective_persons(problem)[0]
    scaled = replace(own, problem=effective, sets=replace(own.sets, data=effective.data), _last={})
    origins = scattered_starts(problem, multinomial(problem), max(how.starts, len(given)), rng)
    origins = with_given(problem, origins, given)
    check_moving(own, origins[0])
    ends, rows = [], []
    for place, origin in enumerate(origins, start=1):
        line.phase(f"start {place} of {len(origins)}")
        optimum = _from(scaled, origin, Steps(how.optimizer, callback=line.value))
        ends.append(optimum)
        value = float(own.value_and_gradient(optimum.theta)[0])
        rows.append((place, value, optimum.evaluations, optimum.converged, str(own.grid)))
    best = max(ends, key=lambda end: (end.converged, end.value))
    if not best.converged:
        raise ConvergenceError(
            f"the optimiser stopped before the gradient was small ({best.decrement:.2g} standard "
            f"errors; {best.message}): try more starts, such as starts=8, or hold parameters"
        )
    columns = ["start", "loglik", "evaluations", "converged", "grid"]
    return best, pd.DataFrame(rows, columns=columns).set_index("start")


def _from(own: MarketLikelihood, origin: Array, steps: Steps) -> Optimum:
    problem = own.problem

    def from_start(theta: Array) -> tuple[Optimum, Any]:
        for _ in range(3):
            root = whitened(own, np.nan_to_num(own.by_person(theta)[1]))
            optimum = maximise_likelihood(own, theta, root, steps=steps)
            theta = problem.canonical(optimum.theta)
            if np.array_equal(theta, optimum.theta):
                break
        return optimum, own.grid

    return leave_boundary(problem, from_start, origin)[0]


def whitened(own: MarketLikelihood, scores: Array) -> Array:
    """A root of the inverse of the outer product of scores, along what is free."""
    problem = own.problem
    units = natural_units(problem)
    return whitening(scores, problem.data.weights, units, problem.directions)


def logit_value(model: MixedLogit, sets: MarketSets, target: Array) -> float:
    """The log-likelihood of the logit with such constants: coefficients are everybody's."""
    plain = replace(model, random=(), constraints=Constraints())
    problem = bind(plain, sets.data)
    own = MarketLikelihood(problem, points_grid(problem), sets, target)
    start = np.zeros(problem.parameters.size)
    found = own.at(start)
    scores = found.scores * natural_units(problem)
    moving = np.linalg.norm(scores, axis=0) > UNMOVED * np.sqrt(problem.n_persons)
    if not moving.any():
        return float(problem.data.weights @ found.logp)
    root = np.zeros((len(start), int(moving.sum())))
    root[moving] = whitening(found.scores[:, moving], problem.data.weights)
    return maximise_likelihood(own, start, root).value
