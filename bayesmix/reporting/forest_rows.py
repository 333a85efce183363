"""What a forest of estimates shows: its rows, in panels of one kind, unit and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.bayes.read import posterior_draws
from bayesmix.classical.fit import Fit
from bayesmix.classical.intervals import intervals
from bayesmix.reporting.compare import HasEstimates
from bayesmix.reporting.implied_draws import coefficients_of, implied_draws
from bayesmix.reporting.named_draws import named_items
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.parameter import IMPLIED_MEAN, IMPLIED_SD

ENDS = ["2.5 %", "25 %", "75 %", "97.5 %"]
COLUMNS = ["kind", "label", "estimate", *ENDS]
APART = 6.0
"""Times by which sizes differ in one panel at most: beyond, small intervals would be dots."""
HEADINGS = {
    "mean": "means of the mixing law",
    "sd": "standard deviations of the mixing law",
    "corr": "correlations",
    "fixed": "fixed coefficients",
    "implied mean": "means of coefficients that are no normals, as their laws imply",
    "implied sd": "standard deviations of coefficients that are no normals",
}
NATURAL = ("", "")
SCALES = {"logarithm": "of logarithms", "position": "of positions between bounds"}


@dataclass(frozen=True)
class Panel:
    """Rows that share an axis: their flat names, and the labels on it."""

    heading: str
    names: tuple[str, ...]
    labels: tuple[str, ...]


def rows_of(result: xr.DataTree | HasEstimates) -> pd.DataFrame:
    """(P, 7) by flat name: kind, label, estimate, and ends of 95 and 50 % intervals."""
    if isinstance(result, xr.DataTree):
        return _of_draws(result)
    table = pd.DataFrame({"estimate": result.params, "std error": result.std_errors})
    kinds = [parameter.kind for parameter in result.space.listed]
    found = _with_ends(*(intervals(table, kinds, level) for level in (0.95, 0.5)))
    found["kind"] = [kind.name for kind in kinds]
    found["label"] = [parameter.label for parameter in result.space.listed]
    return pd.concat([found[COLUMNS], _implied(result)])


def units_of(result: xr.DataTree | HasEstimates) -> dict[str, tuple[str, str]]:
    """By flat name of a mean or sd that is not the coefficient's: its unit, and its label."""
    coefficients: Sequence[Coefficient] = ()
    if isinstance(result, xr.DataTree):
        coefficients = coefficients_of(result)
    elif isinstance(result, Fit) and result.problem is not None:
        coefficients = result.problem.design.coefficients
    return {
        f"{kind}[{c.term}]": (c.law.unit, _of_logarithm(c))
        for c in coefficients
        for kind in ("mean", "sd")
        if c.law.index
    }


def _of_logarithm(c: Coefficient) -> str:
    """What a law of an index is of, in short."""
    term = c.term if c.sign > 0 else f"-{c.term}"
    return f"log({term})" if c.law.unit == "logarithm" else term


def panels(rows: Mapping[str, pd.DataFrame], units: Mapping[str, tuple[str, str]]) -> list[Panel]:
    """All rows by kind, in order of first appearance, split by unit and by size."""
    every = pd.concat(rows.values())
    size = every[["estimate", *ENDS]].abs().replace(np.inf, np.nan).max(axis="columns")
    size = size.groupby(every.index, sort=False).max()
    first = every[~every.index.duplicated()]
    found = []
    for kind in dict.fromkeys(first["kind"]):
        own = first.index[first["kind"] == kind]
        for unit in dict.fromkeys(units.get(name, NATURAL)[0] for name in own):
            same = [name for name in own if units.get(name, NATURAL)[0] == unit]
            heading = HEADINGS.get(kind, kind)
            if unit:
                heading = f"{heading}, {SCALES.get(unit, unit)}"
            groups = [same] if kind == "corr" else by_size(size[same])
            for number, names in enumerate(groups):
                words = f"{heading}, smaller ones" if number else heading
                labels = tuple(units.get(n, ("", first.loc[n, "label"]))[1] for n in names)
                found.append(Panel(words, tuple(names), labels))
    return found


def by_size(size: pd.Series) -> list[list[str]]:
    """Names in groups whose sizes are of one order, the largest first.

    >>> by_size(pd.Series({"a": 1.0, "b": 30.0, "c": 0.5, "d": 20.0}))
    [['b', 'd'], ['a', 'c']]
    """
    left, found = size.fillna(0.0), []
    while len(left):
        here = left >= left.max() / APART
        found.append([str(name) for name in left.index[here]])
        left = left[~here]
    return found


def _with_ends(outer: pd.DataFrame, inner: pd.DataFrame) -> pd.DataFrame:
    """Estimates and the ends of both intervals, from left to right."""
    ends = [outer.iloc[:, -2], inner.iloc[:, -2], inner.iloc[:, -1], outer.iloc[:, -1]]
    return pd.DataFrame({"estimate": outer["estimate"], **dict(zip(ENDS, ends, strict=True))})


def _implied(result: HasEstimates) -> pd.DataFrame:
    """Means and standard deviations of coefficients that a fit's laws imply."""
    if not isinstance(result, Fit) or not units_of(result):
        return pd.DataFrame(columns=COLUMNS)
    known = {kind.name: kind for kind in (IMPLIED_MEAN, IMPLIED_SD)}
    table = result.summary()
    parts = [str(name).removesuffix("]").partition("[") for name in table.index]
    shown = [kind in known for kind, _, _ in parts]
    own = pd.DataFrame(table.loc[shown, ["estimate", "std error"]])
    kinds, _, labels = zip(*(part for part in parts if part[0] in known), strict=True)
    of = [known[kind] for kind in kinds]
    found = _with_ends(*(intervals(own, of, level) for level in (0.95, 0.5)))
    return found.assign(kind=kinds, label=labels)[COLUMNS]


def _of_draws(posterior: xr.DataTree) -> pd.DataFrame:
    """Means and quantiles of draws, those of implied moments last."""
    found = {
        name: (kind, label, draws.to_numpy())
        for name, (kind, label), draws in named_items(posterior_draws(posterior))
    }
    for name, values in implied_draws(posterior).items():
        kind, _, label = name.partition("[")
        found[name] = (kind, label.removesuffix("]"), values)
    rows = {
        name: [kind, label, values.mean(), *np.quantile(values, [0.025, 0.25, 0.75, 0.975])]
        for name, (kind, label, values) in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
