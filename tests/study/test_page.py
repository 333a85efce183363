"""The page of a run: whatever its folder holds is on it, in the same numbers."""

import base64
from functools import cache
from html import escape

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.document.stored_rows import stored_rows
from bayesmix.reporting.demand_tables import cell
from bayesmix.study.page import HEADINGS, run_page
from tests.study.demand_study import opened


@cache
def html() -> str:
    return run_page(opened(), progress=False).html


def test_every_number_of_every_table_is_on_the_page() -> None:
    tables = {name: table for name, table in opened().tables.items() if name in HEADINGS}
    assert {"shares", "surplus", "scenarios", "markups", "pass_through", "constants"} < set(tables)
    for name, table in tables.items():
        if name == "constants":
            assert f"{table['constant'].iloc[0]:.4f}" in html()
            continue
        if name == "notes":
            assert all(escape(note) in html() for note in table["note"])
            assert table["note"].str.contains("Lerner indices are above 1").all()
            continue
        rows = table[["estimate", "low", "high"]].to_numpy()
        missing = [
            row for row in rows if (words := cell(*row)) and f"<td>{words}</td>" not in html()
        ]
        assert not missing, name


def test_every_other_table_and_text_is_on_the_page() -> None:
    run = opened()
    rest = set(run.tables) - set(HEADINGS)
    assert rest == {"comparison", "diagnostics"}  # of which sections are made anew
    assert {"estimates", "diagnostics"} <= {
        a for a in ("estimates", "diagnostics") if f'id="{a}"' in html()
    }
    assert escape(run.files["summary.txt"].read_text(), quote=True) in html()
    lines = run.files["demand.txt"].read_text().split("\n\n")
    assert len(lines) > 10
    for block in lines:
        heading = block.partition("\n")[0]
        words = escape(heading[:1].upper() + heading[1:])
        assert words in html(), heading


def test_pictures_of_the_run_are_on_the_page() -> None:
    drawn = [file for file in opened().files if file.endswith(".png")]
    assert {"trace-importance.png", "diversion.png", "elasticities.png"} < set(drawn)
    for file in drawn:
        code = base64.b64encode(opened().files[file].read_bytes()).decode()
        assert (code in html()) == (file != "forest.png"), file  # which is drawn anew


def test_demand_is_said_with_units_and_intervals() -> None:
    text = opened().files["demand.txt"].read_text()
    assert "consumer surplus of a choice situation, in units of price" in text
    assert "scenario 'no 3', change of the consumer surplus" in text
    headings = [block.partition("\n")[0] for block in text.split("\n\n")]
    assert all("95 % intervals" in one or "constants" in one for one in headings)
    assert "\nconsumer surplus " in text


def test_labels_that_are_numbers_stay_as_they_are_beside_tables_without_them() -> None:
    products = opened().tables["scenarios"].query("part == 'products'")["product"]
    assert set(products) == {"1", "2", "3", "new"}


def test_rows_of_one_number_have_no_columns_of_labels() -> None:
    one = pd.DataFrame({"estimate": [0.5], "low": [0.4], "high": [np.nan], "firm": [np.nan]})
    assert "<td>0.500 [0.400, nan]</td>" in stored_rows(one)
    assert "firm" not in stored_rows(one)


def test_a_page_is_of_an_opened_run() -> None:
    with pytest.raises(bm.SpecificationError, match="an opened run, from"):
        run_page(bm.examples.electricity())  # type: ignore[arg-type]
