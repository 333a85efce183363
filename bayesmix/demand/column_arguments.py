"""Columns that arguments of demand name: refused with the argument, for defaults name some too."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from bayesmix.arguments import refused
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import nearest
from bayesmix.errors import DataError

PRICE = "price"
"""The column that a change is of where none is named."""


def check_column(data: ChoiceData, argument: str, name: Any) -> None:
    """Refuse an argument that names no column of the data.

    Raises
    ------
    SpecificationError
        If it is no name.
    DataError
        If there is no such column.
    """
    if not isinstance(name, Hashable) or name is None:
        raise refused(argument, "the name of a column of the data", name)
    if name not in data.frame.columns:
        default = ", its default" if name == PRICE else ""
        hint = nearest(name, data.frame.columns)
        raise DataError(
            f"argument {argument!r}: the data have no column {name!r}{default}; "
            f"{hint}{'' if hint.endswith('?') else '.'} Name one of them, {argument}=..."
        )
