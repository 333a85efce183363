"""Columns of numbers that are text, for a few rows hold something else."""

from __future__ import annotations

import pandas as pd

from bayesmix.data.columns import first_few

MOST_PARTS = 0.2
"""Share of rows that are no numbers, above which a column is one of names."""


def not_numbers(values: pd.Series) -> str:
    """Which rows make a column text that is one of numbers otherwise; "" where none do."""
    if values.dtype.kind not in "OUT" and not pd.api.types.is_string_dtype(values.dtype):
        return ""
    text = values.dropna().astype(str)
    odd = text[pd.to_numeric(text, errors="coerce").isna()]
    if not 0 < len(odd) <= MOST_PARTS * len(text):
        return ""
    return (
        f"{len(odd):,} of {len(text):,} rows are no numbers: {first_few(odd.unique())} "
        f"(rows {first_few(odd.index)})"
    )
