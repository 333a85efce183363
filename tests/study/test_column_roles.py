"""Data files of studies: labels as they are written, nothing missing that is not said to be."""

import gzip
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError, SpecificationError
from bayesmix.study.build import check_study
from bayesmix.study.parse import read_study
from tests.study.conftest import choices

Write = Callable[..., Path]


def read(path: Path) -> ChoiceData:
    return check_study(read_study(path)).data


@pytest.fixture
def make(write_study: Write, tmp_path: Path) -> Callable[..., ChoiceData]:
    """`make(frame, ("old", "new"), ...)`: the study's data, read from a CSV file of the frame."""

    def made(frame: pd.DataFrame, *replacements: tuple[str, str], **settings: object) -> ChoiceData:
        path = write_study(*replacements)
        frame.to_csv(tmp_path / "choices.csv", index=False, **settings)
        return read(path)

    return made


def renamed(column: str, names: dict) -> pd.DataFrame:
    frame = choices()
    return frame.assign(**{column: frame[column].map(lambda label: names.get(label, label))})


def test_ids_of_digits_and_of_letters_in_one_file(write_study: Write, tmp_path: Path) -> None:
    """Long enough for pandas to read it in chunks, of which the first holds digits alone."""
    one = choices().assign(**{f"q{k}": 0 for k in range(80)})
    many = pd.concat([one.assign(id=one["id"] + 12 * k) for k in range(200)])
    late = many["id"] >= 2000  # who join for the last choice alone
    many["id"] = many["id"].astype(str).where(~late, "W" + many["id"].astype(str))
    many = many[~late | (many["chid"] == 2)].sort_values(["chid", "id", "alt"])
    path = write_study()
    many.to_csv(tmp_path / "choices.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        mixed = pd.read_csv(tmp_path / "choices.csv")
    assert mixed["id"].nunique() > 2400
    data = read(path)
    assert data.n_persons == 2400
    assert set(data.persons) == set(many["id"])
    roles = {"situation": "chid", "alternative": "alt", "chosen": "choice"}
    with pytest.raises(DataError, match=r"'id' holds both (\d+) and '\1', int and str: if they"):
        ChoiceData.from_long(mixed, person="id", **roles)


@pytest.mark.filterwarnings("ignore:column 'alt' has 'TRUE' and 'True'")
@pytest.mark.parametrize(
    ("names", "order"),
    [
        ({0: "0001", 1: "00001", 2: "1"}, ["00001", "0001", "1"]),
        ({0: "1.1", 1: "1.10", 2: "1.0"}, ["1.0", "1.1", "1.10"]),
        ({0: "+1", 1: "1", 2: "1e3"}, ["+1", "1", "1e3"]),
        ({0: "9007199254740992", 1: "9007199254740993", 2: "2"}, [2, 2**53, 2**53 + 1]),
        ({0: "12345678901234567890", 1: "12345678901234567891", 2: "5"}, None),
        ({0: "True", 1: "TRUE", 2: "true"}, ["TRUE", "True", "true"]),
        ({0: "10", 1: "2", 2: "1"}, [1, 2, 10]),
        ({0: "10.5", 1: "2.0", 2: "1.0"}, [1.0, 2.0, 10.5]),
    ],
)
def test_labels_are_what_is_written(
    make: Callable[..., ChoiceData], names: dict, order: list | None
) -> None:
    """As situations and as alternatives, in the order that numbers have."""
    data = make(renamed("chid", names))
    assert data.n_situations == 36
    found = list(dict.fromkeys(data.situations.get_level_values(1)))
    assert found == (order or sorted(names.values()))
    other = dict(zip("abc", names.values(), strict=True))
    assert list(make(renamed("alt", other)).alternatives) == (order or sorted(names.values()))


@pytest.mark.parametrize(
    "name", ["None", "NA", "N/A", "nan", "NaN", "null", "NULL", "n/a", "-", "inf"]
)
def test_a_name_is_no_missing_value(make: Callable[..., ChoiceData], name: str) -> None:
    data = make(renamed("alt", {"b": name}))
    assert set(data.alternatives) == {"a", name, "c"}
    level = choices().assign(brand=np.tile(["x", name, "y"], 36))
    level["brand"] = np.random.default_rng(3).permutation(level["brand"])
    coded = ('"price + time"', '"price + time + C(brand)"')
    assert set(make(level, coded).frame["brand"]) == {"x", name, "y"}


def test_gz_is_read_alike(write_study: Write, tmp_path: Path) -> None:
    path = write_study(("choices.csv", "choices.csv.gz"))
    frame = renamed("id", {1: "01", 2: "NA"})
    with gzip.open(tmp_path / "choices.csv.gz", "wt") as file:
        frame.to_csv(file, index=False)
    assert {"01", "NA"} <= set(read(path).persons)
    (tmp_path / "choices.csv.gz").write_bytes((tmp_path / "choices.csv.gz").read_bytes()[:90])
    with pytest.raises(SpecificationError, match=r"is not a readable \.csv\.gz file"):
        read(path)


def test_what_is_missing_is_said(make: Callable[..., ChoiceData]) -> None:
    frame = choices().assign(here=1)
    frame.loc[4, "here"] = 0
    frame["choice"] = (np.arange(108) % 3 == 0).astype(int)
    frame["price"] = frame["price"].astype(str)
    frame.loc[4, "price"] = ""
    here = ('chosen = "choice"', 'chosen = "choice"\navailability = "here"')
    assert make(frame, here).rows_left_out == 1
    frame.loc[4, "price"] = "NA"
    assert make(frame, here).attribute("price").shape == (107,)
    frame.loc[5, "price"] = "NA"
    with pytest.raises(DataError, match=r"'price' is not numeric: it holds 'NA' in 1 of 107 rows"):
        make(frame, here)
    listed = (here[0], here[1] + '\nmissing = ["NA", "-99"]')
    with pytest.raises(DataError, match=r"'price' is missing in 1 of 107 rows .*\(row 5\)"):
        make(frame, listed)


def test_text_among_numbers_is_named(make: Callable[..., ChoiceData]) -> None:
    frame = choices()
    frame["time"] = frame["time"].astype(str)
    frame.loc[[7, 9], "time"] = ["1,5", "n/a"]
    with pytest.raises(
        DataError, match=r"'time' is not numeric: it holds '1,5', 'n/a' in 2 of 108"
    ) as e:
        make(frame)
    assert "rows 7, 9" in str(e.value)
    assert "missing = [...] in the [data]" in str(e.value)
    frame = choices().assign(w="1.0")
    frame.loc[3, "w"] = "NA"
    heavy = ('chosen = "choice"', 'chosen = "choice"\nweights = "w"')
    with pytest.raises(
        SpecificationError, match=r"key 'weights': column 'w' holds 'NA' in 1 of 108"
    ):
        make(frame, heavy)


@pytest.mark.parametrize(
    "words", [("TRUE", "FALSE"), ("True", "False"), ("true", "false"), (1, 0), ("1.0", "0.0")]
)
def test_how_choices_are_written(make: Callable[..., ChoiceData], words: tuple) -> None:
    frame = choices()
    frame["choice"] = np.where(frame["choice"] == 1, *words)
    plain = make(choices())
    data = make(frame)
    assert data.chosen_row.tolist() == plain.chosen_row.tolist()
    frame["choice"] = frame["choice"].replace(str(words[0]), "yes")
    if isinstance(words[0], str):
        with pytest.raises(SpecificationError, match="key 'chosen': column 'choice' holds 'yes'"):
            make(frame)


def test_numbers_stay_numbers(make: Callable[..., ChoiceData]) -> None:
    """Digit by digit, a boolean as 0 and 1, categories that are whole numbers by value."""
    frame = choices().assign(size=np.tile([10, 9, 1], 36), feat=np.tile([True, False, True], 36))
    data = make(frame, ('"price + time"', '"price + time + C(size)"'))
    plain = frame.sort_values(["id", "chid", "alt"])
    np.testing.assert_array_equal(data.attribute("price"), plain["price"])
    np.testing.assert_array_equal(data.attribute("feat"), plain["feat"])
    assert data.frame["size"].dtype == np.int64
    codes = frame.assign(size=np.tile(["010", "9", "10"], 36))
    coded = make(codes, ('"price + time"', '"price + time + C(size)"'))
    assert set(coded.frame["size"]) == {"010", "9", "10"}


def test_a_heading_that_does_not_fit(write_study: Write, tmp_path: Path) -> None:
    path, file = write_study(), tmp_path / "choices.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], *(line + "," for line in lines[1:])]))
    with pytest.raises(SpecificationError, match="one field more than its heading"):
        read(path)
    file.write_text("\n".join([lines[0] + ",price", *(line + ",1" for line in lines[1:])]))
    with pytest.raises(SpecificationError, match="columns of the same name: 'price'; rename one"):
        read(path)
    file.write_text("")
    with pytest.raises(SpecificationError, match=r"is not a readable \.csv file"):
        read(path)


def test_parquet_has_types_of_its_own(write_study: Write, tmp_path: Path) -> None:
    frame = choices().astype({"id": str}).set_index("chid")
    frame.to_parquet(tmp_path / "choices.parquet")
    path = write_study(("choices.csv", "choices.parquet"))
    data = read(path)
    assert data.persons.tolist()[:3] == ["0", "1", "10"]
    assert data.frame["chid"].dtype == np.int64
    path = write_study(("choices.csv", "choices.parquet"), ('"id"', '"id"\nmissing = ["NA"]'))
    with pytest.raises(
        SpecificationError, match="'missing' is for files of 'delimited text', 'Excel'"
    ):
        read(path)


def test_a_column_of_categories_and_of_numbers(make: Callable[..., ChoiceData]) -> None:
    """1.50 is a label within C() and a number outside of it, where no two labels are one number."""
    frame = choices()
    frame["size"] = [f"{v:.2f}" for v in 0.5 + (frame.index * 7 % 5)]
    formula = ('formula = "price + time"', 'formula = "price + time + C(alt):size + C(size):time"')
    data = make(frame, formula)
    assert data.frame["size"].dtype == float
    text = make(frame, (formula[0], 'formula = "price + time + C(size):time"'))
    assert sorted(text.frame["size"].unique()) == ["0.50", "1.50", "2.50", "3.50", "4.50"]


def test_what_is_compared_with_text_is_text(make: Callable[..., ChoiceData]) -> None:
    frame = choices()
    frame["zone"] = frame.index % 3 + 10
    formula = "formula = \"price + time + {(zone == '10') * price}\""
    found = make(frame, ('formula = "price + time"', formula)).frame["zone"]
    assert sorted(found.unique()) == ["10", "11", "12"]


@pytest.mark.parametrize(("separator", "words"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators(make: Callable[..., ChoiceData], separator: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=f"are separated by {words}; expected commas"):
        make(choices(), sep=separator)


def test_choices_that_say_yes(make: Callable[..., ChoiceData]) -> None:
    frame = choices()
    frame["choice"] = frame["choice"].map({0: "no", 1: "yes"})
    with pytest.raises(
        SpecificationError, match=r"'choice' holds '.*expected 1 and 0, or true and"
    ):
        make(frame)


def test_a_study_speaks_of_no_argument_that_it_lacks(make: Callable[..., ChoiceData]) -> None:
    formula = 'formula = "price + time + {open(price)}"'
    with pytest.raises(SpecificationError, match="a study runs no code") as refused:
        make(choices(), ('formula = "price + time"', formula))
    assert "trust" not in str(refused.value)


def test_a_wide_file_is_told_from_a_long_one(make: Callable[..., ChoiceData]) -> None:
    with pytest.raises(SpecificationError, match=r"'alternative' is missing: .*from_wide"):
        make(choices(), ('alternative = "alt"', ""))
