"""What samplers record of their chains, by whatever name they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.read import posterior_group
from bayesmix.reporting.named_draws import SAMPLE_DIMS

NAMES = {
    "diverging": ("diverging", "divergences"),
    "depth": ("depth", "tree_depth", "treedepth"),
    "deepest": ("maxdepth_reached", "reached_max_treedepth"),
    "energy": ("energy",),
    "acceptance": ("mean_tree_accept", "acceptance_rate", "mean_accept"),
    "step": ("step_size_bar", "step_size"),
}
"""Of nutpie, PyMC, NumPyro and Stan."""


def chain_table(posterior: xr.DataTree) -> pd.DataFrame:
    """A row a chain; a column for each statistic that is recorded, and no others."""
    group = posterior.children.get("sample_stats")
    if group is None:
        chains = posterior_group(posterior).sizes.get("chain", 1)
        return pd.DataFrame(index=pd.RangeIndex(chains, name="chain"))
    stats = group.to_dataset()
    found = {name: _values(stats, others) for name, others in NAMES.items()}
    columns: dict[str, Array] = {}
    if (diverging := found["diverging"]) is not None:
        columns["divergences"] = diverging.sum(axis=1)
    if (deepest := found["deepest"]) is not None:
        columns["deepest trees"] = deepest.sum(axis=1)
    if (depth := found["depth"]) is not None:
        columns["mean depth"] = depth.mean(axis=1)
    if (energy := found["energy"]) is not None:
        columns["E-BFMI"] = np.array([energy_share(chain) for chain in energy])
    if (acceptance := found["acceptance"]) is not None:
        columns["acceptance"] = acceptance.mean(axis=1)
    if (step := found["step"]) is not None:
        columns["step"] = step[:, -1]
    chains = stats.sizes.get("chain", 1)
    labels = stats["chain"].to_numpy().ravel() if "chain" in stats.coords else np.arange(chains)
    return pd.DataFrame(columns, index=pd.Index(labels, name="chain"))


def energy_share(energy: Array) -> float:
    """E-BFMI of a chain (Betancourt 2016), NaN without any.

    ``sum (E_d - E_d-1)^2 / sum (E_d - mean E)^2``

    >>> round(energy_share(np.array([1.0, 3.0, 1.0, 3.0])), 12)
    3.0
    """
    spread = float(energy.var(ddof=1)) if len(energy) > 1 else 0.0
    if len(energy) < 3 or not spread > 0:
        return float("nan")
    return float((np.diff(energy) ** 2).mean() / spread)


def _values(stats: xr.Dataset, names: tuple[str, ...]) -> Array | None:
    """A statistic (chains, draws) under the first of its names; None where it is not recorded."""
    for name in names:
        if name not in stats:
            continue
        values = stats[name]
        for dim in SAMPLE_DIMS:
            if dim not in values.dims:
                values = values.expand_dims(dim)
        if values.ndim != len(SAMPLE_DIMS) or not values.size:
            continue
        found: Array = values.transpose(*SAMPLE_DIMS).to_numpy().astype(float)
        if np.isfinite(found).all():
            return found
    return None
