"""Several models as journals print them."""

import sys
from functools import cache
from pathlib import Path

import pytest
import xarray as xr
from scipy.stats import norm

import bayesmix as bm
from tests.arguments.things import LONG, frame


@cache
def data() -> bm.ChoiceData:
    return bm.ChoiceData.from_long(frame(), **LONG)


@cache
def results() -> dict[str, bm.Fit | xr.DataTree]:
    formula = "price + quality"
    laws = {"plain": [], "mixed": [bm.Normal("quality")]}
    models = {name: bm.MixedLogit(formula, random=random) for name, random in laws.items()}
    lognormal = bm.MixedLogit(formula, random=[bm.LogNormal("price", sign=-1)])
    grid = {"grid": bm.centred(bm.sobol(8)), "starts": 1, "rng": 1}
    fits = {name: bm.msle(model, data(), **grid) for name, model in models.items()}
    return {**fits, "lognormal": bm.msle(lognormal, data(), **grid)}


def test_cells_are_the_fits_own_numbers() -> None:
    few = {name: results()[name] for name in ("plain", "mixed")}
    found = bm.table(few).frame
    for label, fit in few.items():
        assert found.loc["log-likelihood", label] == f"{fit.loglik:.3f}"
        assert found.loc["BIC", label] == f"{fit.bic:.1f}"
        assert found.loc["fixed[price]", label] == f"{fit.params['fixed[price]']:.3f}"
    below = found.iloc[list(found.index).index("fixed[price]") + 1]
    assert below["mixed"] == f"({few['mixed'].std_errors['fixed[price]']:.3f})"
    assert found.loc["sd[quality]", "plain"] == ""


def test_a_coefficient_fixed_here_and_random_there_has_one_row_in_the_same_units() -> None:
    both = bm.table({name: results()[name] for name in ("plain", "mixed")}).frame
    assert "mean[quality]" not in both.index
    mean = results()["mixed"].params["mean[quality]"]
    assert both.loc["fixed[quality]", "mixed"] == f"{mean:.3f}"
    every = bm.table(results()).frame
    assert every.loc["mean[price]", "plain"] == ""  # of the logarithm: no price coefficient's mean
    assert every.loc["fixed[price]", "lognormal"] == ""


def test_stars_are_of_coefficients_alone() -> None:
    fit = results()["mixed"]
    found = bm.table({"fit": fit}, stars=True)
    z = (fit.params / fit.std_errors)["fixed[price]"]
    cell = found.frame.loc["fixed[price]", "fit"]
    assert cell.count("*") == sum(abs(z) > limit for limit in (1.6449, 1.9600, 2.5758))
    assert "*" not in found.frame.loc["sd[quality]", "fit"]
    assert any("two-sided" in note for note in found.notes)
    assert not any("*" in str(cell) for cell in bm.table({"fit": fit}).frame["fit"])


def test_labels_and_notes_survive_in_every_format() -> None:
    found = bm.table(
        {"a|b": results()["plain"]},
        labels={"fixed[price]": "Price <cents>"},
        notes=["50 % of all."],
    )
    assert "Price &lt;cents&gt;" in found.to_html()
    assert "50 % of all." in found._repr_html_()
    latex = found.to_latex(caption="Models", label="tab:m")
    assert "fixed{[}quality]" in latex
    assert r"50 \% of all." in latex
    markdown = found.to_markdown().splitlines()
    assert markdown[0] == r"|  | a\|b |"
    assert len({line.replace(r"\|", "").count("|") for line in markdown if line[:1] == "|"}) == 1
    assert "robust standard errors by person" in repr(found)


def test_posteriors_stand_beside_fits() -> None:
    fit = results()["mixed"]
    model = bm.MixedLogit("price + quality", random=[bm.Normal("quality")])
    draws = bm.sample(
        model, data(), method="importance", grid=fit.grid, draws=50, chains=1, rng=1, progress=False
    )
    found = bm.table({"MSLE": fit, "Bayes": draws}, stars=True)
    mean = float(draws["posterior"]["fixed"].sel(term="price").mean())
    assert found.frame.loc["fixed[price]", "Bayes"] == f"{mean:.3f}"
    assert found.frame.loc["draws", "Bayes"] == "50"
    assert any(note.startswith("Posteriors: means") for note in found.notes)


def test_word_has_the_same_cells(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    few = {name: results()[name] for name in ("plain", "mixed")}
    found = bm.table(few, notes=["50 % of all."])
    found.to_word(tmp_path / "table.docx", caption="Two models")
    document = docx.Document(str(tmp_path / "table.docx"))
    (table,) = document.tables
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells[0] == ["", "plain", "mixed"]
    assert [row[0] for row in cells[1:]] == list(found.frame.index)
    assert [row[1:] for row in cells[1:]] == found.frame.to_numpy().tolist()
    words = [paragraph.text for paragraph in document.paragraphs]
    assert words == ["Two models", *found.notes]
    borders = table.rows[0]._tr.xpath(".//w:tcBorders/*")
    assert [line.tag.split("}")[1] for line in borders] == ["top", "bottom"] * 3


def test_without_the_library_an_error_names_the_extra(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    found = bm.table({"plain": results()["plain"]})
    with pytest.raises(bm.DataError, match=r"pip install 'bayesmix\[word\]'"):
        found.to_word(tmp_path / "table.docx")
    assert not list(tmp_path.iterdir())


def test_fits_answer_what_maketables_asks() -> None:
    """The names are its protocol's; standard deviations have no p-value against 0."""
    fit = results()["mixed"]
    table = fit.__maketables_coef_table__
    assert list(table.columns) == ["b", "se", "t", "p"]
    assert (table.index.name, list(table.index)) == ("Coefficient", list(fit.params.index))
    t = fit.params["fixed[price]"] / fit.std_errors["fixed[price]"]
    assert table.loc["fixed[price]", "p"] == pytest.approx(2 * norm.sf(abs(t)))
    assert table.loc["sd[quality]", ["t", "p"]].isna().all()
    assert fit.__maketables_stat__("ll") == fit.loglik
    assert fit.__maketables_stat__("N") == fit.n_persons
    assert fit.__maketables_stat__("r2") is None


def test_a_comparison_has_what_models_are_of_below() -> None:
    few = {name: results()[name] for name in ("plain", "mixed")}
    found = bm.compare(few, grid=bm.centred(bm.sobol(64)))
    assert found.models.loc["BIC", "mixed"] == few["mixed"].bic
    assert found.models.loc["persons"].tolist() == [few["plain"].n_persons] * 2
    common = found.models.loc["log-likelihood, common grid"]
    assert common["plain"] == few["plain"].loglik  # of which nothing is integrated
    at = few["mixed"].params.to_dict()
    fine = {"grid": bm.centred(bm.sobol(2048)), "rng": 1}
    exact = bm.msle(few["mixed"].model, data(), fixed=at, **fine).loglik
    assert common["mixed"] == pytest.approx(exact, abs=0.02)
    assert str(few["mixed"].integration) == found.models.loc["certificate", "mixed"]
    assert "log-likelihood, common grid" in repr(found)
    assert "common grid" in found._repr_html_()
    assert type(found[["plain"]]).__name__ == "Table"  # a part is a table alone


def test_a_comparison_joins_rows_where_units_are_the_same() -> None:
    fits = {name: results()[name] for name in ("plain", "mixed")}
    found = bm.compare(fits)
    assert list(found.index) == ["fixed[price]", "fixed[quality]", "sd[quality]"]
    mean = fits["mixed"].params["mean[quality]"]
    assert found.loc["fixed[quality]", ("mixed", "estimate")] == mean
    assert {"fixed[price]", "mean[price]"} <= set(bm.compare(results()).index)


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(bm.SpecificationError, match="argument 'results' has no results"):
        bm.table({})
