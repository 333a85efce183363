"""The result: tables, intervals that keep bounds, moments of lognormal laws, words."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.classical.implied import implied_moments
from bayesmix.classical.intervals import boundary_notes, intervals
from bayesmix.classical.msle import msle
from bayesmix.errors import SpecificationError
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.simulate import draw_coefficients
from bayesmix.specification import parameter as kinds_of_parameters
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import IMPLIED_CORRELATION, SD, Kind, Parameter
from tests.simulated import simulated

MODEL = MixedLogit("x + y + z", random=Correlated(Normal("x"), LogNormal("y", sign=-1)))
AT = {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 0.7, "corr[x, y]": 0.5, "fixed[z]": 0.3}


@cache
def data():
    return simulated(MODEL, AT, 200, 6, columns=("x", "y", "z"))


@cache
def fit():
    return msle(MODEL, data(), grid=gauss_hermite(12), starts=1)


def table(**rows):
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "std error"])
    parameters = [parameter(*name.split("_", 1)) for name in rows]
    return intervals(frame.set_axis(map(str, parameters)), [p.kind for p in parameters])


def parameter(kind, label):
    kinds = {k.name: k for k in vars(kinds_of_parameters).values() if isinstance(k, Kind)}
    return Parameter(kinds[kind], label)


def test_functions_of_parameters_that_there_are_not_name_the_nearest():
    words = r"delta\(\) asks for 'mean\[yy\]', which is no parameter: did you mean 'mean\[y\]'"
    with pytest.raises(SpecificationError, match=words):
        fit().delta(lambda b: b["mean[yy]"])
    with pytest.raises(KeyError, match="own"):
        fit().delta(lambda b: {}[("own", 1)])  # the function's own trouble is left to it


def test_the_table_has_a_row_for_each_parameter_and_moment():
    summary = fit().summary()
    assert list(summary.columns) == ["estimate", "std error", "z", "2.5 %", "97.5 %", "note"]
    implied = ["share positive[x]", *(f"implied {m}[y]" for m in ("mean", "median", "sd"))]
    implied.append("implied corr[x, y]")
    assert summary["note"][summary["note"] != ""].to_dict() == {"corr[x, y]": "of the indices"}
    assert list(summary.index) == [*MODEL.design(data()).parameters.names, *implied]
    np.testing.assert_array_equal(summary["estimate"].iloc[:6], fit().params)
    np.testing.assert_allclose(summary["z"], summary["estimate"] / summary["std error"])
    assert (summary["2.5 %"] < summary["estimate"]).all()
    assert (summary["estimate"] < summary["97.5 %"]).all()


def test_intervals_keep_bounds():
    found = table(mean_x=(0.5, 1.0), sd_x=(0.5, 0.4), corr_xy=(0.9, 0.3), fixed_z=(-2.0, 0.5))
    low, high = found["2.5 %"], found["97.5 %"]
    for name, half in (("mean[x]", 1.959964), ("fixed[z]", 0.979982)):
        assert high[name] - found["estimate"][name] == pytest.approx(half, rel=1e-6)
        assert found["estimate"][name] - low[name] == pytest.approx(half, rel=1e-6)
    assert low["sd[x]"] > 0
    assert low["sd[x]"] * high["sd[x]"] == pytest.approx(0.25)
    assert np.log(high["sd[x]"] / 0.5) == pytest.approx(1.959964 * 0.4 / 0.5, rel=1e-6)
    assert -1 < low["corr[xy]"] < 0.9 < high["corr[xy]"] < 1
    half = np.arctanh(high["corr[xy]"]) - np.arctanh(0.9)
    assert half == pytest.approx(1.959964 * 0.3 / (1 - 0.81), rel=1e-6)


def test_small_errors_give_the_usual_interval():
    found = table(mean_x=(0.5, 1e-4), sd_x=(0.5, 1e-4), corr_xy=(0.5, 1e-4))
    np.testing.assert_allclose(found["97.5 %"] - 0.5, 1.96e-4, rtol=1e-3)
    np.testing.assert_allclose(0.5 - found["2.5 %"], 1.96e-4, rtol=1e-3)


def test_estimates_at_a_boundary_make_no_noise():
    found = table(sd_x=(1e-5, 0.5), sd_y=(0.0, np.nan), corr_xy=(1.0, np.nan), mean_x=(1.0, 0.1))
    assert found.loc["mean[x]"].notna().all()
    assert found.loc[["sd[y]", "corr[xy]"], ["2.5 %", "97.5 %"]].isna().all(axis=None)
    # The log scale would say 0 to infinity.
    assert found["2.5 %"]["sd[x]"] == 0.0
    assert found["97.5 %"]["sd[x]"] == pytest.approx(0.98, abs=0.01)


def test_moments_of_a_lognormal_are_those_of_its_draws():
    problem = bind(MODEL, simulated(MODEL, AT, 40_000, 1, columns=("x", "y", "z")))
    theta = problem.parameters.theta(AT)
    beta = draw_coefficients(problem, theta, np.random.default_rng(1))[:, 1]
    found = implied_moments(problem)(pd.Series(AT)).rename(index=str)
    m, s = AT["mean[y]"], AT["sd[y]"]
    mean, sd = np.exp(m + s**2 / 2), np.exp(m + s**2 / 2) * np.sqrt(np.expm1(s**2))
    assert found["implied mean[y]"] == pytest.approx(-mean)
    assert found["implied sd[y]"] == pytest.approx(sd)
    assert found["implied median[y]"] == pytest.approx(-np.exp(m))
    n = len(beta)
    assert beta.mean() == pytest.approx(found["implied mean[y]"], abs=4 * sd / np.sqrt(n))
    assert np.median(beta) == pytest.approx(found["implied median[y]"], rel=4 * 1.26 * s / n**0.5)
    assert beta.std() == pytest.approx(found["implied sd[y]"], rel=0.1)
    assert implied_moments(bind(MixedLogit("x"), problem.data)) is None


def test_errors_of_moments_by_the_delta_method():
    """mean = exp(m + s^2 / 2): its derivatives are itself, and itself times s."""
    summary, names = fit().summary(), ["mean[y]", "sd[y]"]
    mean = summary["estimate"]["implied mean[y]"]
    slope = mean * np.array([1.0, fit().params["sd[y]"]])
    variance = slope @ fit().covariance().loc[names, names] @ slope
    assert summary["std error"]["implied mean[y]"] == pytest.approx(np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("number", [None, 2])
def test_a_correlation_that_is_not_known_says_why(number):
    about = [(SD, "x"), (SD, "z"), (IMPLIED_CORRELATION, "x", "y"), (IMPLIED_CORRELATION, "y", "z")]
    parameters = [Parameter(kind, ", ".join(terms), tuple(terms)) for kind, *terms in about]
    if number is not None:
        parameters = [parameter.of_class(number) for parameter in parameters]
    rows = [(0.5, 0.1), (0.0, np.nan), (np.nan, np.nan), (np.nan, np.nan)]
    frame = pd.DataFrame(rows, map(str, parameters), ["estimate", "std error"])
    wide, still = boundary_notes(frame, parameters)[2:]
    assert wide.startswith("not known: its series has not converged")
    assert still == "moves with a parameter at a boundary"


@pytest.mark.parametrize(
    ("share", "error", "words"),
    [
        (1.0 - 3e-16, 2e-10, "everybody has one sign: no interval"),
        (3e-16, 0.0, "everybody has one sign: no interval"),
        (1.0 - 1e-6, 1e-7, ""),
        (0.5, 0.0, ""),
    ],
)
def test_a_sure_share_may_be_rounded(share, error, words):
    rows = {"mean[x]": (1.0, 0.1), "share positive[x]": (share, error)}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "std error"])
    parameters = [parameter("mean", "x"), parameter("share positive", "x")]
    assert boundary_notes(frame, parameters)["share positive[x]"] == words


# -- intervals and functions of the parameters ---------------------------------------------------


@pytest.mark.parametrize("level", [0.5, 0.99])
def test_confidence_intervals_are_symmetric_on_their_scales(level):
    found = fit().confidence_intervals(level, "hessian")
    q = norm.ppf(0.5 + level / 2)
    errors = np.sqrt(np.diag(fit().covariance("hessian")))
    ends = found.iloc[:, :2].to_numpy()
    maps = {
        "mean[x]": (lambda v: v, 1.0, "identity"),
        "sd[y]": (np.log, 1 / fit().params["sd[y]"], "log"),
        "corr[x, y]": (np.arctanh, 1 / (1 - fit().params["corr[x, y]"] ** 2), "Fisher z"),
    }
    for name, (scale, slope, words) in maps.items():
        p = fit().params.index.get_loc(name)
        low, middle, high = scale(np.array([ends[p, 0], fit().params[name], ends[p, 1]]))
        assert high - middle == pytest.approx(q * errors[p] * slope)
        assert middle - low == pytest.approx(high - middle)
        assert found["scale"][name] == words
    assert list(found.columns[:2]) == [f"{50 - 50 * level:g} %", f"{50 + 50 * level:g} %"]
    with pytest.raises(SpecificationError, match="'level' must be a finite number above 0"):
        fit().confidence_intervals(95)


def test_the_summary_has_the_errors_of_a_kind():
    summary = fit().summary(0.9, "opg")
    names = fit().params.index
    np.testing.assert_allclose(
        summary.loc[names, "std error"] ** 2, np.diag(fit().covariance("opg")), rtol=1e-10
    )
    assert {"5 %", "95 %"} <= set(summary.columns)
    implied = summary["std error"]["implied mean[y]"]
    slope = np.array([1.0, fit().params["sd[y]"]]) * summary["estimate"]["implied mean[y]"]
    part = fit().covariance("opg").loc[["mean[y]", "sd[y]"], ["mean[y]", "sd[y]"]]
    assert implied == pytest.approx(np.sqrt(slope @ part @ slope), rel=1e-6)


def test_functions_may_return_numbers_vectors_and_names():
    def ratio(b):
        return b["mean[x]"] / b["fixed[z]"]

    by_number = fit().delta(ratio)
    by_vector = fit().delta(lambda b: np.array([ratio(b), 2.0]), "hessian")
    by_name = fit().delta(lambda b: {"r": ratio(b)}, "hessian", 0.8)
    assert list(by_number.index) == ["ratio"]
    assert list(by_vector.index) == ["value[0]", "value[1]"]
    a, c = fit().params["mean[x]"], fit().params["fixed[z]"]
    slope, names = np.array([1 / c, -a / c**2]), ["mean[x]", "fixed[z]"]
    for table, kind in ((by_number, "robust"), (by_vector, "hessian"), (by_name, "hessian")):
        variance = slope @ fit().covariance(kind).loc[names, names] @ slope
        assert table["estimate"].iloc[0] == a / c
        assert table["std error"].iloc[0] == pytest.approx(np.sqrt(variance), rel=1e-6)
    width = by_name["90 %"]["r"] - by_name["10 %"]["r"]
    assert width == pytest.approx(2 * 1.2815516 * by_name["std error"]["r"])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda b: "three", "returned str: expected a number"),
        (lambda b: np.ones((2, 2)), "returned ndarray: expected a number"),
        (lambda b: {}, "returned dict"),
        (lambda b: {str(b["mean[x]"]): 1.0}, r"when mean\[x\] changes by"),
    ],
)
def test_what_is_no_function_of_the_parameters_is_refused(function, words):
    with pytest.raises(SpecificationError, match=words):
        fit().delta(function)


def test_words():
    text = repr(fit())
    assert "MSLE of a mixed logit, 200 persons, 1200 situations" in text
    assert f"log-likelihood {fit().loglik:.3f}" in text
    assert "grid gauss_hermite(12)\n" in text
    assert "integration error of the log-likelihood" in text
    assert "implied sd[y]" in text
    assert "<table" in fit()._repr_html_()
    logit = msle(MixedLogit("x"), data())
    assert "multinomial logit, 200 persons" in repr(logit)
    assert "integration error" not in repr(logit)


# -- standard deviations of 0 -------------------------------------------------------------------

FLAT = MixedLogit("x + y", random=Normal("x", "y"))


@pytest.mark.parametrize("law", [Normal, LogNormal], ids=["normal", "lognormal"])
@pytest.mark.parametrize("grid", [centred(sobol(64)), gauss_hermite(9)], ids=str)
def test_no_heterogeneity_in_the_data_is_no_trouble(law, grid):
    model = MixedLogit("x + y", random=law("x", "y"))
    at = {"mean[x]": 0.0, "mean[y]": -0.5, "sd[x]": 0.0, "sd[y]": 0.8}
    found = msle(model, simulated(model, at, 150, 8, seed=6), grid=grid, starts=2, rng=1)
    assert "sd[x] at the boundary 0: a fixed coefficient fits as well" in found.message
    assert found.params.notna().all()
    assert found.params["sd[x]"] < 0.1
    assert np.isnan(found.std_errors["sd[x]"])
    assert found.std_errors.drop("sd[x]").between(0.02, 0.5).all()
    assert found.summary().drop(index=["sd[x]"]).filter(like="[y]", axis=0).notna().all(axis=None)
    if law is LogNormal:
        assert found.summary().loc[["implied mean[x]", "implied sd[x]"], "std error"].isna().all()
    notes = found.summary()["note"]
    assert notes["sd[x]"] == "at the boundary 0"
    assert (notes[["sd[y]", "mean[y]"]] == "").all()
    assert "at a boundary" not in set(fit().summary()["note"])
    assert found.confidence_intervals()["scale"]["sd[x]"] == "at the boundary 0"
    if law is LogNormal:
        assert notes["implied median[x]"] == ""
        assert notes["implied mean[x]"] == "moves with a parameter at a boundary"
    assert "at the boundary 0" in repr(found)


def test_heterogeneity_of_none_costs_the_automatic_grid_nothing():
    at = {"mean[x]": 0.0, "mean[y]": -0.5, "sd[x]": 0.0, "sd[y]": 0.8}
    found = msle(FLAT, simulated(FLAT, at, 150, 8, seed=0), starts=2, rng=1)
    assert found.grid.size == 81  # the first that is tried: nine points a dimension
    assert found.integration.within(0.5, 0.05)
