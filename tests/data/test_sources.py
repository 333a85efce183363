"""Files of other programs: the same choices from every format, and nothing lost without a word."""

import json
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadr
import pyreadstat
import pytest

import bayesmix as bm
from bayesmix.data.sources.written_labels import as_written
from tests.arguments.things import LONG

MODEL = bm.MixedLogit("price + quality + C(group):price")


def to_json_lines(frame: pd.DataFrame, path: Path) -> None:
    lines = [json.dumps(row) for row in frame.to_dict("records")]
    path.write_text("\n".join(lines), encoding="utf-8")


WRITERS: dict[str, tuple[str, Callable[[pd.DataFrame, Path], Any], dict[str, str]]] = {
    "csv": ("a.csv", lambda f, p: f.to_csv(p, index=False), {}),
    "csv.gz": ("a.csv.gz", lambda f, p: f.to_csv(p, index=False), {}),
    "European csv": (
        "a.csv",
        lambda f, p: f.to_csv(p, index=False, sep=";", decimal=",", encoding="utf-16"),
        {"separator": ";", "decimal": ","},
    ),
    "tsv": ("a.tsv", lambda f, p: f.to_csv(p, index=False, sep="\t"), {}),
    "biogeme": ("a.dat", lambda f, p: f.to_csv(p, index=False, sep="\t"), {}),
    "blanks": ("a.txt", lambda f, p: p.write_text(f.astype(str).to_string(index=False)), {}),
    "bars": (
        "a.csv", lambda f, p: f.to_csv(p, index=False, sep="|"), {"separator": "|"}
    ),
    "JSON lines": ("a.jsonl", to_json_lines, {}),
    "Parquet": ("a.parquet", lambda f, p: f.to_parquet(p), {}),
    "Excel": ("a.xlsx", lambda f, p: f.to_excel(p, index=False), {}),
    "Stata by pandas": ("a.dta", lambda f, p: f.to_stata(p, write_index=False, version=118), {}),
    "Stata": ("a.dta", lambda f, p: pyreadstat.write_dta(f, p), {}),
    "SPSS": ("a.sav", lambda f, p: pyreadstat.write_sav(f, p), {}),
    "SPSS, packed": ("a.zsav", lambda f, p: pyreadstat.write_sav(f, p, compress=True), {}),
    "rds": ("a.rds", lambda f, p: pyreadr.write_rds(p, f), {}),
    "rda": ("a.rda", lambda f, p: pyreadr.write_rdata(p, f, df_name="trips"), {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_choices_from_every_format(
    frame: pd.DataFrame, plain: bm.ChoiceData, tmp_path: Path, kind: str
) -> None:
    name, write, options = WRITERS[kind]
    write(frame, tmp_path / name)
    data = bm.read_choices(tmp_path / name, **LONG, **options)
    assert data.persons.tolist() == plain.persons.tolist()
    assert data.alternatives == plain.alternatives
    np.testing.assert_array_equal(data.chosen_row, plain.chosen_row)
    for column in ("price", "quality"):
        np.testing.assert_array_equal(data.attribute(column), plain.attribute(column))
    assert data.frame["group"].tolist() == plain.frame["group"].tolist()
    assert bm.msle(MODEL, data).loglik == bm.msle(MODEL, plain).loglik


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"part {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbooks(tmp_path: Path) -> None:
    rows = [["id", "x", "day"], ["007", 1, pd.Timestamp("2024-01-02")], [8, "NA", None]]
    path = workbook(tmp_path / "a.xlsx", rows, [])
    table = bm.read_table(path, labels=["id"], missing=["NA"])
    assert table["id"].tolist() == ["007", "8"]
    np.testing.assert_array_equal(table["x"], [1.0, np.nan])
    assert table["day"].tolist() == [pd.Timestamp("2024-01-02"), pd.NaT]
    path = workbook(tmp_path / "b.xlsx", rows, [["y"], [2]])
    with pytest.raises(bm.DataError, match="several sheets, 'part 1', 'part 2': say which one"):
        bm.read_table(path)
    assert bm.read_table(path, table="part 2")["y"].tolist() == [2]
    with pytest.raises(bm.DataError, match="no sheet 'part 3': it has 'part 1', 'part 2'"):
        bm.read_table(path, table="part 3")
    with pytest.raises(bm.DataError, match="columns of the same name: 'x'"):
        bm.read_table(workbook(tmp_path / "c.xlsx", [["x", "x"], [1, 2]]))
    with pytest.raises(bm.DataError, match="column 2 of the sheet has values and no heading"):
        bm.read_table(workbook(tmp_path / "d.xlsx", [["x", None], [1, 2]]))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("town,x\nKöln,1\n".encode("cp1252"))
    words = r"no utf-8 text: byte 0xf6 at position 8 \(line 2\): .* encoding = \"cp1252\""
    with pytest.raises(bm.DataError, match=words):
        bm.read_table(path)
    assert bm.read_table(path, encoding="cp1252")["town"].tolist() == ["Köln"]
    with pytest.raises(bm.DataError, match="'klingon' is no encoding that Python knows"):
        bm.read_table(path, encoding="klingon")
    path.write_bytes("\ufefftown,x\nKöln,1\n".encode())
    assert bm.read_table(path, encoding="utf-8").columns.tolist() == ["town", "x"]


def test_digits_that_begin_with_0_are_no_quantity(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("zone,x,y\n007,0.5,0\n7,10,01\n,1.50,\n")
    with pytest.warns(UserWarning, match="numbers of 'zone', 'y' begin with 0, such as '007'"):
        table = bm.read_table(path)
    assert table["zone"].tolist()[:2] == ["007", "7"]
    assert table["zone"].isna().tolist() == [False, False, True]
    assert table["x"].tolist() == [0.5, 10.0, 1.5]


def test_columns_without_a_heading_are_said(tmp_path: Path) -> None:
    """Such as the row names that R's write.csv puts first."""
    (tmp_path / "a.csv").write_text('"","x"\n"1",2\n"2",3\n')
    with pytest.warns(UserWarning, match="columns without a heading are called 'Unnamed: 0'"):
        assert bm.read_table(tmp_path / "a.csv")["x"].tolist() == [2, 3]


def test_lines_of_json_end_where_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"a": "x\u2028y", "b": null}\r\n\n{"a": "z", "b": 2}\n', "utf-8"
    )
    table = bm.read_table(tmp_path / "a.jsonl")
    assert table["a"].tolist() == ["x\u2028y", "z"]
    np.testing.assert_array_equal(table["b"], [np.nan, 2.0])


@pytest.mark.parametrize(
    ("name", "text", "options", "words"),
    [
        ("a.csv", "a;b\n1,5;2\n", {}, r'semicolons; expected commas: give separator = ";" and'),
        ("a.csv", "a,b\n1,2\n", {"separator": ";"}, 'separated by commas; expected semicolons'),
        ("a.csv", "a,a\n1,2\n", {}, "columns of the same name: 'a'"),
        ("a.csv", "a,b\n1,2,\n", {}, "one field more than its heading"),
        ("a.csv", "a,b\n1,2,3\n", {}, "more fields than its heading"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", {}, "Expected 2 fields in line 3, saw 3"),
        ("a.dat", "a b c\n1 5 1\n2  0\n", {}, "fewer fields .*, 1 of them, such as line 3"),
        ("a.csv", "", {}, r"is not a readable \.csv file"),
        ("a.csv", "a\n1\n", {"table": "x"}, "'table' is for files of 'R', 'Excel'.*leave it out"),
        ("a.dta", "no Stata", {}, r"is not a readable \.dta file"),
        ("a.sav", "no SPSS", {}, r"is not a readable \.sav file"),
        ("a.rds", "no R", {}, r"is not a readable \.rds file"),
        ("a.xlsx", "no Excel", {}, r"is not a readable \.xlsx file"),
        ("a.parquet", "no Parquet", {}, r"is not a readable \.parquet file"),
        ("a.dta", "", {"separator": ";"}, "'separator' is for files of 'delimited text'"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', {}, "line 2 is no JSON"),
        ("a.jsonl", '{"a": 1, "a": 2}\n', {}, "line 1: a key stands there twice"),
        ("a.jsonl", '{"a": [1]}\n', {}, "line 1: 'a' holds a list"),
        ("a.jsonl", "[1]\n", {}, "line 1: expected an object"),
        ("a.docx", "", {}, r"cannot read 'a\.docx': expected one of \.csv"),
    ],
)  # fmt: skip
def test_files_that_are_refused(
    tmp_path: Path, name: str, text: str, options: dict[str, str], words: str
) -> None:
    (tmp_path / name).write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(bm.DataError, match=words):
            bm.read_table(tmp_path / name, **options)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(bm.DataError, match=r"no file '.*absent\.csv'"):
        bm.read_table(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("a.dta", "pyreadstat", "stata"),
        ("a.sav", "pyreadstat", "spss"),
        ("a.rds", "rdata", "r"),
        ("a.xlsx", "python_calamine", "excel"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    words = re.escape(
        f"needs {package}, which is not installed: install it by pip install 'bayesmix[{extra}]'"
    )
    with pytest.raises(bm.DataError, match=words):
        bm.read_table(tmp_path / name)


def test_arguments_of_read_choices(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,mode,choice,bus_price,car_price\n1,bus,1,2,5\n2,car,1,3,4\n")
    with pytest.raises(bm.SpecificationError, match="no argument 'persn': did you mean 'person'"):
        bm.read_choices(path, persn="id")
    with pytest.raises(bm.SpecificationError, match="argument 'person' is missing"):
        bm.read_choices(path)
    with pytest.raises(bm.DataError, match=r"labels=: 'a\.csv' has no column 'mod'; did you mean"):
        bm.read_table(path, labels=["mod"])
    with pytest.raises(bm.SpecificationError, match="argument 'separator' must be what stands"):
        bm.read_table(path, separator="")
    wide = bm.read_choices(
        path, chosen="mode", alternatives=["bus", "car"], varying={"price": "{alternative}_price"}
    )
    assert wide.frame["price"].tolist() == [2, 5, 3, 4]


CHO = """8960 2 3 2 1
6 1
3 1
2 1 2
3 3 3
4 2 1
2 32
2 1
1 0 2
4 1 3
3 12.5
"""


def test_sawtooth(tmp_path: Path) -> None:
    """The example of the manual, cut to three attributes; the second task ends in none."""
    path = tmp_path / "study.cho"
    path.write_text(CHO.replace("12.5", "12") + "8961 0 3 1 1\n2 1\n1 1 1\n2 2 2\n0 9\n")
    with pytest.warns(UserWarning, match=r"1 task was not answered.*\(8961, 1\)"):
        data = bm.read_choices(path)
    assert (data.n_persons, data.n_situations, data.outside_option) == (1, 2, True)
    assert data.chosen_row.tolist() == [1, -1]
    assert data.frame["attribute_1"].tolist() == ["2", "3", "4", "1", "4"]
    assert data.frame["attribute_2"].cat.categories.tolist() == ["0", "1", "2", "3"]
    assert data.frame["extra_2"].tolist() == [1.0] * 5
    for old, new, words in [
        ("8960 2 3 2 1", "8960 2 3 2 2", "line 1: none option 2 of respondent 8960"),
        ("\n3 1\n", "\n3 2\n", "line 3: depth of preference 2; expected 1"),
        ("2 32", "5 32", "line 7: concept 5 was chosen of 3 and none"),
        ("2 1 2\n", "2 1\n", "line 4: expected 3 whole numbers, got '2 1'"),
        ("4 1 3\n3 12.5\n", "", "ends within a respondent"),
        ("6 1", "6 x", "line 2: expected 2 extra variables, all numbers"),
    ]:
        path.write_text(CHO.replace(old, new, 1))
        with pytest.raises(bm.DataError, match=words):
            bm.read_table(path)


def test_large_integers_beside_missing_values_stay_apart(tmp_path: Path) -> None:
    """As floating-point numbers 2**53 + 1 would be 2**53."""
    large = [2**53, 2**53 + 1]
    text = tmp_path / "a.csv"
    text.write_text(f"id,x\n{large[0]},1\n{large[1]},2\n,3\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="whole numbers of 'id' are too large for a column"):
        assert bm.read_table(text)["id"].tolist()[:2] == [*map(str, large)]
    assert as_written(pd.Series([*map(str, large), np.nan])).tolist()[:2] == [*map(str, large)]
    lines = tmp_path / "a.jsonl"
    lines.write_text("\n".join(f'{{"id": {v}}}' for v in (*large, "null")), encoding="utf-8")
    assert bm.read_table(lines)["id"].tolist()[:2] == large
    stored = tmp_path / "a.parquet"
    frame = pd.DataFrame({"id": pd.array([*large, None], dtype="Int64"), "x": [1.0, 2.0, 3.0]})
    pq.write_table(pa.Table.from_pandas(frame).replace_schema_metadata(None), stored)
    with pytest.warns(UserWarning, match="whole numbers of 'id' are too large for a column"):
        assert bm.read_table(stored)["id"].tolist()[:2] == [*map(str, large)]


def test_lines_that_were_cut_off_are_refused(tmp_path):
    """pandas fills them with missing values; fields that are empty keep their separators."""
    path = tmp_path / "c.csv"
    path.write_text('who,task,price\n1,1,"2,5"\n1,2,\n\n2,1\n')
    with pytest.raises(bm.DataError, match=r"fewer fields .* has 3: 1 of them, such as line 5"):
        bm.read_table(path)
    path.write_text('who,task,price\n1,1,"2,5"\n1,2,\n\n2,1,\n')
    assert len(bm.read_table(path)) == 3


@pytest.mark.parametrize("place", ["in a field", "a line", "at the end"])
def test_null_bytes_are_no_text(tmp_path, place):
    """pandas leaves them out: 2<null>5 would be 25."""
    text = "who,price\n1,25\n2,7\n"
    path = tmp_path / "c.csv"
    nulls = {"in a field": ("25", "2\x005"), "a line": ("1,25", "\x00" * 9), "at the end": ("", "")}
    path.write_text(text.replace(*nulls[place]) + "\x00" * 9 * (place == "at the end"))
    line = 4 if place == "at the end" else 2
    with pytest.raises(bm.DataError, match=f"null bytes in 1 lines, such as line {line}: "):
        bm.read_table(path)
