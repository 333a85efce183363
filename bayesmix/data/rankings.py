"""Rankings as sequences of choices, each out of what the earlier ones have left.

Under independent extreme value errors a ranking has the probability of its exploded choices,
``P(1 > 2 > 3 | ..) = P(1 | all) P(2 | all but 1) ...`` (Luce and Suppes 1965; Chapman and Staelin
1982; Beggs, Cardell and Hausman 1981). Given a person's coefficients they are independent, so that
a mixed logit takes them for further choices of that person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.arrays import Indices
from bayesmix.data.checks import others
from bayesmix.data.columns import assigned, first_few, show
from bayesmix.data.row_order import RowOrder, layout_of, offsets
from bayesmix.data.table import ChoiceTable
from bayesmix.data.widen import numbers, uncoded
from bayesmix.errors import DataError

CHOSEN, STAGE = "chosen", "stage"
"""Columns that are made: the choice of a situation, and which of its ranking it is."""

UNRANKED = "missing"
"""How a column of ranks says that a row has none."""


def read_ranks(layout: RowOrder, column: pd.Series, outside_option: bool) -> Indices:
    """Ranks (R,) in the order of ``layout``, 0 where a row was not ranked.

    Raises
    ------
    DataError
        Unless each situation ranks one row 1, one 2, and so on without gap or tie.
    """
    name = f"column of ranks {show(column.name)}"
    values = numbers(uncoded(column))
    if values is None:
        raise DataError(
            f"{name} holds {first_few(pd.unique(column))}; expected 1 for the best, 2, 3, ..., "
            "missing where a row was not ranked: convert it with pandas.to_numeric"
        )
    unranked = np.isnan(values)
    wrong = ~unranked & ~((values >= 1) & (values == np.round(values)) & np.isfinite(values))
    if wrong.any():
        raise DataError(
            f"{name} holds {first_few(np.unique(values[wrong]))} in {wrong.sum()} rows (rows "
            f"{first_few(layout.rows[wrong])}); expected 1 for the best, 2, 3, ...: make it "
            "missing where a row was not ranked"
        )
    ranks = np.where(unranked, 0, values).astype(np.int64)
    _check_ties(layout, ranks, name, UNRANKED)
    _check_gaps(layout, ranks, name, outside_option)
    return ranks


def checked_ranks(data: ChoiceTable, ranks: Any) -> Indices:
    """Ranks (R,) by row of ``data``, 0 where there is none, checked as those of a column are.

    Raises
    ------
    DataError
        Unless they are whole numbers, one a row, of which each situation has 1, 2, ... once.
    """
    name = "argument 'ranks'"
    values = np.asarray(ranks)
    if values.shape != (data.n_rows,):
        raise DataError(
            f"{name} has shape {values.shape}; expected ({data.n_rows},): a rank for each row of "
            "first_choices().frame"
        )
    if values.dtype.kind not in "iuf":
        raise DataError(
            f"{name} holds {first_few(pd.unique(pd.Series(values)))}; expected whole numbers, 1 "
            "for the best, 0 where a row is not ranked"
        )
    wrong = ~((values >= 0) & (values == np.round(values)) & np.isfinite(values))
    if wrong.any():
        raise DataError(
            f"{name} holds {first_few(np.unique(values[wrong]))} in {wrong.sum()} rows (rows "
            f"{first_few(data.rows[wrong])}); expected whole numbers, 1 for the best, 0 where a "
            "row is not ranked"
        )
    # Of `first_choices` it is 1, and goes on.
    if STAGE in data.frame.columns and not data.frame[STAGE].eq(1).fillna(False).all():
        raise DataError(
            f"rankings make a column {show(STAGE)}, but the data have one already that is not 1 "
            "(the first choice) in every row: rename it, or drop it, before ChoiceData.from_long"
        )
    layout, found = layout_of(data), values.astype(np.int64)
    _check_ties(layout, found, name, "0")
    _check_gaps(layout, found, name, data.outside_option)
    return found


def _check_ties(layout: RowOrder, ranks: Indices, name: str, unranked: str) -> None:
    order = np.lexsort((ranks, layout.row_situation))
    same = (np.diff(layout.row_situation[order]) == 0) & (np.diff(ranks[order]) == 0)
    first = np.flatnonzero(same & (ranks[order][1:] > 0))
    if not len(first):
        return
    where = np.unique(layout.row_situation[order[first]])
    tied = order[first[0] : first[0] + 2]
    labels = [layout.alternatives[layout.alternative_code[row]] for row in tied]
    raise DataError(
        f"{layout.situation(where[0])} gives rank {ranks[tied[0]]} to alternatives "
        f"{first_few(labels)}: ties are no ranking; check {name}, or leave out the ranks from the "
        f"tie on ({unranked}: below all that were ranked)"
        + others(len(where), "situation", layout.situation, where)
    )


def _check_gaps(layout: RowOrder, ranks: Indices, name: str, outside_option: bool) -> None:
    n = len(layout.situations)
    count = np.bincount(layout.row_situation[ranks > 0], minlength=n)
    largest = np.zeros(n, dtype=np.int64)
    np.maximum.at(largest, layout.row_situation, ranks)
    gaps = np.flatnonzero(largest > count)
    if len(gaps):
        t = gaps[0]
        have = ranks[layout.row_situation == t]
        absent = [r for r in range(1, largest[t] + 1) if r not in have]
        remedy = f"check {name}"
        if outside_option:
            remedy += (
                ", or, if that is the rank of the outside option, give it a row in every situation "
                "(attributes 0) and outside_option=False"
            )
        raise DataError(
            f"{layout.situation(t)} ranks up to {largest[t]}, but no row has rank "
            f"{first_few(absent)}: {remedy}"
            + others(len(gaps), "situation", layout.situation, gaps)
        )
    empty = np.flatnonzero(count == 0)
    if len(empty) and not outside_option:
        raise DataError(
            f"{layout.situation(empty[0])} has no ranked row: check {name}, drop it, or give "
            "outside_option=True if nothing could be chosen"
            + others(len(empty), "situation", layout.situation, empty)
        )


def without_ranks(frame: pd.DataFrame, ranked: str) -> pd.DataFrame:
    """The frame without its ranks, which are no attribute; no column may have a name to be made."""
    frame = frame.drop(columns=ranked)
    clash = [name for name in (CHOSEN, STAGE) if name in frame.columns]
    if clash:
        raise DataError(
            f"rankings make columns {show(CHOSEN)} and {show(STAGE)}, but {first_few(clash)} "
            "exists already: rename it, or drop it"
        )
    return frame


def explode[Table: ChoiceTable](data: Table, ranks: NDArray[np.integer]) -> Table:
    """Rankings as choices: ``data`` have a situation for each, ``ranks`` (R,) are 0 where none.

    The last choice out of a single alternative is left out: it is certain. With an outside option
    a ranking that leaves rows ends with its choice: it is better than they are.
    """
    n, sizes = data.n_situations, np.diff(data.situation_start)
    ranks = np.asarray(ranks, dtype=np.int64)
    depth = np.bincount(data.row_situation[ranks > 0], minlength=n)
    if data.outside_option:
        depth = depth + (depth < sizes)
    else:
        depth = np.maximum(np.minimum(depth, sizes - 1), 1)
    depth_of_row = depth[data.row_situation]
    rows, stages = [], []
    for stage in range(1, int(depth.max()) + 1):
        here = np.flatnonzero((depth_of_row >= stage) & ((ranks == 0) | (ranks >= stage)))
        rows.append(here)
        stages.append(np.full(len(here), stage, dtype=np.int64))
    row, number = np.concatenate(rows), np.concatenate(stages)
    order = np.lexsort((row, number, data.row_situation[row]))
    row, number = row[order], number[order]
    first = np.concatenate([[0], np.cumsum(depth)])
    situation = first[data.row_situation[row]] + number - 1
    ranking = np.repeat(np.arange(n), depth)
    chosen = ranks[row] == number
    chosen_row = np.full(len(ranking), -1, dtype=np.int64)
    chosen_row[situation[chosen]] = np.flatnonzero(chosen)
    frame = data.frame.take(row).reset_index(drop=True)
    name = data.chosen or CHOSEN
    return replace(
        data,
        frame=assigned(frame, {name: chosen.astype(np.int64), STAGE: number}),
        chosen=name,
        situations=data.situations[ranking],
        person_start=first[data.person_start].astype(np.int64),
        situation_start=offsets(situation, len(ranking)),
        alternative_code=data.alternative_code[row],
        chosen_row=chosen_row,
        rows=data.rows[row],
        stage=np.arange(len(ranking)) - first[ranking] + 1,
    )


def first_choices[Table: ChoiceTable](data: Table) -> Table:
    """`ChoiceData.first_choices`."""
    if data.stage is None:
        return data
    first = data.stage == 1
    rows = np.flatnonzero(first[data.row_situation])
    place = np.full(data.n_rows, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    number = np.cumsum(first) - 1
    chosen = data.chosen_row[first]
    return replace(
        data,
        frame=data.frame.take(rows).reset_index(drop=True),
        situations=data.situations[first],
        person_start=np.concatenate([[0], np.cumsum(first)])[data.person_start].astype(np.int64),
        situation_start=offsets(number[data.row_situation[rows]], int(first.sum())),
        alternative_code=data.alternative_code[rows],
        chosen_row=np.where(chosen >= 0, place[chosen], chosen),
        rows=data.rows[rows],
        stage=None,
    )
