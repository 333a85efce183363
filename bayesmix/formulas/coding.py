"""From the values of a formula's factors to coded columns: categories, products, names, bases."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import DataMismatchWarning
from formulaic.materializers.types import FactorValues
from formulaic.parser.types import Factor, Term
from formulaic.transforms.contrasts import ContrastsState, TreatmentContrasts

from bayesmix.arrays import Flags
from bayesmix.errors import SpecificationError
from bayesmix.formulas.reading import CONSTANT, Reading, first_line

MOST_COLUMNS = 10_000
"""Most columns that a term may be."""


@dataclass(frozen=True, eq=False)
class State:
    """What a formula has learnt from data, and the columns it keeps.

    Parameters
    ----------
    spec
        How columns are coded: levels, contrasts, bases.
    keep
        Which of its columns (M,) are columns of the utility.
    reading
        The formula.
    learnt
        Centres, knots and statistics, by their text.
    empty
        Columns that are 0 in every row of those data, and have no coefficient: an attribute that
        plays no role in an alternative, a combination of categories that no row has.
    """

    spec: formulaic.ModelSpec
    keep: Flags
    reading: Reading
    learnt: Mapping[str, dict[str, Any]]
    empty: tuple[str, ...] = ()


def coded(
    terms: Sequence[Term] | formulaic.ModelSpec, values: Mapping[str, Any], rows: int
) -> formulaic.ModelMatrix:
    """The columns of terms, or of a specification made before.

    ``values`` are those of the factors, by alias.

    Raises
    ------
    DataMismatchWarning
        If there are categories that the specification does not know.
    Exception
        If something cannot be coded.
    """
    index = pd.DataFrame(index=pd.RangeIndex(rows))
    spec = terms if isinstance(terms, formulaic.ModelSpec) else formulaic.SimpleFormula([*terms])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error", DataMismatchWarning)
        return spec.get_model_matrix(index, context=values, na_action="ignore")


def code_first(
    terms: Sequence[Term], values: Mapping[str, Any], rows: int, reading: Reading
) -> formulaic.ModelMatrix:
    """`coded` on the data of an estimation, its errors in words."""
    _check_columns(terms, values, reading)
    try:
        return coded(terms, values, rows)
    except DataMismatchWarning:
        raise SpecificationError(
            f"the formula {reading.formula!r} has levels= that leave out categories of the data: "
            "name them all, or drop the rows of the others"
        ) from None
    except Exception as error:  # whatever contrasts and levels do not fit
        words = reading.named(first_line(error))
        raise SpecificationError(
            f"cannot evaluate the formula {reading.formula!r}: {words.rstrip('.')}; check levels "
            "and contrasts, which name levels as the data have them"
        ) from None


def check_terms(terms: Sequence[Term], matrix: formulaic.ModelMatrix, reading: Reading) -> None:
    """Refuse terms without a column, which would be left out unsaid."""
    for term in terms:
        found = matrix.model_spec.term_slices.get(term)
        if found is not None and found.stop == found.start:
            text = ":".join(reading.named(factor.expr) for factor in term.factors)
            raise SpecificationError(
                f"term {text!r} of the formula {reading.formula!r} has no column: a category of "
                "one level, or a transform of degree 0, has none; leave it out"
            )


def _check_columns(terms: Sequence[Term], values: Mapping[str, Any], reading: Reading) -> None:
    """Refuse categories whose combinations are too many columns before they are made."""
    sizes = {alias: len(pd.unique(_labels(one))) for alias, one in values.items() if _coded(one)}
    for term in terms:
        columns = prod(sizes.get(factor.expr, 1) for factor in term.factors)
        if columns > MOST_COLUMNS:
            text = ":".join(reading.named(factor.expr) for factor in term.factors)
            raise SpecificationError(
                f"term {text!r} of the formula {reading.formula!r} would be {columns:,} columns, "
                f"and at most {MOST_COLUMNS:,} are made: leave out a category with so many levels"
            )


def _coded(value: Any) -> bool:
    found = isinstance(value, FactorValues)
    return found and value.__formulaic_metadata__.kind is Factor.Kind.CATEGORICAL


def _labels(value: FactorValues[Any]) -> pd.Series:
    return pd.Series(value.__wrapped__)


def empty_columns(matrix: formulaic.ModelMatrix, all_zero: Callable[[], Flags], keep: Flags) -> Any:
    """Which columns (M,) of terms with categories are 0 in every row, where others are not.

    ``all_zero`` looks at all rows: where there are categories.
    """
    spec, found = matrix.model_spec, np.zeros(len(keep), dtype=bool)
    zero: Flags | None = None
    for term, columns in spec.term_slices.items():
        kinds = [spec.encoder_state.get(f.expr, (None,))[0] for f in term.factors]
        if Factor.Kind.CATEGORICAL not in kinds:
            continue
        zero = all_zero() if zero is None else zero
        if not zero[columns][keep[columns]].all():
            found[columns] = zero[columns] & keep[columns]
    return found


def bases(state: State) -> dict[str, str]:
    """What each column that is kept is measured against, in words; "" for most.

    A level of a category is measured against its contrast's base. What a category interacts with,
    and the constant, which all do, are those of its base.
    """
    spec, reading = state.spec, state.reading
    kept: dict[Term, tuple[list[str], set[str], set[str]]] = {}
    for part in spec.structure or ():
        columns = [c for c in part.columns if state.keep[spec.column_indices[c]]]
        # The constant 1 is no factor of other terms.
        factors = set() if part.term == CONSTANT else {f.expr for f in part.term.factors}
        reduced = {f.factor.expr for t in part.scoped_terms for f in t.factors if f.reduced}
        if columns:
            kept[part.term] = columns, factors, reduced
    words = {
        factor.expr: _base(reading.expression(factor.expr).label, c)
        for factor, c in spec.factor_contrasts.items()
    }
    found: dict[str, str] = {}
    for columns, factors, own in kept.values():
        wider = [more - factors for _, others, more in kept.values() if factors < others]
        against = sorted(words[expr] for expr in own.union(*wider) if expr in words)
        found |= dict.fromkeys((reading.named(c) for c in columns), ", ".join(against))
    return found


def columns_naming(state: State, column: str) -> set[str]:
    """Names of the columns that a formula computes from a column of the data."""
    spec, reading = state.spec, state.reading
    found: set[str] = set()
    for part in spec.structure or ():
        looked_up = (f for f in part.term.factors if f.eval_method.value == "lookup")
        if any(column in reading.expression(f.expr).columns for f in looked_up):
            found |= {reading.named(c) for c in part.columns}
    return found


def learnt_numbers(state: State) -> dict[str, str]:
    """The numbers that each column which is kept was computed with, learnt from data; "" for most.

    A coefficient of ``scale(price)`` is per standard deviation of the data that it was fitted to.
    """
    spec, reading = state.spec, state.reading
    found: dict[str, str] = {}
    for part in spec.structure or ():
        looked_up = (f for f in part.term.factors if f.eval_method.value == "lookup")
        texts = [reading.expression(f.expr).text for f in looked_up]
        words = [
            f"{name} of {_numbers(known)}"
            for name, known in state.learnt.items()
            if any(name in text for text in texts)
        ]
        kept = [c for c in part.columns if state.keep[spec.column_indices[c]]]
        found |= dict.fromkeys((reading.named(c) for c in kept), ", ".join(sorted(words)))
    return found


def _numbers(known: Any) -> str:
    """All numbers of what was learnt, in six digits."""
    if isinstance(known, Mapping):
        return " ".join(filter(None, map(_numbers, known.values())))
    if known is None or isinstance(known, str | bool):
        return ""
    return " ".join(f"{value:.6g}" for value in np.ravel(known))


def _base(column: str, found: ContrastsState) -> str:
    """A category's base in words; of other contrasts than with one level, all levels."""
    if isinstance(found.contrasts, TreatmentContrasts):
        base = found.contrasts.get_drop_field(found.levels, reduced_rank=False)
        return f"{column} against {base}"
    kind = type(found.contrasts).__name__.removesuffix("Contrasts").lower()
    return f"{column} in {kind} contrasts of {', '.join(str(level) for level in found.levels)}"
