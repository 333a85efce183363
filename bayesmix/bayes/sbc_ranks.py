"""Ranks of true parameters among draws of their posteriors, in words, and as ArviZ takes them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.uniform_bands import counts_below, simultaneous_band
from bayesmix.data.display import html, whole

PROBABILITY = 0.99
"""Of the band that words are about."""


@dataclass(frozen=True, eq=False)
class SBC:
    """Ranks of simulation-based calibration.

    Parameters
    ----------
    ranks
        How many of ``draws`` posterior draws are below the truth, (N, Q): a row a simulation, a
        column a parameter by flat name, and ``log_likelihood``. Uniform on 0 .. draws where
        posteriors are right.
    truth
        The parameters that were drawn from the prior, by flat name (N, P).
    draws
        Draws L of each posterior among which the truth is ranked.
    simulations
        How many were asked for.
    method
        How posteriors were drawn.
    failed
        By number, why a simulation has no ranks.
    ess
        The least effective number of draws of each simulation (N,).
    fallbacks
        How many were sampled by NUTS, importance sampling not having reached the posterior.
    interrupted
        Whether the run was ended before all had been made.
    """

    ranks: pd.DataFrame
    truth: pd.DataFrame
    draws: int
    simulations: int
    method: str
    failed: dict[int, str]
    ess: pd.Series
    fallbacks: int = 0
    interrupted: bool = False

    def difference(self, name: str, probability: float = PROBABILITY) -> pd.DataFrame:
        """The empirical distribution less the uniform one, and its simultaneous band.

        Parameters
        ----------
        name
            A column of `ranks`.
        probability
            That uniform ranks are inside everywhere.

        Returns
        -------
        DataFrame (L, 3)
            Columns ``difference``, ``lower``, ``upper`` by the point ``i / (L + 1)``.
        """
        arguments.one_of("name", name, [str(column) for column in self.ranks.columns])
        arguments.real("probability", probability, above=0, below=1)
        n, points = len(self.ranks), self.draws
        z = np.arange(1, points + 1) / (points + 1)
        counts = counts_below(self.ranks[name].to_numpy(), points)
        lower, upper = simultaneous_band(n, points, probability)
        return pd.DataFrame(
            {"difference": counts / n - z, "lower": lower / n - z, "upper": upper / n - z},
            index=pd.Index(z, name="point"),
        )

    def inside(self, probability: float = PROBABILITY) -> pd.Series:
        """Whether each quantity's ranks are inside the band everywhere."""
        bands = {name: self.difference(str(name), probability) for name in self.ranks.columns}
        return pd.Series({name: _all_inside(band) for name, band in bands.items()}, name="inside")

    def summary(self, probability: float = PROBABILITY) -> pd.DataFrame:
        """A row a quantity: whether it is inside, how far it goes out, and what that means.

        ``mean`` and ``sd`` are those of ``(rank + 1/2) / (draws + 1)``, 0.5 and 0.289 if uniform.
        """
        inside, u = self.inside(probability), self.uniform
        rows = {}
        for name in self.ranks.columns:
            band = self.difference(str(name), probability)
            out = np.maximum(band["difference"] - band["upper"], band["lower"] - band["difference"])
            rows[name] = {
                "inside": bool(inside[name]),
                "largest excess": max(float(out.max()), 0.0),
                "mean": float(u[name].mean()),
                "sd": float(u[name].std(ddof=0)),
                "meaning": "" if inside[name] else _meaning(u[name].to_numpy()),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")

    @property
    def uniform(self) -> pd.DataFrame:
        """``(rank + 1/2) / (draws + 1)``, which are between 0 and 1."""
        return (self.ranks + 0.5) / (self.draws + 1)

    @property
    def tree(self) -> xr.DataTree:
        """Group ``prior_sbc``, as ``arviz.plot_ecdf_pit`` takes it."""
        values = {
            str(name): (("chain", "draw"), self.uniform[name].to_numpy()[None])
            for name in self.ranks.columns
        }
        coords = {"chain": [0], "draw": self.ranks.index.to_numpy()}
        return xr.DataTree.from_dict({"prior_sbc": xr.Dataset(values, coords=coords)})

    def headline(self, probability: float = PROBABILITY) -> str:
        """How many simulations there are, which quantities are outside, and what that means."""
        n = len(self.ranks)
        words = (
            f"simulation-based calibration of {self.method}, {n} of {self.simulations} simulations"
        )
        inside = self.inside(probability)
        out = [str(name) for name in inside.index[~inside.to_numpy(bool)]]
        band = f"{100 * probability:g} % simultaneous band"
        if out:
            table = self.summary(probability)
            each = [
                f"{name}: {word}" for name, word in zip(out, table.loc[out, "meaning"], strict=True)
            ]
            words += f"; outside the {band}: " + "; ".join(each)
            chance = 1 - probability
            if len(out) < len(inside):
                words += (
                    f" (of {len(inside)} right quantities some {chance * len(inside):.2g} "
                    "are outside by chance)"
                )
        else:
            words += f"; all {len(inside)} quantities are inside the {band}"
        return words + "".join(f"; {note}" for note in self._notes())

    def _notes(self) -> list[str]:
        notes = []
        if self.failed:
            first = next(iter(self.failed))
            notes.append(
                f"{len(self.failed)} have no ranks, which may bias the others (first number "
                f"{first}: {self.failed[first]})"
            )
        short = int((self.ess < self.draws).sum())
        if short:
            notes.append(
                f"{short} have fewer than {self.draws} effective draws (least "
                f"{self.ess.min():.0f}): their ranks are not of independent draws"
            )
        if self.fallbacks:
            notes.append(f"NUTS sampled {self.fallbacks} that importance sampling did not reach")
        if self.interrupted:
            notes.append("interrupted")
        return notes

    def __str__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), '{:.3f}')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = escape(self.headline(), quote=False)
        return f"<p>{words}</p>{html(self.summary(), '{:.3f}')}"


def _all_inside(band: pd.DataFrame) -> bool:
    # Of counts divided by the same number: the edges are part of the band.
    low = band["difference"] >= band["lower"] - 1e-12
    high = band["difference"] <= band["upper"] + 1e-12
    return bool((low & high).all())


def _meaning(u: Array) -> str:
    """What the shape of ranks that are not uniform says of the posteriors."""
    error = np.sqrt(1 / 12 / len(u))
    if abs(u.mean() - 0.5) > 3 * error:
        return "posteriors are too high" if u.mean() < 0.5 else "posteriors are too low"
    # The variance of a squared distance from 1/2 is 1/180.
    spread = ((u - 0.5) ** 2).mean() - 1 / 12
    if abs(spread) > 3 * np.sqrt(1 / 180 / len(u)):
        return "posteriors are too narrow" if spread > 0 else "posteriors are too wide"
    return "ranks are not uniform: see the plot"
