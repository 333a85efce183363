"""Parameters that samplers move by coordinates in which their priors have no poles.

The horseshoe's density has a pole at 0. A parameter with this prior is ``x = F^-1(Phi(z))``, where
``z`` is standard normal; its coordinate is `bayesmix.bayes.horseshoe.stretched`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import get_ident

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.horseshoe import by_ratio, coordinate, stretched
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.likelihood.problem import Problem

POLES = ("horseshoe",)
"""Families whose densities have a pole."""


@dataclass(frozen=True, eq=False)
class Warped:
    """Parameters with horseshoe priors of one ratio ``tau / slab``.

    Parameters
    ----------
    places
        Where they stand in the free vector (W,).
    tau
        The scale of each (W,).
    slab
        The first's.
    memory
        The last coordinates of each thread, and what is at them.
    """

    places: Indices
    tau: Array
    slab: float
    memory: dict[int, tuple[Array, tuple[Array, Array, Array, Array]]] = field(default_factory=dict)

    def at(self, w: Array) -> tuple[Array, Array, Array, Array]:
        """Parameters (..., W) at coordinates (..., W), slopes; log-densities and their slopes.

        What a thread asked for last is remembered: a step of a chain asks for each of them.
        """
        thread = get_ident()
        if thread in self.memory:
            own, found = self.memory[thread]
            if own.shape == w.shape and bool((own == w).all()):
                return found
        found = stretched(w, self.tau, self.slab)
        self.memory[thread] = (w.copy(), found)
        return found

    def values(self, w: Array) -> tuple[Array, Array]:
        """The parameters (..., W) at coordinates (..., W), and their derivatives."""
        return self.at(w)[:2]

    def coordinates(self, x: Array) -> Array:
        """The coordinates (..., W) of parameters (..., W)."""
        return coordinate(x, self.tau, self.slab)

    def log_density(self, w: Array) -> tuple[Array, Array]:
        """Of the coordinates, (...): the parameters' whole prior; and its slopes (..., W)."""
        _, _, each, slopes = self.at(w)
        return each.sum(axis=-1), slopes


def warped(problem: Problem, priors: Priors) -> tuple[Warped, ...]:
    """The parameters of a problem that are moved so; what is held is none of them."""
    laws = _listed(problem, priors)
    kept = problem.constraint.free if problem.constraint is not None else np.arange(len(laws))
    free = set(kept.tolist())
    own = {p: law.values for p, law in enumerate(laws) if law is not None and p in free}
    return tuple(Warped(*one) for one in by_ratio(own))


def without(problem: Problem, priors: Priors, some: tuple[Warped, ...]) -> Priors:
    """The priors of all but some parameters."""
    if not some:
        return priors
    gone = set(np.concatenate([one.places for one in some]).tolist())
    parts = {}
    for name, places in _places(problem).items():
        laws: Laws = getattr(priors, name)
        pairs = zip(places, laws.each, strict=True)
        parts[name] = Laws(tuple(Law("none") if p in gone else law for p, law in pairs))
    return replace(priors, mean=parts["mean"], fixed=parts["fixed"], shift=parts["shift"])


def _places(problem: Problem) -> dict[str, range]:
    """Where means, fixed coefficients and shifts stand in the free vector."""
    space = problem.parameters.within
    m = len(space.located)
    first = m + len(space.chol_index[0])
    second = first + len(space.fixed)
    return {
        "mean": range(m),
        "fixed": range(first, second),
        "shift": range(second, second + len(space.shifts)),
    }


def _listed(problem: Problem, priors: Priors) -> list[Law | None]:
    """For each entry of the free vector its law with a pole, if it has one."""
    found: list[Law | None] = [None] * problem.parameters.size
    for name, places in _places(problem).items():
        for place, law in zip(places, getattr(priors, name).each, strict=True):
            found[place] = law if law.kind in POLES else None
    return found
