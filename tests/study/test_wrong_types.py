"""Every key of a study file with values of every wrong type: each is named with its place."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from bayesmix.errors import SpecificationError
from bayesmix.study import check_study, demand_schema, given, read_study, run_study, schema
from bayesmix.study.parse import PlaceInFile, parse_record

VALUES: dict[str, Any] = {
    "text": "word",
    "empty text": "",
    "a number": 1.5,
    "a whole number": -7,
    "a huge number": 10**400,
    "infinity": float("inf"),
    "nan": float("nan"),
    "true": True,
    "a list": ["a", 1],
    "an empty list": [],
    "a list of lists": [[1]],
    "a table": {"a": 1},
    "a list of tables": [{"a": 1}],
}
RECORDS = [
    schema.DataTable,
    schema.WideTable,
    schema.UtilityTable,
    *get_args(schema.IndependentTable),
    schema.LKJNormalTable,
    schema.CorrelatedTable,
    schema.NormalMixtureTable,
    schema.LatentClassTable,
    *get_args(schema.GridTable),
    schema.EstimateTable,
    schema.ConstraintsTable,
    schema.EndogeneityTable,
    schema.DemandTable,
    schema.MarketTable,
    schema.FirmsTable,
    *get_args(schema.ScenarioTable),
]


COLUMNS: dict[type, list[Any]] = {
    schema.Spread: ["word", ["a", 1], {"a": 1}],
    schema.SpreadByName: [],
    schema.LabelsOrCodes: [["a", 1], {"a": 1}],
    given.LabelList: [["a", 1]],
    given.Amounts: [1.5, -7, {"a": 1}],
    given.ByLabel: [{"a": 1}],
    given.Scalar: ["word", "", 1.5, -7, True],
    given.Scalars: [{"a": 1}],
}
"""Values of the list above that say which columns an attribute has, or what alternatives are."""


def inner(hint: Any) -> Any:
    """The type of an optional or bounded key."""
    if get_origin(hint) is Annotated:
        return inner(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [one for one in get_args(hint) if one is not NoneType]
        return inner(kinds[0]) if len(kinds) == 1 else hint
    return hint


def may_be(hint: Any, value: Any) -> bool:
    """Whether the schema's type allows the value, said in other words than the parser's."""
    if get_origin(hint) is Annotated and type(get_args(hint)[1]) in COLUMNS:
        return value in COLUMNS[type(get_args(hint)[1])]
    kind = inner(hint)
    if get_origin(kind) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(kind))
    if kind is float:
        return (type(value) is float and abs(value) < float("inf")) or value == -7
    if kind in (str, bool):
        return type(value) is kind
    return False  # of whole numbers only -7 is here, and all of them have a lower bound


def cases() -> Iterator[tuple[type, str, str]]:
    for record in RECORDS:
        hints = get_type_hints(record, include_extras=True)
        for field in fields(record):
            for name, value in VALUES.items():
                if not may_be(hints[field.name], value):
                    yield record, field.name, name


def required(record: type) -> dict[str, Any]:
    """Values of a record's keys that have to be given."""
    hints = get_type_hints(record)
    laws = [{"law": "normal", "terms": ["x"]}]
    given = {"terms": ["x"], "formula": "x", "nodes": 8, "laws": laws}
    given |= {"alternatives": ["a", "b"], "varying": ["x"]}
    given |= dict.fromkeys(("price", "instruments", "shares", "ownership", "name", "column"), "x")
    given |= {"firms": ["a", "b"], "alternative": "new", "attributes": {"x": 1}, "on": ["x"]}
    if record is schema.DemandTable:
        given = {}
    first = get_args(inner(hints[fields(record)[0].name]))
    return {
        field.name: first[0] if index == 0 and first else given.get(field.name)
        for index, field in enumerate(fields(record))
        if field.name in given or (index == 0 and first and field.name in ("law", "rule", "kind"))
    }


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_key_of_every_table_names_itself(record: type) -> None:
    tried = 0
    for kind, key, name in cases():
        if kind is not record:
            continue
        tried += 1
        table = {k: v for k, v in required(record).items() if k in record.__annotations__}
        with pytest.raises(SpecificationError) as caught:
            parse_record(
                record, {**table, key: VALUES[name]}, PlaceInFile(Path("s.toml"), "[here]")
            )
        text = str(caught.value)
        assert re.match(r"s\.toml, \[+here\]", text), (key, name, text)
        assert key in text, (key, name, text)
    assert tried >= 10


def test_the_walk_is_over_every_record_of_the_schema() -> None:
    modules = (schema, demand_schema)
    tables = {one for m in modules for one in vars(m).values() if is_dataclass(one)}
    assert tables - set(RECORDS) == {
        schema.AtLeast,
        *(one for one in vars(given).values() if is_dataclass(one)),
        schema.ByName,
        schema.EndsByName,
        schema.LabelsOrCodes,
        schema.Spread,
        schema.SpreadByName,
        schema.Study,
    }


@pytest.mark.parametrize("path", [None, 5, b"study.toml", ["study.toml"], True])
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(SpecificationError, match="argument 'path' must be the path of a study"):
        read_study(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe[\x00d\x00", "it is not UTF-8 text"),
        (b"[data\n", "not a valid TOML file"),
        (b"a = " + b"[" * 100000, "nested hundreds of times"),
        (b"", "table 'data' is missing"),
        (b'data = 3\nutility = {formula = "x"}', "expected a table, got 3"),
    ],
)
def test_files_that_are_no_studies(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(SpecificationError, match=words):
        read_study(path)


def test_a_folder_and_the_mark_before_utf_8(tmp_path: Path, write_study: Any) -> None:
    with pytest.raises(SpecificationError, match="is a folder: give the study file in it"):
        read_study(tmp_path)
    path = write_study()
    plain = read_study(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_study(path) == plain


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("...toml", "cannot be dots alone"),
        ("CON.toml", "a device's name on Windows"),
        ("com1.study.toml", "a device's name on Windows"),
        ("a\\b.toml", "cannot hold"),
        ("a\nb.toml", "cannot hold"),
    ],
)
def test_names_that_are_no_folders(tmp_path: Path, write_study: Any, name: str, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(write_study().read_bytes())
    with pytest.raises(SpecificationError, match=words):
        read_study(path)


@pytest.mark.parametrize("function", [check_study, run_study])
def test_what_is_no_study(function: Any) -> None:
    for wrong in ("study.toml", None, {}):
        with pytest.raises(SpecificationError, match="argument 'study' must be a study"):
            function(wrong)


def test_a_run_with_wrong_arguments(write_study: Any, estimators: Any) -> None:
    study = read_study(write_study())
    for wrong in ({"out": 5}, {"force": "yes"}, {"progress": None}):
        with pytest.raises(SpecificationError, match=f"argument '{next(iter(wrong))}' must be"):
            run_study(study, **wrong)
    assert estimators.names == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not a readable .csv file"),
        ("id,chid,alt,choice,price,time\n", "row"),
        ("id;chid;alt;choice;price;time\n1;1;a;1;1;1\n", "separated by semicolons"),
        ("id,chid,alt,choice,price,price\n1,1,a,1,1,1\n", "price"),
        ("id,chid,alt,choice,price,time\n1,1,\u00e9,1,1,1\n", "no utf-8 text: byte 0xe9 at"),
    ],
    ids=["empty", "heading alone", "semicolons", "twice the same column", "Latin-1"],
)
@pytest.mark.parametrize("function", [check_study, run_study])
def test_data_files_that_are_none(
    write_study: Any, tmp_path: Path, function: Any, content: str, words: str
) -> None:
    study = read_study(write_study())
    (tmp_path / "choices.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=words) as caught:
        function(study)
    assert re.match(re.escape(str(study.path)) + r", line \d+, \[data\]", str(caught.value))


def test_a_data_file_that_is_a_folder_or_absent(write_study: Any, tmp_path: Path) -> None:
    study = read_study(write_study())
    (tmp_path / "choices.csv").unlink()
    cases = {
        "no file": lambda: None,
        "is a folder: give the data": (tmp_path / "choices.csv").mkdir,
    }
    for words, make in cases.items():
        make()
        for function in (check_study, run_study):
            with pytest.raises(SpecificationError, match=words):
                function(study)
