"""From a formula and data to the columns of the utility.

Formulas are formulaic's, but without an intercept that nobody has written: a constant common to all
alternatives cancels, and against an outside option ``1 + ...`` asks for it. What does not vary
within situations cancels likewise, so that interactions with the alternative (``C(alt):income``)
are coded against a base, as constants ``C(alt)`` are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import DataMismatchWarning
from formulaic.parser.types import Term

from bayesmix.arrays import Array
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import show
from bayesmix.data.parts import Rows
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.by_parts import CodedRows, Known, in_parts, learn
from bayesmix.formulas.coding import (
    State,
    bases,
    check_terms,
    code_first,
    coded,
    empty_columns,
    learnt_numbers,
)
from bayesmix.formulas.lookup import factor_values
from bayesmix.formulas.reading import (
    CONSTANT,
    Reading,
    first_line,
    no_term,
    read,
)
from bayesmix.formulas.unseen import remedy
from bayesmix.formulas.variation import largest_deviation, largest_size

__all__ = [
    "Columns",
    "State",
    "bases",
    "columns_like",
    "columns_of",
    "evaluate",
    "learnt_numbers",
    "no_term",
    "read",
]


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of the utility: values (R, M), their names, and the state of the formula.

    ``constant`` is the place of the constant among them, None where there is none.
    """

    values: Array
    names: tuple[str, ...]
    state: State
    constant: int | None = None


type Learnt = Mapping[str, Mapping[str, dict[str, Any]]]
"""What formulas have learnt on other data, formula by formula."""


def evaluate(
    formula: str, data: ChoiceData, *, trust: bool = False, learnt: Learnt | None = None
) -> Columns:
    """Evaluate ``formula`` on the rows of ``data``.

    With ``learnt``, centres, knots and statistics are those, and not learnt from ``data``.

    A level of a categorical column is named ``alt[car]`` where formulaic says ``C(alt)[T.car]``.
    The constant of all alternatives against the outside option is ``Intercept``; beside a column of
    the data of that name it is ``1``, as it is written.

    Raises
    ------
    SpecificationError
        If the formula cannot be read, has a left-hand side, uses the column of choices, holds code
        without ``trust``, or has a constant though there is no outside option.
    DataError
        If a column is missing, is text and used as a number, or holds NaN or infinities.
    """
    reading = read(formula, trust=trust)
    if reading.constant_alone and not data.outside_option:
        raise no_term(formula)
    known = _known(learnt, formula)
    if in_parts(reading, data):
        try:
            return _evaluated(reading, data, known, learn(reading, data, known))
        except (DataError, SpecificationError, DataMismatchWarning):
            known = _known(learnt, formula)  # of all rows, in words, below
    return _evaluated(reading, data, known)


def _evaluated(
    reading: Reading, data: ChoiceData, known: Known, some: ChoiceData | None = None
) -> Columns:
    """`evaluate` on all rows at once; with ``some`` persons, of whom categories are learnt, not."""
    formula, own = reading.formula, data if some is None else some
    values = factor_values(reading, own, known)

    def coded_rows(terms: Sequence[Term]) -> tuple[formulaic.ModelMatrix, Rows]:
        matrix = code_first(terms, values, own.n_rows, reading)
        if some is None:
            return matrix, matrix.to_numpy(dtype=float)
        return matrix, CodedRows(reading, data, known, matrix.model_spec)

    terms = [term for term in reading.terms if term != CONSTANT]
    implied = [] if data.outside_option else _implied(terms, coded_rows, data)
    # With an outside option, whose utility is 0, the constants of all alternatives are identified.
    written = reading.written
    if written and not data.outside_option:
        raise SpecificationError(
            f"the formula {formula!r} has a constant that is common to all alternatives, and "
            f"cancels: leave '1' out, and write C({data.alternative}) for constants of alternatives"
        )
    added = CONSTANT in reading.terms and not data.outside_option
    constant = [CONSTANT] if written or added else []
    matrix, rows = coded_rows([*constant, *implied, *terms])
    check_terms(terms, matrix, reading)
    keep = np.ones(matrix.shape[1], dtype=bool)
    for term, columns in matrix.model_spec.term_slices.items():
        if term in implied or (term == CONSTANT and not written):
            keep[columns] = False
    empty = empty_columns(matrix, lambda: largest_size(rows, data) == 0.0, keep)
    left_out = tuple(reading.named(str(c)) for c in matrix.columns[empty])
    state = State(matrix.model_spec, keep & ~empty, reading, known, left_out)
    found = _columns(matrix.columns, rows, state, data)
    _check_unique(found.names, reading)
    return found


def columns_of(
    formula: str, data: ChoiceData, *, trust: bool = False, learnt: Learnt | None = None
) -> Columns:
    """All columns of a formula in covariates of persons, on the rows of ``data``, and its constant.

    ``trust`` and ``learnt`` as in `evaluate`.

    Raises
    ------
    SpecificationError, DataError
        As `evaluate`.
    """
    reading = read(formula, trust=trust)
    known = _known(learnt, formula)
    values = factor_values(reading, data, known, of_persons=True)
    matrix = code_first(reading.terms, values, data.n_rows, reading)
    keep = np.ones(matrix.shape[1], dtype=bool)
    state = State(matrix.model_spec, keep, reading, known)
    found = _columns(matrix.columns, matrix.to_numpy(dtype=float), state, data)
    # Shifts have names of their own, and so a column may be called as the constant is.
    others = tuple(name for m, name in enumerate(found.names) if m != found.constant)
    _check_unique(others, reading)
    return found


def columns_like(
    formula: str, data: ChoiceData, state: State, *, of_persons: bool = False
) -> Columns:
    """Evaluate ``formula`` on a scenario, with the state learnt on the data of an estimation.

    Its columns are attributes, or covariates ``of_persons``.

    Raises
    ------
    SpecificationError
        If a category was not in those data, such as a new alternative in ``C(alt)``, or a column
        without a coefficient, which was 0 in all of them, no longer is.
    DataError
        As `evaluate`.
    """
    reading = state.reading
    if in_parts(reading, data) and not of_persons and not state.empty:
        with suppress(DataError, SpecificationError, DataMismatchWarning):  # said below
            rows = CodedRows(reading, data, deepcopy(dict(state.learnt)), state.spec)
            return _columns(pd.Index(state.spec.column_names), rows, state, data)
    values = factor_values(reading, data, deepcopy(dict(state.learnt)), of_persons=of_persons)
    try:
        matrix = coded(state.spec, values, data.n_rows)
    except DataMismatchWarning as unseen:
        found = reading.named(_unseen(unseen))
        raise SpecificationError(
            f"the formula {formula!r} meets categories that the model was not estimated on, and "
            f"has no coefficient for them ({found}): {remedy(data, found)}"
        ) from None
    except Exception as error:
        words = reading.named(first_line(error))
        message = f"cannot evaluate the formula {formula!r} on the scenario: {words}"
        raise SpecificationError(message) from None
    _check_empty(matrix, state, data)
    return _columns(matrix.columns, matrix.to_numpy(dtype=float), state, data)


def _unseen(warning: Warning) -> str:
    """The categories, of formulaic's two sentences on them."""
    found = re.search(r"\{.*\}", first_line(warning))
    return found[0].strip("{}") if found else first_line(warning)


def _known(learnt: Learnt | None, formula: str) -> dict[str, dict[str, Any]]:
    return deepcopy(dict((learnt or {}).get(formula, {})))


def _columns(columns: pd.Index, rows: Rows, state: State, data: ChoiceData) -> Columns:
    kept = columns[state.keep]
    names = [state.reading.named(str(c)) for c in kept]
    places = [m for m, c in enumerate(kept) if str(c) == "Intercept"]  # no alias is called so
    if places and names.count("Intercept") > 1:
        names[places[0]] = "1"
    if isinstance(rows, CodedRows):
        values = rows.kept(state.keep)
    else:
        values = np.ascontiguousarray(rows[: data.n_rows][:, state.keep])
    _check_finite(values, tuple(names), data)
    return Columns(values, tuple(names), state, places[0] if places else None)


def _implied(
    terms: list[Term],
    coded_rows: Callable[[Sequence[Term]], tuple[formulaic.ModelMatrix, Rows]],
    data: ChoiceData,
) -> list[Term]:
    """Marginal terms that cancel within situations: they set the base of an interaction."""
    found: list[Term] = []
    for term in terms:
        factors = [f for f in term.factors if f.eval_method != f.eval_method.LITERAL]
        for dropped in factors if len(factors) > 1 else ():
            rest = Term(factor for factor in factors if factor != dropped)
            if rest in terms or rest in found:
                continue
            _, rows = coded_rows([rest])
            finite = np.isfinite(largest_size(rows, data)).all()
            if finite and not largest_deviation(rows, data).any():
                found.append(rest)
    return found


def _check_empty(matrix: formulaic.ModelMatrix, state: State, data: ChoiceData) -> None:
    """Refuse what has no coefficient, for it was 0 in the data of the estimation."""
    for column in matrix.columns if state.empty else ():
        name = state.reading.named(str(column))
        rows = np.flatnonzero(matrix[column].to_numpy(dtype=float))
        if name in state.empty and len(rows):
            raise SpecificationError(
                f"column {name!r} was 0 in every row that the model was estimated on, and has no "
                f"coefficient; here it is not, first in row {show(data.rows[rows[0]])}: leave it "
                "at 0, or estimate on data where it varies"
            )


def _check_unique(names: tuple[str, ...], reading: Reading) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        other = "the formula's constant" if twice[0] == "1" else "another term"
        raise SpecificationError(
            f"the formula {reading.formula!r} has two columns called {twice[0]!r}, and their "
            f"coefficients could not be told apart: rename the column of the data, for {other} is "
            "called so"
        )


def _check_finite(values: Array, names: tuple[str, ...], data: ChoiceData) -> None:
    if not np.isfinite(largest_size(values, data)).all():
        bad = ~np.isfinite(values)
        column = int(np.flatnonzero(bad.any(axis=0))[0])
        rows = np.flatnonzero(bad[:, column])
        raise DataError(
            f"column {names[column]!r} of the utility is NaN or infinite in {len(rows)} rows, "
            f"first in row {show(data.rows[rows[0]])}: change the formula (a logarithm of 0?), "
            "or clean the data"
        )
