"""Moments that the laws of coefficients imply, over the people of the sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Indices
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.latent_class import share_table
from bayesmix.likelihood.point import Point
from bayesmix.specification.laws.coefficient import Coefficient, Law
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.moments import Moments, moments
from bayesmix.specification.parameter import (
    IMPLIED_CORRELATION,
    IMPLIED_MEAN,
    IMPLIED_MEDIAN,
    IMPLIED_SD,
    SHARE_NEGATIVE,
    SHARE_POSITIVE,
    Parameter,
)
from bayesmix.specification.population import population_correlation, population_moments

if TYPE_CHECKING:
    from bayesmix.likelihood.problem import Problem

Quantities = Callable[[pd.Series], pd.Series]
"""From parameters by flat name to what they imply, by `Parameter`."""


@dataclass(frozen=True, eq=False)
class Shifts:
    """What moves the mean of one coefficient: persons with the same covariates are one kind.

    Parameters
    ----------
    names
        Of the parameters (S,), such as ``"shift[price, income]"``.
    kinds
        Covariates (G, S) of each kind of persons.
    kind
        Kind (I,) of each person.
    """

    names: tuple[str, ...]
    kinds: Array
    kind: Indices


def of_indices(model: MixedLogit) -> list[tuple[str, str]]:
    """Terms of the correlations that are not those of the coefficients."""
    return [
        (a.term, b.term)
        for law in model.laws
        if law.correlated
        for a, b in combinations(law.coefficients, 2)
        if not (a.law.identity and b.law.identity)
    ]


def shifts_of(problem: Problem) -> dict[str, Shifts]:
    """The shifts of each coefficient whose mean has covariates, by term."""
    space = problem.parameters.within
    found = {}
    for k in np.unique(space.shifted):
        columns = np.flatnonzero(space.shifted == k)
        kinds, kind = np.unique(problem.z[:, columns], axis=0, return_inverse=True)
        names = tuple(f"shift[{space.shift_names[m]}]" for m in columns)
        found[space.random[k]] = Shifts(names, kinds, kind.ravel().astype(np.int64))
    return found


@dataclass(frozen=True, eq=False)
class _Joint:
    """Kinds of persons by the covariates of two coefficients.

    A person (G,) of each kind, and the kind (I,) of each person.
    """

    first: Indices
    kind: Indices


def _shaped(c: Coefficient, params: pd.Series) -> Coefficient:
    """The coefficient with the shapes of its law at parameters."""
    return replace(c, shape=tuple(float(params[f"shape[{n}]"]) for n in c.shape_labels))


@dataclass(frozen=True, eq=False)
class _Implied:
    """Moments of the coefficients of some laws, at parameters and weights (I,) of persons."""

    joint: Sequence[Law]
    shifts: dict[str, Shifts]

    @property
    def laws(self) -> list[Coefficient]:
        """Those whose moments are known, and no error components: of these there is nothing to say.

        Their means have no covariates, or known ones.
        """
        known = [c for law in self.joint for c in law.coefficients if self._known(c)]
        return [c for c in known if not (c.law.even and c.mean == "0")]

    @property
    def pairs(self) -> list[tuple[Coefficient, Coefficient]]:
        """Correlated ones, whose correlation is not that of their indices."""
        return [
            (a, b)
            for law in self.joint
            if law.correlated
            for a, b in combinations(law.coefficients, 2)
            if self._known(a) and self._known(b)
            if not (a.law.identity and b.law.identity) or {a.term, b.term} & set(self.shifts)
        ]

    @property
    def any(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.laws or self.pairs)

    @cached_property
    def joint_kinds(self) -> dict[tuple[str, str], _Joint]:
        """Kinds of persons of each of the `pairs` that have shifts, by terms."""
        found = {}
        for pair in ((a.term, b.term) for a, b in self.pairs):
            own = [self.shifts[term] for term in pair if term in self.shifts]
            if own:
                # One number for both: sorting these is quick.
                code = own[0].kind * len(own[-1].kinds) + own[-1].kind
                _, first, kind = np.unique(code, return_index=True, return_inverse=True)
                found[pair] = _Joint(first, kind)
        return found

    def _known(self, c: Coefficient) -> bool:
        return c.mean in ("0", "1") or c.term in self.shifts

    def __call__(self, params: pd.Series, weights: Array) -> pd.Series:
        found: dict[Parameter, float] = {}
        for c in self.laws:
            law = self._moments(c, params, weights)
            if not c.law.even or c.term in self.shifts:
                found[Parameter(IMPLIED_MEAN, c.term, (c.term,))] = law.mean
                found[Parameter(IMPLIED_MEDIAN, c.term, (c.term,))] = law.median
                found[Parameter(IMPLIED_SD, c.term, (c.term,))] = law.sd
            atoms, (low, high) = c.law.atoms, c.limits
            if not c.side or (atoms and low == 0.0):
                found[Parameter(SHARE_POSITIVE, c.term, (c.term,))] = law.positive
            elif atoms and high == 0.0:
                share = self._negative(c, params, weights)
                found[Parameter(SHARE_NEGATIVE, c.term, (c.term,))] = share
        for a, b in self.pairs:
            pair = Parameter(IMPLIED_CORRELATION, f"{a.term}, {b.term}", (a.term, b.term))
            found[pair] = self._correlation(a, b, params, weights)
        return pd.Series(found, dtype=float)

    def of_all(self, each: Sequence[pd.Series], weights: Array) -> pd.Series:
        """Moments over the people of all classes, of their parameters and weights (I, C)."""
        found: dict[Parameter, float] = {}
        share = weights.sum(axis=0) / weights.sum()
        for c in self.laws:
            laws = [self._moments(c, own, weights[:, k]) for k, own in enumerate(each)]
            mean = float(sum(p * law.mean for p, law in zip(share, laws, strict=True)))
            apart = [law.sd**2 + (law.mean - mean) ** 2 for law in laws]
            found[Parameter(IMPLIED_MEAN, c.term, (c.term,))] = mean
            found[Parameter(IMPLIED_SD, c.term, (c.term,))] = math.sqrt(share @ np.array(apart))
            atoms, (low, high) = c.law.atoms, c.limits
            if not c.side or (atoms and low == 0.0):
                positive = float(share @ np.array([law.positive for law in laws]))
                found[Parameter(SHARE_POSITIVE, c.term, (c.term,))] = positive
            elif atoms and high == 0.0:  # nobody is above: who is below is not at the bound
                parts = [self._negative(c, p, weights[:, k]) for k, p in enumerate(each)]
                found[Parameter(SHARE_NEGATIVE, c.term, (c.term,))] = float(share @ np.array(parts))
        return pd.Series(found, dtype=float)

    def _negative(self, c: Coefficient, params: pd.Series, weights: Array) -> float:
        """Share of people below 0, of a law that is cut there from above: that of its mirror."""
        low, _ = c.limits
        mirrored = replace(c, bounds=(0.0, None if math.isinf(low) else -low))
        other_side = params.where(params.index == f"sd[{c.term}]", -params)
        return self._moments(mirrored, other_side, weights).positive

    def _moments(self, c: Coefficient, params: pd.Series, weights: Array) -> Moments:
        c = _shaped(c, params)
        scale = float(params[f"sd[{c.term}]"])
        if c.term not in self.shifts:
            return moments(c, float(params.get(f"mean[{c.term}]", 0.0)), scale)
        own = self.shifts[c.term]
        share = np.bincount(own.kind, weights, len(own.kinds))
        return population_moments(c, self._locations(c, params), scale, share / share.sum())

    def _locations(self, c: Coefficient, params: pd.Series) -> Array:
        """Location (G,) of each kind of persons; of all (1,) where nothing shifts it."""
        loc = np.full(1, float(params.get(f"mean[{c.term}]", 0.0)))
        own = self.shifts.get(c.term)
        return loc if own is None else loc + own.kinds @ params[list(own.names)].to_numpy(float)

    def _correlation(
        self, a: Coefficient, b: Coefficient, params: pd.Series, weights: Array
    ) -> float:
        share, locs = np.ones(1), [self._locations(c, params) for c in (a, b)]
        both = self.joint_kinds.get((a.term, b.term))
        if both is not None:
            share = np.bincount(both.kind, weights, len(both.first))
            locs = [
                loc[self.shifts[c.term].kind[both.first]] if c.term in self.shifts
                else np.repeat(loc, len(share))
                for c, loc in zip((a, b), locs, strict=True)
            ]  # fmt: skip
        return population_correlation(
            (_shaped(a, params), _shaped(b, params)),
            (locs[0], locs[1]),
            (float(params[f"sd[{a.term}]"]), float(params[f"sd[{b.term}]"])),
            float(params[f"corr[{a.term}, {b.term}]"]),
            share / share.sum(),
        )


def implied_of(fit: Estimates) -> Quantities | None:
    """The moments that a fit's summary has, as a function of its parameters; None without any."""
    return implied_moments(fit.problem)


def implied_moments(problem: Problem) -> Quantities | None:
    """The moments of a model's coefficients, as a function of its parameters; None without any.

    Class shares averaged over persons, and the moments of coefficients, in each class or in all.
    The people of a class are all, each with the probability to be of it.
    """
    laws = problem.model.laws
    space, weights, shifts = problem.parameters, problem.data.weights, shifts_of(problem.within)
    own = _Implied([law for law in laws if set(law.terms) & set(space.own)], shifts)
    shared = _Implied([law for law in laws if not set(law.terms) & set(space.own)], shifts)
    if not any((own.any, shared.any, *space.class_shares)):
        return None

    def quantities(params: pd.Series) -> pd.Series:
        parts = [share_table(problem, params)]
        theta = np.zeros(space.size)
        theta[space.n_within :] = params[list(space.share_names)].to_numpy(float)
        of_class = weights[:, None] * np.exp(Point(problem, theta).log_shares)
        for c in range(space.classes) if own.any else ():
            found = own(space.class_params(params, c), of_class[:, c])
            parts.append(found.set_axis([parameter.of_class(c + 1) for parameter in found.index]))
        if own.any:
            each = [space.class_params(params, c) for c in range(space.classes)]
            parts.append(own.of_all(each, of_class))
        parts.append(shared(space.class_params(params, 0), weights))
        return pd.concat([part for part in parts if len(part)])

    return quantities
