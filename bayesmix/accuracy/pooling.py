"""What independent scramblings of a person-centred grid tell together, and how well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from bayesmix.arrays import Array
from bayesmix.likelihood.problem import Problem, ranges

Results = Callable[[int, int], tuple[Array, Array]]

SCRAMBLES = 8
JACKKNIFE_PERSONS = 4096
"""Persons whose scores are handled together: it bounds the memory."""


class Pooled(NamedTuple):
    """What scramblings tell together.

    Parameters
    ----------
    logp, variance
        Logarithms (I,) of pooled integrals, and the variance of one scrambling's.
    score
        Total score (P,) of the pooled integrals.
    shift_variance, degrees
        Variance of the shifts, and its degrees of freedom.
    """

    logp: Array
    variance: Array
    score: Array
    shift_variance: Array
    degrees: Array


def pool(problem: Problem, each: Sequence[Results], to_shift: Array) -> Pooled:
    """What the scramblings' results say together, some persons at a time."""
    weights = problem.data.weights
    exact, spread = np.empty((2, len(weights)))
    whole, (variance, square) = np.zeros(to_shift.shape[1]), np.zeros((2, len(to_shift)))
    for start, stop in ranges(0, len(weights), JACKKNIFE_PERSONS):
        found = [results(start, stop) for results in each]
        logp, scores = (np.stack(parts) for parts in zip(*found, strict=True))
        exact[start:stop], spread[start:stop] = pooled(logp)
        total, by_person = jackknife(logp, scores, weights[start:stop], to_shift)
        whole += total
        variance += by_person.sum(axis=0)
        square += (by_person**2).sum(axis=0)
    with np.errstate(invalid="ignore"):
        degrees = (SCRAMBLES - 1) * variance**2 / square
    return Pooled(exact, spread, whole, variance, np.where(square > 0, degrees, 1.0))


def pooled(logp: Array) -> tuple[Array, Array]:
    """Log of the mean over R scramblings (R, I) of each P_i, and the variance of one log P_i."""
    top = logp.max(axis=0)
    relative = np.exp(logp - top)
    mean = relative.mean(axis=0)
    return top + np.log(mean), (relative / mean).var(axis=0, ddof=1)


def pooled_interval(variance: Array, weights: Array) -> float:
    """Half-width of the 95 % interval of the pooled log-likelihood, Satterthwaite's degrees."""
    parts = weights**2 * variance / SCRAMBLES
    total = parts.sum()
    if total == 0.0:
        return 0.0
    degrees = (SCRAMBLES - 1) * total**2 / (parts**2).sum()
    return float(student.ppf(0.975, degrees) * np.sqrt(total))


def jackknife(logp: Array, scores: Array, weights: Array, to_shift: Array) -> tuple[Array, Array]:
    """Total score (P,) of some persons' pooled integrals, and their variances (n, P) of the shifts.

    A jackknife over scramblings, person by person: persons' scramblings are independent, and so
    the variance of the sum is known far better than from the totals of a few scramblings.
    """
    relative = np.exp(logp - logp.max(axis=0))[:, :, None]
    weighted = relative * scores
    total, norm = weighted.sum(axis=0), relative.sum(axis=0)
    left_out = ((total - weighted) / (norm - relative)) @ to_shift.T
    deviations = weights[:, None] * (left_out - left_out.mean(axis=0))
    by_person = (deviations**2).sum(axis=0) * (SCRAMBLES - 1) / SCRAMBLES
    return weights @ (total / norm), by_person
