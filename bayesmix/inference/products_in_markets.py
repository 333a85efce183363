"""Products in markets, of which the constants of a fit are: columns and clusters of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.classical.fit import Fit
from bayesmix.classical.market_constants import MarketConstants
from bayesmix.classical.market_fit import share_deviations
from bayesmix.data.columns import show
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.segments import segments_of
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import columns_of
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.market_likelihood import MarketLikelihood
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.known_shares import with_constants
from bayesmix.specification.levels import Levels, levels_of

SAME = 1e-8
"""Share by which a log-likelihood may differ that is the same."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The N products in markets of a regression.

    ``code`` (N,) are their places among all G J, ``market`` (N,) numbers of their markets,
    ``levels`` the rows of each, ``kept`` (N,) whose constants are estimated: without an outside
    option a market's first is 0.
    """

    sets: MarketSets
    levels: Levels
    code: Indices
    market: Indices
    kept: Flags
    xi: Array
    outside: bool

    @property
    def lost(self) -> int:
        """Means of markets that are taken away."""
        return 0 if self.outside else int(self.market.max()) + 1

    def within(self, values: Array) -> Array:
        """Values (N, ...) less their market's mean, where there is no outside option.

        A market's utilities have no level then, and all that is said is within it.
        """
        if self.outside:
            return values
        size = np.bincount(self.market)
        sums = np.zeros((len(size), *values.shape[1:]))
        np.add.at(sums, self.market, values)
        found: Array = values - (sums.T / size).T[self.market]
        return found


def cells_of(fit: Fit, own: MarketConstants) -> Cells:
    """The products in markets of a fit."""
    data = fit.data
    sets = MarketSets(data, *segments_of(data, own.market, data))
    on = [c for c in (own.market, data.alternative) if c is not None]
    levels = levels_of(data, on)
    inside = len(sets.goods)
    code = (sets.of_row * inside + sets.codes)[levels.first]
    market = np.unique(code // inside, return_inverse=True)[1]
    kept = np.ones(len(code), dtype=bool)
    if not data.outside_option:
        kept = code != np.array([code[market == m].min() for m in market])
    xi = own.constants.to_numpy().ravel()[code]
    return Cells(sets, levels, code, market, kept, xi, data.outside_option)


def columns_at(fit: Fit, cells: Cells, formula: str, argument: str) -> dict[str, Array]:
    """Columns (N,) of a formula, by name."""
    found = columns_of(formula, fit.data, trust=fit.model.trust)
    out = {}
    for place, (name, values) in enumerate(zip(found.names, found.values.T, strict=True)):
        if place != found.constant:
            own = _one_each(values, cells, fit, f"argument {argument!r}: {name!r}")
            out[name] = cells.within(own)
    return out


def _one_each(values: Array, cells: Cells, fit: Fit, what: str) -> Array:
    """The values (N,) of products in markets, which are to be the same in all their rows."""
    own: Array = values[cells.levels.first]
    other = np.flatnonzero(values != own[cells.levels.code])
    if len(other):
        level = int(cells.levels.code[other[0]])
        raise DataError(
            f"{what} is not the same in all rows of {cells.levels.words(level)}, first in row "
            f"{show(fit.data.rows[other[0]])}: constants are of products in markets; what differs "
            "between people belongs into the model's own formula"
        )
    return own


def groups_at(fit: Fit, cells: Cells, cluster: str | None) -> Indices:
    """Cluster (N,) of each product in a market: itself; those less one mean go together."""
    if cluster is None:
        return np.arange(len(cells.code)) if cells.lost < 2 else cells.market
    arguments.text("cluster", cluster, "the name of a column")
    if cluster not in fit.data.frame.columns:
        raise DataError(f"argument 'cluster': the data have no column {cluster!r}")
    codes = pd.factorize(fit.data.frame[cluster])[0].astype(float)
    if (codes < 0).any():
        raise DataError(f"argument 'cluster': column {cluster!r} has missing values")
    own = _one_each(codes, cells, fit, f"argument 'cluster': {cluster!r}")
    if len(np.unique(own)) < 2:
        raise DataError(f"argument 'cluster': column {cluster!r} has one value alone")
    return own.astype(np.int64)


def error_covariance(fit: Fit, cells: Cells) -> Array:
    """Covariance (N, N) of the estimated constants, within markets, given what they estimate."""
    own = fit.market_constants
    assert own is not None
    sets, inside = cells.sets, len(cells.sets.goods)
    shares = np.nan_to_num(own.shares.to_numpy())
    target = np.zeros(sets.shape)
    target[:, :inside] = shares
    if cells.outside:
        target[:, -1] = 1.0 - shares.sum(axis=1)
    # The fit's known utility has its constants already: what is looked for beside it is 0.
    none = np.zeros((len(target), inside))
    likelihood = MarketLikelihood(fit.problem, fit.grid, sets, target, lambda theta: none)
    there = likelihood.at(fit.theta)
    code = cells.code[cells.kept]
    weights = fit.weights
    moves = there.moves.reshape(-1, len(fit.theta))[code] @ fit.information.covariance("hessian")
    along = fit.information.scores * weights[:, None]
    own_errors = share_deviations(likelihood, there)[:, code] * weights[:, None]
    first = moves @ (along.T @ along) @ moves.T
    cross = moves @ (own_errors.T @ along).T
    second = (own_errors.T @ own_errors).toarray()
    found = np.zeros((len(cells.code), len(cells.code)))
    found[np.ix_(cells.kept, cells.kept)] = first - cross - cross.T + second
    return cells.within(cells.within(found).T)


def with_coefficients(fit: Fit, cells: Cells, found: dict[str, tuple[float, Array]]) -> Fit:
    """The fit with coefficients in the place of those that it holds at 0."""
    held = dict(fit.model.constraints.fixed)
    new, away = {}, np.zeros(len(cells.code))
    for term, (value, column) in found.items():
        for name in (f"mean[{term}]", f"fixed[{term}]"):
            if name in held:
                new[name] = value
                away += value * column
    offset = fit.problem.offset
    assert offset is not None
    given = fit.model.constraints
    limits = {name: (low, high) for name, low, high in given.bounds}
    constraints = Constraints(held | new, given.equal, given.linear, limits)
    model = replace(fit.model, constraints=constraints)
    theta = fit.space.theta(dict(fit.params) | new)
    rows = offset - away[cells.levels.code]
    problem = bind(model, with_constants(fit.data, rows, None))
    logp = Likelihood(problem, fit.grid).by_person(theta)[0]
    if not abs(float(fit.weights @ logp) - fit.loglik) <= SAME * (1.0 + abs(fit.loglik)):
        raise SpecificationError(
            f"a mean that the fit holds ({', '.join(new)}) is of no normal law: coefficients do "
            "not move by as much as it, and constants do not have it in them; let it be free"
        )
    information = replace(fit.information, constraint=problem.constraint)
    moved = replace(fit, model=model, theta=theta, problem=problem, information=information)
    return replace(moved, market_constants=None)
