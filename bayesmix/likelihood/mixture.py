"""From parameters to what the kernels read: the one place where theta becomes coefficients."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.kernels.laws import law_tables, no_laws, with_fixed
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood.classes import log_shares
from bayesmix.likelihood.ordered_sums import linear
from bayesmix.likelihood.problem import Problem


def locations_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Array:
    """Means of the indices of persons start .. stop - 1, and shapes (n, K + E), or (1, K + E)."""
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
        (1 or n, K, S) and (1 or n, S), as a grid's ``block`` returns them; (n, C, K, S) and
        (n, C, S) where each of C latent classes has nodes of its own.
    """
    if problem.within is not None:
        return _class_mixture(problem, theta, nodes, weights, start, stop)
    _, chol, fixed = problem.parameters.unpack(theta)
    loc = locations_at(problem, theta, start, stop)
    laws, known = problem.laws, problem.known
    if problem.price >= 0:
        means, shapes = np.split(loc, [len(laws)], axis=1)
        loc = np.concatenate([means, np.tile(fixed, (len(loc), 1)), shapes], axis=1)
        chol = np.concatenate([chol, np.zeros((len(fixed), len(laws)))])
        laws = with_fixed(laws, len(fixed))
    tables = law_tables(laws, known, loc, chol)
    return Mixture(loc, chol, laws, nodes, weights, problem.price, known, tables)


def base_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Array:
    """Utilities of what does not vary over nodes, for the rows of persons start .. stop - 1."""
    stop = problem.n_persons if stop is None else stop
    rows = problem.rows(start, stop)
    utility = (
        np.zeros(rows.stop - rows.start)
        if problem.price >= 0
        else linear(problem.x_fixed[rows], fixed_at(problem, theta))
    )
    scale = row_scales(problem, theta, start, stop)
    utility = utility if scale is None else utility * scale
    return utility if problem.offset is None else utility + problem.offset[rows]


def row_scales(
    problem: Problem, theta: Array, start: int = 0, stop: int | None = None
) -> Array | None:
    """Scale of the source of each row of persons start .. stop - 1; None where there are none."""
    found = problem.design.sources
    if found is None:
        return None
    data = problem.data
    rows = problem.rows(start, problem.n_persons if stop is None else stop)
    scales: Array = np.exp(np.append(0.0, problem.parameters.log_scale(theta)))
    of_rows: Array = scales[found.code[data.row_situation[rows]]]
    return of_rows


def panel_at(problem: Problem, theta: Array, start: int = 0, stop: int | None = None) -> Panel:
    """The kernel's arrays for persons start .. stop - 1, attributes times the sources' scales."""
    panel, scale = problem.panel(start, stop), row_scales(problem, theta, start, stop)
    return panel if scale is None else panel._replace(x=panel.x * scale[:, None])


def fixed_at(problem: Problem, theta: Array) -> Array:
    """Fixed coefficients (F,)."""
    if problem.within is not None:
        space = problem.classes
        return fixed_at(problem.within, space.class_thetas(theta)[0])[len(space.points) :]
    return problem.parameters.unpack(theta)[2]


def coefficients_at(
    problem: Problem, theta: Array, nodes: Array, start: int = 0, stop: int | None = None
) -> Array:
    """Coefficients of the columns of ``problem.x``, (1 or n, ., S), at ``nodes`` (1 or n, K, S).

    ``beta = T(L u; loc, s)``, and in WTP space that times minus the price coefficient. With C
    latent classes (1 or n, ., C S), class by class.
    """
    weights = np.ones((1, nodes.shape[-1]))
    return coefficients_everywhere(mixture_at(problem, theta, nodes, weights, start, stop))


def _class_mixture(
    problem: Problem, theta: Array, nodes: Array, weights: Array, start: int, stop: int | None
) -> Mixture:
    """A mixture whose nodes are the coefficients themselves, those of all classes in turn.

    Weights are those of the nodes times the class shares, so that no kernel need know of classes.
    """
    within, space = problem.within, problem.classes
    assert within is not None
    shares = np.exp(log_shares(problem, theta, start, stop))
    values, shared = [], []
    for c, own in enumerate(space.class_thetas(theta)):
        u, w = (nodes, weights) if nodes.ndim == 3 else (nodes[:, c], weights[:, c])
        beta = coefficients_at(within, own, np.ascontiguousarray(u), start, stop)
        if problem.price < 0:
            points = fixed_at(within, own)[: len(space.points)]
            sizes = (len(beta), len(points), beta.shape[2])
            beta = np.concatenate([beta, np.broadcast_to(points[:, None], sizes)], axis=1)
        values.append(beta)
        shared.append(shares[:, [c]] * w)
    size = values[0].shape[1]
    return Mixture(
        np.zeros((1, size)),
        np.eye(size),
        no_laws(size),
        np.concatenate(values, axis=2),
        np.concatenate(shared, axis=1),
    )
