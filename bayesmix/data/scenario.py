"""Scenarios: choice data with other attributes, without a product, or with a new one.

A scenario keeps the persons and situations of the data that it is made from, in their order (of
rankings, the first choices), and has no observed choices: nobody has chosen from it. Models fitted
to the data predict on it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import assigned, first_few, nearest, require_column, show
from bayesmix.data.labels import alternative_names, as_text
from bayesmix.data.rankings import first_choices
from bayesmix.data.row_order import compress, name_situation, offsets
from bayesmix.data.table import UNOBSERVED, ChoiceTable
from bayesmix.data.widen import widest
from bayesmix.errors import DataError

type Rows = Callable[[pd.DataFrame], Any] | Sequence[bool] | np.ndarray | pd.Series


def change[Table: ChoiceTable](
    data: Table,
    name: str,
    value: Any,
    alternative: Hashable | Sequence[Hashable] | None,
    where: Rows | None,
) -> Table:
    """`ChoiceData.with_attribute`."""
    data = first_choices(data)
    _check_attribute(data, name)
    mask = _mask(data.frame, where)
    if alternative is not None:
        labels = list(alternative) if isinstance(alternative, list | set) else [alternative]
        codes = [_code(data, label) for label in labels]
        mask &= np.isin(data.alternative_code, codes)
    if not mask.any():
        raise DataError(
            f"no row to change in column {show(name)}: 'alternative' and 'where' select none; "
            "check them against the data's summary()"
        )
    values = _values(value, data.frame[mask], name)
    before = data.frame[name].to_numpy()
    _check_not(before, values, name)
    numeric = before.dtype.kind in "biuf" and values.dtype.kind in "biuf"
    changed = before.astype(np.result_type(before, values) if numeric else object)
    changed[mask] = values
    return _scenario(data, frame=assigned(data.frame, {name: changed}))


def remove[Table: ChoiceTable](data: Table, labels: tuple[Hashable, ...]) -> Table:
    """`ChoiceData.without`."""
    if not labels:
        raise DataError("without() names no alternative: write without('bus')")
    data = first_choices(data)
    codes = [_code(data, label) for label in labels]
    kept = ~np.isin(data.alternative_code, codes)
    count = np.bincount(data.row_situation[kept], minlength=data.n_situations)
    empty = np.flatnonzero(count == 0)
    if len(empty) and not data.outside_option:
        named = [name_situation(data.situations, t, data.person is not None) for t in empty[:3]]
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        raise DataError(
            f"without {first_few(labels)} nothing is left to choose in {', '.join(named)}{more}: "
            "leave these situations out of the data first, or give the data an outside option"
        )
    alternative_code, alternatives = compress(data.alternative_code[kept], data.alternatives)
    return _scenario(
        data,
        frame=data.frame[kept].reset_index(drop=True),
        alternatives=alternatives,
        alternative_code=alternative_code,
        situation_start=offsets(data.row_situation[kept], data.n_situations),
        rows=data.rows[kept],
    )


def add[Table: ChoiceTable](
    data: Table,
    label: Hashable,
    attributes: Mapping[str, Any],
    where: Rows | None,
    like: Hashable | None,
) -> Table:
    """`ChoiceData.with_alternative`."""
    data = first_choices(data)
    label, like = _known_label(data, label), None if like is None else _known_label(data, like)
    if as_text(label) in [as_text(known) for known in data.alternatives]:
        raise DataError(
            f"alternative {show(label)} is in the data already: change it with with_attribute, or "
            "give the new one another label"
        )
    if not isinstance(attributes, Mapping):
        raise DataError(
            f"argument 'attributes' must be a mapping column -> value, such as {{'price': 2.0}}, "
            f"got {type(attributes).__name__}"
        )
    for name in attributes:
        _check_attribute(data, name)
    context = _context(data)
    offered = np.flatnonzero(_mask(context, where))
    if not len(offered):
        raise DataError(f"alternative {show(label)} is offered nowhere: 'where' selects nothing")
    new = _described(data, label, attributes, context.iloc[offered], like)
    old = data.frame.drop(columns=[data.chosen], errors="ignore")
    situation = np.concatenate([data.row_situation, offered])
    code = np.concatenate([data.alternative_code, np.full(len(new), len(data.alternatives))])
    order = np.lexsort((code, situation))
    frame = pd.concat(
        [old.astype({data.alternative: object}), new[old.columns]], ignore_index=True
    ).iloc[order]
    named = pd.Index([f"new {label}"] * len(new), dtype=object)
    stand_ins = {} if like is None else {label: data.stand_ins.get(like, like)}
    return _scenario(
        data,
        frame=frame.reset_index(drop=True),
        alternatives=(*data.alternatives, label),
        alternative_code=code[order],
        situation_start=offsets(situation[order], data.n_situations),
        rows=data.rows.astype(object).append(named)[order],
        stand_ins={**data.stand_ins, **stand_ins},
    )


def _described(
    data: ChoiceTable,
    label: Hashable,
    attributes: Mapping[str, Any],
    context: pd.DataFrame,
    like: Hashable | None,
) -> pd.DataFrame:
    """Rows of a new alternative in the situations of ``context``."""
    new = context.copy()
    if like is not None:
        source = _rows_of(data, like, context.index.to_numpy())
        new = data.frame.iloc[source].set_axis(context.index)
    for name, value in attributes.items():
        new[name] = _values(value, context, name)
    new[data.alternative] = pd.Series([label] * len(new), index=new.index, dtype=object)
    new = new.drop(columns=[data.chosen], errors="ignore")
    absent = [c for c in data.frame.columns if c not in new.columns and c != data.chosen]
    if absent:
        raise DataError(
            f"alternative {show(label)} has no value for column {first_few(absent, 12)}, which "
            "varies within situations: add it to 'attributes', or name in 'like' an alternative "
            "whose values are taken"
        )
    return new


def _scenario[Table: ChoiceTable](data: Table, **changes: Any) -> Table:
    """The data with these changes and without choices."""
    frame = changes.pop("frame").drop(columns=[data.chosen], errors="ignore")
    unobserved = np.full(data.n_situations, UNOBSERVED, dtype=np.int64)
    return replace(data, frame=frame, chosen_row=unobserved, **changes)


def _context(data: ChoiceTable) -> pd.DataFrame:
    """One row (T,) a situation, of the columns that are the same in all its rows."""
    sizes = np.diff(data.situation_start)
    first = np.minimum(data.situation_start[:-1], data.n_rows - 1)
    frame = data.frame.drop(columns=[data.chosen, data.alternative], errors="ignore")
    # A situation that has lost all its rows takes no values from its neighbours.
    values = frame.iloc[first].set_axis(pd.RangeIndex(len(first)))
    constant = [
        name
        for name in frame.columns
        if (codes := pd.factorize(frame[name])[0]) is not None
        and np.array_equal(codes, codes[first][data.row_situation])
    ]
    values = values[constant]
    if (sizes > 0).all():
        return values
    known = {data.situation: 1} if data.person is None else {data.person: 0, data.situation: 1}
    labels = {name: data.situations.get_level_values(level) for name, level in known.items()}
    return assigned(values.where(pd.Series(sizes > 0), np.nan), labels)


def _rows_of(data: ChoiceTable, like: Hashable, offered: np.ndarray) -> np.ndarray:
    """Rows of the alternative `like` in the situations `offered`."""
    row = np.full(data.n_situations, -1)
    mine = np.flatnonzero(data.alternative_code == _code(data, like))
    row[data.row_situation[mine]] = mine
    absent = offered[row[offered] < 0]
    if len(absent):
        place = name_situation(data.situations, absent[0], data.person is not None)
        raise DataError(
            f"like={show(like)} is not offered in {len(absent)} situations, first {place}: "
            "restrict the new alternative with where=, or name another in 'like'"
        )
    return row[offered]


def _values(value: Any, frame: pd.DataFrame, name: str) -> np.ndarray:
    """Values for the rows of `frame`, from a number, text, Series, array or function of it."""
    if callable(value):
        value = value(frame)
    if isinstance(value, Mapping | set | frozenset | pd.DataFrame):
        raise DataError(
            f"column {show(name)} cannot be a {type(value).__name__}: give a value, an array or "
            "Series of a value for each row, or a function of the rows"
        )
    if isinstance(value, pd.Series):
        absent = frame.index.difference(value.index)
        if len(absent):
            raise DataError(
                f"the Series for column {show(name)} has no value for rows {first_few(absent)}: "
                "its index must hold the rows that change; a function of the frame does"
            )
        value = value.loc[frame.index]
    values = value if isinstance(value, pd.Series) else np.asarray(value)
    if values.ndim == 0:
        values = np.full(len(frame), value)
    if values.shape != (len(frame),):
        raise DataError(
            f"{values.shape} values for column {show(name)}, expected one or ({len(frame)},): "
            "a value for every row that changes"
        )
    values = pd.Series(values, index=frame.index)
    if values.isna().any():
        raise DataError(f"the values for column {show(name)} hold missing ones: fill them in")
    return widest(values).to_numpy()


def _check_not(before: np.ndarray, values: np.ndarray, name: str) -> None:
    """Refuse what ``~`` makes of 0 and 1: -1 and -2. Columns of True and False are such numbers."""
    whole = values.dtype.kind == before.dtype.kind == "i"
    if whole and np.isin(before, (0, 1)).all() and np.isin(values, (-1, -2)).all():
        raise DataError(
            f"column {show(name)} holds 0 and 1, of which ~ makes -1 and -2: write 1 - "
            f"rows[{name!r}]"
        )


def _mask(frame: pd.DataFrame, where: Rows | None) -> np.ndarray:
    if where is None:
        return np.ones(len(frame), dtype=bool)
    mask = np.asarray(where(frame) if callable(where) else where)
    binary = mask.dtype.kind in "iuf" and np.isin(mask, (0, 1)).all()  # a column of dummies
    if not (mask.dtype == bool or binary) or mask.shape != (len(frame),):
        raise DataError(
            f"argument 'where' gives {mask.dtype} values of shape {mask.shape}, expected "
            f"({len(frame)},) of True and False: such as lambda frame: frame['x'] > 0, or "
            "frame['x'] == 0"
        )
    return mask.astype(bool)


def _code(data: ChoiceTable, label: Hashable) -> int:
    found = _known_label(data, label)
    if found not in data.alternatives:
        raise DataError(
            f"the data have no alternative {show(label)}; {nearest(label, data.alternatives)}"
        )
    return data.alternatives.index(found)


def _known_label(data: ChoiceTable, label: Hashable) -> Hashable:
    """A label as the data have it: dates, UUIDs and the like are text there."""
    if not isinstance(label, Hashable):
        raise DataError(
            f"an alternative's label is a number or text, got {type(label).__name__}: name one; "
            "without('bus', 'car') takes several"
        )
    return label if label in data.alternatives else alternative_names([label])[0]


def _check_attribute(data: ChoiceTable, name: str) -> None:
    roles = (data.person, data.situation, data.alternative, data.chosen)
    if isinstance(name, Hashable) and name in roles:
        raise DataError(
            f"column {show(name)} says who chose what: a scenario changes attributes alone"
        )
    require_column(name, data.frame)
