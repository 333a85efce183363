"""Rows in Parquet files, and what a store of them must hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmix.data.store import sort, source
from bayesmix.data.table import ChoiceTable

ROLES = {"person": "who", "situation": "task", "alternative": "mode", "chosen": "choice"}
ARRAYS = (
    "person_start",
    "situation_start",
    "alternative_code",
    "chosen_row",
    "weights",
    "row_situation",
    "stage",
)
COUNTS = ("alternatives", "rows_left_out", "situations_left_out", "booleans", "outside_option")


def frame(persons: int = 40) -> pd.DataFrame:
    """Rows in no order, with columns of every kind."""
    rng = np.random.default_rng(4)
    rows = [(p, t, m) for p in range(persons) for t in range(3) for m in ("tram", "bus", "car")]
    table = pd.DataFrame(rows, columns=["who", "task", "mode"])
    best = rng.normal(size=len(table))
    top = pd.Series(best).groupby([table["who"], table["task"]]).idxmax()
    table["choice"] = table.index.isin(top).astype(int)
    table["price"] = rng.uniform(1.0, 3.0, len(table))
    table["seats"] = rng.integers(1, 9, len(table)).astype(np.int8)
    table["gaps"] = pd.Series(rng.integers(1, 9, len(table))).where(rng.random(len(table)) > 0.1)
    table["gaps"] = table["gaps"].astype("Int64")
    table["direct"] = rng.random(len(table)) > 0.5
    table["town"] = np.where(table["who"] % 3 == 0, "Ulm", "Aue")
    table["level"] = pd.Categorical(rng.choice(["low", "high"], len(table)), ["low", "high", "top"])
    table["day"] = pd.Timestamp("2024-05-01") + pd.to_timedelta(table["task"], unit="D")
    table["weight"] = 1.0 + table["who"] % 2
    return table.sample(frac=1.0, random_state=3, ignore_index=True)


def written(table: pd.DataFrame, folder: Path, files: int = 3) -> pd.DataFrame:
    """The table in several files; as one table again."""
    parts = [table.iloc[k::files] for k in range(files)]
    for k, part in enumerate(parts):
        part.to_parquet(folder / f"part{k}.parquet", index=False, row_group_size=50)
    return pd.concat(parts, ignore_index=True)


def check_same(stored: ChoiceTable, memory: ChoiceTable) -> None:
    for name in ARRAYS:
        own, other = getattr(stored, name), getattr(memory, name)
        assert (own is None) == (other is None), name
        if own is not None:
            assert own.dtype == other.dtype, name
            np.testing.assert_array_equal(own, other, err_msg=name)
    for name in COUNTS:
        assert getattr(stored, name) == getattr(memory, name), name
    assert stored.persons.tolist() == memory.persons.tolist()
    assert stored.persons.name == memory.persons.name
    assert stored.situations.tolist() == memory.situations.tolist()
    assert stored.situations.names == memory.situations.names
    assert stored.rows.tolist() == memory.rows.tolist()
    assert list(stored.frame) == list(memory.frame)
    for name in memory.frame:
        own, other = (data.frame[name].astype(object) for data in (stored, memory))
        assert own.where(own.notna(), None).tolist() == other.where(other.notna(), None).tolist()


def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units and ranges of some tens of rows, so that there are several."""
    monkeypatch.setattr(sort, "ROWS", 60)
    monkeypatch.setattr(source, "BATCH", 25)
