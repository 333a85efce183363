"""What names of rows do not say is said beside them, and small numbers look alike everywhere."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import bayesmix as bm
from bayesmix.data.display import number, whole
from bayesmix.document.html import table as as_html
from bayesmix.reporting.tables import rich_table
from bayesmix.specification.laws.base import FAMILIES
from bayesmix.specification.parameter_words import parameter_words

FORMULA = "price + cl + loc + wk + tod + seas"
LOGS = "mean[price], sd[price]: of the logarithm of minus the coefficient"
MONEY = (
    "coefficients are willingness to pay in units of price, but that of price, which is in utils"
)


@cache
def fits() -> dict[str, bm.Fit]:
    data = bm.examples.electricity()
    frame = data.frame.rename(columns={"pf": "price"})
    own = bm.ChoiceData.from_long(
        frame[frame["id"] <= 60], person="id", situation="chid", alternative="alt", chosen="choice"
    )
    laws = bm.LogNormal("price", sign=-1)
    models = {
        "logs": bm.MixedLogit(FORMULA, laws),
        "money": bm.MixedLogit(FORMULA, laws, wtp="price"),
        "plain": bm.MixedLogit(FORMULA),
    }
    how = {"grid": bm.centred(bm.sobol(16)), "starts": 1, "rng": 1}
    return {name: bm.msle(model, own, **how) for name, model in models.items()}


def test_a_fit_says_what_its_means_are_of_and_what_is_money() -> None:
    assert LOGS in str(fits()["logs"]).splitlines()
    assert {LOGS, MONEY} <= set(str(fits()["money"]).splitlines())
    assert "logarithm" not in str(fits()["plain"])


def test_tables_of_several_say_it_with_labels_where_not_all_agree() -> None:
    found = bm.compare(fits())
    assert found.units == (f"logs, money: {LOGS}", f"money: {MONEY}")
    assert LOGS in " ".join(repr(found).split())
    assert LOGS in found._repr_html_()
    assert bm.compare({"logs": fits()["logs"]}).units == (LOGS,)
    assert f"logs, money: {LOGS}." in bm.table(fits()).notes


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_law_says_it_unless_mean_and_sd_are_the_coefficients_own(name: str) -> None:
    """Which they are where moments in closed form, or by integration, are location and scale."""
    from bayesmix.specification.laws.coefficient import Coefficient
    from bayesmix.specification.maps import mean_and_sd

    family = FAMILIES[name]
    bounded = {"censored-normal", "truncated-normal", "johnson-sb"}
    shape = tuple(0.7 for _ in family.shapes)
    bounds = (0.0, 3.0) if name in bounded else (None, None)
    one = Coefficient("x", name, bounds=bounds, shape=shape)
    if not family.located:
        assert not family.of
        return
    mean, sd = (float(np.ravel(m)[0]) for m in mean_and_sd(one, np.array([0.4]), 0.8))
    own = abs(mean - 0.4) < 1e-6 and abs(sd - 0.8) < 1e-6
    assert own == (not family.of)


def test_the_same_small_number_is_the_same_text_everywhere() -> None:
    value = 2.23e-6
    frame = pd.DataFrame({"estimate": [value, 0.5]}, ["sd[x]", "sd[y]"])
    console = Console(width=80)
    with console.capture() as seen:
        console.print(rich_table(frame))
    shown = (whole(frame, number), seen.get(), as_html(frame))
    assert all(re.findall(r"2\.2e-06", text) for text in shown)
    assert number(value) == "2.2e-06"


def test_starts_that_were_on_other_nodes_are_told_from_the_fit() -> None:
    fit = fits()["logs"]
    optima = pd.DataFrame({"loglik": [fit.loglik - 1.5] * 2, "grid": ["sobol(8)"] * 2})
    words = replace(fit, optima=optima).headline()
    assert (
        f"2 of 2 starts reached the best log-likelihood, {fit.loglik - 1.5:.3f} on sobol(8), the "
        f"nodes of the search ({fit.loglik:.3f} on those of the fit)" in words
    )


def test_words_of_an_error_component_name_its_sd_alone() -> None:
    model = bm.MixedLogit("price", bm.LogNormal("price", mean="0"))
    assert parameter_words(model) == ("sd[price]: of the logarithm of the coefficient",)
