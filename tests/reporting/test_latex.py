"""LaTeX of every result: structure, escapes, levels of rows and columns, notes."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.data.booktabs import escape
from bayesmix.errors import SpecificationError
from tests.simulated import simulated


@cache
def fits():
    data = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 0.5, "fixed[y]": -0.6}, 60, 2, seed=1)
    return bm.msle(bm.MixedLogit("x + y"), data), bm.msle(bm.MixedLogit("x"), data)


@pytest.fixture
def diversion():
    coords = {"segment": ["a", "b"], "origin": ["x_1", "y"], "destination": ["x_1", "y", "outside"]}
    matrix = np.array([[0.0, 0.7, 0.3], [0.6, 0.0, 0.4]])
    values = np.stack([matrix, np.flip(matrix)])
    ends = {"estimate": values, "low": values - 0.1, "high": values + 0.1}
    return xr.Dataset({name: (list(coords), v) for name, v in ends.items()}, coords)


def rows(text):
    """Cells of every line of the table that ends as one."""
    lines = [line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r" \\")]
    return [line.split(" & ") for line in lines if "footnotesize" not in line]


def test_a_fit_is_its_own_table_with_further_notes():
    fit, _ = fits()
    own = fit.to_latex(digits=2, caption="c", label="t:c").splitlines()
    text = bm.to_latex(fit, digits=2, caption="c", label="t:c", notes=["Both."]).splitlines()
    assert [line for line in text if line not in own] == [
        r"\multicolumn{6}{p{0.9\linewidth}}{\footnotesize Both.} \\"
    ]
    assert len(text) == len(own) + 1


def test_results_of_demand_have_their_dimensions_by_row(diversion):
    text = bm.to_latex(diversion, digits=1, caption="50 % of a_b", label="t:d")
    lines = text.splitlines()
    assert lines[2:4] == [r"\caption{50 \% of a\_b}", r"\label{t:d}"]
    assert r"\begin{tabular}{llrrr}" in lines
    head, *body = rows(text)
    assert head == ["segment", "origin", r"x\_1", "y", "outside"]
    assert body[0] == [
        "a", r"x\_1", r"0.0 {[}$-$0.1, 0.1]", "0.7 {[}0.6, 0.8]", "0.3 {[}0.2, 0.4]",
    ]  # fmt: skip
    assert [cells[:2] for cells in body] == [
        ["a", r"x\_1"], ["a", "y"], ["b", r"x\_1"], ["b", "y"],
    ]  # fmt: skip
    assert lines[-1] == r"\end{table}"
    missing = bm.to_latex(diversion.where(diversion["origin"] == "y"))
    assert rows(missing)[1][2:] == ["", "", ""]


def test_a_comparison_has_two_lines_of_heading():
    fit, other = fits()
    text = bm.to_latex(bm.compare({"MSLE": fit, "logit_0": other}), notes=["By person."])
    top, names, *body = rows(text)
    assert top == ["", r"\multicolumn{2}{c}{MSLE}", r"\multicolumn{2}{c}{logit\_0}"]
    assert names == ["parameter", *["estimate", "std error"] * 2]
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}" in text
    missing = next(cells for cells in body if cells[0] == "fixed{[}y]")
    assert missing[3:] == ["", ""]
    assert r"\multicolumn{5}{p{0.9\linewidth}}{\footnotesize By person.} \\" in text


def test_levels_of_rows_and_of_columns_are_counted_together():
    names = pd.MultiIndex.from_product([["a"], ["x", "y"]], names=["group", None])
    both = pd.MultiIndex.from_product([["A", "B"], ["n"]])
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=names, columns=both)
    top, under, first, _ = rows(bm.to_latex(frame, digits=0, notes=["n."]))
    assert top == ["", "", r"\multicolumn{1}{c}{A}", r"\multicolumn{1}{c}{B}"]
    assert under == ["group", "", "n", "n"]
    assert first == ["a", "x", "1", "2"]
    assert r"\cmidrule(lr){3-3} \cmidrule(lr){4-4}" in bm.to_latex(frame)
    assert r"\multicolumn{4}{p" in bm.to_latex(frame, notes=["n."])


def test_a_test_has_its_null_below():
    test = bm.wald_test(fits()[0], "fixed[x] = 0")
    text = bm.to_latex(test, digits=3)
    head, body = rows(text)
    assert head == ["", "statistic", "law", "p-value"]
    assert body[0] == "Wald"
    assert float(body[1]) == pytest.approx(test.statistic, abs=6e-4)
    assert float(body[3]) == pytest.approx(test.p_value, rel=6e-3) != 0.0
    assert r"\footnotesize Null hypothesis: " in text


def test_words_and_signs():
    frame = pd.DataFrame({"n": [3], "note": ["50 % of $x_1^2$ {~}"], "v": [-0.25]}, index=["[a]"])
    assert rows(bm.to_latex(frame, digits=1))[1] == [
        "{[}a]", "3", r"50 \% of \$x\_1\textasciicircum{}2\$ \{\textasciitilde{}\}", "$-0.2$",
    ]  # fmt: skip
    assert escape("a\\b#") == r"a\textbackslash{}b\#"
    assert bm.to_latex(frame).startswith(r"\begin{tabular}{lrlr}")
    text = pd.DataFrame({"a": ["-1.5 [-2, -.5]", "2020-01-02", "1-3", None]})
    assert [cells[1] for cells in rows(bm.to_latex(text))[1:]] == [
        r"$-$1.5 {[}$-$2, $-$.5]", "2020-01-02", "1-3", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "words"),
    [(3, "got int"), (xr.Dataset({"mean": 1.0}), r"Dataset of \['mean'\]; make a table")],
)
def test_anything_else_is_refused(what, words):
    with pytest.raises(SpecificationError, match=words):
        bm.to_latex(what)
