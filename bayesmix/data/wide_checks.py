"""What makes a wide frame invalid, in the names of its own rows and columns."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.checks import positive_weights
from bayesmix.data.columns import binary, first_few, require_complete, show
from bayesmix.errors import DataError

MEANING = "1 where the alternative can be chosen"


def check_wide(frame: pd.DataFrame, person: str | None, situation: str | None) -> None:
    """Refuse missing labels: once a situation, and not once for each of its alternatives."""
    require_complete(frame, [person, situation])


def check_wide_weights(frame: pd.DataFrame, weights: str | None) -> None:
    """Refuse weights that are missing, or no positive numbers."""
    if weights is not None:
        require_complete(frame, [weights])
        positive_weights(frame[weights])


def check_wide_availability(
    frame: pd.DataFrame,
    sources: Sequence[str | float],
    labels: Sequence[Any],
    chosen: tuple[str | None, np.ndarray],
    outside_option: bool,
) -> None:
    """Refuse columns of availability that are not 0 or 1, and choices of what was not available.

    ``sources`` are columns or numbers, one for each of the alternatives ``labels``; ``chosen`` is
    the column of choices and the position (T,) of each, -1 for the outside option.
    """
    available = np.column_stack(
        [
            _of_alternative(frame, source, label)
            for source, label in zip(sources, labels, strict=True)
        ]
    )
    column, choice = chosen
    inside = np.flatnonzero(choice >= 0)
    wrong = inside[~available[inside, choice[inside]]]
    if len(wrong):
        where = choice[wrong[0]]
        raise DataError(
            f"column {show(column)} holds {show(labels[where])} in row "
            f"{show(frame.index[wrong[0]])}, where it is not available "
            f"({_of_source(sources[where])}): check both; {_rows(frame, wrong)} are like it"
        )
    none = np.flatnonzero(~available.any(axis=1))
    if len(none) and not (outside_option and available.any()):
        names = first_few([source for source in sources if isinstance(source, str)], 12)
        raise DataError(
            f"no alternative is available in {_rows(frame, none)}: drop them, or check the columns "
            f"of availability, {names}"
        )


def _of_alternative(frame: pd.DataFrame, source: str | float, label: Any) -> np.ndarray:
    if isinstance(source, str):
        require_complete(frame, [source])
        return binary(frame, source, MEANING)
    if isinstance(source, Real) and source not in (0, 1):
        raise DataError(
            f"availability of alternative {show(label)} is {source!r}; expected a column, or 0 or "
            f"1: {MEANING}"
        )
    return np.full(len(frame), bool(source))


def _of_source(source: str | float) -> str:
    return f"column {show(source)}" if isinstance(source, str) else f"availability {source!r}"


def _rows(frame: pd.DataFrame, places: np.ndarray) -> str:
    return f"{len(places)} of {len(frame)} rows (rows {first_few(frame.index[places])})"
