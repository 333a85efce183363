"""One class of share 1: what a layout without latent classes says of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.specification.parameter import Parameter


class OneClass:
    """Every model has C >= 1 classes, see `bayesmix.specification.class_space.ClassSpace`.

    Here C is 1: all parameters are that class's, and names have no suffix.
    """

    classes: ClassVar[int] = 1
    points: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()
    constant: ClassVar[bool] = False
    shares: ClassVar[tuple[Parameter, ...]] = ()
    share_names: ClassVar[tuple[str, ...]] = ()
    class_shares: ClassVar[tuple[Parameter, ...]] = ()

    @property
    def listed(self) -> tuple[Parameter, ...]:
        """The printed parameters, with their kinds, in order."""
        raise NotImplementedError

    @property
    def within(self) -> Self:
        """The layout of a class."""
        return self

    @property
    def n_within(self) -> int:
        """Number of parameters that are not coefficients of shares."""
        return len(self.listed)

    @property
    def select(self) -> Indices:
        """Positions (1, P) in the free vector of the class's entries."""
        return np.arange(self.n_within)[None, :]

    @property
    def select_printed(self) -> Indices:
        """The same for the parameters that people read."""
        return self.select

    @property
    def shared(self) -> Flags:
        """Which entries are the same in all classes."""
        return np.ones(self.n_within, dtype=bool)

    @property
    def labels(self) -> dict[str, list[str]]:
        """Labels of the parameters by kind, in order."""
        found: dict[str, list[str]] = {}
        for parameter in self.listed:
            found.setdefault(parameter.kind.name, []).append(parameter.label)
        return found

    def class_thetas(self, theta: Array) -> Array:
        """The free vector (..., 1, P) of the class."""
        return theta[..., None, :]

    def gamma(self, theta: Array) -> Array:
        """Coefficients (1, 0) of the shares."""
        return np.zeros((1, 0))

    def join(self, thetas: Array, gamma: Array) -> Array:
        """The inverse of `class_thetas`."""
        own: Array = thetas[0]
        return own

    def permuted(self, theta: Array, order: Sequence[int]) -> Array:
        """The same: there is one order."""
        return theta

    def class_params(self, values: Mapping[str, float] | pd.Series, c: int) -> pd.Series:
        """Parameters of the class by their names within it."""
        return pd.Series({name: float(values[name]) for name in map(str, self.listed)})
