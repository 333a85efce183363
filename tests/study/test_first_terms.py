"""Terms of the first study of a file: what is an attribute, and why other columns are none."""

from pathlib import Path

from bayesmix.study import inspect_file, new_study
from tests.study.conftest import choices
from tests.study.new_studies import checked, written


def test_names_and_numbers_of_alternatives_are_no_attributes(tmp_path: Path) -> None:
    frame = choices()
    number = frame["alt"].map({"a": 3, "b": 1, "c": 2})
    frame = frame.assign(number=number, twice=2 * frame["price"], fare=frame["time"])
    frame = frame.rename(columns={"fare": "the fare"}).drop(columns="time")
    built = checked(written(frame, tmp_path / "c.csv"))
    assert built.model.formula == "price + `the fare` + C(alt)"
    text = (tmp_path / "c.toml").read_text()
    assert "# not number: it is a name or number of alternatives: C(alt)" in text
    assert "# not twice: the terms before tell" in text


def test_alternatives_tell_what_their_firms_would_and_not_the_other_way_round(
    tmp_path: Path,
) -> None:
    frame = choices()
    frame.insert(0, "firm", frame["alt"].map({"a": "F", "b": "F", "c": "G"}))
    built = checked(written(frame, tmp_path / "c.csv"))
    assert built.model.formula == "price + time + C(alt)"
    assert "# not firm: C(alt) tells what it would" in (tmp_path / "c.toml").read_text()


def test_numbers_that_are_text_for_a_few_rows_are_said(tmp_path: Path) -> None:
    frame = choices().astype({"price": object})
    frame.loc[[2, 5], "price"] = ["3,20", "unknown"]
    file = written(frame, tmp_path / "c.csv")
    why = "text, for 2 of 108 rows are no numbers: '3,20', 'unknown' (rows 2, 5)"
    assert f"column 'price' is {why}" in inspect_file(file).suspicions
    assert f"# not price: it is {why}: mend them" in new_study(file)[0].read_text()
