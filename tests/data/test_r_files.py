"""Files of R: what its objects hold, row names, dates, classes, large integers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdata

import bayesmix as bm
from bayesmix.data.sources.r import _constructors


def test_what_r_has(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "whole": pd.array([1, None, 3], dtype="Int32"),
        "yes": [True, False, True],
        "text": pd.array(["", "b", None], dtype=pd.StringDtype("python")),
        "number": [0.1, np.nan, 2.0],
    })  # fmt: skip
    rdata.write_rds(tmp_path / "a.rds", frame)
    table = bm.read_table(tmp_path / "a.rds")
    np.testing.assert_array_equal(table["whole"], [1, np.nan, 3])
    assert table["yes"].tolist() == [True, False, True]
    assert table["text"].isna().tolist() == [False, False, True]
    np.testing.assert_array_equal(table["number"], [0.1, np.nan, 2.0])
    rdata.write_rda(tmp_path / "b.rda", {"one": frame, "two": frame, "x": 3})
    with pytest.raises(bm.DataError, match="several data frames, 'one', 'two': say which"):
        bm.read_table(tmp_path / "b.rda")
    assert len(bm.read_table(tmp_path / "b.rda", table="two")) == 3
    with pytest.raises(bm.DataError, match="no data frame 'three': it has 'one', 'two'"):
        bm.read_table(tmp_path / "b.rda", table="three")
    rdata.write_rds(tmp_path / "c.rds", [1, 2])
    with pytest.raises(bm.DataError, match="holds no data frame: save one"):
        bm.read_table(tmp_path / "c.rds")


def word(text: str) -> str:
    return f"262153\n{len(text)}\n{text}\n"


def ascii_r(rows: str = "13\n2\nNA\n-2\n", **columns: str) -> str:
    """A data frame of two rows as R writes it in ASCII; of names what follows ``__`` is not."""
    names = [name.split("__")[0] for name in columns]
    return (
        f"A\n2\n197888\n131840\n787\n{len(columns)}\n{''.join(columns.values())}"
        f"1026\n1\n{word('names')}16\n{len(columns)}\n{''.join(map(word, names))}"
        f"1026\n1\n{word('class')}16\n1\n{word('data.frame')}"
        f"1026\n1\n{word('row.names')}{rows}254\n"
    )


def classed(kind: str, values: str) -> str:
    """Two numbers of a class."""
    return f"782\n2\n{values}1026\n1\n{word('class')}16\n1\n{word(kind)}254\n"


def test_row_names_of_r_are_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.rds"
    path.write_text(ascii_r(f"16\n2\n{word('1.car')}{word('1.bus')}", a="14\n2\n1\n2.5\n"))
    assert bm.read_table(path).to_dict("list") == {"rownames": ["1.car", "1.bus"], "a": [1, 2.5]}
    for rows in ("13\n2\nNA\n-2\n", f"16\n2\n{word('1')}{word('2')}", "13\n2\n7\n9\n"):
        path.write_text(ascii_r(rows, a="14\n2\n1\n2.5\n"))
        assert bm.read_table(path).to_dict("list") == {"a": [1, 2.5]}


def test_dates_and_columns_of_one_name_in_r(tmp_path: Path) -> None:
    path = tmp_path / "a.rds"
    path.write_text(ascii_r(day=classed("Date", "19723\nNA\n"), t=classed("POSIXct", "0.5\n1\n")))
    table = bm.read_table(path)
    assert table["day"].tolist() == [pd.Timestamp("2024-01-01"), pd.NaT]
    assert table["t"].tolist() == [pd.Timestamp(0.5, unit="s"), pd.Timestamp(1, unit="s")]
    path.write_text(ascii_r(a="14\n2\n1\n2\n", a__2="14\n2\n3\n4\n"))
    with pytest.raises(bm.DataError, match="columns of the same name: 'a'"):
        bm.read_table(path)
    path.write_text(ascii_r(wait=classed("difftime", "1\n2\n")))
    with pytest.warns(UserWarning, match="values of R's class difftime are read as bare numbers"):
        bm.read_table(path)


def test_integers_of_64_bits_in_r() -> None:
    """R has them in the bytes of floating-point numbers; the least one is NA."""
    read = _constructors()["integer64"]
    for whole in ([7, 2**53 + 1], [7, -(2**63)], [2**53 + 1, -(2**63)]):
        found = list(read(np.array(whole).view(np.float64), {}))
        assert [v for v in found if v == v] == [v for v in whole if v > -(2**63)]
        assert sum(v != v for v in found) == whole.count(-(2**63))
