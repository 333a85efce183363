"""Covariates of persons: what shifts the means of random coefficients (observed heterogeneity)."""

from __future__ import annotations

from dataclasses import dataclass

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.data.within import varies_within_persons
from bayesmix.errors import DataError, SpecificationError
from bayesmix.specification.formula import (
    Columns,
    State,
    columns_like,
    columns_of,
    constant_alone,
    no_term,
    parse,
)
from bayesmix.specification.mixing import Coefficient

Array = NDArray[np.float64]

CONSTANT = "Intercept"


@dataclass(frozen=True, eq=False)
class Covariates:
    """Covariates of all means of a model.

    Parameters
    ----------
    values
        (I, M): a column for each shift.
    shifts
        Position of the random coefficient and name of the covariate, M of them.
    centred
        Positions of the coefficients without a mean of their own.
    states
        What each formula has learnt from the data.
    """

    values: Array
    shifts: tuple[tuple[int, str], ...]
    centred: tuple[int, ...]
    states: dict[str, State]


def covariates(
    coefficients: tuple[Coefficient, ...],
    data: ChoiceData,
    like: Covariates | None = None,
    role: str = "a mean",
) -> Covariates:
    """The covariates of the laws' means on ``data``, with the states of ``like`` where given.

    Errors say that they are covariates of ``role``.

    Raises
    ------
    SpecificationError
        If a formula cannot be read.
    DataError
        If a column is missing, varies within persons, does not vary over them, or is collinear with
        others.
    """
    formulas = dict.fromkeys(c.mean for c in coefficients if c.mean not in ("0", "1"))
    states: dict[str, State] = {}
    found: dict[str, tuple[Array, tuple[str, ...], bool]] = {}
    for formula in formulas:
        values, names, states[formula] = _by_row(formula, data, like)
        constant = CONSTANT in names
        kept = [m for m, name in enumerate(names) if name != CONSTANT]
        names = tuple(names[m] for m in kept)
        kept_columns = Columns(values[:, kept], names, states[formula])
        by_person = _by_person(kept_columns, formula, data, role)
        if like is None:
            _check_rank(by_person, names, constant, role)
        found[formula] = by_person, names, constant
    parts: list[Array] = [np.zeros((data.n_persons, 0))]
    shifts: list[tuple[int, str]] = []
    centred: list[int] = []
    for k, c in enumerate(coefficients):
        if c.mean == "0" or (c.mean in found and not found[c.mean][2]):
            centred.append(k)
        if c.mean in found:
            values, names, _ = found[c.mean]
            parts.append(values)
            shifts += [(k, name) for name in names]
    return Covariates(np.concatenate(parts, axis=1), tuple(shifts), tuple(centred), states)


def _by_row(
    formula: str, data: ChoiceData, like: Covariates | None
) -> tuple[Array, tuple[str, ...], State]:
    if like is not None:
        columns = columns_like(formula, data, like.states[formula], of_persons=True)
    else:
        columns = columns_of(formula, data)
    return columns.values, columns.names, columns.state


def check_mean(formula: str, role: str = "a mean") -> None:
    """Refuse the formula of a mean, or of another ``role``, that cannot be read."""
    if formula in ("0", "1"):
        return
    try:
        terms = formulaic.Formula(formula)
    except FormulaicError:
        terms = None
    if terms is None or (isinstance(terms, formulaic.SimpleFormula) and not len(terms)):
        raise SpecificationError(
            f"cannot read the formula of {role} {formula!r}: write '1 + income', or '0' for none"
        )
    if constant_alone(parse(formula)):
        raise no_term(formula)


def _by_person(columns: Columns, formula: str, data: ChoiceData, role: str) -> Array:
    """The rows' values (R, M) as persons' (I, M), which they must be."""
    values = columns.values
    first = data.situation_start[data.person_start[:-1]]
    if (data.situation_start[data.person_start[1:]] == first).any():
        raise DataError("a person has no row left, and so no covariates: keep one alternative")
    differs = values != values[first][data.row_person]
    if differs.any():
        place = int(np.flatnonzero(differs.any(axis=0))[0])
        name, other = _column(formula, data) or (columns.names[place], differs[:, place])
        raise DataError(
            f"covariate {name!r} of {role} {varies_within_persons(data, other)}: covariates are of "
            "persons; what varies between situations belongs to the utility's formula"
        )
    return values[first]


def _column(formula: str, data: ChoiceData) -> tuple[str, NDArray[np.bool_]] | None:
    """The first column of the data in a formula that varies within persons, and its rows (R,)."""
    first = data.situation_start[data.person_start[:-1]]
    for name in sorted(str(v) for v in parse(formula).required_variables):
        code, _ = pd.factorize(data.frame[name])
        other = code != code[first][data.row_person]
        if other.any():
            return name, other
    return None


def _check_rank(values: Array, names: tuple[str, ...], constant: bool, role: str) -> None:
    """Refuse covariates (I, M) that a constant or the others tell."""
    whole = np.column_stack([np.ones(len(values)), values]) if constant else values
    labels = [CONSTANT, *names] if constant else list(names)
    size = np.sqrt((whole**2).mean(axis=0))
    if (size == 0).any() or len(whole) < len(labels):
        empty = labels[int(np.flatnonzero(size == 0)[0])] if (size == 0).any() else labels[-1]
        raise DataError(f"covariate {empty!r} of {role} is 0 for everybody, or persons are too few")
    triangle = np.abs(np.diag(np.linalg.qr(whole / size, mode="r")))
    dependent = np.flatnonzero(triangle < 1e-9 * np.sqrt(len(whole)))
    if len(dependent):
        raise DataError(
            f"covariate {labels[int(dependent[0])]!r} of {role} does not vary over persons, or is "
            f"a combination of the others ({', '.join(labels)}): leave it out"
        )
