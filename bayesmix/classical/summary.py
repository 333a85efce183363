"""Tables of estimates: intervals on scales where they make sense, moments of coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from bayesmix.classical.latent_class import share_table
from bayesmix.errors import SpecificationError
from bayesmix.specification.families import moments
from bayesmix.specification.model import MixedLogit

if TYPE_CHECKING:
    from bayesmix.classical.fit import Fit

Array = NDArray[np.float64]


def intervals(table: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Add z ratios and confidence limits to a table of estimates and standard errors.

    The ratio is that of the distance from 0, and for the scale of a source of that from 1.

    Standard deviations have their limits on the log scale, correlations on Fisher's z scale, shares
    on the logit scale. A standard deviation smaller than its error is hardly told from 0, which is
    its lower limit. A share nearer to 0 or 1 than its error has limits that are cut there.
    """
    if not 0 < level < 1:
        raise SpecificationError(f"argument 'level' must be between 0 and 1, got {level}")
    q = norm.ppf(0.5 + level / 2)
    estimate, error = table["estimate"].to_numpy(float), table["std error"].to_numpy(float)
    low, high = estimate - q * error, estimate + q * error
    labels = table.index.astype(str)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        positive = labels.str.startswith(("sd[", "implied sd[", "scale["))
        clear = positive & (error <= estimate)
        factor = np.exp(q * error / estimate)
        low = np.where(positive, np.maximum(low, 0.0), low)
        low = np.where(clear, estimate / factor, low)
        high = np.where(clear, estimate * factor, high)
        bounded = labels.str.startswith("corr[")
        centre = np.arctanh(estimate, where=bounded, out=np.zeros_like(estimate))
        width = q * error / (1 - estimate**2)
        low = np.where(bounded, np.tanh(centre - width), low)
        high = np.where(bounded, np.tanh(centre + width), high)
        share = labels.str.startswith(("class share[", "share positive[", "share negative["))
        within = np.where(share, np.clip(estimate, 0.0, 1.0), 0.5)
        odds = within / (1 - within)
        spread = np.exp(q * error / (within * (1 - within)))
        clear = error <= np.minimum(within, 1 - within)
        plain = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        low = np.where(share, np.where(clear, odds / (odds + spread), plain[0]), low)
        high = np.where(share, np.where(clear, odds * spread / (1 + odds * spread), plain[1]), high)
        null = np.where(labels.str.startswith("scale["), 1.0, 0.0)
        z = np.where(error > 0, (estimate - null) / error, np.nan)
    tail = 100 * (1 - level) / 2
    return table.assign(z=z, **{f"{tail:g} %": low, f"{100 - tail:g} %": high})


def scales(table: pd.DataFrame) -> pd.Series:
    """In words, the scale of each row's interval, or why there is none."""
    names, error = table.index.astype(str), table["std error"]
    words = np.full(len(table), "identity", dtype=object)
    positive = names.str.startswith(("sd[", "implied sd[", "scale["))
    words[positive] = "log"
    words[positive & (error > table["estimate"]).to_numpy()] = "cut at 0"
    words[names.str.startswith("corr[")] = "Fisher z"
    words[names.str.startswith(("class share[", "share positive[", "share negative["))] = "logit"
    notes = boundary_notes(table)
    return pd.Series(np.where(notes != "", notes, words), index=table.index)


def boundary_notes(table: pd.DataFrame) -> pd.Series:
    """In words, why a row has no standard error; "" where it has one."""
    names, none = table.index.astype(str), table["std error"].isna().to_numpy()
    words = np.full(len(table), "", dtype=object)
    words[none] = "moves with a parameter at a boundary"
    words[none & names.str.startswith("corr[")] = "at a boundary"
    words[none & names.str.startswith("sd[")] = "at the boundary 0"
    if none.all():
        words[:] = "no maximum: the curvature is not that of one"
    return pd.Series(words, index=table.index)


def _errors(fit: Fit, kind: str | None) -> pd.DataFrame:
    """Estimates and standard errors of a kind."""
    variances = np.diag(fit.covariance(kind).to_numpy())
    return pd.DataFrame({"estimate": fit.params, "std error": np.sqrt(variances)})


def confidence_intervals(fit: Fit, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.confidence_intervals`."""
    table = _errors(fit, kind)
    return intervals(table, level).iloc[:, -2:].assign(scale=scales(table))


def summary(fit: Fit, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.summary`."""
    table = intervals(_errors(fit, kind), level)
    implied = implied_moments(fit.model) if fit.model.latent is None else of_classes(fit)
    if implied is not None:
        table = pd.concat([table, fit.delta(implied, kind, level)])
    notes = boundary_notes(table)
    return table.assign(note=notes) if (notes != "").any() else table


def of_classes(fit: Fit) -> Callable[[pd.Series], pd.Series] | None:
    """Class shares averaged over persons, and the implied moments of each class's coefficients."""
    problem = fit.problem
    assert problem is not None
    within, space = implied_moments(fit.model.within), problem.classes
    if within is None and not space.share_names:
        return None

    def quantities(params: pd.Series) -> pd.Series:
        parts = [share_table(problem, params)] if space.share_names else []
        for c in range(space.classes):
            if within is None:
                break
            found = within(space.class_params(params, c))
            own = found.index.str.extract(r"\[(.*)\]")[0].isin(space.own)
            names = np.where(own, found.index.str[:-1] + f", {c + 1}]", found.index)
            parts.append(found.set_axis(names))
        whole = pd.concat(parts)
        return whole[~whole.index.duplicated()]

    return quantities


def implied_moments(model: MixedLogit) -> Callable[[pd.Series], pd.Series] | None:
    """Moments of the coefficients as a function of the parameters; None where there are none.

    Laws whose ``mean`` and ``sd`` are those of an index, or of a normal before it is cut, have
    mean, median and standard deviation; laws that may have both signs the share of people above 0,
    and those censored at 0 the share of people who are not at 0. With covariates of the mean every
    person has moments of their own, which are left out.
    """
    # An error component has a mean of 0 and is positive for half of the people: nothing to say.
    components = {c for c in model.coefficients if c.law.even and c.mean == "0"}
    laws = [c for c in model.coefficients if c.mean in ("0", "1") and c not in components]
    if not laws:
        return None

    def values(params: pd.Series) -> pd.Series:
        found = {}
        for c in laws:
            loc = params[f"mean[{c.term}]"] if c.mean == "1" else 0.0
            law = moments(c, float(loc), float(params[f"sd[{c.term}]"]))
            if not c.law.even:
                found[f"implied mean[{c.term}]"] = law.mean
                found[f"implied median[{c.term}]"] = law.median
                found[f"implied sd[{c.term}]"] = law.sd
            censored, (low, high) = c.family == "censored-normal", c.limits
            if not c.side or (censored and low == 0.0):
                found[f"share positive[{c.term}]"] = law.positive
            elif censored and high == 0.0:
                mirrored = replace(c, bounds=(0.0, None if math.isinf(low) else -low))
                share = moments(mirrored, -float(loc), float(params[f"sd[{c.term}]"])).positive
                found[f"share negative[{c.term}]"] = share
        return pd.Series(found, dtype=float)

    return values
