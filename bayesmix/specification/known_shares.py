"""Known shares of markets: what a user gives, which models and data take them, and constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmix.arguments import refused
from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import assigned
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.market_shares import SHARE, given_shares
from bayesmix.data.segments import segments_of
from bayesmix.errors import DataError, SpecificationError
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.model import MixedLogit

if TYPE_CHECKING:
    import xarray as xr

COLUMN = "market constant"
ARGUMENT = "market_shares"
MEANING = (
    "a frame with a column of the data's that names markets, the column of alternatives, and "
    "'share'; or a mapping alternative -> share, of one market"
)


def read_shares(data: ChoiceData, shares: Any) -> tuple[MarketSets, str | None, Array]:
    """The markets of data, their column, and the shares (G, A) that a user gives.

    Raises
    ------
    DataError
        If the frame has no column of markets or several, or as `given_shares`.
    """
    market = None
    if isinstance(shares, pd.DataFrame):
        roles = (data.alternative, SHARE)
        others = [c for c in shares.columns if c not in roles and c in data.frame.columns]
        if len(others) > 1:
            raise DataError(
                f"argument {ARGUMENT!r}: the frame has {len(others)} columns of the data's beside "
                f"{data.alternative!r} and {SHARE!r}, {others}: leave the one that names markets"
            )
        if not others and len(shares.columns) > len(roles):
            names = [c for c in shares.columns if c not in roles]
            raise DataError(
                f"argument {ARGUMENT!r}: the frame has a column {names[0]!r}, which the data have "
                "not: markets are named by a column that both have"
            )
        market = others[0] if others else None
    elif not isinstance(shares, Mapping):
        raise refused(ARGUMENT, MEANING, shares)
    sets = MarketSets(data, *segments_of(data, market, data, ARGUMENT), ARGUMENT)
    return sets, market, given_shares(sets, shares, market)


def check_marketable(model: MixedLogit, data: ChoiceData) -> None:
    """Refuse models and data of which constants of markets are not concentrated out."""
    check_one_class(model.latent, "shares", ARGUMENT)
    wrong = {
        "scale=, which would be of constants too: interact attributes with the source in the "
        "formula": model.scale is not None,
        "nests=, whose shares have no derivatives by parameters here": model.nests is not None,
        "control=: constants of markets hold what its residuals are for": model.control is not None,
    }
    for what, has in wrong.items():
        if has:
            raise SpecificationError(
                f"argument {ARGUMENT!r}: not of models with {what}; leave one of the two out"
            )
    if data.first_choices() is not data:
        raise DataError(
            f"argument {ARGUMENT!r}: the data are rankings, whose later choices no shares are of: "
            "give the first choices alone, data.first_choices()"
        )
    if data.known.sampled is not None:
        raise DataError(
            f"argument {ARGUMENT!r}: the data hold samples of alternatives (column "
            f"{data.known.sampled!r}), of which no shares are predicted: give whole choice sets"
        )
    if data.known.matched is not None:
        raise DataError(
            f"argument {ARGUMENT!r}: the data have constants of bm.match_shares already (column "
            f"{data.known.matched!r}): give the data without them"
        )
    if COLUMN in data.frame.columns:
        raise DataError(
            f"argument {ARGUMENT!r}: the data have a column {COLUMN!r}, in whose place constants "
            "would stand: give it another name"
        )


def with_constants(data: ChoiceData, rows: Array, own: Array | None) -> ChoiceData:
    """The data with constants (R,) of rows as a known part of utility, beside their ``own``."""
    values = rows if own is None else rows + own
    frame = assigned(data.frame, {COLUMN: values})
    return replace(data, frame=frame, known=replace(data.known, offset=COLUMN))


def labelled(sets: MarketSets, values: Array, there: Flags) -> xr.DataArray:
    """Values (G, J) by market and alternative; NaN where a market does not offer it."""
    import xarray as xr  # fits without markets need none

    labels = {"market": sets.names, "alternative": np.array([*sets.goods, None], object)[:-1]}
    return xr.DataArray(np.where(there, values, np.nan), labels, list(labels))
