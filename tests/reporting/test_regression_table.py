"""Several models as journals print them."""

from functools import cache

import pytest
import xarray as xr

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


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(bm.SpecificationError, match="argument 'results' has no results"):
        bm.table({})
