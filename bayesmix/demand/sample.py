"""Sample enumeration: sums over the situations of the data, at each of many parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array, Indices
from bayesmix.centring.people import People, people
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.reserved import OUTSIDE
from bayesmix.data.segments import goods_of, segments_of
from bayesmix.demand.absorbed import Absorbed, absorbed
from bayesmix.demand.draws import (
    Interval,
    Uncertainty,
    known_choices,
    parameter_draws,
    uncertainty,
)
from bayesmix.demand.indifferent import check_minded
from bayesmix.demand.options import CheckedOptions, Where
from bayesmix.errors import SpecificationError
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nests import Nests
from bayesmix.kernels.substitution import Sets, Size
from bayesmix.likelihood.bind import bind_like, bind_scenario, to_predict
from bayesmix.likelihood.choice_sets import Piece, Pieces
from bayesmix.likelihood.persons import Divisible, over_persons
from bayesmix.likelihood.point import NOT_OF_NESTS, Point
from bayesmix.likelihood.problem import Problem


@dataclass(frozen=True, eq=False)
class Here:
    """Choice sets and coefficients of some persons at one free vector, as kernels read them."""

    point: Point
    people: People
    piece: Piece

    @property
    def sets(self) -> Sets:
        return self.piece.sets

    @cached_property
    def mixture(self) -> Mixture:
        """Coefficients of the persons."""
        return self.people.mixture(self.point)

    @property
    def panel(self) -> Panel:
        """The choice sets of a logit, attributes times the scales of the situations' sources.

        Raises
        ------
        SpecificationError
            If there are nests, for what asks for them here does not know any.
        """
        if self.nests is not None:
            raise SpecificationError(NOT_OF_NESTS)
        return self.rows

    @cached_property
    def nests(self) -> Nests | None:
        """Nests of the rows, with their coefficients; None where there are none."""
        own, there = self.piece.nests, self.point.nests
        if own is None or there is None:
            return None
        return own._replace(coefficient=there.coefficient)

    @cached_property
    def rows(self) -> Panel:
        """The same for what knows the nests."""
        return self.piece.panel._replace(x=self.scaled(self.piece.panel.x))

    def scaled(self, x: Array) -> Array:
        """Values (rows of the piece, .) times those scales."""
        scales = self.point.scales
        return x if scales is None else x * self.piece.place(scales)[:, None]

    @cached_property
    def base(self) -> Array:
        """Utilities of what does not vary over nodes, in the piece's rows."""
        return self.piece.place(self.point.base)


@dataclass(frozen=True, eq=False)
class Sample:
    """What quantities are computed on: situations, people, segments, and points of parameters.

    ``codes`` (R,) are the alternative of each row, or its product, and ``goods`` their labels;
    ``absorbed`` is what constants of markets hold of utilities, or None.
    """

    there: Problem
    people: People
    uncertainty: Uncertainty
    segments: Indices
    names: list
    how: CheckedOptions
    codes: Indices
    goods: tuple
    absorbed: Absorbed | None = None

    @property
    def size(self) -> Size:
        """Numbers of segments, of alternatives, and of alternatives with the outside option."""
        data = self.there.data
        inside = len(self.goods)
        return Size(len(self.names), inside, inside + data.outside_option)

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.there, self.segments, (self.codes, len(self.goods)))

    def over[T](self, theta: Array, work: Callable[..., T], *beside: Divisible) -> Iterator[T]:
        """``work(here, *beside)`` of each block of persons, see `over_persons`."""
        point, own = Point(self.there, theta), partial(_here, work)
        who, pieces, step = self.people, self.pieces, self.people.step
        rest = theta[self.there.parameters.size :]
        if len(rest):  # draws of a first stage: residuals move, also of what people are known by
            there = self.there.at_first_stage(rest)
            point, pieces = Point(there, point.own), replace(pieces, problem=there)
            who = who.at(theta)
        return over_persons(point, who, own, pieces, *beside, step=step)

    @cached_property
    def weights(self) -> Array:
        """Weight (T,) of each situation: its person's."""
        data = self.there.data
        return np.repeat(data.weights, np.diff(data.person_start))

    @cached_property
    def mass(self) -> Array:
        """Sum of weights (G,) in each segment."""
        return np.bincount(self.segments, self.weights, len(self.names))

    @property
    def inside(self) -> Array:
        """Labels of the alternatives or products, without the outside option."""
        return np.array([*self.goods, None], dtype=object)[:-1]

    @property
    def labels(self) -> Array:
        """Labels of the alternatives or products, the outside option last."""
        outside = [OUTSIDE] if self.there.data.outside_option else []
        return np.array([*self.goods, *outside, None], dtype=object)[:-1]

    def moved(self, scenario: ChoiceData) -> Sample:
        """The same people, in the same segments, in a scenario."""
        codes, goods = goods_of(scenario, None)
        there = bind_scenario(self.there, scenario)
        if self.absorbed is not None:
            self.absorbed.check_sets(there)
        return replace(self, there=there, codes=codes, goods=goods)

    def check_moved(self, by: Problem | None, attribute: str, *, ratio: bool = True) -> None:
        """Refuse a change of what constants of markets have a part of; ``by`` has its columns.

        And, of what is a ``ratio`` of its effects, of what nobody minds.
        """
        if by is None:
            return
        if self.absorbed is not None:
            self.absorbed.check_moved(by.design.columns, attribute)
        if ratio:
            check_minded(self.there, by.design.columns, attribute)

    def of(self, quantity: Callable[[Array], Array], label: str) -> Interval:
        """Estimate and interval of a function of the free vector."""
        return self.uncertainty.of(quantity, label, self.how.progress)


def _here[T](work: Callable[..., T], point: Point, who: People, own: Piece, *beside: Any) -> T:
    return work(Here(point, who, own), *beside)


def enumerate_sample(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    where: Where,
    how: CheckedOptions,
    points: Uncertainty | None = None,
) -> Sample:
    """Choice sets, of the data or others, ready for sums at each point of parameters.

    By default the points are those that ``how`` says the result's uncertainty is told by.

    Raises
    ------
    DataError
        If the scenario is not made from the sets, ``by`` varies within situations, there is no
        column ``products``, or choices would be predicted from themselves.
    SpecificationError
        If ``result`` is of another kind, or a fit has no covariance matrix.
    """
    generator = np.random.default_rng(how.rng)
    parameters = parameter_draws(result, data, how.draws)
    past, thetas = parameters.problem, parameters.thetas
    there = past if where.predict is None else bind_like(past, where.predict, "predict")
    known = how.people == "known"
    own = known_choices(result, past, where.predict) if known else there
    who = people(own, thetas.mean(axis=0), known=known, nodes=how.nodes, rng=generator)
    scenario, sets = where.scenario, there.data
    there = to_predict(there) if scenario is None else bind_scenario(there, scenario)
    held = absorbed(result, past)
    if held is not None:
        held.check_sets(there)
    segments, names = segments_of(there.data, where.by, sets)
    points = uncertainty(result, thetas, how, generator) if points is None else points
    goods = goods_of(there.data, where.products)
    return Sample(there, who, points, segments, names, how, *goods, absorbed=held)


def dataset(
    found: Sample, values: Interval, dims: Sequence[str], coords: Mapping[str, Any]
) -> xr.Dataset:
    """``estimate``, ``low`` and ``high`` by segment, where there are segments, and ``dims``."""
    names = ("segment", *dims)
    out = xr.Dataset(
        {name: (names, v) for name, v in zip(Interval._fields, values, strict=True)},
        coords={"segment": found.names, **coords},
        attrs={
            "interval": found.how.interval,
            "draws": found.uncertainty.draws,
            "nodes": found.people.grid.size,
        },
    )
    note = found.uncertainty.note
    out.attrs |= left_out(found.there.data) | ({"note": note} if note else {})
    return out


def noted(out: xr.Dataset, words: str) -> None:
    """Add to what is to be known of intervals."""
    out.attrs["note"] = "; ".join(filter(None, [out.attrs.get("note", ""), words]))


def left_out(data: ChoiceData) -> dict[str, str]:
    """What is said of situations that no average knows, whose outside option has a share of 1."""
    left = data.situations_left_out
    words = f"{left} situations in which the outside option alone is available"
    return {"left_out": words} if left else {}


def squeezed(out: xr.Dataset, by: str | None) -> xr.Dataset:
    """Without the dimension of segments where none were asked for."""
    return out.isel(segment=0, drop=True) if by is None else out
