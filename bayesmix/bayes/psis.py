"""Leaving one person out by weighing the draws of a posterior (Vehtari, Gelman and Gabry 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from bayesmix.arrays import Array
from bayesmix.bayes.read import SAMPLE_DIMS, effective_draws
from bayesmix.errors import SpecificationError

TAIL = 5
"""Draws that a Pareto law is fitted to, at least."""


class Estimates(NamedTuple):
    """Monte Carlo estimates that share their draws.

    Parameters
    ----------
    values
        Estimates (n,).
    noise
        Independent parts (N, n) of their errors, each of its own standard deviation: of every draw,
        of every scrambling of nodes.
    """

    values: Array
    noise: Array

    @property
    def errors(self) -> Array:
        """Monte Carlo standard errors (n,)."""
        return np.asarray(np.sqrt((self.noise**2).sum(axis=0)))

    def plus(self, other: Estimates) -> Estimates:
        """Sums with estimates whose noise is independent of these."""
        noise = np.concatenate([self.noise, other.noise])
        return Estimates(self.values + other.values, noise)

    def sum_error(self, weights: Array) -> float:
        """That of ``sum_i w_i value_i``: estimates from the same draws err together."""
        return float(np.linalg.norm(self.noise @ weights))


def left_out(logp: Array, weights: Array, efficiency: float) -> tuple[Estimates, Array]:
    """Each observation predicted by the others, from draws given all of them; Pareto shapes (n,).

    ``p(y_i | y_-i) = sum_d r_d p(y_i | theta_d)``, with weights ``r_d`` proportional to
    ``p(y_i | theta_d)^(-w_i)`` whose largest are smoothed by a generalised Pareto law (Vehtari,
    Simpson, Gelman, Yao and Gabry 2024).

    Parameters
    ----------
    logp
        ``log p(y_i | theta_d)`` (D, n).
    weights
        How many observations each counts for in the posterior, (n,).
    efficiency
        Effective draws a draw.

    Raises
    ------
    SpecificationError
        If there are too few draws to know the tail of their weights.
    """
    if len(logp) < 5 * TAIL:
        raise SpecificationError(
            f"{len(logp)} draws are too few to know what weighing them is worth: at least "
            f"{5 * TAIL}, of which the largest fifth is a tail; sample more, or ask for "
            "more by draws="
        )
    # ArviZ's function takes the logarithms of the likelihoods, and weighs by their inverses.
    logs, shape = array_stats.psislw((weights * logp).T, r_eff=efficiency)
    share = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    return _averaged(logp.T, share, efficiency), np.asarray(shape)


def averaged(logp: Array, effective: float) -> Estimates:
    """``log mean_d exp(logp)`` (n,) of draws (D, n)."""
    share = np.full(logp.T.shape, 1 / len(logp))
    return _averaged(logp.T, share, effective / len(logp))


def efficiency_of(draws: xr.Dataset) -> float:
    """Effective draws a draw: of the importance weights, or of means on average over parameters."""
    number = draws.sizes[SAMPLE_DIMS[0]] * draws.sizes[SAMPLE_DIMS[1]]
    if draws.attrs.get("method") == "importance":
        return min(1.0, effective_draws(draws) / number)
    if draws.sizes[SAMPLE_DIMS[0]] == 1 or draws.sizes[SAMPLE_DIMS[1]] < 4:
        return 1.0  # as ArviZ has it: a chain alone does not say
    found: list[float] = []
    for values in draws.data_vars.values():
        if "person" not in values.dims:
            flat = values.transpose(*SAMPLE_DIMS, ...).to_numpy()
            flat = flat.reshape(*flat.shape[:2], -1)
            varying = flat.std(axis=(0, 1)) > 0
            found.extend(
                array_stats.ess(flat[..., k], chain_axis=0, draw_axis=1, method="mean")
                for k in np.flatnonzero(varying)
            )
    return float(np.mean(found)) / number if found else 1.0


def mean_errors(draws: xr.Dataset, values: Sequence[xr.DataArray]) -> Array:
    """Monte Carlo standard errors of the means of some parameters, as `efficiency_of` knows draws.

    Of chains each parameter's own; of weighted draws those of as many independent ones as the
    weights are worth, and no more than were kept.
    """
    sds = np.array([float(one.std(ddof=1)) for one in values])
    if draws.attrs.get("method") == "importance":
        return np.asarray(sds / np.sqrt(effective_draws(draws)))
    each = [one.transpose(*SAMPLE_DIMS).to_numpy() for one in values]
    found = [array_stats.ess(one, chain_axis=0, draw_axis=1, method="mean") for one in each]
    return np.asarray(np.where(sds > 0, sds / np.sqrt(found), 0.0))


def _averaged(logp: Array, share: Array, efficiency: float) -> Estimates:
    """Logarithms of weighted means of ``exp(logp)`` (n, D)."""
    with np.errstate(divide="ignore"):
        elpd = np.logaddexp.reduce(logp + np.log(share), axis=1)
    relative = np.exp(logp - elpd[:, None]) - 1.0
    noise = share * relative / np.sqrt(min(1.0, efficiency))
    return Estimates(np.asarray(elpd), np.asarray(noise.T))
