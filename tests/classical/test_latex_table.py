"""A fit in LaTeX: its summary, and notes on how it was estimated."""

from functools import cache

import pytest

import bayesmix as bm
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
