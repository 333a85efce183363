"""Value labels and coded missing values of statistical programs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadr
import pyreadstat
import pytest

import bayesmix as bm
from tests.arguments.things import LONG
from tests.data.surveys import MODES, coded


def labelled(frame: pd.DataFrame, path: Path) -> None:
    """A file with value labels, on choices too, as surveys have them."""
    labels: Any = {"alt": MODES, "choice": {0: "no", 1: "yes"}}
    if path.suffix == ".dta":
        pyreadstat.write_dta(frame, path, variable_value_labels=labels)
    elif path.suffix == ".sav":
        pyreadstat.write_sav(frame, path, variable_value_labels=labels)
    elif path.suffix == ".parquet":
        coded(frame).to_parquet(path)
    else:
        pyreadr.write_rds(path, coded(frame))


@pytest.mark.parametrize("name", ["a.dta", "a.sav", "a.parquet", "a.rds"])
def test_value_labels_are_categories_in_the_order_of_codes(
    frame: pd.DataFrame, plain: bm.ChoiceData, tmp_path: Path, name: str
) -> None:
    labelled(frame, tmp_path / name)
    data = bm.read_choices(tmp_path / name, **LONG)
    assert data.alternatives == ("walk", "bus", "car")
    np.testing.assert_array_equal(data.alternative_code, plain.alternative_code)
    np.testing.assert_array_equal(data.chosen_row, plain.chosen_row)
    table = bm.read_table(tmp_path / name)
    assert table["alt"].cat.categories.tolist() == ["walk", "bus", "car"]
    if name in ("a.dta", "a.sav"):
        assert table["choice"].cat.categories.tolist() == ["no", "yes"]
        codes = bm.read_table(tmp_path / name, codes=["alt", "choice"])
        assert codes["alt"].tolist() == frame["alt"].tolist()
        assert codes["alt"].dtype == np.int64


def test_labels_that_do_not_say_what_codes_do(tmp_path: Path) -> None:
    frame = pd.DataFrame({"some": [1.0, 2.5, 3.0], "twice": [1.0, 2.0, 3.0]})
    labels: Any = {"some": {1: "low", 3: "high"}, "twice": {1: "a", 2: "b", 3: "a"}}
    pyreadstat.write_sav(frame, tmp_path / "a.sav", variable_value_labels=labels)
    with pytest.warns(UserWarning, match="'some': its codes are read, for 2.5 has no") as said:
        table = bm.read_table(tmp_path / "a.sav")
    assert "'twice': its codes are read, for several of them are labelled 'a'" in str(
        said[0].message
    )
    assert table["some"].tolist() == [1.0, 2.5, 3.0]
    assert table["twice"].tolist() == [1, 2, 3]


def test_coded_missing_values_are_said(tmp_path: Path) -> None:
    price: Any = [1.5, "a", "z", None]
    stata = pd.DataFrame({"price": price})
    pyreadstat.write_dta(stata, tmp_path / "a.dta", missing_user_values={"price": ["a", "z"]})
    with pytest.warns(UserWarning, match=r"'price': 2 values are coded as .*\('\.a', '\.z'\)"):
        table = bm.read_table(tmp_path / "a.dta")
    np.testing.assert_array_equal(table["price"], [1.5, np.nan, np.nan, np.nan])
    spss = pd.DataFrame({"income": [3.0, 97.0, 98.0, 99.0], "town": ["A", "XX", "B", ""]})
    ranges: Any = {"income": [{"lo": 97, "hi": 98}, 99], "town": ["XX"]}
    labels: Any = {"income": {99: "refused"}}
    pyreadstat.write_sav(
        spss, tmp_path / "a.sav", missing_ranges=ranges, variable_value_labels=labels
    )
    with pytest.warns(UserWarning, match="'income': 3 values are coded") as said:
        table = bm.read_table(tmp_path / "a.sav")
    assert "('97', '98', '99 (refused)')" in str(said[0].message)
    assert "'town': 1 value is coded as missing in the file ('XX')" in str(said[0].message)
    np.testing.assert_array_equal(table["income"], [3.0, np.nan, np.nan, np.nan])
    assert table["town"].isna().tolist() == [False, True, False, True]


def test_value_labels_of_what_was_chosen_in_a_wide_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"mode": [2, 1], "bus_price": [2.0, 3.0], "car_price": [5.0, 4.0]})
    labels: Any = {"mode": {1: "bus", 2: "car"}}
    pyreadstat.write_sav(frame, tmp_path / "a.sav", variable_value_labels=labels)
    roles: Any = {"chosen": "mode", "varying": {"price": "{alternative}_price"}}
    data = bm.read_choices(tmp_path / "a.sav", alternatives=["bus", "car"], **roles)
    assert data.chosen_row.tolist() == [1, 2]
    codes = {1: "bus", 2: "car"}
    other = bm.read_choices(tmp_path / "a.sav", alternatives=codes, codes=["mode"], **roles)
    assert other.chosen_row.tolist() == [1, 2]
