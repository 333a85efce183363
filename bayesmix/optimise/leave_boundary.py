"""Standard deviations near 0: an optimum there may be a trap.

The likelihood is even in each standard deviation, so that 0 is stationary whether or not it is a
maximum; an optimiser that comes near it can stay. Such an optimum is left, by starting again from
a moderate value, and kept only if nothing better is found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmix.arrays import Array, Indices
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
    space, within = problem.parameters, problem.within
    low = [
        c * space.n_random + k
        for c, own in enumerate(space.class_thetas(theta))
        for k in _near_zero(within, own)
        if c == 0 or within.parameters.random[k] in space.own
    ]
    return [k for k in low if not _held(problem, k)]


def _near_zero(problem: Problem, theta: Array) -> list[int]:
    """`at_boundary` within a class."""
    chol = problem.parameters.within.unpack(theta).chol
    sd = np.sqrt((chol**2).sum(axis=1))
    unit = coefficient_units(problem)[: len(sd)]
    near = unit * np.where(problem.index, NEAR_INDEX, NEAR_UTILS)
    return [int(k) for k in np.flatnonzero(sd < near)]


def _held(problem: Problem, position: int) -> bool:
    """Whether the standard deviation at a position of `at_boundary` is a constant."""
    if problem.constraint is None:
        return False
    c, k = divmod(position, problem.parameters.n_random)
    places = _deviations(problem)
    return bool(problem.constraint.held[problem.parameters.select_printed[c, places[k]]])


def _deviations(problem: Problem) -> Indices:
    """Places of the standard deviations among the parameters of a class."""
    return np.flatnonzero(problem.within.parameters.of_kind(SD))


def boundary_names(problem: Problem, theta: Array) -> list[str]:
    """Names of the standard deviations near 0."""
    space = problem.parameters
    names = [space.names[place] for place in space.select_printed[:, _deviations(problem)].ravel()]
    return [names[k] for k in at_boundary(problem, theta)]


def boundary_words(problem: Problem, theta: Array) -> list[str]:
    """What standard deviations near 0 mean: a law with a mean becomes a fixed coefficient."""
    names, low = boundary_names(problem, theta), at_boundary(problem, theta)
    space = problem.within.parameters.within
    size, located = space.n_random, set(space.located.tolist())
    found = []
    for has_mean, remedy in (
        (True, "a fixed coefficient fits as well"),
        (False, "the model fits as well without this variation"),
    ):
        here = [n for n, k in zip(names, low, strict=True) if (k % size in located) is has_mean]
        if here:
            found.append(f"{', '.join(here)} at the boundary 0: {remedy}")
    own = [name for k in low if (name := space.random[k % size]) in problem.parameters.own]
    if own:
        classes = range(1, problem.parameters.classes + 1)
        groups = [tuple(f"sd[{name}, {c}]" for c in classes) for name in dict.fromkeys(own)]
        found.append(
            "A law of a class that narrows to a point is no finding of its width: one width in all "
            f"classes, equal={groups}, keeps it from there"
        )
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
    thetas, within = problem.parameters.class_thetas(free), problem.within.parameters.within
    return np.concatenate([np.sqrt((within.unpack(t).chol ** 2).sum(axis=1)) for t in thetas])


def _replaced(problem: Problem, theta: Array, which: list[int], units: float) -> Array:
    """``theta`` with some standard deviations in so many units, uncorrelated."""
    space, size = problem.parameters, problem.parameters.n_random
    thetas = space.class_thetas(theta)
    own = [
        _replaced_within(problem.within, t, [k - c * size for k in which if k // size == c], units)
        for c, t in enumerate(thetas)
    ]
    return space.join(np.array(own), space.gamma(theta))


def _replaced_within(problem: Problem, theta: Array, which: list[int], units: float) -> Array:
    """`_replaced` within a class."""
    at = problem.parameters.within.unpack(theta)
    unit = coefficient_units(problem)
    for k in which:
        at.chol[k] = 0.0
        at.chol[k, k] = units * unit[k]
    return problem.parameters.within.pack(*at)
