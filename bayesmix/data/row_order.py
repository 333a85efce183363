"""The order of persons, situations and alternatives that a long frame implies."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import show
from bayesmix.data.labels import alternative_names, check_distinct, label_codes
from bayesmix.data.table import ChoiceTable


def name_situation(situations: pd.MultiIndex, situation: int, panel: bool) -> str:
    """How a message calls a situation: "situation 1204 of person 17"."""
    person, label = situations[situation]
    return f"situation {show(label)}" + (f" of person {show(person)}" if panel else "")


def offsets(codes: np.ndarray, groups: int) -> np.ndarray:
    """Start of each group in an array of sorted codes, (groups + 1,) int64, the end included."""
    start = np.zeros(groups + 1, dtype=np.int64)
    np.cumsum(np.bincount(codes, minlength=groups), out=start[1:])
    return start


@dataclass(frozen=True, eq=False)
class RowOrder:
    """Rows of a long frame in the package's order: by person, situation, alternative.

    Persons and each person's situations are sorted by label, so that the order of the user's rows
    does not matter (own draws belong to a person's place); labels that cannot be compared stay in
    order of first appearance. Alternatives come in the order of `alternatives`.
    """

    order: np.ndarray  # (R,) int64 position in the user's frame
    rows: pd.Index  # (R,) labels of the user's rows
    persons: pd.Index  # (I,)
    situations: pd.MultiIndex  # (T,) (person, situation)
    alternatives: tuple[Hashable, ...]  # (A,)
    situation_person: np.ndarray  # (T,) int64
    row_situation: np.ndarray  # (R,) int64
    alternative_code: np.ndarray  # (R,) int64
    panel: bool  # persons are given, not made of the situations

    def situation(self, situation: int) -> str:
        """How a message calls a situation."""
        return name_situation(self.situations, situation, self.panel)

    def row(self, row: int) -> str:
        """How a message calls a row."""
        alternative = self.alternatives[self.alternative_code[row]]
        place = self.situation(self.row_situation[row])
        return f"alternative {show(alternative)} in {place} (row {show(self.rows[row])})"


def lay_out(frame: pd.DataFrame, person: str | None, situation: str, alternative: str) -> RowOrder:
    """Sort the rows of a frame; a situation is identified by (person, situation)."""
    situation_label, situation_names = _factorise(frame[situation])
    if person is None:
        person_code, persons = situation_label, situation_names
    else:
        person_code, persons = _factorise(frame[person])
    alternative_code, alternatives = _alternatives(frame[alternative])

    pair = person_code * len(situation_names) + situation_label
    pair_code, pairs = pd.factorize(pair, sort=True)
    pair_person, pair_label = np.divmod(pairs, len(situation_names))
    by_person = np.argsort(pair_person, kind="stable")
    rank = np.empty_like(by_person)
    rank[by_person] = np.arange(len(by_person))

    key = rank[pair_code] * len(alternatives) + alternative_code
    order = np.argsort(key, kind="stable")
    row_situation, sorted_alternative = np.divmod(key[order], len(alternatives))
    levels: Any = [persons, situation_names]  # stubs want sequences
    return RowOrder(
        order=order,
        rows=frame.index[order],
        persons=persons.rename(situation if person is None else person),
        situations=pd.MultiIndex(
            levels=levels,
            codes=[pair_person[by_person], pair_label[by_person]],
            names=["person" if person is None else person, situation],
            verify_integrity=False,
        ),
        alternatives=alternatives,
        situation_person=pair_person[by_person],
        row_situation=row_situation,
        alternative_code=sorted_alternative,
        panel=person is not None,
    )


def layout_of(data: ChoiceTable) -> RowOrder:
    """The layout that data have, for what is checked once they are made."""
    return RowOrder(
        order=np.arange(data.n_rows),
        rows=data.rows,
        persons=data.persons,
        situations=data.situations,
        alternatives=data.alternatives,
        situation_person=np.repeat(np.arange(data.n_persons), np.diff(data.person_start)),
        row_situation=data.row_situation,
        alternative_code=data.alternative_code,
        panel=data.person is not None,
    )


def _factorise(labels: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Codes (int64) and labels, sorted; in order of first appearance where they cannot be."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.astype(labels.cat.categories.dtype)
    codes, names = label_codes(labels)
    try:
        order = names.argsort()
    except TypeError:
        return codes, names
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], names[order]


def _alternatives(labels: pd.Series) -> tuple[np.ndarray, tuple[Hashable, ...]]:
    """Codes and labels of the alternatives: in the order of categories, or sorted.

    Unlike first appearance, neither depends on the order of the rows.
    """
    if isinstance(labels.dtype, pd.CategoricalDtype):
        codes, names = labels.cat.codes.to_numpy(dtype=np.int64), labels.cat.categories
        check_distinct(names, labels.name)
        codes, used = compress(codes, tuple(names.tolist()))
        return codes, alternative_names(used)
    codes, names = _factorise(labels)
    return codes, alternative_names(names.tolist())


def compress(
    codes: np.ndarray, labels: tuple[Hashable, ...]
) -> tuple[np.ndarray, tuple[Hashable, ...]]:
    """Codes and labels without the labels that no code uses."""
    used = np.bincount(codes, minlength=len(labels)) > 0
    rank = np.cumsum(used) - 1
    return rank[codes], tuple(label for label, is_used in zip(labels, used, strict=True) if is_used)
