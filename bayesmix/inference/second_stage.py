"""What a second stage says: coefficients of attributes of products, with their table."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from bayesmix.classical.fit import Fit
from bayesmix.classical.gmm import Overidentification
from bayesmix.classical.instrument_strength import Strength
from bayesmix.data.display import html, whole

CONSTANT = "1"
DIGITS = "{:.4f}"


@dataclass(frozen=True, eq=False, repr=False)
class MeanUtilities:
    """Linear instrumental variables on constants of markets, by `mean_utilities`.

    Attributes
    ----------
    table
        By regressor: ``estimate``, ``std error``, ``z``, and whether it is ``endogenous``.
    covariance
        (L, L) of the estimates.
    unobserved
        By market and alternative what attributes leave of the constant, utils.
    strength
        Of the instruments, by endogenous attribute.
    overidentification
        Hansen's test of further instruments.
    fit
        The fit with these coefficients in the place of those that it held at 0, and what is left
        as its constants: probabilities are the same, and slopes in attributes are right. For
        demand, with ``fit.data``; draws of its parameters take these coefficients as they are.
        What is no term of the fit's model stays in constants, and has no slope: `headline` says it.
    """

    table: pd.DataFrame
    covariance: pd.DataFrame
    unobserved: pd.Series
    strength: dict[str, Strength]
    overidentification: Overidentification
    fit: Fit

    @property
    def params(self) -> pd.Series:
        """Estimates by regressor."""
        return self.table["estimate"]

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors by regressor."""
        return self.table["std error"]

    def headline(self) -> str:
        """Sizes, and how strong instruments are."""
        how = "two-stage least squares" if self.strength else "least squares"
        lines = [f"mean utilities of {len(self.unobserved)} products in markets by {how}"]
        for name, s in self.strength.items():
            lines.append(
                f"instruments of {name!r}: {s.instruments}, F {s.f:.1f}, effective F "
                f"{s.effective_f:.1f} (critical value {s.critical:.1f}), partial R2 "
                f"{s.partial_r2:.3f}"
            )
            lines += [s.warning] if s.weak else []
        held = dict(self.fit.model.constraints.fixed)
        kinds = ("mean", "fixed")
        given = [name for name in self.table.index if name != CONSTANT]
        lacking = [name for name in given if not any(f"{kind}[{name}]" in held for kind in kinds)]
        if lacking:
            lines.append(
                f"no terms that the model holds, so that their slopes are not in .fit: "
                f"{', '.join(lacking)}; write them into its formula and hold them at 0"
            )
        test = self.overidentification
        if np.isnan(test.statistic):
            lines.append("overidentifying restrictions: clusters are too few for Hansen's J")
        elif test.df:
            lines.append(str(test))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.table, DIGITS)}"

    def _repr_html_(self) -> str:
        words = "<br>".join(escape(self.headline(), quote=False).splitlines())
        return f"<p>{words}</p>{html(self.table, DIGITS)}"
