"""Convergence of a posterior: R-hat, effective sample sizes, divergences, shapes of weights."""

import warnings

import pandas as pd
import xarray as xr

from bayesmix.bayes.read import effective_draws, held_names, posterior_draws
from bayesmix.reporting.named_draws import flat_items, population_variables

RHAT_LIMIT = 1.01
ESS_LIMIT = 400
SHAPE_LIMIT = 0.7
"""Pareto shape of importance weights above which averages are not reliable."""


def convergence(posterior: xr.DataTree) -> pd.DataFrame:
    """Rank-normalised R-hat and effective sample sizes of every parameter.

    Parameters
    ----------
    posterior
        What `bm.sample` returned.

    Returns
    -------
    DataFrame (P, 4)
        Rows by flat name, without parameters that are held; columns ``r_hat``, ``ess_bulk``,
        ``ess_tail`` and ``divergences`` (of the whole run, the same number in each row; missing
        where the posterior has none recorded). Draws by importance sampling were resampled, and
        ArviZ would take them for independent ones: both effective sizes are that of their weights
        (no more than there are draws), a fifth column ``pareto_k`` has the shape of the weights'
        tail, and there are no chains to have an R-hat.

    Notes
    -----
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). R-hat should be below 1.01 and both
    effective sizes above 400 before intervals are read.
    """
    import arviz as az  # slow to import, and not needed to check a study

    draws = posterior_draws(posterior)
    draws = draws[population_variables(draws)]
    with warnings.catch_warnings():
        # Of draws that do not vary, of which there are no such figures.
        warnings.simplefilter("ignore", RuntimeWarning)
        columns = {
            "r_hat": az.rhat(draws),
            "ess_bulk": az.ess(draws, method="bulk"),
            "ess_tail": az.ess(draws, method="tail"),
        }
    table = pd.DataFrame({name: _flat(values) for name, values in columns.items()})
    table = table.drop(index=[name for name in held_names(posterior) if name in table.index])
    table["divergences"] = _divergences(posterior)
    if draws.attrs.get("method") == "importance":
        table["r_hat"] = float("nan")
        table[["ess_bulk", "ess_tail"]] = effective_draws(draws)
        table["pareto_k"] = float(draws.attrs["pareto_k"])
    table.index.name = "parameter"
    return table


def convergence_sentence(table: pd.DataFrame) -> str:
    """The worst figures of `convergence` in one line, and whether they are good enough.

    Examples
    --------
    >>> row = {"r_hat": 1.002, "ess_bulk": 900.0, "ess_tail": 700.0, "divergences": 0}
    >>> convergence_sentence(pd.DataFrame([row], index=["mean[pf]"]))
    'largest R-hat 1.002 (mean[pf]), smallest ESS 700 (mean[pf]), 0 divergences: good'
    """
    if "pareto_k" in table:
        return _importance_sentence(table)
    rhat = table["r_hat"]
    ess = table[["ess_bulk", "ess_tail"]].min(axis="columns", skipna=False)
    counted = table["divergences"].iloc[0]
    recorded = bool(pd.notna(counted))
    divergences = f"{int(counted)} divergences" if recorded else "divergences not recorded"
    known = bool(rhat.notna().all() and ess.notna().all())
    good = (
        known and rhat.max() < RHAT_LIMIT and ess.min() > ESS_LIMIT and not (recorded and counted)
    )
    advice = "good" if good else f"look closer (R-hat < {RHAT_LIMIT}, ESS > {ESS_LIMIT}, 0 wanted)"
    worst = (
        _worst("largest R-hat", rhat, "max", ".3f", "two chains of four draws"),
        _worst("smallest ESS", ess, "min", ".0f", "four draws a chain"),
    )
    return f"{', '.join(worst)}, {divergences}: {advice}"


def _importance_sentence(table: pd.DataFrame) -> str:
    """`convergence_sentence` of weighted draws, which have no chains."""
    ess, shape = float(table["ess_bulk"].iloc[0]), float(table["pareto_k"].iloc[0])
    good = ess > ESS_LIMIT and shape <= SHAPE_LIMIT
    advice = "good" if good else f"look closer (ESS > {ESS_LIMIT}, k <= {SHAPE_LIMIT} wanted)"
    return f"importance sampling, {ess:,.0f} effective draws, Pareto k {shape:.2f}: {advice}"


def _worst(words: str, values: pd.Series, way: str, digits: str, needed: str) -> str:
    """The extreme of the values that there are, and of how many there is none."""
    unknown = values[values.isna()]
    if len(unknown) == len(values):
        return f"{words} cannot be computed (it needs at least {needed}, and draws that vary)"
    known = values.dropna()
    value, name = (known.max(), known.idxmax()) if way == "max" else (known.min(), known.idxmin())
    text = f"{words} {value:{digits}} ({name})"
    return text + (f", none for {', '.join(map(str, unknown.index))}" if len(unknown) else "")


def _flat(values: xr.Dataset) -> pd.Series:
    return pd.Series({name: float(cell) for name, cell in flat_items(values)})


def _divergences(posterior: xr.DataTree) -> int | None:
    """How many there were, or None: other programs' posteriors may not say."""
    if "sample_stats" not in posterior.children or "diverging" not in posterior["sample_stats"]:
        return None
    return int(posterior["sample_stats"]["diverging"].sum())
