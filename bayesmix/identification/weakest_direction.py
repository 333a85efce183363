"""In words, what a curvature hardly tells apart: its weakest combination of parameters.

A curvature that is scaled to a unit diagonal has an eigenvalue near 0 where some combination of
parameters is hardly determined, though each alone would be; its eigenvector names them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import Fault
from bayesmix.specification.layout import Layout

HARDLY = 1e-4
"""Smallest eigenvalue, over the largest, below which a combination is hardly determined."""
HEAVY = 0.3
"""Share of the largest weight below which a parameter has no part in the combination."""
NAMED = 4


@dataclass(frozen=True)
class Weakest:
    """The weakest direction of a curvature, each parameter in units of its own curvature.

    Parameters
    ----------
    smallest, largest
        Eigenvalues; the smallest may be 0 or, by rounding, negative.
    names
        Parameters that have a part in it.
    """

    smallest: float
    largest: float
    names: tuple[str, ...]

    @property
    def condition(self) -> float:
        """Condition number; infinite where the direction has no curvature."""
        return self.largest / self.smallest if self.smallest > 0 else float("inf")

    @property
    def hardly(self) -> bool:
        """Whether the data hardly determine it."""
        return self.smallest <= HARDLY * self.largest

    def fault(self) -> Fault:
        """The direction in words, and what to do about it."""
        others = ", ".join(self.names[1:])
        return Fault(
            f"Hardly identified: the data hardly tell {self.names[0]} from {others} "
            f"(condition number {self.condition:.0e} of the scaled curvature)",
            "fix one of them, or find data in which they differ",
            self.names,
        )


def weakest_direction(curvature: Array, space: Layout, theta: Array) -> Weakest | None:
    """The weakest direction of a curvature (P, P) of the free vector, in printed parameters.

    None where some parameter has no curvature at all.
    """
    return weakest_of(*_printed(curvature, space, theta))


def weakest_of(printed: Array, names: tuple[str, ...]) -> Weakest | None:
    """The weakest direction of a curvature of parameters with these names."""
    scale = np.sqrt(np.abs(np.diag(printed)))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return None
    values, vectors = np.linalg.eigh(printed / np.outer(scale, scale))
    weights = np.abs(vectors[:, 0])
    order = [p for p in np.argsort(-weights)[:NAMED] if weights[p] > HEAVY * weights.max()]
    return Weakest(float(values[0]), float(values[-1]), tuple(names[p] for p in sorted(order)))


def free_names(space: Layout) -> tuple[str, ...]:
    """Names of the entries of the free vector; ``chol[., .]`` are the Cholesky factor's."""
    return tuple(str(entry) for entry in space.free_listed)


def _printed(hessian: Array, space: Layout, theta: Array) -> tuple[Array, tuple[str, ...]]:
    """The curvature in the printed parameters; in the free vector's where there is no map back."""
    jacobian = space.jacobian(theta)
    if not np.isfinite(jacobian).all() or np.linalg.cond(jacobian) > 1e6:
        return hessian, free_names(space)
    back = np.linalg.inv(jacobian)
    return back.T @ hessian @ back, space.names
