"""The logit-mixed logit: its maximum and curvature by direct formulas, demand, what is refused."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import bayesmix as bm
from bayesmix.optimise.weight_logit import logit_weights, weights_of
from tests.classical.test_flexible_laws import AT, data, distance, of_normal
from tests.classical.test_nonparametric import log_probabilities

UTILITY = bm.MixedLogit("x + y")
LINE = bm.Types({"y": np.linspace(-5.0, 5.0, 101)})
PLANE = bm.Types({"x": np.linspace(-2.0, 0.0, 5), "y": np.linspace(-4.0, 4.0, 9)})


@cache
def plane() -> Any:
    return bm.logit_mixed(UTILITY, data(), bm.LogitWeights(PLANE), replications=30, rng=1)


def likelihoods() -> np.ndarray:
    return np.exp(log_probabilities(data(), PLANE.values))


def test_the_maximum_is_that_of_the_direct_formula() -> None:
    basis, likelihood = bm.LogitWeights(PLANE).values, likelihoods()

    def loss(alpha: np.ndarray) -> float:
        odds = np.exp(basis @ alpha)
        return -np.log(likelihood @ odds / odds.sum()).sum()

    direct = minimize(loss, np.zeros(basis.shape[1]), method="BFGS", options={"gtol": 1e-4})
    found = plane()
    assert found.logit.loglik == pytest.approx(-direct.fun, abs=1e-5)
    np.testing.assert_allclose(found.logit.values, direct.x, atol=2e-3)
    assert found.loglik == pytest.approx(found.logit.loglik, abs=1e-3)  # small shares are left out


def test_scores_and_curvature_are_derivatives() -> None:
    basis, likelihood = bm.LogitWeights(PLANE).values, likelihoods()
    alpha, h = np.array([0.4, -0.3, 0.2, -0.5, 0.3]), 1e-5
    persons = np.linspace(0.5, 2.0, len(likelihood))

    def value(at: np.ndarray) -> np.ndarray:
        return np.log(likelihood @ weights_of(basis, at))

    # Where no step is worth taking the search says what is known at its start.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayesmix.optimise.weight_logit.GAIN", np.inf)
        here = logit_weights(likelihood, persons, basis, alpha)
        moved = [
            logit_weights(likelihood, persons, basis, alpha + side * h * own)
            for own in np.eye(5)
            for side in (1, -1)
        ]
    numeric = [(value(alpha + h * own) - value(alpha - h * own)) / (2 * h) for own in np.eye(5)]
    np.testing.assert_allclose(here.scores.T, numeric, atol=1e-7)
    slopes = np.array([persons @ one.scores for one in moved])
    np.testing.assert_allclose(here.curvature, -(slopes[::2] - slopes[1::2]) / (2 * h), atol=1e-5)


def test_a_weight_for_every_point_is_the_nonparametric_maximum() -> None:
    types = bm.Types({"y": [-2.5, -1.0, 1.0, 2.5]})
    found = bm.logit_mixed(UTILITY, data(), bm.LogitWeights(types, basis="steps", size=3))
    free = bm.nonparametric(UTILITY, data(), types, adding=False, tolerance=1e-6)
    assert found.loglik == pytest.approx(free.loglik, abs=1e-4)
    assert found.gap < 0.02
    np.testing.assert_allclose(
        found.types.sort_values("y")["share"], free.types.sort_values("y")["share"], atol=2e-3
    )


def test_fixed_coefficients_beside_points_are_the_best_and_have_errors() -> None:
    types, weights = bm.Types({"y": np.linspace(-4, 4, 9)}), {"basis": "spline", "size": 2}
    found = bm.logit_mixed(UTILITY, data(), bm.LogitWeights(types, **weights))
    at, values = found.logit.params["fixed[x]"], []
    own = {"x": [at - 0.01, at, at + 0.01], "y": np.linspace(-4, 4, 9)}
    points = bm.Types(own).values.reshape(3, 9, 2)
    odds = np.exp(bm.LogitWeights(types, **weights).values @ found.logit.values[:-1])
    for each in points:
        values.append(np.log(np.exp(log_probabilities(data(), each)) @ odds / odds.sum()).sum())
    assert values[1] > max(values[0], values[2])
    # The curvature in x alone is at least that with the weights free.
    error = found.logit.summary().loc["fixed[x]", "std error"]
    alone = (2 * values[1] - values[0] - values[2]) / 0.01**2
    assert alone**-0.5 < 1.3 * error < 3 * alone**-0.5


def test_the_best_size_has_both_peaks() -> None:
    sizes = {f"degree {size}": bm.LogitWeights(LINE, size=size) for size in (2, 4)}
    found = bm.compare_laws(data(), "x + y", {"nobody": [], **sizes}, price="x", wtp_of=["y"])
    assert found.table.index[0] == "degree 4"
    assert found.table["parameters"].to_dict() == {"nobody": 2, "degree 2": 3, "degree 4": 5}
    best = bm.logit_mixed(UTILITY, data(), sizes["degree 4"])
    assert found.table.loc["degree 4", "BIC"] == pytest.approx(best.logit.bic)
    cdf = best.distribution("y", AT)["estimate"].to_numpy()
    assert distance(cdf) < 0.5 * of_normal()
    share = found.table.loc["degree 4", "positive[y]"]
    assert share == pytest.approx(best.types["share"][best.types["y"] > 0].sum())
    ratio = best.types.assign(ratio=-best.types["y"] / best.fit.params["fixed[x]"])
    ratio = ratio.sort_values("ratio")
    median = ratio["ratio"][ratio["share"].cumsum() >= 0.5].iloc[0]
    assert found.table.loc["degree 4", "median wtp[y]"] == pytest.approx(median)
    assert len(found.plot().axes) == 1


def test_demand_and_moments_have_intervals() -> None:
    found, table = plane(), plane().moments()
    shares = bm.shares(found.fit, data(), uncertainty=found.bootstrap)
    assert float(shares["estimate"].sum()) == pytest.approx(1.0)
    assert (shares["low"] < shares["high"]).all()
    assert table.loc["mean[y]", "2.5 %"] < table.loc["mean[y]", "97.5 %"]
    assert "no shares of these points" in repr(found)
    assert [axis.get_title() for axis in bm.plot_types(found).axes if axis.get_title()] == [
        "x",
        "y",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"types": bm.Types({"y": [1.0]})}, "cannot"),
        ({"types": bm.Types({"y": [0.0, 1.0]}), "size": 3}, "are independent"),
        ({"types": LINE, "basis": "fourier"}, "'polynomial', 'spline'"),
    ],
)
def test_weights_are_checked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(bm.SpecificationError, match=words):
        bm.LogitWeights(**arguments)


def test_shares_that_fall_to_0_are_said() -> None:
    weights = bm.LogitWeights(LINE, basis="steps", size=9)
    found = bm.logit_mixed(UTILITY, data(), weights)
    assert found.logit.summary()["std error"].isna().all()
    assert "where shares fall to 0" in found.fit.message


def test_coefficients_of_parts_where_nobody_is_have_no_errors() -> None:
    """Their curvature is rounding, above 0 or below: some had errors of 1e6, and roots of less."""
    found = bm.logit_mixed(UTILITY, data(), bm.LogitWeights(LINE, basis="steps", size=4))
    assert found.types["y"].between(-1.0, 1.0).mean() < 0.3  # the middle part is empty
    assert found.logit.summary()["std error"].isna().all()
    assert "may have a higher log-likelihood" in found.fit.message


def test_a_point_between_two_parts_is_in_the_upper_one() -> None:
    ends = [(3.0 * n - 2.0, 3.0 * n + 7.0) for n in range(-5, 5)]
    for low, high in [*ends, (-3.0, 2.0), (0.0, 0.9), (-0.3, 0.7)]:
        for size in range(1, 9):
            n = 5 * (size + 1)
            types = bm.Types({"y": np.linspace(low, high, n + 1)})
            found = bm.LogitWeights(types, basis="steps", size=size).values.sum(axis=0)
            assert found.tolist() == [5.0] * (size - 1) + [6.0]


def test_words_are_those_of_what_was_fitted() -> None:
    found = plane()
    assert found.headline().startswith("logit-mixed logit, 300 persons")
    for call in (lambda: bm.shares(found.fit, data()), lambda: bm.bootstrap(found.fit, data())):
        with pytest.raises(bm.SpecificationError, match=r"types of bm\.logit_mixed") as refused:
            call()
        assert "nonparametric" not in str(refused.value)
    assert "parameters" not in bm.compare({"points": found.fit}).models.index


def test_a_price_in_other_terms_too_has_no_ratio() -> None:
    laws = {"degree 1": bm.LogitWeights(bm.Types({"y": [-2.0, 0.0, 2.0]}), size=1)}
    found = bm.compare_laws(data(), "x + x:y + y", laws, price="x", wtp_of=["y"])
    assert "median wtp[y]" not in found.table
    assert "changes with 'y' by the terms ['x:y']" in found.failed["degree 1"]


@pytest.mark.parametrize(("basis", "sizes"), [("polynomial", (4, 6, 9)), ("steps", (1, 3, 7))])
def test_a_larger_size_is_not_below_a_smaller(basis: str, sizes: tuple[int, ...]) -> None:
    """From equal weights degree 9 ends below degree 6, whose weights are nearly all at few points.

    And neither is above the best weights of all.
    """
    ends = [bm.logit_mixed(UTILITY, data(), bm.LogitWeights(LINE, basis, n)) for n in sizes]
    values = [end.logit.loglik for end in ends]
    assert (np.diff(values) > -1e-6).all()
    best = bm.nonparametric(UTILITY, data(), LINE, adding=False).loglik
    assert values[-1] < best + 1e-3
    assert best < values[-1] + ends[-1].gap + 1e-6


@pytest.mark.parametrize(("basis", "size"), [("polynomial", 3), ("spline", 4), ("steps", 3)])
def test_weights_of_a_smaller_size_are_a_case_of_a_larger(basis: str, size: int) -> None:
    weights = bm.LogitWeights(PLANE, basis, size)
    smaller = weights.smaller
    alpha = np.linspace(-0.5, 0.7, len(smaller.names))
    wanted = weights_of(smaller.values, alpha)
    np.testing.assert_allclose(weights_of(weights.values, weights.raised(alpha)), wanted, rtol=1e-9)
