"""The columns of a model's utility on given data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import known_utility
from bayesmix.data.pages import taken
from bayesmix.data.parts import Beside
from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import (
    Learnt,
    State,
    columns_like,
)
from bayesmix.formulas.variation import levels
from bayesmix.kernels.nests import Nests as Memberships
from bayesmix.specification.classes import share_covariates
from bayesmix.specification.covariates import Covariates, covariates
from bayesmix.specification.description import Description
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.layout import Layout
from bayesmix.specification.market_cells import MarketCells
from bayesmix.specification.means import meanless
from bayesmix.specification.nests import memberships
from bayesmix.specification.residuals import Residuals, with_residuals
from bayesmix.specification.scale import Sources, sources


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of a utility on given data.

    Parameters
    ----------
    random
        Attributes (R, K) with random coefficients, in the order of the laws.
    fixed
        Attributes (R, F) with fixed coefficients.
    spread
        Root mean square (K + F,) of each column within situations: utils per unit coefficient.
    parameters
        Names and layout of the parameters.
    coefficients
        The laws' records, (K,); with latent classes those of points come last.
    state
        What the formula has learnt from the data.
    persons
        Covariates of the means.
    shares
        Covariates of the shares of latent classes.
    offset
        What is known of the utilities (R,), with a coefficient of 1; None where nothing is.
    sources
        The source of each situation, where they have scales of their own.
    levels
        What columns and offset that are far from 0 are less by in each situation, (T, K + F + 1):
        choices see differences alone, and these keep their digits. None where none is far.
    residuals
        Those of a control function's first stage, which are among the columns.
    nests
        Those of the rows, without their coefficients; None where there are none.
    cells
        Of a posterior with constants of markets, which of them a row has.
    """

    random: Array
    fixed: Array
    spread: Array
    parameters: Layout
    coefficients: tuple[Coefficient, ...]
    state: State | None = None
    persons: Covariates | None = None
    shares: Covariates | None = None
    offset: Array | None = None
    sources: Sources | None = None
    levels: Array | None = None
    residuals: Residuals | None = None
    nests: Memberships | None = None
    cells: MarketCells | None = None

    @property
    def attributes(self) -> Array:
        """The columns with coefficients, those with random ones first, (R, K + F)."""
        if not self.fixed.shape[1]:
            return self.random
        return np.hstack([self.random, self.fixed]) if self.random.shape[1] else self.fixed

    @property
    def columns(self) -> Array:
        """The same and the offset, (R, K + F + 1)."""
        return self._rows[: len(self.fixed)]

    @property
    def _rows(self) -> Beside:
        """`columns` of the rows that are asked for."""
        offset = np.broadcast_to(0.0 if self.offset is None else self.offset, len(self.fixed))
        return Beside((self.random, self.fixed, offset[:, None]))

    def centred(self, data: ChoiceData) -> Design:
        """The design with columns less what they are far from 0 by."""
        return self.less(levels(self._rows, data), data)

    def less(self, levels: Array | None, data: ChoiceData) -> Design:
        """The design with columns less ``levels``: a scenario's are those of its data."""
        if levels is None:
            return self
        parts = np.split(self.columns - levels[data.row_situation], self._cuts, axis=1)
        random, fixed, offset = map(np.ascontiguousarray, parts)
        known = None if self.offset is None else offset[:, 0]
        return replace(self, random=random, fixed=fixed, offset=known, levels=levels)

    def written(self, data: ChoiceData) -> Design:
        """The design with columns as the formula has them, whatever their level."""
        if self.levels is None:
            return self
        return replace(self.less(-self.levels, data), levels=None)

    def at_first_stage(self, gamma: Array) -> Design:
        """The design with the residuals of other first-stage coefficients ``gamma`` (G,).

        Where there are no residuals, for columns are changes in which they cancel, it is the same.
        Of a posterior with constants of markets these are added, in place of such coefficients.
        """
        if self.cells is not None:
            own = 0.0 if self.offset is None else self.offset
            return replace(self, offset=own + self.cells.rows(gamma), cells=None)
        if self.residuals is None:
            return self
        moved = self.residuals.columns(gamma) - self.residuals.columns()
        random, fixed = self.random.copy(), self.fixed.copy()
        for name, by in zip(self.residuals.names, moved.T, strict=True):
            if name in self.random_names:
                random[:, self.random_names.index(name)] += by
            else:
                fixed[:, self.fixed_names.index(name)] += by
        first = replace(self.residuals.first, gamma=np.asarray(gamma, dtype=float))
        residuals = replace(self.residuals, first=first)
        return replace(self, random=random, fixed=fixed, residuals=residuals)

    @property
    def _cuts(self) -> list[int]:
        return [self.random.shape[1], self.random.shape[1] + self.fixed.shape[1]]

    @property
    def random_names(self) -> tuple[str, ...]:
        return self.parameters.random

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return self.parameters.fixed

    @property
    def learnt(self) -> Learnt:
        """What each formula has learnt from the data: centres, knots, statistics."""
        parts = [] if self.persons is None else [*self.persons.states.items()]
        parts += [] if self.shares is None else [*self.shares.states.items()]
        parts += [] if self.state is None else [(self.state.reading.formula, self.state)]
        return {formula: state.learnt for formula, state in parts if state.learnt}

    @property
    def empty(self) -> tuple[str, ...]:
        """Columns of the formula that are 0 in every row, and have no coefficient."""
        return () if self.state is None else self.state.empty

    @property
    def left_out(self) -> str:
        """These in words; "" without any."""
        have = "has" if len(self.empty) == 1 else "have"
        words = f"0 in every row, and so {have} no coefficient: {', '.join(self.empty)}"
        return words if self.empty else ""

    @property
    def meanless(self) -> Flags:
        """Columns (K + F,), those with a law first, whose coefficients have no common mean."""
        fixed = np.zeros(self.fixed.shape[1], dtype=bool)
        return np.concatenate([meanless(self.coefficients, self.persons), fixed])

    @property
    def within(self) -> Design:
        """The design of one latent class: its points are fixed coefficients."""
        space = self.parameters
        random, points = np.split(self.random, [space.n_random], axis=1)
        return replace(
            self,
            random=np.ascontiguousarray(random),
            fixed=np.concatenate([points, self.fixed], axis=1),
            parameters=space.within,
            coefficients=self.coefficients[: space.n_random],
            shares=None,
        )


def design_like(model: Description, data: ChoiceData, like: Design) -> Design:
    """The design of a scenario, or of other data, with what ``like`` has learnt."""
    if like.state is None:
        raise SpecificationError("argument 'like' is not a design made by MixedLogit.design")
    columns, residuals = columns_like(model.formula, data, like.state), None
    if like.residuals is not None:
        residuals = like.residuals.on(data)
        columns = with_residuals(columns, residuals)
    random, fixed = (
        taken(columns.values, [columns.names.index(n) for n in names], data.folder)
        for names in (like.random_names, like.fixed_names)
    )
    persons = covariates(model.coefficients, data, like.persons)
    shares = share_covariates(model.latent, data, like.shares)
    found = None if model.scale is None else sources(model.scale, data, like.sources)
    return replace(
        like,
        random=random,
        fixed=fixed,
        persons=persons,
        shares=shares,
        offset=known_utility(data),
        sources=found,
        levels=None,
        residuals=residuals,
        nests=None if model.nests is None else memberships(model.nests, data, estimated=True),
        cells=None if like.cells is None else like.cells.on(data),
    )
