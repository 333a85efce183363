"""In words, what the data hardly identify: the weakest combination of parameters.

A curvature that is scaled to a unit diagonal has an eigenvalue near 0 where some combination of
parameters is hardly determined, though each alone would be; its eigenvector names them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmix.classical.covariance import Information, free_names
from bayesmix.specification.parameters import ParameterSpace

Array = NDArray[np.float64]

HARDLY = 1e-4
"""Smallest eigenvalue, over the largest, below which a combination is hardly determined."""
HEAVY = 0.3
"""Share of the largest weight below which a parameter has no part in the combination."""
NAMED = 4


def diagnosis(found: Information, space: ParameterSpace, theta: Array) -> str:
    """What is not identified, or hardly, in a sentence; "" where all is well."""
    nothing = found.weakest(space)
    if nothing:
        return f"Not identified: the direction {nothing}"
    curvature, names = _printed(found.hessian, space, theta)
    scale = np.sqrt(np.abs(np.diag(curvature)))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return ""
    values, vectors = np.linalg.eigh(curvature / np.outer(scale, scale))
    if not 0 < values[0] <= HARDLY * values[-1]:
        return ""
    weights = np.abs(vectors[:, 0])
    order = [p for p in np.argsort(-weights)[:NAMED] if weights[p] > HEAVY * weights.max()]
    heavy = [names[p] for p in sorted(order)]
    return (
        f"Hardly identified: the data hardly tell {heavy[0]} from {', '.join(heavy[1:])} "
        f"(condition number {values[-1] / values[0]:.0e} of the scaled curvature): fix one of "
        "them, or find data in which they differ"
    )


def _printed(hessian: Array, space: ParameterSpace, theta: Array) -> tuple[Array, tuple[str, ...]]:
    """The curvature in the printed parameters; in the free vector's where there is no map back."""
    jacobian = space.jacobian(theta)
    if not np.isfinite(jacobian).all() or np.linalg.cond(jacobian) > 1e6:
        return hessian, free_names(space)
    back = np.linalg.inv(jacobian)
    return back.T @ hessian @ back, space.names
