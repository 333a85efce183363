"""From parameters to what the kernels read: the one place where theta becomes coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmix.likelihood.integrate import Mixture, coefficients_everywhere
from bayesmix.likelihood.kernels import Panel
from bayesmix.likelihood.problem import Problem

Array = NDArray[np.float64]


def locations_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Array:
    """Means of the indices of persons start .. stop - 1, (n, K), or (1, K) where all are equal."""
    space = problem.parameters
    mean = space.unpack(theta)[0][None, :]
    if not space.shifts:
        return mean
    z = problem.z[start : problem.n_persons if stop is None else stop]
    loc = np.repeat(mean, len(z), axis=0)
    for m, k in enumerate(space.shifted):
        loc[:, k] += space.shift(theta)[m] * z[:, m]
    return loc


def mixture_at(
    problem: Problem,
    theta: Array,
    nodes: Array,
    weights: Array,
    start: int = 0,
    stop: int | None = None,
) -> Mixture:
    """The mixture of coefficients of persons start .. stop - 1 at the free vector ``theta`` (P,).

    Parameters
    ----------
    problem, theta
        The model bound to data, and the free vector.
    nodes, weights
        (1 or n, K, S) and (1 or n, S), as a grid's ``block`` returns them.
    """
    _, chol, fixed = problem.parameters.unpack(theta)
    loc, link = locations_at(problem, theta, start, stop), problem.link
    if problem.price >= 0:
        loc = np.concatenate([loc, np.tile(fixed, (len(loc), 1))], axis=1)
        chol = np.concatenate([chol, np.zeros((len(fixed), len(link)))])
        link = np.concatenate([link, np.zeros(len(fixed), dtype=np.int64)])
    return Mixture(loc, chol, link, nodes, weights, problem.price)


def base_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Array:
    """Utilities of what does not vary over nodes, for the rows of persons start .. stop - 1."""
    stop = problem.n_persons if stop is None else stop
    _, _, fixed = problem.parameters.unpack(theta)
    rows = problem.rows(start, stop)
    linear = (
        np.zeros(rows.stop - rows.start) if problem.price >= 0 else problem.x_fixed[rows] @ fixed
    )
    scale = row_scales(problem, theta, start, stop)
    linear = linear if scale is None else linear * scale
    return linear if problem.offset is None else linear + problem.offset[rows]


def row_scales(
    problem: Problem, theta: Array, start: int = 0, stop: int | None = None
) -> Array | None:
    """Scale of the source of each row of persons start .. stop - 1; None where there are none."""
    found = problem.design.sources
    if found is None:
        return None
    data = problem.data
    rows = problem.rows(start, problem.n_persons if stop is None else stop)
    scales = np.exp(np.append(0.0, problem.parameters.log_scale(theta)))
    return scales[found.code[data.row_situation[rows]]]


def panel_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Panel:
    """The kernel's arrays for persons start .. stop - 1, attributes times the sources' scales."""
    panel, scale = problem.panel(start, stop), row_scales(problem, theta, start, stop)
    return panel if scale is None else panel._replace(x=panel.x * scale[:, None])


def fixed_at(problem: Problem, theta: Array) -> Array:
    """Fixed coefficients (F,)."""
    return problem.parameters.unpack(theta)[2]


def coefficients_at(problem: Problem, theta: Array, nodes: Array) -> Array:
    """Coefficients of the columns of ``problem.x``, (1 or n, ., S), at ``nodes`` (1 or n, K, S).

    ``beta = link(loc + L u)``, and in WTP space that times minus the price coefficient.
    """
    weights = np.ones((1, nodes.shape[2]))
    return coefficients_everywhere(mixture_at(problem, theta, nodes, weights))
