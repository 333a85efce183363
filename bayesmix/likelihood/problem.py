"""A model bound to data: the arrays that every path reads, whole or cut into chunks of persons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.checks import check_estimable
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import check_offset, check_outside
from bayesmix.errors import DataError, Fault, SpecificationError
from bayesmix.formulas.formula import Learnt
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import functions_of
from bayesmix.kernels.logit import Panel
from bayesmix.likelihood.block import Block
from bayesmix.specification.component_findings import component_faults
from bayesmix.specification.constraint_map import ConstraintMap, constraint_map
from bayesmix.specification.design import Design
from bayesmix.specification.feasible import check_constraints
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.laws.rows import laws_of
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import SD
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.scale import Sources


class Grid(Protocol):
    """Nodes and weights, for everyone or person by person."""

    @property
    def size(self) -> int: ...

    @property
    def shared(self) -> bool: ...

    @property
    def halves(self) -> tuple[Any, ...]:
        """Two grids that halve its nodes, see `bayesmix.likelihood.halves`; empty without."""

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, K, S) and weights (n, S) of persons start .. stop - 1; n = 1 when shared."""

    def part(self, start: int, stop: int) -> Any:
        """The grid of persons start .. stop - 1 alone."""


class Chunk(NamedTuple):
    """Arrays of n consecutive persons, or the PyTensor variables that stand for them."""

    x: Any
    person_start: Any
    situation_start: Any
    chosen_row: Any
    row_person: Any
    x_fixed: Any
    person_weights: Any
    nodes: Any
    node_weights: Any
    z: Any
    offset: Any
    source: Any


@dataclass(frozen=True, eq=False)
class Problem:
    """A model bound to data.

    Parameters
    ----------
    model, data
        As the user gave them.
    design
        The columns of the utility.
    """

    model: MixedLogit
    data: ChoiceData
    design: Design

    @property
    def parameters(self) -> ParameterSpace:
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
    def within(self) -> Problem:
        """The problem of one class, the same for all: itself where there is one."""
        if self.parameters.within is self.parameters:
            return self
        return Problem(self.model.within, self.data, self.design.within)

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
        return np.concatenate([self.design.random, self.design.fixed], axis=1)

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

    @cached_property
    def unidentified(self) -> tuple[Fault, ...]:
        """Variances of error components that these choice sets do not tell."""
        design = self.design
        values = np.concatenate([design.random, design.fixed], axis=1)
        names = (*design.random_names, *design.fixed_names)
        return tuple(component_faults(values, names, self.moving_laws, self.data))

    @property
    def offset(self) -> Array | None:
        """Known utilities (R,) of the rows; None where there are none."""
        return self.design.offset

    @property
    def z(self) -> Array:
        """Covariates (I, M) of persons, a column for each shift of a mean."""
        persons = self.design.persons
        return np.zeros((self.n_persons, 0)) if persons is None else persons.values

    @property
    def n_persons(self) -> int:
        return self.data.n_persons

    @cached_property
    def whole(self) -> Block:
        """The arrays of all persons."""
        data, found = self.data, self.design.sources
        panel = Panel(
            self.x, data.person_start, data.situation_start, data.chosen_row, data.outside_option
        )
        return Block(
            parameters=self.parameters,
            laws=self.laws,
            known=self.known,
            functions=self._laws[2],
            price=self.price,
            panel=panel,
            x_fixed=self.x_fixed,
            z=self.z,
            weights=data.weights,
            offset=self.offset,
            source=None if found is None else found.code,
            share_z=self.share_z,
            inner=() if self.within is self else (self.within.whole,),
        )

    def panel(self, start: int = 0, stop: int | None = None) -> Panel:
        """The kernel's arrays for persons start .. stop - 1."""
        return self.whole.part(start, self.n_persons if stop is None else stop).panel

    def rows(self, start: int, stop: int) -> slice:
        """Rows of persons start .. stop - 1."""
        return self.whole.rows(start, stop)

    def chunk(self, grid: Grid, start: int, stop: int) -> Chunk:
        """Arrays of persons start .. stop - 1, with their nodes."""
        if not self.data.observed:
            raise DataError("a scenario has no observed choices, and so no likelihood")
        here, rows = self.whole.part(start, stop), self.rows(start, stop)
        nodes, weights = grid.block(start, stop)
        last = here.panel.person_start[-1]
        return Chunk(
            *here.panel[:4],
            here.row_person,
            here.x_fixed,
            here.weights,
            nodes,
            weights,
            here.z,
            np.zeros(rows.stop - rows.start) if here.offset is None else here.offset,
            np.zeros(last, dtype=np.int64) if here.source is None else here.source,
        )


def bind(
    model: MixedLogit,
    data: ChoiceData,
    scales: Sources | None = None,
    learnt: Learnt | None = None,
) -> Problem:
    """The model on these data, with every check of the specification made.

    ``scales`` are the sources that it was estimated on, and ``learnt`` what its formulas learnt
    there, where it was, on other data.
    """
    check_arguments(model, data)
    check_estimable(data)
    design = model.design(data, scales=scales, learnt=learnt)
    problem = Problem(model, data, design.centred(data))
    check_constraints(problem.parameters, model.constraints)
    return problem


def is_plain_logit(problem: Problem) -> bool:
    """Whether it is a multinomial logit and no more, whose log-likelihood is concave."""
    model = problem.model
    return not model.random and model.scale is None and problem.constraint is None


def bind_sets(
    model: MixedLogit,
    data: ChoiceData,
    scales: Sources | None = None,
    learnt: Learnt | None = None,
) -> Problem:
    """The model on choice sets for which parameters are known: `bind`, without what estimates ask.

    A set may be the only one, and columns be the same in all of it.
    """
    check_arguments(model, data)
    design = model.design(data, scales=scales, learnt=learnt, estimated=True)
    return Problem(model, data, design.centred(data))


def bind_like(problem: Problem, data: ChoiceData, argument: str = "data") -> Problem:
    """The model of ``problem`` on other data, with what its formula has learnt from its own.

    Raises
    ------
    DataError
        If they are no choice data, or have another offset or outside option.
    """
    own = problem.data
    if data is own:
        return problem
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument {argument!r} must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )
    check_offset(data, own.known.offset, "the fit")
    check_outside(data, own.outside_option, "the fit")
    return like(problem, data)


def check_arguments(model: MixedLogit, data: ChoiceData) -> None:
    """Refuse what is not a model and data."""
    if not isinstance(model, MixedLogit):
        raise SpecificationError(
            f"argument 'model' must be a MixedLogit, got {type(model).__name__}: the model comes "
            "first, then the data"
        )
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument 'data' must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )


def to_predict(problem: Problem) -> Problem:
    """The problem on what predictions are of: whole choice sets, and of rankings the first choices.

    Raises
    ------
    DataError
        If alternatives were sampled: choices out of a sample that holds what was chosen are not
        choices out of anything that people face.
    """
    data = problem.data
    if data.known.sampled is not None:
        raise DataError(
            f"the data hold samples of alternatives (column {data.known.sampled!r}), which serve "
            "to estimate: to predict, give in the place of the data those with the sets that "
            "people choose from, made without sampling= and correction=: bm.shares(fit, whole)"
        )
    first = data.first_choices()
    if first is data:
        return problem
    return like(problem, first)


def like(problem: Problem, data: ChoiceData) -> Problem:
    """The model on other data, with what its formula has learnt from those of ``problem``."""
    design = problem.model.design(data, like=problem.design)
    return Problem(problem.model, data, design.centred(data))


def written(problem: Problem) -> Problem:
    """The problem with columns as the formula has them, however far from 0."""
    if problem.design.levels is None:
        return problem
    return Problem(problem.model, problem.data, problem.design.written(problem.data))


def in_scenario(problem: Problem, scenario: ChoiceData) -> Design:
    """The columns in a scenario of the problem's situations, which differ by what changes alone."""
    design = problem.model.design(scenario, like=problem.design)
    return design.less(problem.design.levels, scenario)


def bind_scenario(problem: Problem, scenario: ChoiceData) -> Problem:
    """The model of ``problem`` on a scenario made from its data: nothing is learnt anew.

    Raises
    ------
    DataError
        If the scenario is none, or its persons, situations or offset are not those of the problem's
        data.
    """
    problem = to_predict(problem)
    check_scenario(problem.data, scenario)
    return Problem(problem.model, scenario, in_scenario(problem, scenario))


def check_scenario(data: ChoiceData, scenario: ChoiceData) -> None:
    """Refuse what was not made from these data."""
    if not isinstance(scenario, ChoiceData):
        raise DataError(
            f"argument 'scenario' must be made from the data, such as data.without('bus'), got "
            f"{type(scenario).__name__}"
        )
    if not scenario.situations.equals(data.situations) or scenario.outside_option != (
        data.outside_option
    ):
        raise DataError(
            "argument 'scenario' has other persons or situations than the data: make it from them, "
            "with with_attribute, without or with_alternative"
        )
    if scenario.known.offset != data.known.offset:
        raise DataError(
            f"argument 'scenario' has the offset {scenario.known.offset!r}, and the data have "
            f"{data.known.offset!r}: make it from them, with with_attribute where it is to change"
        )
