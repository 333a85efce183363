"""Sources of data with scales of their own: which situation is of which source, and identification.

The variance of the errors may differ between sources, such as revealed and stated choices. With the
first source's scale at 1, ``v_itj = lambda_s(t) (x' beta)`` (Ben-Akiva and Morikawa 1990; Swait and
Louviere 1993).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Indices
from bayesmix.data.attributes import check_complete
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, show
from bayesmix.data.varying import varies_within_situations
from bayesmix.errors import DataError
from bayesmix.formulas.variation import deviations


@dataclass(frozen=True, eq=False)
class Sources:
    """The source of each situation.

    Parameters
    ----------
    column
        Its column in the data.
    labels
        Sources in the order of categories, or sorted; the first has scale 1.
    code
        Source (T,) of each situation.
    """

    column: str
    labels: tuple[Hashable, ...]
    code: Indices

    @property
    def scaled(self) -> tuple[str, ...]:
        """Names of the sources whose scale is a parameter."""
        return tuple(str(label) for label in self.labels[1:])


def sources(column: str, data: ChoiceData, like: Sources | None = None) -> Sources:
    """The sources of ``data``; with ``like``, as some of those that a model was estimated on.

    Their scales are then relative to the first of ``like``, which need not be in ``data``. Labels
    are the same if they are equal, or read the same: files keep some of them as text.

    Raises
    ------
    DataError
        If the column is missing, incomplete or varies within situations, holds one source alone, or
        one that the model was not estimated on.
    """
    values = check_complete(data, column)
    code, labels = _factorised(values)
    if like is not None:
        place = np.array([_place(label, like.labels) for label in labels], dtype=np.int64)
        if (place < 0).any():
            unseen = [label for label, k in zip(labels, place, strict=True) if k < 0]
            raise DataError(
                f"scale={column!r}: the model was estimated on sources {first_few(like.labels)}, "
                f"and has no scale for {first_few(unseen)}"
            )
        code, labels = place[code], like.labels
    first = code[np.minimum(data.situation_start[:-1], data.n_rows - 1)]
    other = code != first[data.row_situation]
    if other.any():
        raise DataError(
            f"scale={column!r} {varies_within_situations(data, other)}: a source is of whole "
            "situations; name the column that says which source each is of"
        )
    if len(labels) < 2:
        raise DataError(
            f"scale={column!r} holds one source alone, {show(labels[0])}, and a scale is relative "
            "to another's: leave scale= out"
        )
    return Sources(column, labels, first)


def check_scales(found: Sources, values: Array, data: ChoiceData) -> None:
    """Refuse a source that shares no coefficient with the others, through which scales compare.

    Raises
    ------
    DataError
        Naming the source.
    """
    rows = found.code[data.row_situation]
    varies = deviations(values, data) != 0.0
    active = np.stack([varies[rows == g].any(axis=0) for g in range(len(found.labels))])
    joined = np.zeros(len(found.labels), dtype=bool)
    joined[0] = True
    for _ in found.labels:
        joined |= active[:, active[joined].any(axis=0)].any(axis=1)
    apart = [label for label, ok in zip(found.labels, joined, strict=True) if not ok]
    if apart:
        raise DataError(
            f"scale={found.column!r}: source {first_few(apart)} has no coefficient in common with "
            f"{show(found.labels[0])}, so that its scale cannot be told from the size of its own: "
            "let some attribute have one coefficient in both, or leave scale= out"
        )


def _place(label: Hashable, labels: tuple[Hashable, ...]) -> int:
    """Place of a label among those of an estimation; -1 if it is none of them."""
    if label in labels:
        return labels.index(label)
    words = [str(known) for known in labels]
    return words.index(str(label)) if str(label) in words else -1


def _factorised(values: pd.Series) -> tuple[Indices, tuple[Hashable, ...]]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        return values.cat.codes.to_numpy().astype(np.int64), tuple(values.cat.categories.tolist())
    code, labels = pd.factorize(values, sort=True)
    return code.astype(np.int64), tuple(pd.Index(labels).tolist())
