"""Utility in money: which coefficients of prices it can be divided by."""

from __future__ import annotations

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.demand.column_arguments import PRICE, check_column
from bayesmix.demand.interventions import Intervention, attribute_slope
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.utility import Utility
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.model import MixedLogit

NEGATIVE = "give it LogNormal(..., sign=-1), which is negative for everybody"
SPACE = "estimate in willingness-to-pay space"
REMEDY = f"{NEGATIVE}, a fixed coefficient, or {SPACE}"


def remedy(model: MixedLogit, price: str) -> str:
    """What else a model could say of the coefficient of a price, than what it says already."""
    laws = [c for c in model.coefficients if c.term == price]
    negative = bool(laws) and all(c.side < 0 and c.has_one_sign for c in laws)
    ways = [
        "leave out what else its slope is made of, such as interactions" if negative else NEGATIVE,
        *(["give it a fixed coefficient"] if laws else []),
        *([SPACE] if model.wtp is None else []),
    ]
    return ", or ".join(ways)


def price_of(model: MixedLogit, price: str | None) -> str:
    """The price that was named, or else the model's in willingness-to-pay space, or ``"price"``."""
    if price is not None:
        return arguments.text("price", price, "the name of a column")
    return model.wtp or PRICE


def price_slope(problem: Problem, price: str) -> Intervention:
    """The derivative of utility in the price, refused unless it turns utils into money.

    It must be the same for all alternatives of a situation (a price in a transform, or interacted
    with the alternatives, has no one value of a unit of money), and negative for everybody.

    Raises
    ------
    SpecificationError
        If it is not so, with the remedy.
    """
    check_column(problem.data, "price", price)
    slope = attribute_slope(problem, price)
    assert slope.by is not None
    design = slope.by.design
    signs = [design.random[:, k] for k, c in enumerate(design.coefficients) if not c.has_one_sign]
    names = [c.term for c in design.coefficients if not c.has_one_sign]
    for name, column in zip(names, signs, strict=True):
        if column.any():
            raise SpecificationError(
                f"the coefficient of {name!r}, which turns utils into units of {price!r}, has a "
                f"law with {_trouble(name, design.coefficients)}; {REMEDY}"
            )
    known = np.zeros((len(design.fixed), 0)) if design.offset is None else design.offset[:, None]
    _check_same(problem, np.hstack([design.random, design.fixed, known]), price)
    return slope


def _trouble(term: str, coefficients: tuple[Coefficient, ...]) -> str:
    """Why nothing can be divided by a coefficient."""
    (law,) = (c for c in coefficients if c.term == term)
    if law.stops_at_0:
        return "a share of people at 0: nothing can be divided by their coefficient"
    if law.side:
        return "density at 0: the mean of anything divided by it need not exist"
    return (
        "mass on both sides of 0: some people would pay to pay more, and the mean of anything "
        "divided by it does not exist"
    )


def _check_same(problem: Problem, slopes: Array, price: str) -> None:
    """Refuse derivatives (R, .) that differ between alternatives of a situation."""
    data = problem.data
    first = np.minimum(data.situation_start[:-1], data.n_rows - 1)[data.row_situation]
    size = np.abs(slopes).max(axis=0, initial=0.0)
    if (np.abs(slopes - slopes[first]) > 1e-9 * size).any():
        raise SpecificationError(
            f"the derivative of utility in {price!r} differs between alternatives of a situation, "
            f"so that a unit of money has no one value there: the formula is "
            f"{problem.model.formula!r}; let {price!r} enter it linearly, alone or times columns "
            "of persons"
        )


def no_mean(problem: Utility, price: str) -> str:
    """Why the ratio has no mean; empty where it has one."""
    laws = [c for c in problem.design.coefficients if c.term == price]
    if not laws or laws[0].has_one_sign:
        return ""
    reach = "need not exist: the law" if laws[0].side else "does not exist: the coefficient"
    return (
        f"the mean willingness to pay {reach} of {price!r} has "
        "density at 0, where the ratio is infinite; use the median and other quantiles, or "
        f"{REMEDY}"
    )
