"""Constants of alternatives by market as a part of utility that draws of a posterior move."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.data.segments import segments_of
from bayesmix.errors import DataError


@dataclass(frozen=True, eq=False)
class MarketCells:
    """The constant of each row, of G markets with J alternatives.

    Parameters
    ----------
    market
        The column of markets; None where there is one.
    names, alternatives
        Labels of markets (G,) and alternatives (J,).
    code
        Place (R,) of each row in the constants (G J,).
    """

    market: str | None
    names: tuple[Hashable, ...]
    alternatives: tuple[Hashable, ...]
    code: Indices

    def on(self, data: ChoiceData) -> MarketCells:
        """Those of other data, or a scenario: an alternative keeps its constant in each market.

        Raises
        ------
        DataError
            If a market or an alternative has no constants.
        """
        segments, names = segments_of(data, self.market, data)
        # What takes the place of another alternative has its constant.
        labels = [data.stand_ins.get(label, label) for label in data.alternatives]
        places = []
        for what, here, known in (
            ("market", names, self.names),
            ("alternative", labels, self.alternatives),
        ):
            missing = [name for name in here if name not in known]
            if missing:
                raise DataError(
                    f"the posterior has no constants of {what} {first_few(missing)}: they are of "
                    "the markets and alternatives whose shares it was given"
                )
            places.append(np.array([known.index(name) for name in here], dtype=np.int64))
        g, a = places[0][segments[data.row_situation]], places[1][data.alternative_code]
        return replace(self, code=g * len(self.alternatives) + a)

    def rows(self, constants: Array) -> Array:
        """Constants (R,) of rows, from those (G J,) of all cells.

        Raises
        ------
        DataError
            If a row's alternative is one that its market did not offer.
        """
        found: Array = constants[self.code]
        if np.isnan(found).any():
            cell = int(self.code[np.flatnonzero(np.isnan(found))[0]])
            g, a = divmod(cell, len(self.alternatives))
            where = "" if self.market is None else f" in market {first_few([self.names[g]])}"
            raise DataError(
                f"the posterior has no constant of alternative {first_few([self.alternatives[a]])}"
                f"{where}, which did not offer it: leave it out there"
            )
        return found
