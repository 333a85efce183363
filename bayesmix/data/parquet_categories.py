"""Categories of numbers, which Parquet files keep as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from bayesmix.data.columns import first_few


def categories_of_numbers(schema: pa.Schema) -> list[str]:
    """Columns that were pandas' categories when they were written, and come back as numbers.

    What is told of them is that they were categories, and not which, nor in what order.
    """
    described = (schema.pandas_metadata or {}).get("columns", [])
    were = {one.get("name") for one in described if one.get("pandas_type") == "categorical"}
    kinds = pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean
    return [
        field.name
        for field in schema
        if field.name in were and any(kind(field.type) for kind in kinds)
    ]


def categories_lost(names: Sequence[str]) -> str:
    """What is to be said of these columns."""
    return (
        f"{first_few(names)} were categories of numbers when the file was written, which Parquet "
        "keeps as numbers without their order: in a formula write C() around them, with "
        "levels=[...] where the first level matters, or save them as text"
    )
