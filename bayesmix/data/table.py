"""The record of choice data: columns, labels, and which rows belong to whom, valid once made."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmix.data.columns import first_few
from bayesmix.data.known_columns import KnownColumns
from bayesmix.data.labels import as_stored
from bayesmix.data.reserved import check_labels
from bayesmix.data.row_files import RowFiles
from bayesmix.errors import DataError

UNOBSERVED = -2
"""Entry of `chosen_row` in a scenario, whose choices nobody has observed."""


@dataclass(frozen=True, eq=False, repr=False)
class ChoiceTable:
    """What `ChoiceData` hold, whose attributes these are; what reads choice data takes the table.

    Rows are sorted by person, situation and alternative: those of a situation, and of a person,
    are contiguous.
    """

    frame: pd.DataFrame
    persons: pd.Index
    situations: pd.MultiIndex
    alternatives: tuple[Hashable, ...]
    person: str | None
    situation: str
    alternative: str
    chosen: str | None
    person_start: np.ndarray
    situation_start: np.ndarray
    alternative_code: np.ndarray
    chosen_row: np.ndarray
    outside_option: bool
    weights: np.ndarray
    rows: pd.Index
    rows_left_out: int = 0
    situations_left_out: int = 0
    booleans: frozenset[str] = frozenset()
    stand_ins: Mapping[Hashable, Hashable] = field(default_factory=dict)
    stage: np.ndarray | None = None
    known: KnownColumns = field(default_factory=KnownColumns)
    forced: bool = False
    origin: ChoiceTable | None = None
    files: RowFiles | None = None

    def __post_init__(self) -> None:
        _check_arrays(self)
        check_labels(self.alternatives, self.outside_option)

    @property
    def n_persons(self) -> int:
        """Number of persons, I."""
        return len(self.persons)

    @property
    def n_situations(self) -> int:
        """Number of situations, T."""
        return len(self.situations)

    @property
    def n_rows(self) -> int:
        """Number of rows, R: alternatives offered, the outside option not counted."""
        return len(self.frame)

    @cached_property
    def row_situation(self) -> np.ndarray:
        """Situation of each row, (R,) int64."""
        return np.repeat(np.arange(self.n_situations), np.diff(self.situation_start))

    @cached_property
    def row_person(self) -> np.ndarray:
        """Person of each row, (R,) int64."""
        situation_person = np.repeat(np.arange(self.n_persons), np.diff(self.person_start))
        return situation_person[self.row_situation]

    @cached_property
    def person_labels(self) -> np.ndarray:
        """Labels (I,) of persons as posteriors and files have them: numbers, or text."""
        return as_stored(self.persons)

    @property
    def folder(self) -> Path | None:
        """The store that columns are mapped from, None in memory: what is large may stand there."""
        return Path(self.files.folder) if self.files is not None and self.files.folder else None

    @property
    def observed(self) -> bool:
        """Whether choices were observed; False for a scenario, and for sets to predict for."""
        return bool(self.chosen_row[0] != UNOBSERVED)


def _check_arrays(data: ChoiceTable) -> None:
    """Raise unless the arrays of choice data agree with each other."""
    persons, situations, rows = len(data.persons), len(data.situations), len(data.frame)
    start, chosen = data.situation_start, data.chosen_row
    lengths = {
        "person_start": (len(data.person_start), persons + 1),
        "person_start[-1]": (data.person_start[-1], situations),
        "weights": (len(data.weights), persons),
        "situation_start": (len(start), situations + 1),
        "situation_start[-1]": (start[-1], rows),
        "chosen_row": (len(chosen), situations),
        "alternative_code": (len(data.alternative_code), rows),
        "rows": (len(data.rows), rows),
    }
    if data.stage is not None:
        lengths["stage"] = (len(data.stage), situations)
    wrong = [
        f"{name} {got}, expected {want}" for name, (got, want) in lengths.items() if got != want
    ]
    if wrong:
        raise DataError(
            f"sizes that do not agree: {'; '.join(wrong)}: use ChoiceData.from_long or from_wide"
        )
    if len(chosen) and (chosen == UNOBSERVED).all():  # a scenario: no choices
        return
    outside = (chosen == -1) & data.outside_option
    strays = np.flatnonzero(~(((chosen >= start[:-1]) & (chosen < start[1:])) | outside))
    if len(strays):
        raise DataError(
            f"chosen_row is not a row of its own situation in {len(strays)} situations (situations "
            f"{first_few(strays)}): give a row of the situation"
            + (", or -1 for the outside option" if data.outside_option else "")
        )
