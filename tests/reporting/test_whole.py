"""No digit is cut, at any width: columns that find no place follow below."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix.data.display import Table, html, whole
from bayesmix.reporting.compare import compare
from bayesmix.reporting.demand_tables import demand_table
from bayesmix.reporting.tables import blocks, print_whole

WIDTHS = ["20", "40", "80", "200"]
NUMBERS = re.compile(r"-?\d+\.\d+")


def table(columns=9):
    values = np.random.default_rng(1).normal(size=(3, columns)) * 1000
    labels = [(f"METHOD {n // 3}", ("estimate", "std error", "difference")[n % 3])
              for n in range(columns)]  # fmt: skip
    return pd.DataFrame(
        values,
        index=pd.Index(["mean[price]", "corr[price, quality]", "sd[time]"], name="parameter"),
        columns=pd.MultiIndex.from_tuples(labels),
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_command_lines_table_has_every_digit(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", width)
    print_whole(table())
    text = capsys.readouterr().out
    assert "…" not in text
    assert sorted(NUMBERS.findall(text)) == sorted(f"{v:.4f}" for v in table().to_numpy().ravel())
    for name in table().index:
        assert name in text
    for method in ("METHOD 0", "METHOD 1", "METHOD 2"):
        assert method in text
    if int(width) >= 40:
        assert max(map(len, text.splitlines())) <= int(width)


def test_brackets_are_no_markup(capsys):
    words = pd.DataFrame({"fit [bold]": ["known [dim]"]}, index=["mean[price]"])
    print_whole(words, title=None)
    text = capsys.readouterr().out
    for whole_word in ("fit [bold]", "known [dim]", "mean[price]"):
        assert whole_word in text


def test_each_block_repeats_the_label_above_its_columns():
    parts = blocks(table(), 50)
    assert len(parts) > 1
    assert sum(part.shape[1] for part in parts) == 9
    assert list(pd.concat(parts, axis="columns").columns) == list(table().columns)


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_that_are_returned_print_every_digit(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    shown = Table(table().rename_axis(None))
    with pd.option_context("display.max_columns", 3, "display.max_rows", 1, "display.width", 20):
        text = str(shown)
        page = shown._repr_html_()
    assert "..." not in text + page
    for text_ in (text, page):
        found = [float(v) for v in NUMBERS.findall(text_)]
        np.testing.assert_allclose(np.sort(found), np.sort(table().to_numpy().ravel()), rtol=1e-5)
    assert isinstance(shown.iloc[:, :2], Table)
    assert whole(table(), "{:.4f}") == whole(Table(table()), "{:.4f}")


def test_long_words_stand_whole_in_html():
    words = "not known: its series has not converged, or a law is too wide for it"
    assert words in html(pd.DataFrame({"note": [words]}))


def demand(labels):
    n = len(labels)
    matrix = np.random.default_rng(1).uniform(size=(n, n))
    ends = {"estimate": matrix, "low": matrix - 0.01, "high": matrix + 0.01}
    dims = ("origin", "destination")
    return xr.Dataset({k: (dims, v) for k, v in ends.items()}, dict.fromkeys(dims, labels))


def test_four_alternatives_are_all_there(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found = demand_table(demand(["bus", "car", "rail", "walking"]), digits=3)
    with pd.option_context("display.max_columns", 2):
        text = str(found)
    assert "..." not in text
    assert len(re.findall(r"\[-?\d\.\d{3}, \d\.\d{3}\]", text)) == 16


def test_a_comparison_has_blanks_and_no_nan(posterior, fit):
    found = compare({"NUTS": posterior, "MSLE": fit}, differences=True)
    assert found.isna().to_numpy().any()
    for text in (str(found), found._repr_html_()):
        assert "NaN" not in text
        assert "nan" not in text
