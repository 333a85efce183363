"""Columns of a formula on data that are larger than memory: evaluated a part of rows at a time.

What formulas learn is learnt first: centres and knots of whole columns, one after the other, and
how categories are coded from persons among whom each level occurs. Columns then stand in a file
beside the store.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.materializers.types import FactorValues
from formulaic.parser.types import Factor

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.pages import release_rows, scratch
from bayesmix.data.parts import PART, parts
from bayesmix.data.subset import take_persons
from bayesmix.formulas.coding import coded
from bayesmix.formulas.lookup import factor_values
from bayesmix.formulas.reading import Reading

type Known = dict[str, dict[str, Any]]


def in_parts(reading: Reading, data: ChoiceData) -> bool:
    """Whether columns are to be evaluated a part at a time: those of stores of many rows."""
    code = any(expression.code for expression in reading.expressions)
    return data.folder is not None and data.n_rows > PART and not code


@dataclass(frozen=True, eq=False)
class CodedRows:
    """Coded columns (R, M) of a formula, evaluated for the rows that are asked for."""

    reading: Reading
    data: ChoiceData
    known: Known
    spec: formulaic.ModelSpec

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.n_rows, len(self.spec.column_names)

    def __getitem__(self, rows: slice) -> Array:
        here = rows_alone(self.data, rows)
        values = factor_values(self.reading, here, deepcopy(self.known))
        found: Array = coded(self.spec, values, here.n_rows).to_numpy(dtype=float)
        release_rows(self.data.frame, rows)
        return found

    def kept(self, keep: Flags) -> Array:
        """Some of them, in a file."""
        out = scratch((self.data.n_rows, int(keep.sum())), self.data.folder)
        for part in parts(self.data, out):
            out[part.rows] = self[part.rows][:, keep]
        return out


def rows_alone(data: ChoiceData, rows: slice) -> ChoiceData:
    """The rows of some situations, each as if another person's."""
    first, last = np.searchsorted(data.situation_start, [rows.start, rows.stop])
    chosen = data.chosen_row[first:last]
    return replace(
        data,
        frame=data.frame.iloc[rows].reset_index(drop=True),
        persons=pd.RangeIndex(last - first),
        situations=data.situations[first:last],
        person_start=np.arange(last - first + 1),
        situation_start=data.situation_start[first : last + 1] - rows.start,
        alternative_code=data.alternative_code[rows],
        chosen_row=np.where(chosen >= 0, chosen - rows.start, chosen),
        weights=np.ones(last - first),
        rows=data.rows[rows],
        stage=None,
    )


def learn(reading: Reading, data: ChoiceData, known: Known) -> ChoiceData:
    """Persons among whom every level of every category occurs.

    What transforms and statistics learn, of all rows, is added to ``known``.
    """
    first = next(iter(parts(data))).rows
    for expression in reading.expressions:
        before, alone = deepcopy(known), replace(reading, expressions=(expression,))
        factor_values(alone, rows_alone(data, first), before)
        if set(before) != set(known):
            factor_values(alone, data, known)
            release_rows(data.frame, slice(0, data.n_rows))
    seen: dict[tuple[str, Any], int] = {}
    for part in parts(data):
        values = factor_values(reading, rows_alone(data, part.rows), deepcopy(known))
        labelled = {alias: _labels(one) for alias, one in values.items()}
        for alias, labels in labelled.items():
            if labels is None:
                continue
            codes, levels = pd.factorize(labels)
            places = np.unique(codes, return_index=True)[1]
            for place in places:
                seen.setdefault((alias, levels[codes[place]]), part.rows.start + int(place))
        release_rows(data.frame, part.rows)
        if all(labels is None for labels in labelled.values()):
            break
    rows = np.array([0, *seen.values()])
    situation = np.searchsorted(data.situation_start, rows, side="right") - 1
    persons = np.unique(np.searchsorted(data.person_start, situation, side="right") - 1)
    return take_persons(data, persons)


def _labels(value: Any) -> Any:
    """Labels (r,) of a factor that is a category; None of numbers."""
    if isinstance(value, FactorValues):
        if value.__formulaic_metadata__.kind is not Factor.Kind.CATEGORICAL:
            return None
        value = value.__wrapped__
    if isinstance(value, np.ndarray | dict | pd.DataFrame):
        return None
    return pd.Series(value)
