"""Where types of people may be: points of coefficients, given, on a grid, or drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.point import Point
from bayesmix.specification.classes import check_one_class

MOST_POINTS = 1_000_000
MEANING = "a table with a column a term, values by term as in {'price': [-2, -1, 0]}, or a fit"


@dataclass(frozen=True, eq=False, init=False)
class Types:
    """Points at which types of people may be, for `nonparametric`.

    Parameters
    ----------
    grid
        A pandas DataFrame whose columns are terms, a row a point. Or by term values, whose product
        the points are, ``{"price": [-2, -1, 0], "time": [-1, 0, 1]}``. Or with ``points`` by term
        the ends of a box, ``{"price": (-3, 0), "time": (-2, 2)}``, with scrambled Sobol points in
        it. Or a fit with random coefficients, whose law the ``points`` are drawn from.
    points
        Number of points, of a box or a fit.
    box
        By term the ends, in which further points may be added; those of the points by default.
    rng
        Seed or Generator of the scramble.

    Attributes
    ----------
    terms : tuple of str
        Columns of the utility whose coefficients these are, K of them.
    values : (M, K) array
        Points, a row each.
    bounds : (2, K) array
        The box.

    Raises
    ------
    SpecificationError
        If the points are none, not finite or twice the same, a fit has no one law for everybody, or
        the box does not hold the points.

    References
    ----------
    Train (2008); Fox, Kim, Ryan and Bajari (2011).

    Examples
    --------
    >>> print(Types({"price": [-2, -1, 0], "time": [-1, 1]}))
    6 points of price, time
    >>> print(Types({"price": (-2, 0), "time": (-1, 1)}, points=1000))
    1000 points of price, time
    """

    terms: tuple[str, ...]
    values: Array = field(repr=False)
    bounds: Array = field(repr=False)

    def __init__(
        self,
        grid: pd.DataFrame | Mapping[str, Any] | Fit,
        points: int | None = None,
        *,
        box: Mapping[str, tuple[float, float]] | None = None,
        rng: Seed = None,
    ) -> None:
        arguments.seed("rng", rng)
        number = None if points is None else arguments.whole("points", points, most=MOST_POINTS)
        if isinstance(grid, Fit):
            terms, values = _drawn(grid, _asked(number, "a fit"), rng)
            bounds = _ends(values)
        elif isinstance(grid, pd.DataFrame):
            if number is not None:
                raise SpecificationError(
                    "argument 'points' is for a box or a fit: the rows of a table are the points"
                )
            terms, values = _terms(grid.columns), _numbers(grid)
            bounds = _ends(values)
        elif isinstance(grid, Mapping):
            terms, each = _terms(grid), [_values(term, grid[term]) for term in grid]
            if number is None:
                _check_number(prod(len(values) for values in each))
                values = np.array(list(product(*each)))
                bounds = _ends(values)
            else:
                bounds = _box(terms, each)
                unit = ndtr(_normals(number, len(terms), rng))
                values = bounds[0] + (bounds[1] - bounds[0]) * unit.T
        else:
            raise arguments.refused("grid", MEANING, grid)
        if box is not None:
            bounds = _wider(terms, values, arguments.mapping("box", box, "ends by term"))
        _check(terms, values)
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "bounds", bounds)

    def __str__(self) -> str:
        return f"{len(self.values)} points of {', '.join(self.terms)}"


def _terms(names: Any) -> tuple[str, ...]:
    terms = tuple(names)
    if not terms or not all(isinstance(term, str) for term in terms):
        raise SpecificationError(
            f"argument 'grid' names the terms of the types, columns of the utility in text, got "
            f"{list(terms)[:5]}"
        )
    if len(set(terms)) < len(terms):
        twice = next(term for term in terms if terms.count(term) > 1)
        raise SpecificationError(f"argument 'grid' names {twice!r} twice")
    return terms


def _numbers(table: pd.DataFrame) -> Array:
    try:
        return np.ascontiguousarray(table.to_numpy(dtype=float))
    except (TypeError, ValueError):
        raise SpecificationError(
            f"argument 'grid' holds points, a number in every cell, got types "
            f"{[str(kind) for kind in table.dtypes][:5]}"
        ) from None


def _values(term: str, given: Any) -> Array:
    try:
        values = np.atleast_1d(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise SpecificationError(
            f"argument 'grid': {term!r} needs finite numbers, such as [-2, -1, 0], got "
            f"{arguments.shown(given)}"
        )
    return values


def _box(terms: tuple[str, ...], each: list[Array], name: str = "grid") -> Array:
    for term, ends in zip(terms, each, strict=True):
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise SpecificationError(
                f"argument {name!r}: {term!r} needs the two ends of a box, the lower first, got "
                f"{ends.tolist()}"
            )
    return np.array(each).T


def _wider(terms: tuple[str, ...], values: Array, given: Mapping[str, Any]) -> Array:
    unknown = [term for term in given if term not in terms]
    if unknown:
        raise SpecificationError(
            f"argument 'box' names {unknown[0]!r}, which is no term of the points: {list(terms)}"
        )
    bounds = _ends(values)
    for term, ends in given.items():
        bounds[:, terms.index(term)] = _box((term,), [_values(term, ends)], "box")[:, 0]
    outside = ((values < bounds[0]) | (values > bounds[1])).any(axis=1)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise SpecificationError(
            f"argument 'box' does not hold {int(outside.sum())} of the points, the first number "
            f"{first}: {values[first].tolist()}; widen it, or leave these points out"
        )
    return bounds


def _ends(values: Array) -> Array:
    if not len(values):
        raise SpecificationError("argument 'grid' has no points: give one at least")
    return np.array([values.min(axis=0), values.max(axis=0)])


def _check(terms: tuple[str, ...], values: Array) -> None:
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise SpecificationError(
            f"argument 'grid': {len(bad)} points are not finite, the first number {bad[0]}: "
            f"{values[bad[0]].tolist()} of {list(terms)}"
        )
    unique, first = np.unique(values, axis=0, return_index=True)
    if len(unique) < len(values):
        again = int(np.setdiff1d(np.arange(len(values)), first)[0])
        raise SpecificationError(
            f"argument 'grid': {len(values) - len(unique)} points are there twice, the first "
            f"number {again}, {values[again].tolist()}: leave them out"
        )
    _check_number(len(values))


def _check_number(points: int) -> None:
    if points > MOST_POINTS:
        raise SpecificationError(
            f"argument 'grid' has {points} points, of {MOST_POINTS} at most: give fewer"
        )


def _asked(number: int | None, what: str) -> int:
    if number is None:
        raise SpecificationError(f"argument 'points': say how many are to be drawn from {what}")
    return number


def _drawn(fit: Fit, number: int, rng: Seed) -> tuple[tuple[str, ...], Array]:
    """Coefficients at scrambled Sobol nodes of the law of a fit."""
    problem = fit.problem
    check_one_class(fit.model.latent, "types")
    if fit.model.wtp is not None or not problem.parameters.n_random or problem.z.shape[1]:
        raise SpecificationError(
            "types from a fit need random coefficients, in preference space, of one law for "
            "everybody: give points or a box in its place"
        )
    nodes = _normals(number, problem.parameters.n_random, rng)
    found = Point(problem, fit.theta).coefficients(nodes[None])[0]
    return problem.x_names, np.ascontiguousarray(found.T)


def _normals(number: int, dimension: int, rng: Seed) -> Array:
    """Scrambled Sobol nodes (K, M) of standard normals."""
    return population_grid(sobol(number), dimension, 1, rng).block(0, 1)[0][0]
