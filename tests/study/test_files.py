"""Studies on other programs' files, and on files with a row for each situation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.study.build import check_study
from bayesmix.study.keys import subject_key
from bayesmix.study.parse import read_study
from bayesmix.study.schema import Study
from tests.study.conftest import choices, wide

Write = Callable[..., Path]


WIDE = """
[data.wide]
alternatives = ["a", "b", "c"]
varying = {price = "price_{alternative}", time = ["time_a", "time_b", "time_c"]}
availability = "av_{alternative}"

[utility]"""


@pytest.fixture
def write_wide(write_study: Write, tmp_path: Path) -> Callable[..., Path]:
    """`write_wide(frame, ("old", "new"), ...)`: a study of the wide file."""

    def write(frame: pd.DataFrame, *replacements: tuple[str, str], name: str = "w.csv") -> Path:
        {
            ".csv": lambda: frame.to_csv(tmp_path / name, index=False),
            ".sav": lambda: pyreadstat.write_sav(
                frame, tmp_path / name, variable_value_labels={"choice": {1: "a", 2: "b", 3: "c"}}
            ),
            ".xlsx": lambda: frame.to_excel(tmp_path / name, index=False),
        }[Path(name).suffix]()
        path = write_study(
            ("choices.csv", name), ('alternative = "alt"\n', ""), ("\n[utility]", WIDE)
        )
        text = path.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return path

    return write


def same(data: bm.ChoiceData, frame: pd.DataFrame) -> None:
    other = bm.ChoiceData.from_wide(
        frame,
        person="id",
        situation="chid",
        chosen="choice",
        alternatives=["a", "b", "c"],
        varying={"price": "price_{alternative}", "time": "time_{alternative}"},
        availability="av_{alternative}",
    )
    assert data.persons.tolist() == other.persons.tolist()
    assert data.alternatives == other.alternatives
    assert data.rows_left_out == other.rows_left_out == 1
    np.testing.assert_array_equal(data.chosen_row, other.chosen_row)
    np.testing.assert_array_equal(data.attribute("price"), other.attribute("price"))
    np.testing.assert_array_equal(data.attribute("time"), other.attribute("time"))


@pytest.mark.parametrize("name", ["w.csv", "w.xlsx"])
def test_a_wide_file(write_wide: Write, name: str) -> None:
    frame = wide().round(12)
    same(check_study(read_study(write_wide(frame, name=name))).data, frame)


@pytest.mark.parametrize("name", ["w.csv", "w.xlsx", "w.sav"])
def test_choices_that_are_codes(write_wide: Write, name: str) -> None:
    """In a table from codes to labels, or as value labels, which are labels already."""
    codes = ('["a", "b", "c"]\nvary', '{1 = "a", 2 = "b", 3 = "c"}\nvary')
    path = write_wide(wide(codes=True).round(12), *([codes] if name != "w.sav" else []), name=name)
    same(check_study(read_study(path)).data, wide().round(12))


def test_wide_labels_are_as_written(write_wide: Write) -> None:
    """Categories that vary between alternatives are numbers where all of them are."""
    frame = wide().assign(size_a="10", size_b="9", size_c=["9", "10", "11"] * 12)
    replaced = [
        ('time = ["', 'size = "size_{alternative}", time = ["'),
        ('+ time"', '+ time + C(size)"'),
    ]
    data = check_study(read_study(write_wide(frame, *replaced))).data
    assert sorted(data.frame["size"].unique()) == [9, 10, 11]
    frame["size_b"] = "09"
    data = check_study(read_study(write_wide(frame, *replaced))).data
    assert set(data.frame["size"]) == {"09", "9", "10", "11"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("price_{alt", "prize_{alt", r"\[data.wide\]: 'price' of alternative 'a'"),
        ('"b", "c"]\nvary', '"b"]\nvary', r"\[data.wide\]: .*'time': 3 columns for 2"),
        ('chosen = "choice"\n', "", "'chosen', or 'ranked' in .data.wide., one of the two"),
        ('"chid"\n', '"chid"\nalternative = "a"\n', "'alternative' is for files with a row for"),
        ('"chid"\n', '"chid"\navailability = "a"\n', r"give the key 'availability' in \[data"),
        ('"price_{alternative}"', "3", "attribute 'price': expected a pattern such as"),
        ('["a", "b", "c"]\nvary', '"a"\nvary', "'alternatives': expected a list of labels"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_wide_file(write_wide: Write, old: str, new: str, words: str) -> None:
    path = write_wide(wide(), (old, new))
    with pytest.raises((DataError, SpecificationError), match=words):
        check_study(read_study(path))


def test_how_a_file_is_read_is_said_in_the_study(write_study: Write, tmp_path: Path) -> None:
    frame = choices().assign(zone="07")
    frame.to_csv(tmp_path / "choices.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    keys = 'file = "choices.csv"\nseparator = ";"\ndecimal = ","\nencoding = "cp1252"'
    path = write_study(('file = "choices.csv"', keys + '\nlabels = ["id", "zone"]'))
    data = check_study(read_study(path)).data
    own = choices().astype({"id": str}).sort_values(["id", "chid", "alt"])
    np.testing.assert_array_equal(data.attribute("price"), own["price"])
    assert data.persons.tolist()[:3] == ["0", "1", "10"]  # labels that are asked for stay text
    assert set(data.frame["zone"]) == {"07"}
    path = write_study(('file = "choices.csv"', keys + '\nlabels = ["zon"]'))
    with pytest.raises(
        SpecificationError, match=r"'file': labels=: .* no column 'zon'; did you mean"
    ):
        check_study(read_study(path))
    path = write_study(('file = "choices.csv"', 'file = "choices.csv"\ndecimal = ";"'))
    with pytest.raises(SpecificationError, match="key 'decimal': unknown value ';'"):
        read_study(path)


def test_value_labels_and_missing_codes_in_a_study(write_study: Write, tmp_path: Path) -> None:
    frame = choices()
    frame["alt"] = frame["alt"].map({"a": 1, "b": 2, "c": 3})
    frame["income"] = np.where(frame["id"] == 3, 99, frame["id"])
    labels: Any = {"alt": {1: "walk", 2: "bus", 3: "car"}, "choice": {0: "no", 1: "yes"}}
    ranges: Any = {"income": [99]}
    pyreadstat.write_sav(
        frame, tmp_path / "c.sav", variable_value_labels=labels, missing_ranges=ranges
    )
    built = check_study(read_study(write_study(("choices.csv", "c.sav"))))
    assert built.data.alternatives == ("walk", "bus", "car")
    assert "note: column 'income': 9 values are coded as missing in the file ('99')" in str(built)
    np.testing.assert_array_equal(built.data.attribute("price"), choices()["price"])


def test_studies_without_the_new_keys_are_the_studies_that_they_were(write_study: Write) -> None:
    """Run folders of earlier builds stay theirs: the hash knows only keys that are given."""
    study: Study = read_study(write_study())
    plain = subject_key(study)
    assert (
        subject_key(read_study(write_study(('"choice"\n', '"choice"\nlabels = ["id"]\n')))) != plain
    )
    assert (
        subject_key(read_study(write_study(('"choice"\n', '"choice"\ndecimal = "."\n')))) != plain
    )
