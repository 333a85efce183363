"""What is guessed of data files, and the studies that are written of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

import bayesmix as bm
from bayesmix.cli import app
from bayesmix.errors import DataError, SpecificationError
from bayesmix.study import inspect_file, new_study
from bayesmix.study.new import quote
from tests.study.conftest import choices, wide
from tests.study.new_studies import checked, written


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("c.csv", {}),
        ("c.csv", {"sep": ";", "decimal": ","}),
        ("c.csv", {"sep": "\t", "encoding": "utf-16"}),
        ("c.dat", {"sep": "\t"}),
        ("c.xlsx", {}),
    ],
)
def test_a_long_file(tmp_path: Path, name: str, settings: dict[str, object]) -> None:
    frame = choices().round(12)
    built = checked(written(frame, tmp_path / name, **settings))
    data = built.data
    assert (data.person, data.situation, data.alternative) == ("id", "chid", "alt")
    assert data.chosen == "choice"
    assert built.model.formula == "price + time + C(alt)"
    np.testing.assert_array_equal(data.attribute("price"), frame["price"])
    text = (tmp_path / "c.toml").read_text()
    assert 'person = "id"  # it has several situations' in text
    assert ('decimal = ","  # numbers are written as 1,5' in text) == ("decimal" in settings)


def test_bytes_and_words_for_nothing(tmp_path: Path) -> None:
    frame = choices().assign(town="Köln")
    frame["income"] = [("NA" if who == 3 else f"{who}.5") for who in frame["id"]]
    file = written(frame, tmp_path / "c.csv", sep=";", encoding="cp1252")
    built = checked(file)
    assert set(built.data.frame["town"]) == {"Köln"}
    text = (tmp_path / "c.toml").read_text()
    for line in ('encoding = "cp1252"', 'separator = ";"', 'missing = ["NA"]  # these stand among'):
        assert line in text
    assert "income' is missing in 9 rows" in text


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("pattern", ["{attribute}_{alt}", "{alt}_{attribute}", "{attribute}.{alt}"])
def test_a_wide_file(tmp_path: Path, codes: bool, pattern: str) -> None:
    frame = wide(codes).rename(
        columns=lambda c: pattern.format(attribute=c[:-2], alt=c[-1]) if c[-2:-1] == "_" else c
    )
    built = checked(written(frame, tmp_path / "w.csv"))
    data = built.data
    assert data.alternatives == ("a", "b", "c")
    assert data.person == "id"
    assert data.rows_left_out == 1
    chosen = data.frame["alternative"].to_numpy()[data.chosen_row]
    own = wide().sort_values("id", kind="stable")  # as persons are: their labels are text
    assert chosen.tolist() == own["choice"].tolist()
    price = own[["price_a", "price_b", "price_c"]].to_numpy()
    price[own["av_c"] == 0, 2] = np.nan
    np.testing.assert_array_equal(data.attribute("price"), price[np.isfinite(price)])
    text = (tmp_path / "w.toml").read_text()
    assert ("LOOK whether they mean this" in text) == codes


@pytest.mark.parametrize("label", ["none", "Opt-out"])
def test_an_outside_option_of_a_wide_file(tmp_path: Path, label: str) -> None:
    frame = wide()
    frame.loc[::4, "choice"] = label
    data = checked(written(frame, tmp_path / "w.csv")).data
    assert data.alternatives == ("a", "b", "c")
    assert data.outside_option
    own = frame.sort_values("id", kind="stable")["choice"].to_numpy()
    assert np.flatnonzero(data.chosen_row == -1).tolist() == np.flatnonzero(own == label).tolist()
    assert f'outside_label = "{label}"' in (tmp_path / "w.toml").read_text()


@pytest.mark.parametrize("code", [0, "maybe"])
def test_what_is_not_called_an_outside_option_is_not_guessed_to_be_one(
    tmp_path: Path, code: object
) -> None:
    """0 may be no answer: the remedy names the argument, and no study is written."""
    frame = wide(codes=code == 0)
    frame.loc[::4, "choice"] = code
    found = inspect_file(written(frame, tmp_path / "w.csv"))
    assert found.data is None
    assert "outside_label" not in found.guess.roles
    if code == 0:
        assert any("outside_label='0'" in one for one in found.suspicions)


def test_names_of_alternatives_tell_more_than_numbers_of_something_else(tmp_path: Path) -> None:
    """Three classes of income are no choice among three."""
    frame = wide().rename(columns={"choice": "mode"})
    frame.insert(1, "income", np.arange(len(frame)) % 3 + 1)
    built = checked(written(frame, tmp_path / "w.csv"))
    assert built.study.data.chosen == "mode"


def test_an_attribute_that_some_alternatives_lack_is_0_there(tmp_path: Path) -> None:
    frame = wide().drop(columns="time_a")
    data = checked(written(frame, tmp_path / "w.csv")).data
    time = data.frame.set_index("alternative")["time"]
    assert (time["a"] == 0).all()
    assert (time["b"] == frame.sort_values("id", kind="stable")["time_b"].to_numpy()).all()


def test_availability_and_an_outside_option(tmp_path: Path) -> None:
    frame = choices().assign(av=1)
    frame.loc[frame.index[frame["choice"] == 0][0], "av"] = 0
    frame.loc[frame["chid"] == 2, "choice"] = 0
    data = checked(written(frame, tmp_path / "c.csv")).data
    assert data.outside_option
    assert data.rows_left_out == 1
    assert (data.chosen_row == -1).sum() == 12


def test_what_is_suspicious(tmp_path: Path) -> None:
    frame = choices().assign(wave=4, age=np.where(choices()["id"] == 1, -99, choices()["id"]))
    frame["zip"] = [f"{k:05d}" for k in range(len(frame))]
    frame.loc[frame["chid"] == 2, "choice"] = 0
    frame.loc[5, "time"] = np.nan
    found = inspect_file(written(frame, tmp_path / "c.csv"))
    for words in (
        "column 'wave' is constant: 4",
        "column 'age' holds -99 in 9 rows: is this a code for a missing value?",
        "12 of 36 sets have no choice: an outside option, or no answer?",
        "column 'time' is missing in 1 rows (rows 5)",
        "numbers of 'zip' begin with 0, such as '00000': they are read as text",
        "equal within every set: 'age'",
    ):
        assert any(words in one for one in found.suspicions), (words, found.suspicions)
    assert found.columns.loc["zip", "type"] == "text"
    assert found.columns.loc["price", "type"] == "number"
    assert found.columns.loc["alt", "role"] == "alternative"
    assert found.columns.loc["time", "missing"] == 1
    assert str(found) in found._repr_html_().replace("&#x27;", "'").replace("&quot;", '"')


def test_choices_with_value_labels_and_tasks_of_a_wide_file(tmp_path: Path) -> None:
    path = tmp_path / "c.sav"
    labels = {"choice": {0: "no", 1: "yes"}}
    pyreadstat.write_sav(choices(), path, variable_value_labels=labels)
    found = inspect_file(path)
    assert found.guess.roles["chosen"] == "choice"
    assert found.options.codes == ("choice",)
    assert found.data is not None
    assert found.data.chosen_row.tolist() == np.flatnonzero(choices()["choice"]).tolist()
    frame = wide().drop(columns="chid").assign(task=np.tile([1, 2, 3], 12))
    frame["id"] = np.arange(len(frame)) // 3
    roles = inspect_file(written(frame, tmp_path / "w.csv")).guess.roles
    assert (roles["person"], roles["situation"]) == ("id", "task")


def test_files_that_are_no_choices(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(9.0) + 0.5, "y": list("abcabcabc")})
    file = written(frame, tmp_path / "c.csv")
    assert inspect_file(file).guess.layout == ""
    with pytest.raises(DataError, match="no roles guessed: look at it"):
        new_study(file)
    with pytest.raises(SpecificationError, match="argument 'path' must be the path of a data file"):
        inspect_file(5)  # type: ignore[arg-type]
    assert not (tmp_path / "c.toml").exists()


def test_a_study_that_is_there_stays(tmp_path: Path) -> None:
    file = written(choices(), tmp_path / "c.csv")
    study = tmp_path / "c.toml"
    study.write_text("mine")
    run = CliRunner()
    said = run.invoke(app, ["new", str(file)])
    assert said.exit_code == 2
    assert "is there already: give another name (--out), or remove it first" in said.stderr
    assert study.read_text() == "mine"
    said = run.invoke(app, ["new", str(file), "--out", str(tmp_path / "other.toml")])
    assert said.exit_code == 0
    assert "next: bayesmix check" in said.stdout
    assert run.invoke(app, ["check", str(tmp_path / "other.toml")]).exit_code == 0
    assert run.invoke(app, ["new", str(file), "--force"]).exit_code == 0
    assert study.read_text() != "mine"
    said = run.invoke(app, ["inspect", str(file)])
    assert said.exit_code == 0
    assert "guessed: one row an alternative (long)" in said.stdout
    assert run.invoke(app, ["inspect", str(tmp_path / "absent.csv")]).exit_code == 2


def test_text_of_toml() -> None:
    value = {"a b": ['c"d', "e\\f", "g\th"], "n": [0, 1.5, True]}
    tomllib = pytest.importorskip("tomllib")
    assert tomllib.loads(f"x = {quote(value)}")["x"] == value


ROLES = {
    "electricity": ("id", "chid", "alt", "choice"),
    "yogurt": ("id", "chid", "alt", "choice"),
    "fishing": (None, "id", "alt", "choice"),
    "camera": ("id", "task", "alt", "choice"),
    "swissmetro": ("id", "obs", "alt", "choice"),
}


@pytest.mark.parametrize("name", ROLES)
def test_roles_of_published_data(
    shared_data: Callable[[str], pd.DataFrame], tmp_path: Path, name: str
) -> None:
    frame = shared_data(name)
    people = frame["id"].unique()[:60]
    found = inspect_file(written(frame[frame["id"].isin(people)], tmp_path / "c.csv"))
    roles = found.guess.roles
    keys = ("person", "situation", "alternative", "chosen")
    assert tuple(roles.get(key) for key in keys) == ROLES[name]
    assert roles.get("availability") == ("avail" if name == "swissmetro" else None)


def test_published_data_in_a_wide_file(
    shared_data: Callable[[str], pd.DataFrame], tmp_path: Path
) -> None:
    """The same multinomial logit from one row a situation, semicolons and decimal commas."""
    long = shared_data("fishing")
    frame = long.pivot(index="id", columns="alt", values=["price", "catch"])
    frame.columns = [f"{name}.{alt}" for name, alt in frame.columns]
    frame["mode"] = long[long["choice"] == 1].set_index("id")["alt"]
    file = written(frame.reset_index(), tmp_path / "f.csv", sep=";", decimal=",")
    built = checked(file)
    roles = {"person": None, "situation": "id", "alternative": "alt", "chosen": "choice"}
    other = bm.msle(bm.MixedLogit("price + catch + C(alt)"), bm.ChoiceData.from_long(long, **roles))
    assert bm.msle(built.model, built.data).loglik == pytest.approx(other.loglik, abs=1e-9)


def test_decimal_commas_beside_words_for_nothing(tmp_path: Path) -> None:
    """Other columns in which such a word may be a label are named."""
    path = tmp_path / "a.csv"
    path.write_text("id;price;region\n1;1,5;NA\n1;NA;EU\n2;2,5;EU\n", encoding="utf-8")
    found = inspect_file(path)
    assert found.options.decimal == ","
    assert found.frame["price"].dropna().tolist() == [1.5, 2.5]
    assert "in 'region' too" in found.why["missing"]


def test_examples_of_a_column_are_not_cut_in_a_number(tmp_path: Path) -> None:
    columns = {
        "price": [1.0247676072735352, 4.899715938358787, 3.3333333333],
        "note": ["a" * 50, "b", "c"],
        "code": [12345678901234567, 12345678901234568, 12345678901234569],
    }
    found = inspect_file(written(pd.DataFrame(columns), tmp_path / "c.csv")).columns["examples"]
    assert found["price"] == "1.02477, 4.89972, 3.33333"
    assert found["note"] == "a" * 37 + "..."
    assert found["code"] == "12345678901234567, 12345678901234568"
