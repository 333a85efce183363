"""Known parts of the utility: an offset, and the correction for sampled alternatives."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.attributes import check_numeric
from bayesmix.data.columns import first_few, show
from bayesmix.data.table import ChoiceTable
from bayesmix.errors import DataError


def known_utility(data: ChoiceTable) -> Array | None:
    """``offset - log q + matched`` of every row (R,), utils; None where nothing is known.

    Raises
    ------
    DataError
        If a column is not numeric or not finite, or a probability is not in (0, 1].
    """
    known = data.known
    parts = []
    if known.offset is not None:
        parts.append(check_numeric(data, known.offset))
    if known.correction is not None:
        parts.append(-check_numeric(data, known.correction))
    if known.sampling is not None:
        parts.append(-np.log(_probabilities(data, known.sampling)))
    if known.matched is not None:
        parts.append(check_numeric(data, known.matched))
    return sum(parts[1:], parts[0]) if parts else None


def check_offset(data: ChoiceTable, offset: str | None, result: str) -> None:
    """Refuse data whose offset is not the column that ``result``, such as "the fit", is of.

    Without it, this part of the utility would be 0. How alternatives were sampled may differ.

    Raises
    ------
    DataError
        Naming the column.
    """
    own = data.known.offset
    if own == offset:
        return
    if offset is None:
        raise DataError(
            f"{result} is of data without an offset, and these have the offset {show(own)}: make "
            "them without offset="
        )
    instead = "none" if own is None else f"the offset {show(own)}"
    raise DataError(
        f"{result} is of data with the offset {show(offset)}, a known part of the utility, and "
        f"these have {instead}: make them with offset={offset!r}"
    )


def check_outside(data: ChoiceTable, outside_option: bool, result: str) -> None:
    """Refuse data with an outside option where ``result``, such as "the fit", has none, or not.

    A market that leaves it out on purpose may: of utilities, differences alone count in it.

    Raises
    ------
    DataError
        Saying how the data are made.
    """
    if outside_option and data.forced:
        return
    if data.outside_option != outside_option:
        having = ("without", "with")[outside_option]
        raise DataError(
            f"{result} is of data {having} an outside option, and these are not: give "
            f"outside_option={outside_option} where they are made"
        )


def _probabilities(data: ChoiceTable, column: str) -> Array:
    values = check_numeric(data, column)
    wrong = np.flatnonzero(~((values > 0.0) & (values <= 1.0)))
    if len(wrong):
        raise DataError(
            f"sampling column {show(column)} holds {first_few(np.unique(values[wrong]))} in "
            f"{len(wrong)} rows (rows {first_few(data.rows[wrong])}); expected probabilities in "
            "(0, 1]: an alternative in a set has been drawn with some; for other corrections "
            "give their logarithm, correction="
        )
    return values
