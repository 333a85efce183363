"""Choice sets by market: whose shares are counted together, and of which alternatives."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.reserved import OUTSIDE


@dataclass(frozen=True, eq=False)
class MarketSets:
    """The choice sets of G markets, with J alternatives, A with the outside option.

    Parameters
    ----------
    data
        The choice sets.
    segments, names
        Market (T,) of each situation, and the markets' names.
    argument
        What the argument is called that holds their shares.
    """

    data: ChoiceData
    segments: Indices
    names: list
    argument: str = "shares"

    @property
    def said(self) -> str:
        """That argument in words."""
        return f"argument {self.argument!r}"

    @property
    def codes(self) -> Indices:
        """Alternative (R,) of each row."""
        return self.data.alternative_code

    @property
    def goods(self) -> tuple[Hashable, ...]:
        """Labels of the alternatives, without the outside option."""
        return tuple(self.data.alternatives)

    @property
    def labels(self) -> list:
        """Labels of the alternatives, the outside option last."""
        return [*self.goods, *([OUTSIDE] if self.data.outside_option else [])]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers G of markets and A of alternatives."""
        return len(self.names), len(self.labels)

    @cached_property
    def weights(self) -> Array:
        """Weight (T,) of each situation: its person's."""
        return np.repeat(self.data.weights, np.diff(self.data.person_start))

    @cached_property
    def mass(self) -> Array:
        """Sum of weights (G,) in each market."""
        return np.bincount(self.segments, self.weights, len(self.names))

    @cached_property
    def of_row(self) -> Indices:
        """Market (R,) of each row."""
        return self.segments[self.data.row_situation]

    def sums(self, values: Array) -> Array:
        """Sums (G, J, ...) of values (R, ...) of rows by market and alternative."""
        shape = len(self.names), len(self.goods)
        code = self.of_row * shape[1] + self.codes
        flat = values.reshape(len(values), -1)
        out = np.stack([np.bincount(code, v, shape[0] * shape[1]) for v in flat.T], axis=1)
        return out.reshape(*shape, *values.shape[1:])

    @cached_property
    def offered(self) -> Array:
        """Part (G, A) of each market's situations, by weight, that offer an alternative."""
        out = np.zeros(self.shape)
        out[:, : len(self.goods)] = self.sums(self.weights[self.data.row_situation])
        if self.data.outside_option:
            out[:, -1] = self.mass
        return out / self.mass[:, None]
