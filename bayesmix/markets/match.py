"""Constants by market and alternative that make predicted shares equal given ones."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import refused, text
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.market_shares import given_shares
from bayesmix.demand.draws import parameter_draws
from bayesmix.demand.interventions import change
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Here, Sample, enumerate_sample, left_out
from bayesmix.errors import ConvergenceError
from bayesmix.kernels.nested_demand import nested_shares
from bayesmix.kernels.nested_substitution import nested_substitution
from bayesmix.kernels.nests import Nested
from bayesmix.kernels.shares import row_shares
from bayesmix.kernels.substitution import QUALITY, Size, substitution
from bayesmix.likelihood.persons import OfRows
from bayesmix.markets.markets import by_market
from bayesmix.markets.matched import MatchedShares, put_constants, without_constants
from bayesmix.optimise.fixed_point import cells
from bayesmix.optimise.share_constants import MatchingConstants, solve_constants, wanted_of

MISSED = 1e-11
"""From where on shares do not match."""
CONSTANT = "constant"


def match_shares(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    shares: Any,
    *,
    market: str | None = None,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    column: str = CONSTANT,
    **how: Unpack[Options],
) -> MatchedShares:
    """Constants of alternatives, by market, with which predicted shares are the given ones.

    ``S_mj(xi_m) = s_mj``, where ``v_itj + xi_mj`` is utility in the situations of market m and
    ``S_mj`` what ``bm.shares(..., by=market)`` predicts: at a fit's estimates, and for a posterior
    on average over its draws. The constants are unique (Berry 1994) up to a level, which the
    outside option fixes; without one, the first alternative's constant in a market is 0. Found by
    the contraction ``xi + log s - log S(xi)`` (Berry, Levinsohn and Pakes 1995), by Newton's steps,
    and, where markets times alternatives squared are above 33 million, by squared extrapolation
    (Varadhan and Roland 2008), which is slow where the outside option's share is small.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to.
    shares
        Of each alternative in each market, in (0, 1): a Series (or mapping) by (market,
        alternative), by alternative alone where there is one market, or a frame with the columns
        ``market``, the data's column of alternatives, and ``"share"``. The outside option's is the
        rest, or given as ``"outside"``. Sums within 1e-8 of 1 are brought to 1.
    market
        Column of markets, constant within situations; all situations are one market by default.
    scenario, predict
        The sets at which shares are to match, as in `shares`; those of ``data`` by default.
    column
        Name of the column of constants in the data that are returned.
    **how
        As in `shares`. The same ``rng`` and ``nodes`` give the nodes at which shares match: with
        others they match to the error of integration. Of a posterior the same ``draws``, too: over
        others of its draws mean shares differ.

    Returns
    -------
    MatchedShares
        The constants, and ``data`` with them: ``bm.shares(result, found.data)`` are the given ones,
        and every other measure of demand and of firms is at these shares; its intervals take the
        constants as they are. Known people are predicted from ``data`` to them,
        ``predict=found.data``.

    Raises
    ------
    DataError
        If shares are of unknown markets or alternatives, missing, 0, or do not sum to 1.
    ConvergenceError
        If no constants give these shares.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> given = {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1}
    >>> found = bm.match_shares(fit, data, given, rng=1)
    >>> bm.shares(fit, found.data, draws=5, rng=1)["estimate"].to_numpy().round(10).tolist()
    [0.4, 0.3, 0.2, 0.1]
    """
    text("column", column, "the name of the column of constants")
    options = settle(how, match_shares)
    if market is not None and not isinstance(market, Hashable):
        raise refused("market", "the name of a column of the data", market)
    sets = predict if scenario is None else scenario
    plain = without_constants(data, "data")
    other = None if predict is None else without_constants(predict, "predict")
    moved = None if scenario is None else without_constants(scenario, "scenario")
    found = enumerate_sample(result, plain, Where(moved, None, None, other), options)
    found = by_market(found, market, plain if other is None else other)
    sets_there = MarketSets(found.there.data, found.segments, found.names)
    target = given_shares(sets_there, shares, market)
    thetas = parameter_draws(result, plain, options.draws).thetas
    solution = solve(found, thetas, target)
    _check(found, solution, market)
    labels = {"market": found.names, "alternative": found.inside}
    values = np.where(target[:, : len(found.goods)] > 0, solution.constants, np.nan)
    constants = xr.DataArray(values, labels, list(labels))
    own = data if sets is None else sets
    return MatchedShares(
        constants=constants,
        data=put_constants(own, constants, market, column),
        market=market,
        column=column,
        error=float(np.abs(solution.shares - target).max()),
        evaluations=solution.evaluations,
        left_out=left_out(own).get("left_out", ""),
    )


@dataclass(frozen=True, eq=False)
class MeanShares:
    """Shares of a sample as functions of constants, averaged over free vectors."""

    found: Sample
    thetas: Array

    def shares(self, xi: Array) -> Array:
        """Shares (G, A) with constants (G, J)."""
        return shares_at(self.found, self.thetas, xi)

    def slopes(self, xi: Array) -> tuple[Array, Array]:
        """These shares, and their derivatives (G, J, A) in the constants."""
        return slopes_at(self.found, self.thetas, xi)


def solve(found: Sample, thetas: Array, target: Array) -> MatchingConstants:
    """Constants at which the mean of shares over ``thetas`` is ``target`` (G, A)."""
    return solve_constants(MeanShares(found, thetas), wanted_of(target, len(found.goods)))


def shares_at(found: Sample, thetas: Array, xi: Array) -> Array:
    """Shares (G, A) with constants (G, J), averaged over free vectors."""
    sums = [
        total
        for theta in thetas
        for total in found.over(theta, partial(_shares, size=found.size), _of_rows(found, xi))
    ]
    return np.sum(sums, axis=0) / (len(thetas) * found.mass[:, None])


def slopes_at(found: Sample, thetas: Array, xi: Array) -> tuple[Array, Array]:
    """These shares, and their derivatives (G, J, A) in the constants."""
    work, rows = partial(_slopes, size=found.size), _of_rows(found, xi)
    pairs = [pair for theta in thetas for pair in found.over(theta, work, rows)]
    effects, sums = (np.sum(each, axis=0) for each in zip(*pairs, strict=True))
    mass = len(thetas) * found.mass
    return sums / mass[:, None], effects / mass[:, None, None]


def _of_rows(found: Sample, xi: Array) -> OfRows:
    groups = found.segments[found.there.data.row_situation]
    return OfRows(found.there.whole, xi[groups, found.codes])


def _shares(here: Here, xi: Array, *, size: Size) -> Array:
    piece = here.piece
    panel, base = here.rows._replace(person_start=here.sets.person_start), _base(here, xi)
    if here.nests is None:
        rows = row_shares(panel, base, here.mixture)
    else:
        rows = nested_shares(panel, here.nests, base, here.mixture)[0]
    groups, weights = here.sets.group[piece.situation], here.sets.weight[piece.situation]
    shape = size.groups, size.alternatives
    return cells(groups, here.sets.alternative, shape, rows * weights)


def _slopes(here: Here, xi: Array, *, size: Size) -> tuple[Array, Array]:
    sets, base, quality = here.sets, _base(here, xi), change(QUALITY, here)
    if here.nests is None:
        return substitution(here.rows, sets, base, quality, here.mixture, size)
    given = Nested(here.rows, here.nests, base)
    return nested_substitution(given, sets, quality, here.mixture, size)


def _base(here: Here, xi: Array) -> Array:
    found: Array = here.base + here.piece.place(xi)
    return found


def _check(found: Sample, solution: MatchingConstants, market: str | None) -> None:
    """Refuse constants with which shares do not match."""
    missed = ~(solution.error <= MISSED)
    if not missed.any():
        return
    worst = int(np.where(np.isfinite(solution.error), solution.error, np.inf).argmax())
    where = "" if market is None else f" in {int(missed.sum())} of {len(missed)} markets, worst in "
    where += "" if market is None else f"{first_few([found.names[worst]])},"
    raise ConvergenceError(
        f"no constants were found with which shares are the given ones{where} where they are off "
        f"by a factor of up to exp({solution.error[worst]:.3g}) after {solution.evaluations} "
        "evaluations: shares may be out of reach, for alternatives that few situations offer "
        "together; or parameters so large that choices are all but certain; match fewer "
        "alternatives, or coarser markets"
    )
