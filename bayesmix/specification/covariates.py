"""Covariates of persons: what shifts the means of random coefficients (observed heterogeneity)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.varying import varies_within_persons
from bayesmix.errors import DataError, Fault, SpecificationError
from bayesmix.formulas.formula import (
    Columns,
    Learnt,
    State,
    columns_like,
    columns_of,
    no_term,
    read,
)
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.magnitudes import beyond, near_constant, near_constants

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
    *,
    trust: bool = False,
    learnt: Learnt | None = None,
) -> Covariates:
    """The covariates of the laws' means on ``data``, with the states of ``like`` where given.

    Errors say that they are covariates of ``role``. ``trust`` and ``learnt`` are those of
    `bayesmix.formulas.formula.evaluate`.

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
        if like is not None:
            columns = columns_like(formula, data, like.states[formula], of_persons=True)
        else:
            columns = columns_of(formula, data, trust=trust, learnt=learnt)
        states[formula] = columns.state
        constant = columns.constant is not None
        kept = [m for m in range(len(columns.names)) if m != columns.constant]
        names = tuple(columns.names[m] for m in kept)
        kept_columns = Columns(columns.values[:, kept], names, columns.state)
        by_person = _by_person(kept_columns, data, role)
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


def check_mean(formula: str, role: str = "a mean", *, trust: bool = False) -> None:
    """Refuse the formula of a mean, or of another ``role``, that cannot be read."""
    if formula in ("0", "1"):
        return
    try:
        reading = read(formula, trust=trust)
    except SpecificationError as error:
        raise SpecificationError(
            f"{role}: {error} (a formula in covariates of persons, such as '1 + income', or '0' "
            "for none)"
        ) from None
    if reading.constant_alone:
        raise no_term(formula)


def _by_person(columns: Columns, data: ChoiceData, role: str) -> Array:
    """The rows' values (R, M) as persons' (I, M), which they must be."""
    values = columns.values
    first = data.situation_start[data.person_start[:-1]]
    if (data.situation_start[data.person_start[1:]] == first).any():
        raise DataError("a person has no row left, and so no covariates: keep one alternative")
    differs = values != values[first][data.row_person]
    if differs.any():
        place = int(np.flatnonzero(differs.any(axis=0))[0])
        of_data = _column(columns.state, data)
        name, other = of_data or (columns.names[place], differs[:, place])
        raise DataError(
            f"covariate {name!r} of {role} {varies_within_persons(data, other)}: covariates are of "
            "persons; what varies between situations belongs to the utility's formula"
        )
    of_persons: Array = values[first]
    return of_persons


def _column(state: State, data: ChoiceData) -> tuple[str, Flags] | None:
    """The first column of the data in a formula that varies within persons, and its rows (R,)."""
    first = data.situation_start[data.person_start[:-1]]
    for name in (n for n in state.reading.columns if n in data.frame.columns):
        code, _ = pd.factorize(data.frame[name])
        other = code != code[first][data.row_person]
        if other.any():
            return name, other
    return None


def _check_rank(values: Array, names: tuple[str, ...], constant: bool, role: str) -> None:
    """Refuse covariates (I, M) that a constant or the others tell."""
    whole = np.column_stack([np.ones(len(values)), values]) if constant else values
    labels = [CONSTANT, *names] if constant else list(names)
    largest = np.abs(whole).max(axis=0)
    if beyond(largest).any():
        place = int(np.flatnonzero(beyond(largest))[0])
        raise DataError(
            f"covariate {labels[place]!r} of {role} is {largest[place]:.2g} in size: computers "
            "cannot hold the squares of such numbers: give it in other units"
        )
    for place, level, spread in near_constants(whole):
        fault = near_constant(labels[place], level, spread)
        raise DataError(Fault(f"covariate of {role}: {fault.what}", fault.remedy, fault.where))
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
