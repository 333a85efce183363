"""Terms of a first formula: columns that vary within sets, none a combination of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.study.text_numbers import not_numbers

MOST_TERMS = 12
MOST_LEVELS = 12
WORD = re.compile(r"[A-Za-z_]\w*")
RELATIVE = 1e-8


def attributes(data: ChoiceData) -> list[str]:
    """Columns that are no roles, without missing values, and that vary within some set."""
    known = (data.person, data.situation, data.alternative, data.chosen, "situation", "available")
    return [
        name
        for name in data.frame.columns
        if name not in known
        and data.frame[name].dtype.kind not in "mM"
        and not data.frame[name].isna().any()
        and varies_within(data, name)
    ]


def varies_within(data: ChoiceData, name: str) -> bool:
    """Whether a column has several values in some set."""
    codes = pd.factorize(data.frame[name], use_na_sentinel=False)[0]
    first = codes[data.situation_start[:-1]]
    return bool((codes != np.repeat(first, np.diff(data.situation_start))).any())


def first_terms(data: ChoiceData) -> tuple[list[str], dict[str, str]]:
    """Terms of a formula that data can tell apart, and why other columns are none."""
    blocks: dict[str, np.ndarray] = {}
    terms: dict[str, str] = {}
    left: dict[str, str] = {}
    for name in [*attributes(data), data.alternative]:
        values = data.frame[name]
        numeric = pd.api.types.is_numeric_dtype(values.dtype) and name != data.alternative
        if name != data.alternative and _belongs(data, name):
            left[name] = f"it is a name or number of alternatives: C({quoted(data.alternative)})"
        elif len(terms) == MOST_TERMS:
            left[name] = f"there are {MOST_TERMS} terms already"
        elif not numeric and not_numbers(values):
            left[name] = f"it is text, for {not_numbers(values)}: mend them in the file"
        elif not numeric and values.nunique() > MOST_LEVELS:
            left[name] = f"it has {values.nunique()} values"
        elif numeric and not np.isfinite(values.to_numpy(dtype=float)).all():
            left[name] = "it holds infinite values"
        else:
            block = _within(data, _numbers(values, numeric))
            term = quoted(name) if numeric else f"C({quoted(name)})"
            told = _told_by(blocks, block)
            rest = {one: own for one, own in blocks.items() if one not in told}
            if not _adds(rest.values(), block):
                left[name] = "the terms before tell what it would (it is a combination of them)"
                continue
            left |= dict.fromkeys(told, f"{term} tells what it would")
            blocks = rest | {name: block}
            terms = {one: terms[one] for one in rest} | {name: term}
    return list(terms.values()), left


def _adds(blocks: Iterable[np.ndarray], block: np.ndarray) -> bool:
    """Whether no column of a term is a combination of the others and of other terms'."""
    before = np.hstack([np.zeros((len(block), 0)), *blocks])
    return _rank(np.hstack([before, block])) == before.shape[1] + block.shape[1]


def _told_by(blocks: dict[str, np.ndarray], block: np.ndarray) -> list[str]:
    """Terms that are combinations of a new one's columns, such as firms of those of products."""
    if _adds(blocks.values(), block):
        return []
    own = _rank(block)
    return [
        name
        for name, other in blocks.items()
        if own == block.shape[1] > other.shape[1] and _rank(np.hstack([block, other])) == own
    ]


def _belongs(data: ChoiceData, name: str) -> bool:
    """Whether a column has one value for each alternative, in all sets, and another for others."""
    pairs = data.frame[[data.alternative, name]].drop_duplicates()
    return len(pairs) == len(data.alternatives) == pairs[name].nunique()


def quoted(name: str) -> str:
    """A column in a formula: names that are no words stand in backquotes."""
    return name if WORD.fullmatch(name) else f"`{name}`"


def _numbers(values: pd.Series, numeric: bool) -> np.ndarray:
    if numeric:
        return values.to_numpy(dtype=np.float64)[:, None]
    return pd.get_dummies(values.astype(object), drop_first=True).to_numpy(dtype=np.float64)


def _within(data: ChoiceData, columns: np.ndarray) -> np.ndarray:
    """Differences from the first row of the set, or from the outside option's zeros."""
    scale = np.abs(columns).max(axis=0)
    columns = columns / np.where(scale > 0, scale, 1.0)
    if data.outside_option:
        return columns
    first = np.repeat(data.situation_start[:-1], np.diff(data.situation_start))
    return columns - columns[first]


def _rank(columns: np.ndarray) -> int:
    values = np.linalg.eigvalsh(columns.T @ columns)
    return int((values > RELATIVE * values.max()).sum()) if len(values) else 0
