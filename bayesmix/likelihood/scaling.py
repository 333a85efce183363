"""Natural units of the parameters: what moves utilities by about a util within situations."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.likelihood.problem import Problem


def coefficient_units(problem: Problem) -> Array:
    """Of the coefficients (K + F,), those with a law first.

    One over the spread of the column; 1 for an index without units (a lognormal's); in WTP space,
    one over the spread and the size of the price coefficient.
    """
    unit = 1.0 / problem.design.spread
    if problem.price >= 0:
        others = np.arange(len(unit)) != problem.price
        unit[others] /= price_scale(problem)
    unit[: len(problem.index)][problem.index] = 1.0
    return unit


def price_scale(problem: Problem) -> float:
    """Size of the price coefficient in the multinomial logit, a tenth of a util at least."""
    if "price scale" not in problem.memory:
        size = abs(multinomial(problem).coefficients[problem.price])
        least = 0.1 / problem.design.spread[problem.price]
        problem.memory["price scale"] = float(max(size, least))
    found: float = problem.memory["price scale"]
    return found


def natural_units(problem: Problem) -> Array:
    """Of the free vector (P,)."""
    space, size = problem.parameters, np.sqrt((problem.share_z**2).mean(axis=0))
    own = np.tile(_units_within(problem.within), (space.classes, 1))
    units = space.join(own, np.zeros((space.classes, len(size))))
    units[space.n_within :] = np.tile(1 / np.where(size > 0, size, 1), space.classes - 1)
    return units


def _units_within(problem: Problem) -> Array:
    """Of the free vector of a class."""
    space, unit = problem.parameters.within, coefficient_units(problem)
    k = space.n_random
    square = np.broadcast_to(unit[:k, None], (k, k))
    shifts = shift_units(problem, unit[:k])
    means = np.concatenate([unit[:k], np.ones(len(space.shapes))])
    return space.pack(means, square, unit[k:], shifts, np.ones(space.n_logged))


def shift_units(problem: Problem, unit: Array) -> Array:
    """Of the shifts (M,): the unit (K,) of their coefficient, over the covariate's spread."""
    size = np.sqrt((problem.z**2).mean(axis=0))
    return unit[problem.parameters.within.shifted] / np.where(size > 0, size, 1.0)
