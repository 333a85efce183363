"""What independent scramblings of a person-centred grid tell together, and how well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from bayesmix.arrays import Array
from bayesmix.likelihood.persons import over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid

Integrals = Callable[..., tuple[Array, Array]]
"""Log-integrals (n,) and scores (n, P) of persons on a grid, such as `log_integrals`."""

SCRAMBLES = 8


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


def pool(point: Point, grids: Sequence[Grid], integrals: Integrals, to_shift: Array) -> Pooled:
    """What the scramblings' results say together, block by block of persons."""
    work = partial(_pool, integrals=integrals, to_shift=to_shift)
    exact, spread = [], []
    whole, (variance, square) = np.zeros(to_shift.shape[1]), np.zeros((2, len(to_shift)))
    for part in over_persons(point, grids[0], work, *grids[1:]):
        exact.append(part.logp)
        spread.append(part.variance)
        whole += part.score
        variance += part.shift_variance
        square += part.degrees
    with np.errstate(invalid="ignore"):
        degrees = (SCRAMBLES - 1) * variance**2 / square
    logp, of_one = np.concatenate(exact), np.concatenate(spread)
    return Pooled(logp, of_one, whole, variance, np.where(square > 0, degrees, 1.0))


def _pool(here: Point, *grids: Grid, integrals: Integrals, to_shift: Array) -> Pooled:
    """`pool` of a block; in place of degrees of freedom, squares of persons' variances."""
    found = [integrals(here, grid) for grid in grids]
    logp, scores = (np.stack(parts) for parts in zip(*found, strict=True))
    score, by_person = jackknife(logp, scores, here.persons.weights, to_shift)
    squares = (by_person**2).sum(axis=0)
    return Pooled(*pooled(logp), score, by_person.sum(axis=0), squares)


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
    return float(stdtrit(degrees, 0.975) * np.sqrt(total))


def jackknife(logp: Array, scores: Array, weights: Array, to_shift: Array) -> tuple[Array, Array]:
    """Total score (P,) of some persons' pooled integrals, and their variances (n, P) of the shifts.

    A jackknife over scramblings, person by person: persons' scramblings are independent, and so
    the variance of the sum is known far better than from the totals of a few scramblings. What it
    says of the bias, which is the same for every person and grows with their number, is taken out
    (Quenouille 1956).
    """
    relative = np.exp(logp - logp.max(axis=0))[:, :, None]
    weighted = relative * scores
    total, norm = weighted.sum(axis=0), relative.sum(axis=0)
    left_out = (total - weighted) / (norm - relative)
    unbiased = SCRAMBLES * total / norm - (SCRAMBLES - 1) * left_out.mean(axis=0)
    shifts = left_out @ to_shift.T
    deviations = weights[:, None] * (shifts - shifts.mean(axis=0))
    by_person = (deviations**2).sum(axis=0) * (SCRAMBLES - 1) / SCRAMBLES
    return weights @ unbiased, by_person
