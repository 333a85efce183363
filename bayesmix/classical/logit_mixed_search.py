"""The search for coefficients of the weights of points, and fixed ones beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array
from bayesmix.classical.weight_basis import LogitWeights
from bayesmix.errors import ConvergenceError
from bayesmix.optimise.mixing_weights import slopes_at
from bayesmix.optimise.type_likelihood import FIXED_TOLERANCE, TypeLikelihood
from bayesmix.optimise.type_search import WeightedPoints
from bayesmix.optimise.weight_logit import WeightLogit, logit_weights
from bayesmix.progress import Progress

ROUNDS = 500
FLAT = 5.0
"""Most that logarithms of weights differ by in a start, their standard deviation."""


@dataclass(frozen=True, eq=False)
class Work:
    """Weights of points (M, K), which are functions of them (M, Q), and likelihoods."""

    likelihood: TypeLikelihood
    weights: LogitWeights

    @property
    def points(self) -> Array:
        return self.weights.types.values

    @cached_property
    def basis(self) -> Array:
        return self.weights.values


def best(work: Work, fixed: Array, line: Progress) -> tuple[WeightedPoints, WeightLogit]:
    """From equal weights, and from those of each smaller size, which is a case of the next.

    The log-likelihood is not concave, and where weights fall to 0 it has no slopes: a larger size
    never ends below a smaller.
    """
    sizes = [work.weights]
    while sizes[-1].smaller is not None:
        sizes.append(sizes[-1].smaller)
    below: tuple[Array, Array] | None = None
    for weights in reversed(sizes):
        line.phase(str(weights))
        own, equal = replace(work, weights=weights), (np.zeros(len(weights.names)), fixed)
        if below is None:
            starts = [equal]
        else:
            alpha, values = weights.raised(below[0]), below[1]
            spread = float((weights.values @ alpha).std())
            starts = [(alpha, values), (alpha * min(1.0, FLAT / max(spread, FLAT)), values)]
            starts += [equal] if weights is work.weights else []
        found = _highest(own, starts, last=weights is work.weights)
        below = None if found is None else (found[1].alpha, found[0].fixed)
    assert found is not None
    return found


def _highest(
    work: Work, starts: list[tuple[Array, Array]], *, last: bool
) -> tuple[WeightedPoints, WeightLogit] | None:
    """The best end of searches; None where there is none, of all but the ``last`` size."""
    ends, failed = [], None
    for alpha, fixed in starts:
        try:
            ends.append(solved(work, alpha, fixed, work.likelihood.persons))
        except ConvergenceError as error:
            failed = error
    if failed is not None and last and not ends:
        raise failed
    return max(ends, key=lambda end: end[0].loglik, default=None)


def solved(
    work: Work, alpha: Array, fixed: Array, persons: Array
) -> tuple[WeightedPoints, WeightLogit]:
    """The best coefficients, and fixed ones, in turns."""
    likelihood, drawn = work.likelihood, persons > 0
    if persons is not likelihood.persons:
        data = replace(likelihood.problem.data, weights=persons)
        likelihood = TypeLikelihood(replace(likelihood.problem, data=data))
    for _ in range(ROUNDS):
        logs = likelihood.log_probabilities(work.points, fixed)
        top = logs.max(axis=1)
        likelihoods = np.exp(logs - top[:, None])[drawn]
        found = logit_weights(likelihoods, persons[drawn], work.basis, alpha)
        if likelihood.distance(work.points, found.weights, fixed) <= FIXED_TOLERANCE:
            slopes, _ = slopes_at(likelihoods, persons[drawn], found.weights)
            value = found.loglik + float(persons @ top)
            gap = max(float(slopes.max()), 0.0)
            return WeightedPoints(work.points, logs, found.weights, fixed, value, gap), found
        alpha, fixed = found.alpha, likelihood.best_fixed(work.points, found.weights, fixed)
    raise ConvergenceError(
        f"fixed coefficients and weights of points have not settled in {ROUNDS} rounds: the "
        "points may hold what the fixed coefficients say; let these vary over points too"
    )
