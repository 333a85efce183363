"""The integrated log-likelihood of each person at each draw: what leave-one-person-out needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.frozen_likelihood import FrozenLikelihood
from bayesmix.data.columns import first_few
from bayesmix.errors import DataError
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.utility import Utility
from bayesmix.specification.parameters import ParameterSpace

FIRST_STAGE = "first_stage"
"""The variable of a control function's first-stage coefficients, which are drawn jointly."""
CONSTANTS = "market_constant"
"""The variable of constants by market and alternative that match known shares at each draw."""


def free_vectors(problem: Utility, posterior: xr.Dataset) -> Array:
    """The free vector of every draw, (chains, draws, P).

    First-stage coefficients of a control function, where they are drawn, stand behind it, (P + G),
    or the constants of all alternatives and markets, where the problem knows these.

    Draws are taken by the names of their coordinates, where they have names.

    Raises
    ------
    DataError
        If these are not the names of the problem's parameters, which depend on its data.
    """
    space, within = problem.parameters, problem.within
    values = np.concatenate(
        [_named(posterior, kind, names) for kind, names in space.labels.items()], axis=-1
    )
    kinds = np.array([parameter.kind.name for parameter in within.parameters.listed], dtype=str)
    thetas = np.empty_like(values)
    for places, entries in zip(space.select_printed, space.select, strict=True):
        own = values[..., places]
        parts = {k: (("chain", "draw", f"of_{k}"), own[..., kinds == k]) for k in kinds}
        thetas[..., entries] = _vectors(within.parameters.within, xr.Dataset(parts))
    thetas[..., space.n_within :] = values[..., space.n_within :]
    if problem.design.cells is not None:
        constants = posterior[CONSTANTS].transpose("chain", "draw", "market", "alternative")
        return np.concatenate(
            [thetas, constants.to_numpy().reshape(*thetas.shape[:2], -1)], axis=-1
        )
    residuals = problem.design.residuals
    if residuals is None or FIRST_STAGE not in posterior:
        return thetas
    return np.concatenate([thetas, _named(posterior, FIRST_STAGE, residuals.first.names)], axis=-1)


def _vectors(space: ParameterSpace, posterior: xr.Dataset) -> Array:
    """`free_vectors` of a class."""
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    parts = []
    if space.n_random:
        sd = _named(posterior, "sd", space.random)
        corr = np.broadcast_to(np.eye(space.n_random), (*shape, space.n_random, space.n_random))
        if space.pairs:
            corr = corr.copy()
            first, second = np.array(space.pairs).T
            found = _named(posterior, "corr", space.pair_names)
            corr[..., first, second] = corr[..., second, first] = found
        chol = sd[..., None] * np.linalg.cholesky(corr)
        if space.n_means:
            parts.append(_named(posterior, "mean", space.located_names))
        if space.shapes:
            parts.append(_named(posterior, "shape", space.shape_names))
        parts.append(chol[..., *space.chol_index])
    if space.fixed:
        parts.append(_named(posterior, "fixed", space.fixed))
    if space.shifts:
        parts.append(_named(posterior, "shift", space.shift_names))
    if space.scales:
        parts.append(np.log(_named(posterior, "scale", space.scales)))
    return np.concatenate(parts, axis=-1)


def _named(posterior: xr.Dataset, kind: str, names: Sequence[str]) -> Array:
    """Draws (chains, draws, .) of the parameters of a kind, in the order of ``names``."""
    if kind not in posterior:
        raise DataError(
            f"the posterior has no {kind!r}, of {first_few(names)}: it has "
            f"{[str(name) for name in posterior.data_vars]}; hand over all that bm.sample returned"
        )
    draws = posterior[kind]
    dim = draws.dims[-1]
    have = [str(name) for name in draws.indexes[dim]] if dim in draws.indexes else None
    if have is None or have == list(names):
        return draws.to_numpy()
    if sorted(have) != sorted(names):
        raise DataError(
            f"the posterior has {kind} of {first_few(have)}, and on these data the model has "
            f"{kind} of {first_few(names)}: give the data that the posterior is of, or others with "
            "the same alternatives, sources and levels, or its own and these as predict="
        )
    return draws.to_numpy()[..., [have.index(name) for name in names]]


def integrated_log_likelihood(problem: Problem, grid: Grid, thetas: Array) -> Array:
    """``log P_i`` (chains, draws, I) at free vectors (chains, draws, P).

    On the grid that the marginal sampler uses, fixed in coefficient space where it can be.
    """
    flat = thetas.reshape(-1, thetas.shape[-1])
    frozen = FrozenLikelihood.on(problem, grid)
    if frozen is None:
        likelihood = Likelihood(problem, grid)
        values = np.stack([likelihood.by_person(theta)[0] for theta in flat])
    else:
        values = frozen.by_draw(flat)
    return values.reshape(*thetas.shape[:-1], problem.n_persons)
