"""Constants that match shares, and data with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arguments import instance
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import assigned, first_few
from bayesmix.data.segments import segments_of
from bayesmix.errors import DataError

CHOICE_DATA = "ChoiceData, made with ChoiceData.from_long or ChoiceData.from_wide"


@dataclass(frozen=True, eq=False, repr=False)
class MatchedShares:
    """What `match_shares` found.

    Attributes
    ----------
    constants
        (G, J) by ``market`` and ``alternative``, utils; NaN where a market does not offer it.
    data
        The sets at which shares match, with the constants as a known part of utility. They go
        wherever data go in functions of demand and of firms; nothing is estimated from them.
        Scenarios that are made from them keep the constants.
    market
        The column of markets, or None.
    column
        The column of ``data.frame`` that holds the constants.
    error
        Largest difference between a predicted share and the given one.
    evaluations
        How often all shares were computed.
    left_out
        Which situations shares do not know: those in which the outside option alone is available,
        of whose choices shares of a market may.
    """

    constants: xr.DataArray
    data: ChoiceData
    market: str | None
    column: str
    error: float
    evaluations: int
    left_out: str = ""

    def put(self, data: ChoiceData) -> ChoiceData:
        """Other choice sets of the same markets and alternatives, with the constants.

        Raises
        ------
        DataError
            If there is a market or an alternative without a constant.
        """
        instance("data", data, ChoiceData, CHOICE_DATA)
        return put_constants(data, self.constants, self.market, self.column)

    def frame(self) -> pd.DataFrame:
        """The constants as a table, a row a market."""
        columns = self.constants["alternative"].to_numpy()
        index = pd.Index(self.constants["market"].to_numpy(), name="market")
        return pd.DataFrame(self.constants.to_numpy(), index, columns)

    def _repr_html_(self) -> str:
        return f"<p>{self._words()}</p>{self.frame().to_html(float_format='{:.4f}'.format)}"

    def __repr__(self) -> str:
        return f"{self._words()}\n{self.frame().to_string(float_format='{:.4f}'.format)}"

    def _words(self) -> str:
        return (
            f"Constants of {self.constants.sizes['alternative']} alternatives in "
            f"{self.constants.sizes['market']} markets; shares match to {self.error:.1e} after "
            f"{self.evaluations} evaluations{f'; without {self.left_out}' if self.left_out else ''}"
        )


def without_constants(data: ChoiceData, argument: str) -> ChoiceData:
    """The data without constants of an earlier match, which new ones replace."""
    instance(argument, data, ChoiceData, CHOICE_DATA)
    if data.known.matched is None:
        return data
    return replace(data, known=replace(data.known, matched=None))


def put_constants(
    data: ChoiceData, constants: xr.DataArray, market: str | None, column: str
) -> ChoiceData:
    """The data with the constants of their rows in a column, a known part of utility."""
    if column in data.frame.columns and column != data.known.matched:
        raise DataError(
            f"argument 'column': the data have a column {column!r} already, and constants would "
            "stand in its place: give another name, column=..."
        )
    segments, names = segments_of(data, market, data, "market")
    # Of an index: an array of dates, as a list, is one of nanoseconds.
    markets, labels = list(constants.indexes["market"]), list(data.alternatives)
    known = constants["alternative"].to_numpy().tolist()
    for what, here, there in (("market", names, markets), ("alternative", labels, known)):
        missing = [name for name in here if name not in there]
        if missing:
            raise DataError(
                f"there are no constants of {what} {first_few(missing)}, which argument 'data' "
                "has: match shares that have it"
            )
    g = np.array([markets.index(name) for name in names])[segments[data.row_situation]]
    a = np.array([known.index(label) for label in labels])[data.alternative_code]
    values = constants.to_numpy()[g, a]
    lost = np.flatnonzero(np.isnan(values))
    if len(lost):
        raise DataError(
            f"there is no constant of an alternative that its market did not offer, first in row "
            f"{data.rows[lost[0]]}: match shares that have it"
        )
    frame = assigned(data.frame, {column: values})
    return replace(data, frame=frame, known=replace(data.known, matched=column))
