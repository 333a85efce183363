"""A model with its columns: parameters, laws and attributes, whoever the persons are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import functions_of
from bayesmix.kernels.logit import Panel
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.classes import ClassBlock, ClassGrid
from bayesmix.specification.constraint_map import ConstraintMap, constraint_map
from bayesmix.specification.design import Design
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.laws.rows import laws_of
from bayesmix.specification.layout import Layout
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import SD


@dataclass(frozen=True, eq=False, kw_only=True)
class Utility:
    """A model and the columns of its utility, of some rows or of none.

    Parameters
    ----------
    model
        As the user gave it.
    design
        The columns of the utility.
    """

    model: MixedLogit
    design: Design

    @property
    def parameters(self) -> Layout:
        return self.design.parameters

    @cached_property
    def constraint(self) -> ConstraintMap | None:
        """The free vectors that keep what is held and tied; None where nothing is."""
        given = self.model.constraints
        if not (given.fixed or given.equal or given.linear):
            return None
        return constraint_map(self.parameters, given)

    @property
    def directions(self) -> Array | None:
        """Directions (P, Q) in which the free vector may move; None where it may in all."""
        return None if self.constraint is None else self.constraint.directions

    @property
    def free_size(self) -> int:
        """Number Q of parameters that are free: all, without constraints."""
        return self.parameters.size if self.constraint is None else self.constraint.size

    def free_columns(self, scores: Array) -> Array:
        """Scores (., Q) along the directions that are free, of those (., P) in the free vector."""
        return scores if self.directions is None else scores @ self.directions

    def canonical(self, theta: Array) -> Array:
        """The free vector of the same laws with positive signs, which keeps the constraints."""
        found = self.parameters.canonical(theta)
        return found if self.constraint is None else self.constraint.nearest(found)

    def keeps(self, theta: Array) -> bool:
        """Whether a free vector keeps the constraints, whose correlations have signs."""
        return self.constraint is None or self.constraint.kept_by(self.parameters.canonical(theta))

    @cached_property
    def within(self) -> Self:
        """The same of one class: itself where there is one."""
        if not self._several:
            return self
        return replace(self, model=self.model.within, design=self.design.within)

    @property
    def _several(self) -> bool:
        """Whether there are several classes of people."""
        return self.parameters.within is not self.parameters

    def together(self, grids: Sequence[Any]) -> Any:
        """The grids of the classes as one; one alone serves all of them."""
        return ClassGrid(tuple(grids)) if self._several and len(grids) > 1 else grids[0]

    @property
    def share_z(self) -> Array:
        """Covariates (I, Q) of the class shares; (1, Q) where persons do not differ."""
        shares = self.design.shares
        if shares is None or not shares.shifts:
            return np.ones((1, int(self.parameters.constant)))
        return shares.values

    @cached_property
    def _laws(self) -> tuple[Indices, Array, tuple[int, ...]]:
        laws, known = laws_of(self.design.coefficients)
        return laws, known, functions_of(laws)

    @property
    def laws(self) -> Indices:
        """Laws of the random coefficients (K, 7), see `bayesmix.kernels.laws`."""
        laws, _, functions = self._laws
        ready(functions)  # in this process, if not where the problem was made
        return laws

    @property
    def known(self) -> Array:
        """Signs and bounds (K, 3) of the random coefficients; (0, 3) where no law reads them."""
        return self._laws[1]

    @cached_property
    def moving(self) -> bool:
        """Whether coefficients move with parameters though their index stays where it is."""
        return any(c.law.moves or c.law.shapes for c in self.design.coefficients)

    @cached_property
    def kinked(self) -> bool:
        """Whether coefficients are censored: sums over nodes then have kinks."""
        return any(c.law.atoms for c in self.design.coefficients)

    @property
    def normal_posteriors(self) -> bool:
        """Whether choices say of a person's index what a normal may: of one class, and no kinks."""
        return not (self._several or self.kinked)

    @property
    def one_index(self) -> bool:
        """Whether utilities are of one normal index: no classes, scales of sources, or nests."""
        design = self.design
        return not (self._several or design.sources is not None or design.nests is not None)

    @cached_property
    def index(self) -> Flags:
        """Whether location and scale (K,) are those of an index without units."""
        return np.array([c.law.index for c in self.design.coefficients], dtype=bool)

    @cached_property
    def price(self) -> int:
        """Column of ``x`` of the price in WTP space; -1 in preference space."""
        if self.model.wtp is None:
            return -1
        return (*self.design.random_names, *self.design.fixed_names).index(self.model.wtp)

    @cached_property
    def x(self) -> Array:
        """Attributes (R, .) whose coefficients vary over nodes.

        In WTP space these are all: a fixed willingness to pay is multiplied by the price
        coefficient. Those with a law come first.
        """
        if self.price < 0:
            return self.design.random
        return self.design.attributes

    @cached_property
    def x_names(self) -> tuple[str, ...]:
        """Names of the columns of ``x``."""
        return self.design.random_names + (self.design.fixed_names if self.price >= 0 else ())

    @cached_property
    def x_fixed(self) -> Array:
        """The other attributes (R, .), whose coefficients are the same everywhere."""
        return self.design.fixed if self.price < 0 else self.design.fixed[:, :0]

    @cached_property
    def moving_laws(self) -> tuple[Law, ...]:
        """The model's laws, without the coefficients whose standard deviation is held."""
        if self.constraint is None:
            return self.model.laws
        pairs = zip(self.parameters.listed, self.constraint.held, strict=True)
        still: dict[str, bool] = {}
        for parameter, held in pairs:
            if parameter.kind == SD:
                term = parameter.terms[0]
                still[term] = bool(held) and still.get(term, True)
        return tuple(
            replace(law, coefficients=own)
            for law in self.model.laws
            if (own := tuple(c for c in law.coefficients if not still.get(c.term)))
        )

    @property
    def offset(self) -> Array | None:
        """Known utilities (R,) of the rows; None where there are none."""
        return self.design.offset

    def block(
        self,
        panel: Panel,
        z: Array,
        weights: Array,
        source: Indices | None,
        of_class: Callable[[Self], Block],
    ) -> Block:
        """Persons with these rows, covariates, weights; ``of_class`` makes a block of a class."""
        own = Block(
            parameters=self.parameters,
            laws=self.laws,
            known=self.known,
            functions=self._laws[2],
            price=self.price,
            panel=panel,
            x_fixed=self.x_fixed,
            z=z,
            weights=weights,
            offset=self.offset,
            source=source,
            share_z=self.share_z,
            nests=self.design.nests,
        )
        return ClassBlock.of(own, of_class(self.within)) if self._several else own
