"""From a formula and data to the columns of the utility.

Formulas are formulaic's, but without an intercept that nobody has written: a constant common to all
alternatives cancels, and against an outside option ``1 + ...`` asks for it. What does not vary
within situations cancels likewise, so that interactions with the alternative (``C(alt):income``)
are coded against a base, as constants ``C(alt)`` are.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import DataMismatchWarning, FormulaicError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.types import Term
from formulaic.transforms.contrasts import ContrastsState, TreatmentContrasts
from numpy.typing import NDArray

from bayesmix.data.attributes import check_complete, check_numeric
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import show
from bayesmix.data.widen import numbers
from bayesmix.errors import DataError, SpecificationError
from bayesmix.specification.variation import deviations

Array = NDArray[np.float64]

_LEVEL = re.compile(r"C\(([^(),]+)(?:,.*?)?\)\[(?:T\.)?([^\]]*)\]")
_CATEGORY = re.compile(r"^C\(([^(),]+)(?:,.*)?\)$")
_CODED = re.compile(r"\bC\(\s*([^(),]+?)\s*[,)]")
_CONSTANT = next(iter(formulaic.Formula("1")))


@dataclass(frozen=True, eq=False)
class State:
    """What a formula has learnt from data (centres, knots, levels), and the columns it keeps."""

    spec: formulaic.ModelSpec
    keep: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of the utility: values (R, M), their names, and the state of the formula."""

    values: Array
    names: tuple[str, ...]
    state: State


def evaluate(formula: str, data: ChoiceData) -> Columns:
    """Evaluate ``formula`` on the rows of ``data``.

    A level of a categorical column is named ``alt[car]`` where formulaic says ``C(alt)[T.car]``.
    The constant of all alternatives against the outside option is ``Intercept``.

    Raises
    ------
    SpecificationError
        If the formula cannot be read, has a left-hand side, uses the column of choices, or has a
        constant though there is no outside option.
    DataError
        If a column is missing, is text and used as a number, or holds NaN or infinities.
    """
    parsed = parse(formula)
    if constant_alone(parsed) and not data.outside_option:
        raise no_term(formula)
    frame = _checked_frame(parsed, formula, data)
    terms = [term for term in parsed if term != _CONSTANT]
    implied = [] if data.outside_option else _implied(terms, frame, formula, data)
    # With an outside option, whose utility is 0, the constants of all alternatives are identified.
    written = _constant_written(formula)
    if written and not data.outside_option:
        raise SpecificationError(
            f"the formula {formula!r} has a constant that is common to all alternatives, and "
            f"cancels: leave '1' out, and write C({data.alternative}) for constants of alternatives"
        )
    constant = [_CONSTANT] if written or (_CONSTANT in parsed and not data.outside_option) else []
    matrix = _matrix([*constant, *implied, *terms], frame, formula)
    keep = np.ones(matrix.shape[1], dtype=bool)
    for term, columns in matrix.model_spec.term_slices.items():
        if term in implied or (term == _CONSTANT and not written):
            keep[columns] = False
    return _columns(matrix, State(matrix.model_spec, keep), data)


def columns_of(formula: str, data: ChoiceData) -> Columns:
    """All columns of a formula in covariates of persons, on the rows of ``data``, and its constant.

    Raises
    ------
    SpecificationError, DataError
        As `evaluate`.
    """
    parsed = parse(formula)
    frame = _checked_frame(parsed, formula, data, of_persons=True)
    matrix = _matrix(list(parsed), frame, formula)
    return _columns(matrix, State(matrix.model_spec, np.ones(matrix.shape[1], dtype=bool)), data)


def columns_like(
    formula: str, data: ChoiceData, state: State, *, of_persons: bool = False
) -> Columns:
    """Evaluate ``formula`` on a scenario, with the state learnt on the data of an estimation.

    Its columns are attributes, or covariates ``of_persons``.

    Raises
    ------
    SpecificationError
        If a category was not in those data, such as a new alternative in ``C(alt)``.
    DataError
        As `evaluate`.
    """
    frame = _checked_frame(parse(formula), formula, data, of_persons=of_persons)
    if data.stand_ins:
        labels = frame[data.alternative]
        frame[data.alternative] = [data.stand_ins.get(label, label) for label in labels]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            matrix = state.spec.get_model_matrix(frame, na_action="ignore")
    except DataMismatchWarning as unseen:
        raise SpecificationError(
            f"the formula {formula!r} meets categories that the model was not estimated on, and "
            f"has no coefficient for them ({_first(unseen)}): for a new alternative name one whose "
            "constants it has, with_alternative(..., like='existing label')"
        ) from None
    except (FormulaicError, ValueError) as error:
        message = f"cannot evaluate the formula {formula!r} on the scenario: {_first(error)}"
        raise SpecificationError(message) from None
    return _columns(matrix, state, data)


def _columns(matrix: formulaic.ModelMatrix, state: State, data: ChoiceData) -> Columns:
    names = tuple(_named(c) for c in matrix.columns[state.keep])
    values = np.ascontiguousarray(matrix.to_numpy(dtype=float)[:, state.keep])
    _check_finite(values, names, data)
    return Columns(values, names, state)


def bases(state: State) -> dict[str, str]:
    """What each column that is kept is measured against, in words; "" for most.

    A level of a category is measured against its contrast's base. What a category interacts with,
    and the constant, which all do, are those of its base.
    """
    spec = state.spec
    kept: dict[Term, tuple[list[str], set[str], set[str]]] = {}
    for part in spec.structure or ():
        columns = [c for c in part.columns if state.keep[spec.column_indices[c]]]
        # The constant 1 is no factor of other terms.
        factors = set() if part.term == _CONSTANT else {f.expr for f in part.term.factors}
        reduced = {f.factor.expr for t in part.scoped_terms for f in t.factors if f.reduced}
        if columns:
            kept[part.term] = columns, factors, reduced
    words = {factor.expr: _base(factor.expr, c) for factor, c in spec.factor_contrasts.items()}
    found: dict[str, str] = {}
    for columns, factors, own in kept.values():
        wider = [more - factors for _, others, more in kept.values() if factors < others]
        against = sorted(words[expr] for expr in own.union(*wider) if expr in words)
        found |= dict.fromkeys((_named(c) for c in columns), ", ".join(against))
    return found


def _base(expression: str, found: ContrastsState) -> str:
    """A category's base in words; of other contrasts than with one level, all levels."""
    column = _CATEGORY.sub(r"\1", expression)
    if isinstance(found.contrasts, TreatmentContrasts):
        base = found.contrasts.get_drop_field(found.levels, reduced_rank=False)
        return f"{column} against {base}"
    kind = type(found.contrasts).__name__.removesuffix("Contrasts").lower()
    return f"{column} in {kind} contrasts of {', '.join(str(level) for level in found.levels)}"


def _named(column: str) -> str:
    return _LEVEL.sub(r"\1[\2]", str(column))


def parse(formula: str) -> formulaic.Formula:
    """The formula, read and checked."""
    if not isinstance(formula, str) or not formula.strip():
        raise SpecificationError(
            f"the utility formula is empty or not text: {formula!r}; write 'price + time'"
        )
    try:
        parsed = formulaic.Formula(formula)
    except FormulaicError as error:
        raise SpecificationError(f"cannot read the formula {formula!r}: {_first(error)}") from None
    if not isinstance(parsed, formulaic.SimpleFormula):
        raise SpecificationError(
            f"the formula {formula!r} has more than one part: write the utility alone, without "
            "'~' and '|'; the choices are named in the data"
        )
    if not len(parsed):
        raise no_term(formula)
    return parsed


def no_term(formula: str) -> SpecificationError:
    """What is said of a formula without a term, or with a constant alone that means nothing."""
    return SpecificationError(f"the formula {formula!r} has no term: write 'price + time'")


def constant_alone(parsed: formulaic.Formula) -> bool:
    """Whether a formula has no term but the constant: ``"1"``."""
    return all(term == _CONSTANT for term in parsed)


def _constant_written(formula: str) -> bool:
    """Whether the formula says ``1 + ...``: formulaic adds a constant to all others too."""
    without = DefaultFormulaParser(include_intercept=False)
    return _CONSTANT in formulaic.Formula.from_spec(formula, parser=without)


def _first(error: Exception) -> str:
    """The words of formulaic's message, without its coloured copy of the formula."""
    return str(error).split("\n")[0]


def _matrix(terms: list[Term], frame: pd.DataFrame, formula: str) -> formulaic.ModelMatrix:
    try:
        # What is not finite is refused afterwards, by name.
        with np.errstate(all="ignore"):
            return formulaic.SimpleFormula(terms).get_model_matrix(frame, na_action="ignore")
    except (FormulaicError, ValueError) as error:
        message = f"cannot evaluate the formula {formula!r}: {_first(error)}"
        raise SpecificationError(message) from None


def _implied(terms: list[Term], frame: pd.DataFrame, formula: str, data: ChoiceData) -> list[Term]:
    """Marginal terms that cancel within situations: they set the base of an interaction."""
    found: list[Term] = []
    for term in terms:
        factors = [f for f in term.factors if f.eval_method != f.eval_method.LITERAL]
        for dropped in factors if len(factors) > 1 else ():
            rest = Term(factor for factor in factors if factor != dropped)
            if rest in terms or rest in found:
                continue
            values = _matrix([rest], frame, formula).to_numpy(dtype=float)
            if np.isfinite(values).all() and not deviations(values, data).any():
                found.append(rest)
    return found


def _checked_frame(
    parsed: formulaic.Formula, formula: str, data: ChoiceData, *, of_persons: bool = False
) -> pd.DataFrame:
    """The data with the formula's columns checked, numbers as float64.

    Whole numbers would wrap in powers, and have no negative ones. As categories they stay whole.
    """
    factors = {factor.expr for term in parsed for factor in term.factors}
    coded = {name for expr in factors for name in _CODED.findall(expr)}
    frame = data.frame.copy(deep=False)
    for variable in sorted(str(v) for v in parsed.required_variables):
        if variable == data.chosen:
            raise SpecificationError(
                f"the formula {formula!r} uses column {variable!r}, which holds the choices: "
                "write the utility of attributes alone"
            )
        values = check_complete(data, variable, of_persons=of_persons)
        if variable in factors or (variable not in coded and numbers(values) is not None):
            found = check_numeric(data, variable, of_persons=of_persons)
            frame[variable] = values if variable in coded else found
    return frame


def _check_finite(values: Array, names: tuple[str, ...], data: ChoiceData) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        column = int(np.flatnonzero(bad.any(axis=0))[0])
        rows = np.flatnonzero(bad[:, column])
        raise DataError(
            f"column {names[column]!r} of the utility is NaN or infinite in {len(rows)} rows, "
            f"first in row {show(data.rows[rows[0]])}: change the formula (a logarithm of 0?), "
            "or clean the data"
        )
