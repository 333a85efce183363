"""Constants of alternatives by market that are part of a fit, and the data that have them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import known_utility
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.segments import segments_of
from bayesmix.specification.known_shares import COLUMN, labelled, with_constants

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False, repr=False)
class MarketConstants:
    """Constants that make a fit's predicted shares the given ones.

    Attributes
    ----------
    constants
        (G, J) by ``market`` and ``alternative``, utils; NaN where a market does not offer it. The
        outside option's is 0, without one the first alternative's in each market.
    shares
        The given shares, in the same places.
    market
        The column of markets, or None where there is one.
    offset
        The column of known utilities that the data had before, or None.
    error
        Largest difference between a predicted share and the given one, on the fit's nodes.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data, model = bm.examples.electricity(), bm.MixedLogit("pf + cl")
    >>> fit = bm.msle(model, data, market_shares={1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1})
    >>> fit.market_constants.error < 1e-9
    True
    """

    constants: xr.DataArray
    shares: xr.DataArray
    market: str | None
    offset: str | None
    error: float

    def frame(self) -> pd.DataFrame:
        """A row a market and alternative that it offers: ``share`` and ``constant``."""
        columns = {"share": self.shares, "constant": self.constants}
        found = pd.DataFrame({name: values.to_series() for name, values in columns.items()})
        return found[found["constant"].notna()]

    def _repr_html_(self) -> str:
        return f"<p>{self.words()}</p>{self.frame().to_html(float_format='{:.4f}'.format)}"

    def __repr__(self) -> str:
        return f"{self.words()}\n{self.frame().to_string(float_format='{:.4f}'.format)}"

    def words(self) -> str:
        """What they are, in a line."""
        sizes = self.constants.sizes
        return (
            f"constants of {sizes['alternative']} alternatives in {sizes['market']} markets; "
            f"predicted shares are the given ones to {self.error:.1e}"
        )


def write_constants(own: MarketConstants | None) -> dict[str, Any] | None:
    """What a file holds of them."""
    if own is None:
        return None
    return {
        "market": own.market,
        "offset": own.offset,
        "error": own.error,
        "constants": own.constants.to_numpy(),
        "shares": own.shares.to_numpy(),
    }


def with_stored(record: dict[str, Any] | None, data: ChoiceData) -> ChoiceData:
    """Data as a user has them, with the constants of a file; those that have them already as is."""
    if record is None or data.known.offset != record["offset"] or COLUMN in data.frame.columns:
        return data
    sets = MarketSets(data, *segments_of(data, record["market"], data))
    constants = np.array(record["constants"], dtype=float)
    return with_constants(data, constants[sets.of_row, sets.codes], known_utility(data))


def without_own(record: dict[str, Any] | None, data: ChoiceData) -> ChoiceData:
    """The data that a user gave to a fit, which is told from others by them."""
    if record is None:
        return data
    return replace(data, known=replace(data.known, offset=record["offset"]))


def read_constants(record: dict[str, Any] | None, data: ChoiceData) -> MarketConstants | None:
    """The constants of a file, of markets and alternatives of the fit's data."""
    if record is None:
        return None
    sets = MarketSets(data, *segments_of(data, record["market"], data))
    values = [np.array(record[name], dtype=float) for name in ("constants", "shares")]
    constants, shares = (labelled(sets, own, np.isfinite(own)) for own in values)
    return MarketConstants(
        constants, shares, record["market"], record["offset"], float(record["error"])
    )
