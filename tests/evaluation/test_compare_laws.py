"""Laws beside one another: each row is what its own fit says, and what fails is said."""

import functools
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

import bayesmix as bm
from tests.simulated import simulated

TRUTH = {"mean[x]": 0.5, "sd[x]": 1.0, "mean[y]": -0.3, "sd[y]": 0.8}
MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x"), bm.LogNormal("y", sign=-1)])
LAWS = {
    "logit": [],
    "normal": [bm.Normal("x"), bm.Normal("y")],
    "lognormal": [bm.Normal("x"), bm.LogNormal("y", sign=-1)],
    "classes": bm.LatentClass("x", "y"),
    "wrong sign": bm.LogNormal("y"),
}
ONE = functools.partial(bm.msle, starts=1)


@cache
def data() -> bm.ChoiceData:
    return simulated(MODEL, TRUTH, 200, 8, seed=1)


@cache
def found() -> bm.LawComparison:
    return bm.compare_laws(
        data(), "x + y", LAWS, price="y", wtp_of=["x"], folds=2, method=ONE, rng=1
    )


def test_rows_are_what_fits_say() -> None:
    table, fits = found().table, found().fits
    assert set(fits) == set(LAWS) - {"wrong sign"}
    assert table["AIC"].dropna().is_monotonic_increasing
    assert table.index[0] == "lognormal"  # the truth
    alone = bm.msle(MODEL, data(), starts=1, rng=1)
    row = table.loc["lognormal"]
    assert row["log-likelihood"] == alone.loglik
    assert (row["parameters"], row["AIC"], row["BIC"]) == (4, alone.aic, alone.bic)
    assert alone.integration is not None
    assert row["integration error"] == alone.integration.error
    params = fits["normal"].params
    for term in "xy":
        exact = norm.cdf(params[f"mean[{term}]"] / params[f"sd[{term}]"])
        assert table.loc["normal", f"positive[{term}]"] == pytest.approx(exact, abs=1e-9)
    assert row["positive[y]"] == 0.0
    logit = fits["logit"].params
    ratio = -logit["fixed[x]"] / logit["fixed[y]"]
    assert table.loc["logit", "median wtp[x]"] == pytest.approx(ratio, rel=1e-9)


def test_people_left_out_are_those_of_cross_validation() -> None:
    score = bm.cross_validate(MODEL, data(), folds=2, method=ONE, rng=1)
    assert found().table.loc["lognormal", "log score"] == pytest.approx(score.log_score, rel=1e-12)
    both = bm.compare_models(found().scores)
    assert both.index[0] == "lognormal"


def test_what_fails_is_said_and_the_rest_stands() -> None:
    assert found().table.loc["wrong sign"].isna().all()
    assert "use sign=-1" in found().failed["wrong sign"]
    assert "wrong sign: not fitted" in repr(found())
    assert "wrong sign: not fitted" in found()._repr_html_()
    few = functools.partial(bm.msle, starts=1, fixed={"sd[x]": 0.5})
    mixed = bm.compare_laws(
        data(), "x + y", {"held": bm.Normal("x"), "logit": []}, method=few, rng=1
    )
    assert list(mixed.fits) == ["held"]
    with pytest.raises(bm.SpecificationError, match=r"no law could be fitted; 'a': .*sign=-1"):
        bm.compare_laws(data(), "x + y", {"a": bm.LogNormal("y")}, rng=1)
    with pytest.raises(bm.SpecificationError, match="'wtp_of' has terms and no price"):
        bm.compare_laws(data(), "x + y", {"a": []}, wtp_of=["x"])
    for wrong in ({"price": "z"}, {"price": "y", "wtp_of": ["z"]}):
        name = list(wrong)[-1]
        with pytest.raises(bm.SpecificationError, match=rf"'{name}' must be of .*'x', 'y'.*'z'"):
            bm.compare_laws(data(), "x + y", {"a": []}, **wrong)


def test_a_willingness_to_pay_that_is_not_there_leaves_the_rest() -> None:
    laws = {"logit": [], "at 0": bm.CensoredNormal("y", upper=0.0)}
    found = bm.compare_laws(data(), "x + y", laws, price="y", wtp_of=["x"], method=ONE, rng=1)
    assert set(found.fits) == set(laws)
    assert np.isnan(found.table.loc["at 0", "median wtp[x]"])
    assert np.isfinite(found.table.loc["at 0", "AIC"])
    assert "at 0: in part: " in repr(found)


def test_the_picture_is_of_the_laws() -> None:
    figure = found().plot()
    assert [axis.get_xlabel() for axis in figure.axes] == ["x", "y"]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    params = found().fits["normal"].params
    x, share = lines["normal"].get_data()
    exact = norm.cdf(x, params["mean[x]"], params["sd[x]"])
    assert np.abs(exact - share).max() < 0.04  # 4,000 people
    assert set(lines["logit"].get_xdata()) == {found().fits["logit"].params["fixed[x]"]}
    assert len(found().plot(["y"]).axes) == 1
    with pytest.raises(bm.SpecificationError, match=r"'terms' must be of \['x', 'y'\]"):
        found().plot(["z"])
