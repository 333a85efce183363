"""Simulated markets whose prices answer to demand shocks, and their logit in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

import bayesmix as bm

PRICE, QUALITY, SHOCK = -1.0, 0.5, 1.0
ON = ("market", "alt")


def frame(
    seed: int, markets: int = 60, products: int = 4, people: int = 10, *, spread: float = 0.0
) -> pd.DataFrame:
    """One choice a person; price is cost, quality and the shock, of which utility has all."""
    rng = np.random.default_rng(seed)
    level = pd.DataFrame(
        {
            "market": np.repeat(np.arange(markets), products),
            "alt": np.tile(np.arange(products), markets),
            **{name: rng.normal(size=markets * products) for name in ("cost", "wage", "quality")},
        }
    )
    shock = rng.normal(size=len(level))
    level["price"] = 3.0 + 0.5 * level["cost"] + 0.3 * level["wage"] + 0.3 * level["quality"]
    level["price"] += 0.8 * shock
    home = np.repeat(np.arange(markets), people)
    slope = PRICE + spread * rng.normal(size=len(home))
    known = (QUALITY * level["quality"] + SHOCK * shock).to_numpy().reshape(markets, products)
    price = level["price"].to_numpy().reshape(markets, products)[home]
    utility = slope[:, None] * price + known[home] + rng.gumbel(size=price.shape)
    found = level.iloc[(home[:, None] * products + np.arange(products)).ravel()]
    found = found.reset_index(drop=True)
    found["who"] = np.repeat(np.arange(len(home)), products)
    found["choice"] = (utility == utility.max(axis=1, keepdims=True)).ravel().astype(int)
    return found


def data_of(table: pd.DataFrame, **options: Any) -> bm.ChoiceData:
    roles: dict[str, Any] = {"person": None, "situation": "who", "alternative": "alt"}
    return bm.ChoiceData.from_long(table, **roles, chosen="choice", **options)


def control(**options: Any) -> bm.ControlFunction:
    given: dict[str, Any] = {"instruments": "cost + wage", "on": ON, **options}
    return bm.ControlFunction("price", **given)


@dataclass(frozen=True)
class Stacked:
    """The two stages of a multinomial logit as one system of estimating equations, in NumPy."""

    table: pd.DataFrame
    products: int
    powers: int = 1

    @cached_property
    def levels(self) -> pd.DataFrame:
        return self.table.drop_duplicates(list(ON)).sort_values(list(ON)).reset_index(drop=True)

    @cached_property
    def z(self) -> np.ndarray:
        """Regressors of the first stage."""
        return np.column_stack(
            [np.ones(len(self.levels)), self.levels[["quality", "cost", "wage"]]]
        )

    @cached_property
    def gamma(self) -> np.ndarray:
        return np.linalg.solve(self.z.T @ self.z, self.z.T @ self.levels["price"].to_numpy())

    def x(self, gamma: np.ndarray) -> np.ndarray:
        """Attributes (persons, products, .) of the logit."""
        level = self.table["market"].to_numpy() * self.products + self.table["alt"].to_numpy()
        residual = (self.levels["price"].to_numpy() - self.z @ gamma)[level]
        powers = [residual ** (k + 1) for k in range(self.powers)]
        columns = [self.table["price"], self.table["quality"], *powers]
        return np.column_stack(columns).reshape(-1, self.products, len(columns))

    def shares(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        v = np.exp(x @ theta)
        return v / v.sum(axis=1, keepdims=True)

    def scores(self, theta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        """Scores (persons, P)."""
        x = self.x(gamma)
        chosen = self.table["choice"].to_numpy().reshape(-1, self.products)
        return np.einsum("ij,ijp->ip", chosen - self.shares(theta, x), x)

    def moments(self, gamma: np.ndarray) -> np.ndarray:
        """Normal equations (levels, G) of the first stage."""
        return self.z * (self.levels["price"].to_numpy() - self.z @ gamma)[:, None]

    def covariance(self, theta: np.ndarray, *, by_market: bool) -> np.ndarray:
        """``J^-1 M J^-T`` of both stages, J by differences."""
        gamma, size = self.gamma, len(theta)
        both = np.concatenate([theta, gamma])

        def total(at: np.ndarray) -> np.ndarray:
            sums = self.scores(at[:size], at[size:]).sum(axis=0)
            return np.concatenate([sums, self.moments(at[size:]).sum(axis=0)])

        steps = 1e-5 * np.eye(len(both))
        jacobian = np.column_stack([(total(both + h) - total(both - h)) / 2e-5 for h in steps])
        scores, moments = self.scores(theta, gamma), self.moments(gamma)
        home = self.table["market"].to_numpy()[:: self.products]
        market = self.levels["market"].to_numpy()
        n = market.max() + 1
        sums = np.zeros((n, len(both)))
        np.add.at(sums[:, size:], market, moments)
        if by_market:
            np.add.at(sums[:, :size], home, scores)
        meat = n / (n - 1) * sums.T @ sums
        if not by_market:
            meat[:size, :size] += scores.T @ scores
        back = np.linalg.inv(jacobian)
        return (back @ meat @ back.T)[:size, :size]
