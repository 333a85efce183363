"""Whether intervals of simulated choices cover the truth: by parameter, in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from bayesmix import arguments
from bayesmix.classical.intervals import intervals
from bayesmix.data.display import html, whole
from bayesmix.specification.parameter import Parameter

LEVELS = (0.5, 0.8, 0.9, 0.95)
CERTAINTY = 0.99
"""Of the binomial interval of a coverage."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Estimates and standard errors in simulated choices, and whether intervals cover the truth.

    Parameters
    ----------
    truth, estimates, std_errors
        By simulation and flat name, (N, P). A standard error is NaN where an estimate is at a
        boundary.
    parameters
        Names and kinds of the parameters.
    simulations
        How many were asked for.
    failed
        By number, why a simulation has no estimates.
    interrupted
        Whether the run was ended before all had been made.
    """

    truth: pd.DataFrame
    estimates: pd.DataFrame
    std_errors: pd.DataFrame
    parameters: tuple[Parameter, ...]
    simulations: int
    failed: dict[int, str]
    interrupted: bool = False

    def covered(self, level: float = 0.95) -> pd.DataFrame:
        """Whether the interval of a level covers the truth (N, P); missing where there is none.

        Intervals are those of a fit's summary: of standard deviations on the log scale, of
        correlations on Fisher's.
        """
        arguments.real("level", level, above=0, below=1)
        n, columns = len(self.estimates), self.estimates.columns
        kinds = [parameter.kind for parameter in self.parameters] * n
        each = {"estimate": self.estimates, "std error": self.std_errors}
        flat = {name: frame.to_numpy(float).ravel() for name, frame in each.items()}
        low, high = intervals(pd.DataFrame(flat), kinds, level).iloc[:, -2:].to_numpy(float).T
        true = self.truth.to_numpy(float).ravel()
        inside = ((low <= true) & (true <= high)).astype(float)
        inside[~(np.isfinite(low) & np.isfinite(high))] = np.nan
        return pd.DataFrame(inside.reshape(n, -1), self.estimates.index, columns)

    def summary(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Coverage by parameter and level, with its binomial interval (Clopper and Pearson 1934).

        Returns
        -------
        DataFrame
            ``coverage`` with ``lower`` and ``upper`` (99 %), ``intervals``, of how many, and
            ``none``, in how many simulations there is no interval.
        """
        if isinstance(levels, str) or not isinstance(levels, Sequence) or not levels:
            raise arguments.refused("levels", "levels between 0 and 1", levels)
        rows = []
        for level in levels:
            arguments.real("levels", level, above=0, below=1)
            inside = self.covered(float(level))
            for name in inside.columns:
                known = inside[name].dropna()
                hits, n = int(known.sum()), len(known)
                lower, upper = binomial_interval(hits, n)
                share = hits / n if n else float("nan")
                rows.append((name, float(level), share, lower, upper, n, len(inside) - n))
        columns = ["parameter", "level", "coverage", "lower", "upper", "intervals", "none"]
        table = pd.DataFrame(rows, columns=columns).set_index(["parameter", "level"])
        order = [(str(p), float(level)) for p in self.parameters for level in levels]
        return table.loc[[pair for pair in order if pair in table.index]]

    def headline(self) -> str:
        """How many simulations there are, and which intervals cover too little or too much."""
        words = (
            f"coverage of MSLE intervals, {len(self.estimates)} of {self.simulations} simulations"
        )
        table = self.summary()
        level = table.index.get_level_values("level").to_numpy(float)
        off = (table["upper"] < level) | (table["lower"] > level)
        if off.any():
            bad = table[off].reset_index()[["parameter", "level", "coverage"]]
            each = [
                f"{name} {100 * share:.0f} % at {100 * at:g} %"
                for name, at, share in bad.itertuples(index=False)
            ]
            words += "; outside the 99 % binomial interval: " + ", ".join(each)
        else:
            words += "; every coverage is within its 99 % binomial interval"
        none = table["none"].groupby("parameter").max()
        for name, count in none[none > 0].items():
            words += f"; no interval of {name} in {count} (an estimate at a boundary)"
        if self.failed:
            first = next(iter(self.failed))
            words += (
                f"; {len(self.failed)} have no estimates, which may bias the others (first number "
                f"{first}: {self.failed[first]})"
            )
        return words + ("; interrupted" if self.interrupted else "")

    def __str__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), '{:.3f}', blank='NaN')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = escape(self.headline(), quote=False)
        return f"<p>{words}</p>{html(self.summary(), '{:.3f}', blank='NaN')}"


def binomial_interval(hits: int, n: int) -> tuple[float, float]:
    """The interval of a share that ``hits`` of ``n`` tell, at 99 % (Clopper and Pearson 1934).

    >>> lower, upper = binomial_interval(0, 10)
    >>> lower, round(upper, 4)  # 1 - 0.005 ** (1 / 10)
    (0.0, 0.4113)
    """
    tail = (1 - CERTAINTY) / 2
    lower = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    upper = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return lower, upper
