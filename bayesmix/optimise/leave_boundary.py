"""Standard deviations near 0: an optimum there may be a trap.

The likelihood is even in each standard deviation, so that 0 is stationary whether or not it is a
maximum; an optimiser that comes near it can stay. Such an optimum is left, by starting again from
a moderate value, and kept only if nothing better is found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmix.arrays import Array
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import coefficient_units
from bayesmix.optimise.maximise import Optimum
from bayesmix.specification.parameter import SD

NEAR_UTILS = 0.1
"""A standard deviation that moves utilities by less than this within situations is near 0."""
NEAR_INDEX = 0.1
"""The same, for an index without units (a lognormal's)."""
GAIN = 0.05
"""Nats by which a new optimum must be better to replace the old."""
ROUNDS = 3
CLEAR = 2.0
"""Standard errors by which a small standard deviation is clear of 0."""


def at_boundary(problem: Problem, theta: Array) -> list[int]:
    """Positions of the random coefficients whose standard deviation is near 0, and not held.

    With latent classes positions are numbered on through the classes; what classes share is the
    first's.
    """
    if problem.within is not None:
        low = [
            c * problem.parameters.n_random + k
            for c, own in enumerate(problem.classes.class_thetas(theta))
            for k in at_boundary(problem.within, own)
            if c == 0 or problem.within.parameters.random[k] in problem.classes.own
        ]
        return [k for k in low if not _held(problem, k)]
    _, chol, _ = problem.parameters.unpack(theta)
    sd = np.sqrt((chol**2).sum(axis=1))
    unit = coefficient_units(problem)[: len(sd)]
    near = unit * np.where(problem.index, NEAR_INDEX, NEAR_UTILS)
    return [int(k) for k in np.flatnonzero(sd < near) if not _held(problem, int(k))]


def _held(problem: Problem, position: int) -> bool:
    """Whether the standard deviation at a position of `at_boundary` is a constant."""
    if problem.constraint is None:
        return False
    if problem.within is None:
        places = np.flatnonzero(problem.parameters.of_kind(SD))
        return bool(problem.constraint.held[places[position]])
    c, k = divmod(position, problem.parameters.n_random)
    places = np.flatnonzero(problem.within.parameters.of_kind(SD))
    return bool(problem.constraint.held[problem.classes.select_printed[c, places[k]]])


def boundary_names(problem: Problem, theta: Array) -> list[str]:
    """Names of the standard deviations near 0."""
    if problem.within is None:
        return [f"sd[{problem.parameters.random[k]}]" for k in at_boundary(problem, theta)]
    names, size = problem.within.parameters.random, problem.parameters.n_random
    return [
        f"sd[{names[k % size]}, {k // size + 1}]"
        if names[k % size] in problem.classes.own
        else f"sd[{names[k % size]}]"
        for k in at_boundary(problem, theta)
    ]


def boundary_words(problem: Problem, theta: Array) -> list[str]:
    """What standard deviations near 0 mean: a law with a mean becomes a fixed coefficient."""
    names, low = boundary_names(problem, theta), at_boundary(problem, theta)
    space = (problem.within or problem).parameters
    size, located = space.n_random, set(space.located.tolist())
    found = []
    for has_mean, remedy in (
        (True, "a fixed coefficient fits as well"),
        (False, "the model fits as well without this variation"),
    ):
        here = [n for n, k in zip(names, low, strict=True) if (k % size in located) is has_mean]
        if here:
            found.append(f"{', '.join(here)} at the boundary 0: {remedy}")
    return found


def leave_boundary(
    problem: Problem, search: Callable[[Array], tuple[Optimum, Grid]], start: Array
) -> tuple[Optimum, Grid]:
    """The best optimum from ``start``, and from moderate values of what has collapsed."""
    best = search(start)
    for _ in range(ROUNDS):
        low = at_boundary(problem, best[0].theta)
        if not low:
            return best
        again = search(raised(problem, best[0].theta, low))
        if not again[0].value > best[0].value + GAIN:
            return best
        best = again
    return best


def raised(problem: Problem, theta: Array, which: list[int]) -> Array:
    """``theta`` with moderate standard deviations in place of some that are near 0."""
    return problem.canonical(_replaced(problem, theta, which, 0.7))


def settled(problem: Problem, theta: Array, errors: Array) -> Array:
    """``theta`` with exactly 0 in place of standard deviations near it.

    Where an optimiser stops on its way to 0 is no estimate. A small one that is clear of 0 by its
    standard error, of ``errors`` (P,) of the free vector, stays.
    """
    sds, noise = _lengths(problem, theta), _lengths(problem, errors)
    low = [k for k in at_boundary(problem, theta) if sds[k] < CLEAR * noise[k]]
    return problem.canonical(_replaced(problem, theta, low, 0.0)) if low else theta


def _lengths(problem: Problem, free: Array) -> Array:
    """Lengths of the rows of the Cholesky factor, those of latent classes one after the other."""
    if problem.within is not None:
        within = problem.within
        return np.concatenate([_lengths(within, t) for t in problem.classes.class_thetas(free)])
    return np.sqrt((problem.parameters.unpack(free)[1] ** 2).sum(axis=1))


def _replaced(problem: Problem, theta: Array, which: list[int], units: float) -> Array:
    """``theta`` with some standard deviations in so many units, uncorrelated."""
    if problem.within is not None:
        thetas, size = problem.classes.class_thetas(theta), problem.parameters.n_random
        own = [
            _replaced(problem.within, t, [k - c * size for k in which if k // size == c], units)
            for c, t in enumerate(thetas)
        ]
        return problem.classes.join(np.array(own), problem.classes.gamma(theta))
    mean, chol, fixed = problem.parameters.unpack(theta)
    unit = coefficient_units(problem)
    for k in which:
        chol[k] = 0.0
        chol[k, k] = units * unit[k]
    space = problem.parameters
    return space.pack(mean, chol, fixed, space.shift(theta), space.log_scale(theta))
