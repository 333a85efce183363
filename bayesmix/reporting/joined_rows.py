"""Which means share a row with the fixed coefficient of another model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr

from bayesmix.classical.fit import Fit
from bayesmix.reporting.implied_draws import coefficients_of


def joined_rows(results: Mapping[str, Any], names: Mapping[str, pd.Index]) -> dict[str, str]:
    """From ``"mean[x]"`` to ``"fixed[x]"``, where one model has ``x`` fixed and others random.

    Where its mean is a logarithm's or a position's in some model, or that is not known, rows stay
    apart: they would not be in the same units.

    Parameters
    ----------
    results, names
        Fits and posteriors by label, and the flat names of the parameters of each.
    """
    fixed = {str(n) for own in names.values() for n in own if str(n).startswith("fixed[")}
    found = {name.replace("fixed", "mean", 1): name for name in fixed}
    for label, result in results.items():
        plain = _plain(result)
        for mean in list(found):
            if mean in names[label] and (mean not in plain or found[mean] in names[label]):
                del found[mean]
    return found


def _plain(result: Any) -> set[str]:
    """Means that are of the coefficients themselves, by flat name."""
    if isinstance(result, xr.DataTree):
        coefficients = coefficients_of(result)
    elif isinstance(result, Fit) and result.problem is not None:
        coefficients = tuple(result.problem.design.coefficients)
    else:
        coefficients = ()
    return {f"mean[{c.term}]" for c in coefficients if not c.law.index}
