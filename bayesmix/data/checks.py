"""What makes a long frame invalid as choice data; every check names the place and the remedy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import SHOWN, first_few, show
from bayesmix.data.row_order import RowOrder, layout_of
from bayesmix.data.table import ChoiceTable
from bayesmix.data.widen import numbers, uncoded
from bayesmix.errors import DataError

LARGEST = 1e100
"""Weight above which, or below one over which, squares are not numbers."""


def others(count: int, noun: str, name: Callable[[int], str], places: np.ndarray) -> str:
    """Say how many more places offend, and which are next; empty when there is only one."""
    if count == 1:
        return ""
    following = ", ".join(name(int(place)) for place in places[1:SHOWN])
    more = f"{count - 1} more {noun}{'s' if count > 2 else ''}"
    return f"; {more} like it ({following}{', ...' if count > SHOWN else ''})"


def check_estimable(data: ChoiceTable) -> None:
    """Raise where there is nothing to estimate from."""
    if data.known.matched is not None:
        raise DataError(
            f"column {show(data.known.matched)} holds constants by which a result's shares match "
            "given ones: they serve its predictions; estimate from the data that they were put "
            f"into, or with ChoiceData.from_long(data.frame, offset={data.known.matched!r}, ...)"
        )
    if not data.observed:
        raise DataError(
            "argument 'data' is a scenario, which has no observed choices, or was made without "
            "chosen=: estimate from data with choices, and predict what would be chosen here: "
            "scenario= where it was made from them, fit.predict(data) or predict= elsewhere"
        )
    if data.n_situations == 1:
        raise DataError(
            f"the data hold a single choice, {layout_of(data).situation(0)}, to estimate from: "
            f"check column {show(data.situations.names[1])}, which identifies situations"
        )
    if data.n_persons == 1:
        raise DataError(
            f"column {show(data.persons.name)} holds a single person, {show(data.persons[0])}: "
            "tastes that differ between people need several to be estimated; for a cross-section "
            "give person=None"
        )
    if len(data.alternatives) == 1 and not data.outside_option:
        raise DataError(
            f"the data hold a single alternative, {show(data.alternatives[0])}: add the rows of "
            "the alternatives that were not chosen, or give outside_option=True if nothing could "
            "be chosen"
        )


def check_duplicates(layout: RowOrder) -> None:
    """Raise where an alternative occurs twice in a situation."""
    same_situation = np.diff(layout.row_situation) == 0
    repeated = np.flatnonzero(same_situation & (np.diff(layout.alternative_code) == 0)) + 1
    if len(repeated):
        remedy = "check the columns that identify situation and alternative"
        if not layout.panel:
            remedy = "if situations are numbered within persons, give person="
        raise DataError(
            f"{layout.row(repeated[0])} occurs more than once: {remedy}"
            + others(len(repeated), "row", layout.row, repeated)
        )


def check_choices(layout: RowOrder, chosen: np.ndarray, column: str, outside_option: bool) -> None:
    """Raise unless exactly one row of each situation is chosen (at most one: outside option)."""
    count = np.bincount(layout.row_situation[chosen], minlength=len(layout.situations))
    wrong = np.flatnonzero(count > 1 if outside_option else count != 1)
    if not len(wrong):
        return
    first = count[wrong[0]]
    remedy = f"check column {show(column)}"
    if first == 0:
        remedy += ", or give outside_option=True if nothing could be chosen"
    raise DataError(
        f"{layout.situation(wrong[0])} has {first} chosen rows; expected "
        f"{'at most' if outside_option else 'exactly'} 1: {remedy}"
        + others(len(wrong), "situation", layout.situation, wrong)
    )


def check_availability(
    layout: RowOrder,
    chosen: np.ndarray,
    available: np.ndarray,
    columns: tuple[str, str | None],
    verb: str,
    outside_option: bool,
) -> None:
    """Raise where an unavailable alternative was chosen (ranked), or nothing is available.

    Where the outside option alone is, its choice is certain, and allowed: log 1 = 0.
    """
    wrong = np.flatnonzero(chosen & ~available)
    if len(wrong):
        raise DataError(
            f"{layout.row(wrong[0])} is {verb} but not available: check columns {show(columns[0])} "
            f"and {show(columns[1])}" + others(len(wrong), "row", layout.row, wrong)
        )
    if outside_option and available.any():
        return
    count = np.bincount(layout.row_situation[available], minlength=len(layout.situations))
    empty = np.flatnonzero(count == 0)
    if len(empty):
        raise DataError(
            f"{layout.situation(empty[0])} has no available alternative: drop its rows, or check "
            f"column {show(columns[1])}" + others(len(empty), "situation", layout.situation, empty)
        )


def positive_weights(column: pd.Series) -> np.ndarray:
    """A column of weights as numbers; all must be positive, and their squares numbers."""
    name = f"weights column {show(column.name)}"
    values = numbers(uncoded(column))
    if values is None:
        raise DataError(
            f"{name} holds {first_few(pd.unique(column))}; expected positive numbers: "
            "convert it with pandas.to_numeric"
        )
    wrong = ~((values > 0) & (values < np.inf))
    if wrong.any():
        raise DataError(
            f"{name} holds {first_few(np.unique(values[wrong]))} in {wrong.sum()} rows "
            f"(rows {first_few(column.index[wrong])}); expected positive finite numbers: "
            "drop the people who are not to count"
        )
    wrong = (values > LARGEST) | (values < 1.0 / LARGEST)
    if wrong.any():
        raise DataError(
            f"{name} holds {first_few(np.unique(values[wrong]))} in {wrong.sum()} rows "
            f"(rows {first_few(column.index[wrong])}): computers cannot hold the squares of such "
            "numbers; only the ratios of weights matter: divide them by the largest, and drop the "
            "people who then have next to none"
        )
    return values


def person_weights(layout: RowOrder, column: pd.Series) -> np.ndarray:
    """Weights (I,) from a column in the order of `layout`: positive, constant within persons."""
    name, values = f"weights column {show(column.name)}", positive_weights(column)
    row_person = layout.situation_person[layout.row_situation]
    weights = values[np.searchsorted(row_person, np.arange(len(layout.persons)))]
    varying = np.unique(row_person[values != weights[row_person]])
    if len(varying):
        levels = first_few(np.unique(values[row_person == varying[0]]))
        person = "person" if layout.panel else "situation"
        remedy = ""
        if layout.panel:
            remedy = (
                ", or, for weights of situations, give person=None and the person's column as "
                f"cluster= of msle, {show(layout.persons.name)}"
            )
        raise DataError(
            f"{name} varies within {person} {show(layout.persons[varying[0]])} ({levels}); "
            f"expected one weight per {person}: check it, or take its mean within each {person}"
            + remedy
            + others(len(varying), person, lambda i: show(layout.persons[i]), varying)
        )
    return weights


def checked_rows(data: ChoiceTable, chosen_row: Any) -> np.ndarray:
    """Rows (T,) int64 that are to be chosen, -1 for the outside option."""
    rows = np.asarray(chosen_row)
    whole = rows.dtype.kind in "iu" or (rows.dtype.kind == "f" and (rows == np.round(rows)).all())
    if rows.shape != (data.n_situations,) or not whole:
        raise DataError(
            f"argument 'chosen_row' has {rows.dtype} values of shape {rows.shape}; expected "
            f"({data.n_situations},) whole numbers: the row of the frame that each situation "
            "chooses, or -1 for the outside option"
        )
    if len(rows) and rows.max() >= data.n_rows:
        raise DataError(
            f"argument 'chosen_row' holds {rows.max()}, and the frame has {data.n_rows} rows: "
            "number them from 0"
        )
    return rows.astype(np.int64)
