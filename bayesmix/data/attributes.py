"""Attributes of choice data, checked when a model uses them."""

import numpy as np
import pandas as pd

from bayesmix.data.columns import SHOWN, first_few, require_column, show
from bayesmix.data.row_order import name_situation
from bayesmix.data.table import ChoiceTable
from bayesmix.data.varying import kind_of_person
from bayesmix.data.widen import lost_digits, numbers
from bayesmix.errors import DataError


def check_complete(data: ChoiceTable, column: str, *, of_persons: bool = False) -> pd.Series:
    """A column of any type (R,), such as one that a formula makes categorical; no value is missing.

    Where it is one ``of_persons``, those without a value are named in place of their rows.

    Raises
    ------
    DataError
        Where there is no such column, or values are missing.
    """
    if data.origin is not None and column in data.origin.frame and column not in data.frame:
        raise DataError(
            f"the data have no column {show(column)} in this market, though the model uses it: it "
            "differs within persons, so that every product has its own: describe it for each, "
            f"bm.market([{{{show(column)}: ..., ...}}, ...], data)"
        )
    require_column(column, data.frame)
    values = data.frame[column]
    _require(data, column, values.isna().to_numpy(), ("missing", of_persons))
    return values


def check_numeric(data: ChoiceTable, column: str, *, of_persons: bool = False) -> np.ndarray:
    """A column as numbers, (R,) float64, booleans as 0 and 1; every value is finite.

    Raises
    ------
    DataError
        Where there is no such column, it is not numeric, or values are missing or infinite.
    """
    series = check_complete(data, column, of_persons=of_persons)
    values = numbers(series)
    if values is None:
        raise _not_numeric(data, column)
    _require(data, column, ~np.isfinite(values), ("infinite", of_persons))
    lost = np.flatnonzero(lost_digits(series, values))
    if len(lost):
        raise DataError(
            f"column {show(column)} holds whole numbers beyond 2**53, whose last digits a "
            f"floating-point number loses, in {len(lost)} rows (rows {first_few(data.rows[lost])}: "
            f"{first_few(series.iloc[lost].tolist())}): subtract a constant or divide, or, if the "
            f"digits do not matter, convert it with astype(float); for categories write C({column})"
        )
    return values


def _not_numeric(data: ChoiceTable, column: str) -> DataError:
    series = data.frame[column]
    odd = pd.to_numeric(series, errors="coerce").isna().to_numpy(dtype=bool)
    where, remedy = "", "for numbers stored as text convert the column with pandas.to_numeric"
    commas = series.astype(str).str.fullmatch(r"\s*-?\d+,\d+\s*")
    if odd.any():
        if commas[odd].all():
            remedy = "for a decimal comma read the file with pandas.read_csv(..., decimal=',')"
        elif not odd.all():
            remedy = (
                "where these stand for missing values say so: missing = [...] in the [data] of a "
                "study, pandas.to_numeric(column, errors='coerce') in Python"
            )
            where = f" in {odd.sum()} of {len(odd)} rows (rows {first_few(data.rows[odd])})"
        series = series[odd]
    return DataError(
        f"column {show(column)} is not numeric: it holds {first_few(pd.unique(series))}{where} "
        f"({series.dtype}); for categories write C({column}) in the formula; {remedy}"
    )


def _require(data: ChoiceTable, column: str, wrong: np.ndarray, fault: tuple[str, bool]) -> None:
    what, of_persons = fault
    if not wrong.any():
        return
    if of_persons:
        persons, kind = np.unique(data.row_person[wrong]), kind_of_person(data)
        raise DataError(
            f"column {show(column)} is {what} for {len(persons)} of {data.n_persons} {kind}s "
            f"({kind}s {first_few(data.persons[persons])}): fill the values in, or drop these "
            f"{kind}s"
        )
    rows = np.flatnonzero(wrong)
    places = "; ".join(_place(data, row) for row in rows[:SHOWN])
    more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    raise DataError(
        f"column {show(column)} is {what} in {len(rows)} of {data.n_rows} rows ({places}{more}): "
        "fill the values in, drop these situations, or mark the rows unavailable (availability=)"
    )


def _place(data: ChoiceTable, row: int) -> str:
    alternative = data.alternatives[data.alternative_code[row]]
    situation = name_situation(
        data.situations, data.row_situation[row], panel=data.person is not None
    )
    label = data.rows[row]
    whole = data.files is not None and isinstance(label, int | np.integer)
    words = data.files.words(int(label)) if whole and data.files else f"row {show(label)}"
    return f"alternative {show(alternative)} in {situation} ({words})"
