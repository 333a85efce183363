"""Tables in LaTeX: structure, escapes, two levels of columns, notes."""

from functools import cache

import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.latex import escape
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.LogNormal("x"))
AT = {"mean[x]": 0.0, "sd[x]": 0.6, "fixed[y]": -0.6}


@cache
def data():
    frame = simulated(MODEL, AT, 90, 5, seed=1).frame
    return choice_data(frame.assign(city_code=frame["who"] % 9))


@cache
def fit():
    return bm.msle(MODEL, data(), grid=bm.gauss_hermite(9), starts=1)


def rows(text):
    """Cells of every line of the table that ends as one."""
    lines = [line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r" \\")]
    return [line.split(" & ") for line in lines if "footnotesize" not in line]


def test_the_table_is_the_summary():
    text = fit().to_latex(digits=4)
    head, *body = rows(text)
    summary = fit().summary()
    assert head == ["", "estimate", "std error", "z", r"2.5 \%", r"97.5 \%"]
    assert [cells[0].replace("{[}", "[") for cells in body] == list(summary.index)
    for cells, values in zip(body, summary.to_numpy(), strict=True):
        found = [float(cell.strip("$")) for cell in cells[1:]]
        assert found == pytest.approx(values, abs=6e-5)
    assert text.startswith("\\begin{tabular}{lrrrrr}\n\\toprule")
    assert text.count("\\midrule") == text.count("\\bottomrule") == 1
    assert text.count("{") == text.count("}")


def test_notes_say_how_it_was_estimated():
    text = fit().to_latex()
    for words in (
        "90 persons, 450 situations; MSLE",
        f"log-likelihood {fit().loglik:.3f} (multinomial logit",
        "Robust standard errors by person.",
        r"Grid gauss\_hermite(9); integration error of the log-likelihood",
    ):
        assert words in text
    assert "Standard errors from the curvature." in fit().to_latex(kind="hessian")
    by_city = fit().clustered(data(), "city_code").to_latex()
    assert r"Standard errors by city\_code, 9 clusters." in by_city
    logit = bm.msle(bm.MixedLogit("x"), data()).to_latex(caption="Only x & y", label="t:x")
    assert "Grid" not in logit
    assert logit.startswith(
        "\\begin{table}\n\\centering\n\\caption{Only x \\& y}\n\\label{t:x}\n\\begin{tabular}"
    )
    assert logit.endswith("\\end{tabular}\n\\end{table}")


def test_a_comparison_has_two_lines_of_heading():
    other = bm.msle(bm.MixedLogit("x + y"), data())
    table = bm.compare({"MSLE": fit(), "logit_0": other})
    text = bm.to_latex(table, notes=["Both by person."])
    top, names, *body = rows(text)
    assert top == ["", r"\multicolumn{2}{c}{MSLE}", r"\multicolumn{2}{c}{logit\_0}"]
    assert names == ["", *["estimate", "std error"] * 2]
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}" in text
    missing = next(cells for cells in body if cells[0] == "sd{[}x]")
    assert missing[3:] == ["", ""]
    assert r"\multicolumn{5}{p{0.9\linewidth}}{\footnotesize Both by person.} \\" in text


def test_words_and_signs():
    frame = pd.DataFrame({"n": [3], "note": ["50 % of $x_1^2$ {~}"], "v": [-0.25]}, index=["[a]"])
    assert rows(bm.to_latex(frame, digits=1))[1] == [
        "{[}a]", "3", r"50 \% of \$x\_1\textasciicircum{}2\$ \{\textasciitilde{}\}", "$-0.2$",
    ]  # fmt: skip
    assert escape("a\\b#") == r"a\textbackslash{}b\#"
    assert bm.to_latex(frame).startswith(r"\begin{tabular}{lrlr}")
