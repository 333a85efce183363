"""Names and layout of the parameters of a model with latent classes.

Within a class the model is an ordinary one, with the parameters of a `ParameterSpace`. The vector
of the whole model holds those that classes share once and the others C times, then the
coefficients of the shares; a class's own vector is a selection from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.errors import SpecificationError
from bayesmix.specification.given_values import check_names
from bayesmix.specification.parameter import CLASS_SHARE, SHARE, Kind, Parameter
from bayesmix.specification.parameters import ParameterSpace


@dataclass(frozen=True)
class ClassSpace:
    """Layout of the parameters of C latent classes.

    Parameters
    ----------
    within
        The parameters of one class; of its fixed coefficients ``points`` come first.
    classes
        Number C.
    points
        Terms whose coefficient is a point in each class.
    own
        Terms with laws whose parameters differ between classes.
    constant
        Whether the shares have constants.
    covariates
        Names of the covariates of the shares.
    """

    within: ParameterSpace
    classes: int
    points: tuple[str, ...]
    own: tuple[str, ...]
    constant: bool = True
    covariates: tuple[str, ...] = ()

    # -- what the design needs -------------------------------------------------------------------

    @property
    def random(self) -> tuple[str, ...]:
        """Terms whose coefficients vary over people: those with laws, then the points."""
        return self.within.random + self.points

    @property
    def fixed(self) -> tuple[str, ...]:
        """Terms with one coefficient for everybody."""
        return self.within.fixed[len(self.points) :]

    @property
    def n_random(self) -> int:
        """Dimension K of the integrals of a class: points need none."""
        return self.within.n_random

    # -- from the whole vector to that of a class ------------------------------------------------

    @cached_property
    def _specific(self) -> tuple[Flags, Flags]:
        """Which entries of a class's free vector, and of its parameters, differ between classes."""
        space = self.within
        own = np.isin(space.random, self.own) if space.random else np.zeros(0, dtype=bool)
        fixed = np.arange(len(space.fixed)) < len(self.points)
        mean = np.concatenate([own, own[space.shaped]])[space.located]
        shift = own[space.shifted]
        pairs = np.array([own[first] for first, _ in space.pairs], dtype=bool)
        free = np.concatenate([mean, own[space.chol_index[0]], fixed, shift])
        return free, np.concatenate([mean, own, pairs, fixed, shift])

    def _places(self, specific: Flags) -> Indices:
        counts = np.where(specific, self.classes, 1)
        first = np.cumsum(counts) - counts
        return first + np.arange(self.classes)[:, None] * specific

    @cached_property
    def select(self) -> Indices:
        """Positions (C, P_within) in the free vector of the entries of each class's own."""
        return self._places(self._specific[0])

    @cached_property
    def select_printed(self) -> Indices:
        """The same for the parameters that people read."""
        return self._places(self._specific[1])

    @property
    def shared(self) -> Flags:
        """Which entries of a class's free vector are the same in all classes."""
        return ~self._specific[0]

    @property
    def n_within(self) -> int:
        """Number of parameters that are not coefficients of shares."""
        return int(self.select.max(initial=-1)) + 1

    def expand(self, parameters: Sequence[Parameter], specific: Flags) -> tuple[Parameter, ...]:
        """Parameters of one class, those that differ between classes C times."""
        return tuple(
            parameter.of_class(c) if own else parameter
            for parameter, own in zip(parameters, specific, strict=True)
            for c in range(1, self.classes + 1 if own else 2)
        )

    @cached_property
    def shares(self) -> tuple[Parameter, ...]:
        """The coefficients of the shares, class by class."""
        return tuple(
            share
            for c in range(2, self.classes + 1)
            for share in (
                *([Parameter(SHARE, f"{c}")] if self.constant else []),
                *(Parameter(SHARE, f"{c}, {z}") for z in self.covariates),
            )
        )

    @cached_property
    def share_names(self) -> tuple[str, ...]:
        return tuple(str(share) for share in self.shares)

    @property
    def class_shares(self) -> tuple[Parameter, ...]:
        """What the shares of the classes are called, where they are estimated."""
        numbers = range(1, self.classes + 1 if self.shares else 1)
        return tuple(Parameter(CLASS_SHARE, f"{c}") for c in numbers)

    @cached_property
    def listed(self) -> tuple[Parameter, ...]:
        """The printed parameters, with their kinds, in order."""
        return self.expand(self.within.listed, self._specific[1]) + self.shares

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Flat names of the printed parameters."""
        return tuple(str(parameter) for parameter in self.listed)

    def of_kind(self, kind: Kind) -> Flags:
        """Which of the printed parameters (P,) are of a kind."""
        return np.array([parameter.kind == kind for parameter in self.listed], dtype=bool)

    @cached_property
    def labels(self) -> dict[str, list[str]]:
        """Labels of the parameters by kind, in order: ``{"mean": ["time, 1", "time, 2"], ...}``."""
        return {
            kind.name: [parameter.label for parameter in group]
            for kind, group in groupby(self.listed, key=lambda parameter: parameter.kind)
        }

    @property
    def size(self) -> int:
        return len(self.names)

    @cached_property
    def free_listed(self) -> tuple[Parameter, ...]:
        """The entries of the free vector, with their kinds."""
        return self.expand(self.within.free_listed, self._specific[0]) + self.shares

    # -- the free vector -------------------------------------------------------------------------

    def class_thetas(self, theta: Array) -> Array:
        """Free vectors (C, P_within) of the classes, of ``theta`` (..., P) the last axis."""
        return theta[..., self.select]

    def gamma(self, theta: Array) -> Array:
        """Coefficients (C, Q) of the shares; the first row is 0."""
        size = int(self.constant) + len(self.covariates)
        rest = theta[self.n_within :].reshape(self.classes - 1, size)
        return np.concatenate([np.zeros((1, rest.shape[1])), rest])

    def join(self, thetas: Array, gamma: Array) -> Array:
        """The inverse of `class_thetas` and `gamma`: shared entries are those of class 1."""
        theta = np.empty(self.n_within)
        for c in range(self.classes - 1, -1, -1):
            theta[self.select[c]] = thetas[c]
        return np.append(theta, (gamma - gamma[0])[1:].ravel())

    def permuted(self, theta: Array, order: Sequence[int]) -> Array:
        """The same model with its classes renumbered: class c is what was ``order[c]``."""
        order = list(order)
        return self.join(self.class_thetas(theta)[order], self.gamma(theta)[order])

    def canonical(self, theta: Array) -> Array:
        """The free vector of the same laws with Cholesky factors whose diagonals are >= 0."""
        thetas = np.array([self.within.canonical(t) for t in self.class_thetas(theta)])
        return self.join(thetas, self.gamma(theta))

    # -- the parameters that people read ---------------------------------------------------------

    def natural(self, theta: Array) -> Array:
        """Values of `names` at ``theta``."""
        values = np.empty(self.size)
        for places, own in zip(self.select_printed, self.class_thetas(theta), strict=True):
            values[places] = self.within.natural(own)
        values[self.size - len(self.share_names) :] = theta[self.n_within :]
        return values

    def jacobian(self, theta: Array) -> Array:
        """Derivatives (P, P) of `natural`."""
        jacobian = np.zeros((self.size, self.size))
        rows = zip(self.select_printed, self.select, self.class_thetas(theta), strict=True)
        for places, entries, own in rows:
            jacobian[np.ix_(places, entries)] = self.within.jacobian(own)
        last = np.arange(self.size - len(self.share_names), self.size)
        jacobian[last, last] = 1.0
        return jacobian

    def class_params(self, values: Mapping[str, float] | pd.Series, c: int) -> pd.Series:
        """Parameters of class c (from 0) by their names within it."""
        vector = np.array([float(values[name]) for name in self.names])
        return self.within.series(vector[self.select_printed[c]])

    def theta(self, values: Mapping[str, float] | pd.Series) -> Array:
        """The free vector of given parameters, by flat name; the inverse of `natural`.

        Raises
        ------
        SpecificationError
            As `ParameterSpace.theta`.
        """
        given: dict[str, float] = {str(k): float(v) for k, v in values.items()}
        check_names(given, self.names)
        thetas = np.array(
            [self.within.theta(self.class_params(given, c)) for c in range(self.classes)]
        )
        gamma = np.array([float(given[name]) for name in self.share_names])
        if not np.isfinite(gamma).all():
            name = self.share_names[int(np.flatnonzero(~np.isfinite(gamma))[0])]
            raise SpecificationError(f"{name} is {given[name]}; expected a finite number")
        return np.append(self.join(thetas, np.zeros((self.classes, 0))), gamma)

    def series(self, values: Array) -> pd.Series:
        """A Series by flat name."""
        return pd.Series(values, index=pd.Index(self.names, name="parameter"))
