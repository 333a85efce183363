"""Types of people and their shares, as estimated: the table, moments, distributions, a `Fit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.classical.fit import Fit
from bayesmix.classical.weight_estimates import WeightEstimates
from bayesmix.data.display import Table, html, whole
from bayesmix.specification.layout import Layout

SHOWN = 20
"""Types that are printed, those of the largest shares."""
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False)
class TypesFit:
    """Types of people: points of coefficients, and the share of people at each.

    Parameters
    ----------
    fit
        The types as a latent class logit, for every function of demand. It has no covariance
        matrix: give these functions ``uncertainty=found.bootstrap``.
    terms
        The K terms whose coefficients differ between types.
    gap
        Largest directional derivative over the points tried, nats: no weights of these points have
        a log-likelihood higher by more.
    largest
        The same over all points that searches in the box found; NaN where no points were added.
    starts
        Number of starts of the last search.
    tried
        Number of points that weights were estimated of, at the end.
    dropped
        Number of points whose weight is positive but below 1e-6, and their share together: they are
        left out of the fit. Of the points that are in neither the weight is exactly 0.
    method
        ``"newton"``, ``"em"`` or ``"least-squares"``; ``"logit"`` of `logit_mixed`.
    bootstrap
        Replications over persons, where these were asked for.
    logit
        What the shares are a logit of, as `logit_mixed` estimated it.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model, data = bm.MixedLogit("pf + cl"), bm.examples.electricity()
    >>> grid = bm.Types({"pf": [-2, -1, -0.5, 0], "cl": [-1, -0.5, 0, 0.5]})
    >>> found = bm.nonparametric(model, data, grid, adding=False)
    >>> bool(found.gap < 1e-3)
    True
    >>> float(found.types["share"].sum().round(9))
    1.0
    """

    fit: Fit
    terms: tuple[str, ...]
    gap: float
    largest: float
    starts: int
    tried: int
    dropped: tuple[int, float]
    method: str
    bootstrap: Bootstrap | None = None
    logit: WeightEstimates | None = None

    @property
    def loglik(self) -> float:
        """Weighted log-likelihood, nats."""
        return self.fit.loglik

    @property
    def types(self) -> pd.DataFrame:
        """The coefficients of each type, and its ``share``, the largest first."""
        points, shares = self._at(self.fit.theta)
        table = pd.DataFrame(points, columns=list(self.terms)).assign(share=shares)
        table = table[table["share"] > 0].reset_index(drop=True)
        return Table(table.rename_axis("type").set_axis(table.index + 1))

    def _at(self, theta: Array) -> tuple[Array, Array]:
        return points_and_shares(self.fit.space, theta, self.terms)

    @property
    def _replications(self) -> list[tuple[Array, Array]]:
        thetas = () if self.bootstrap is None else self.bootstrap.thetas
        return [self._at(theta) for theta in thetas]

    def moments(self, level: float = 0.95) -> pd.DataFrame:
        """Moments of the coefficients over people, with bootstrap intervals where there are any.

        Means, standard deviations, the share of people above 0, deciles and the median of each
        coefficient, and correlations; NaN between coefficients of which one does not vary.

        Parameters
        ----------
        level
            Probability of the percentile intervals.
        """
        arguments.real("level", level, above=0, below=1)
        table = moments(self.terms, *self._at(self.fit.theta)).to_frame("estimate")
        if self.bootstrap is None:
            return Table(table)
        drawn = pd.DataFrame([moments(self.terms, *own) for own in self._replications])
        tail = (1 - level) / 2
        table["std error"] = drawn.std(ddof=1)
        for end in (tail, 1 - tail):
            table[f"{100 * end:g} %"] = drawn.quantile(end)
        return Table(table)

    def distribution(
        self, term: str, values: Sequence[float] | Array | None = None, *, level: float = 0.95
    ) -> pd.DataFrame:
        """The share of people whose coefficient is at most a value.

        Parameters
        ----------
        term
            Whose coefficient.
        values
            At which values; at each type's own by default.
        level
            Probability of the pointwise percentile intervals of the bootstrap, where there is one.
        """
        arguments.one_of("term", term, self.terms)
        arguments.real("level", level, above=0, below=1)
        k = self.terms.index(term)
        points, shares = self._at(self.fit.theta)
        own = np.unique(points[shares > 0, k])
        at = own if values is None else np.asarray(values, dtype=float).ravel()
        table = pd.DataFrame({"estimate": cumulative(points[:, k], shares, at)}, index=at)
        if self.bootstrap is not None:
            drawn = [cumulative(p[:, k], s, at) for p, s in self._replications]
            tail = (1 - level) / 2
            table["low"], table["high"] = np.quantile(drawn, [tail, 1 - tail], axis=0)
        return Table(table.rename_axis(term))

    def headline(self) -> str:
        """What was found, and how it is known to be the best."""
        text = self.fit.headline()
        if self.bootstrap is not None:
            text += f"\n{self.bootstrap.headline()}"
        return text

    def __repr__(self) -> str:
        text = f"{self.headline()}\n\n{whole(self.types.head(SHOWN), '{:.4f}')}"
        if len(self.types) > SHOWN:
            text += f"\n({len(self.types) - SHOWN} more types in .types)"
        return f"{text}\n\n{whole(self.moments(), '{:.4f}', blank='NaN')}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(escape(self.headline(), quote=False).splitlines())
        tables = html(self.types.head(SHOWN), "{:.4f}"), html(self.moments(), "{:.4f}", blank="NaN")
        return f"<p>{lines}</p>{''.join(tables)}"


def points_and_shares(space: Layout, theta: Array, terms: Sequence[str]) -> tuple[Array, Array]:
    """Coefficients (C, K) of the types of a free vector, and their shares (C,)."""
    points = space.class_thetas(theta)[:, : len(terms)]
    gamma = space.gamma(theta)[:, 0]
    shares = np.exp(gamma - gamma.max())
    shares[shares < 1e-250] = 0.0  # no type: what makes replications of one length
    return points, shares / shares.sum()


def moments(terms: Sequence[str], points: Array, shares: Array) -> pd.Series:
    """`TypesFit.moments` of points (C, K) with shares (C,)."""
    mean = shares @ points
    apart = points - mean
    covariance = (apart * shares[:, None]).T @ apart
    sd = np.sqrt(np.diag(covariance))
    found: dict[str, float] = {}
    for k, term in enumerate(terms):
        found[f"mean[{term}]"], found[f"sd[{term}]"] = mean[k], sd[k]
        found[f"share positive[{term}]"] = shares[points[:, k] > 0].sum()
        for q in QUANTILES:
            name = "median" if q == 0.5 else f"{100 * q:g} %"
            found[f"{name}[{term}]"] = quantile(points[:, k], shares, q)
    for j, k in combinations(range(len(terms)), 2):
        both = sd[j] * sd[k]
        found[f"corr[{terms[j]}, {terms[k]}]"] = covariance[j, k] / both if both > 0 else np.nan
    return pd.Series(found).rename_axis("moment")


def quantile(values: Array, shares: Array, q: float) -> float:
    """The least value that a share q of people are not above.

    >>> quantile(np.array([2.0, 1.0]), np.array([0.4, 0.6]), 0.5)
    1.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(shares[order]) >= q * (1.0 - 1e-12)
    return float(values[order][np.argmax(reached)])


def cumulative(values: Array, shares: Array, at: Array) -> Array:
    """The share of people at most at each of some values.

    >>> cumulative(np.array([2.0, 1.0]), np.array([0.4, 0.6]), np.array([0.0, 1.0, 2.0])).tolist()
    [0.0, 0.6, 1.0]
    """
    order = np.argsort(values, kind="stable")
    sums = np.append(0.0, np.cumsum(shares[order]))
    found: Array = sums[np.searchsorted(values[order], at, side="right")]
    return found
