"""Some of the persons of choice data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.data.table import ChoiceTable


def take_persons[Table: ChoiceTable](data: Table, persons: np.ndarray) -> Table:
    """The data of some persons, by their places (n,), in that order.

    Examples
    --------
    >>> from bayesmix import examples
    >>> kept = take_persons(examples.electricity(), np.array([2, 0]))
    >>> kept.persons.tolist(), kept.frame["id"].unique().tolist()
    ([3, 1], [3, 1])
    """
    situations, person_start = _pieces(data.person_start, persons)
    rows, situation_start = _pieces(data.situation_start, situations)
    chosen = data.chosen_row[situations]
    moved = chosen - data.situation_start[situations] + situation_start[:-1]
    return replace(
        data,
        frame=data.frame.take(rows).reset_index(drop=True),
        persons=data.persons[persons],
        situations=data.situations[situations],
        person_start=person_start,
        situation_start=situation_start,
        alternative_code=data.alternative_code[rows],
        chosen_row=np.where(chosen >= 0, moved, chosen),
        weights=data.weights[persons],
        rows=data.rows[rows],
        stage=None if data.stage is None else data.stage[situations],
    )


def _pieces(start: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The members of some groups, one after the other, and where each begins among them."""
    sizes = np.diff(start)[which]
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.repeat(start[:-1][which] - ends[:-1], sizes) + np.arange(ends[-1]), ends
