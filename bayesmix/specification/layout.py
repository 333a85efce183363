"""What every layout of parameters says of itself, whether its model has one class or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pandas as pd

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.specification.parameter import Kind, Parameter
from bayesmix.specification.parameters import ParameterSpace


class Layout(Protocol):
    """Names and places of the P parameters of a model with C >= 1 classes.

    Of one class it is a `ParameterSpace`, which is its own ``within``; of several a `ClassSpace`.
    What is of one class alone, its Cholesky factor and its pairs, is asked of ``within``.
    """

    @property
    def within(self) -> ParameterSpace:
        """The layout of a class."""

    @property
    def classes(self) -> int:
        """Number C."""

    @property
    def points(self) -> tuple[str, ...]:
        """Terms whose coefficient is a point in each class."""

    @property
    def own(self) -> tuple[str, ...]:
        """Terms with laws whose parameters differ between classes."""

    @property
    def constant(self) -> bool:
        """Whether the shares have constants."""

    @property
    def random(self) -> tuple[str, ...]:
        """Terms whose coefficients vary over people: those with laws, then the points."""

    @property
    def fixed(self) -> tuple[str, ...]:
        """Terms with one coefficient for everybody."""

    @property
    def n_random(self) -> int:
        """Dimension K of the integrals of a class."""

    @property
    def n_within(self) -> int:
        """Number of parameters that are not coefficients of shares."""

    @property
    def size(self) -> int:
        """Number P of parameters."""

    @property
    def listed(self) -> tuple[Parameter, ...]:
        """The printed parameters, with their kinds, in order."""

    @property
    def free_listed(self) -> tuple[Parameter, ...]:
        """The entries of the free vector, with their kinds."""

    @property
    def shares(self) -> tuple[Parameter, ...]:
        """The coefficients of the shares, class by class."""

    @property
    def names(self) -> tuple[str, ...]:
        """Flat names of the printed parameters."""

    @property
    def share_names(self) -> tuple[str, ...]:
        """Flat names of the coefficients of the shares."""

    @property
    def class_shares(self) -> tuple[Parameter, ...]:
        """What the shares of the classes are called, where they are estimated."""

    @property
    def labels(self) -> dict[str, list[str]]:
        """Labels of the parameters by kind, in order."""

    @property
    def select(self) -> Indices:
        """Positions (C, P_within) in the free vector of the entries of each class's own."""

    @property
    def select_printed(self) -> Indices:
        """The same for the parameters that people read."""

    @property
    def shared(self) -> Flags:
        """Which entries of a class's free vector are the same in all classes."""

    def of_kind(self, kind: Kind) -> Flags:
        """Which of the printed parameters (P,) are of a kind."""

    def class_thetas(self, theta: Array) -> Array:
        """Free vectors (..., C, P_within) of the classes, of ``theta`` (..., P)."""

    def gamma(self, theta: Array) -> Array:
        """Coefficients (C, Q) of the shares; the first row is 0."""

    def join(self, thetas: Array, gamma: Array) -> Array:
        """The inverse of `class_thetas` and `gamma`."""

    def permuted(self, theta: Array, order: Sequence[int]) -> Array:
        """The same model with its classes renumbered: class c is what was ``order[c]``."""

    def canonical(self, theta: Array) -> Array:
        """The free vector of the same laws with Cholesky factors whose diagonals are >= 0."""

    def natural(self, theta: Array) -> Array:
        """Values of `names` at ``theta``."""

    def jacobian(self, theta: Array) -> Array:
        """Derivatives (P, P) of `natural`."""

    def theta(self, values: Mapping[str, float] | pd.Series) -> Array:
        """The free vector of given parameters, by flat name; the inverse of `natural`."""

    def class_params(self, values: Mapping[str, float] | pd.Series, c: int) -> pd.Series:
        """Parameters of class c (from 0) by their names within it."""

    def series(self, values: Array) -> pd.Series:
        """A Series by flat name."""
