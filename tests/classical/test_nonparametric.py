"""Types of people: the certified nonparametric maximum likelihood, and demand of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmix as bm
from tests.simulated import attributes, choice_data

UTILITY = bm.MixedLogit("x + y")
BOX = {"x": (-5.0, 2.0), "y": (-4.0, 4.0)}


def drawn(coefficients: np.ndarray, tasks: int = 8, seed: int = 0, **options: Any) -> bm.ChoiceData:
    """Choices of persons with given coefficients (I, 2)."""
    rng = np.random.default_rng(seed)
    frame = attributes(rng, len(coefficients), tasks)
    own = coefficients[frame["who"]]
    utility = (frame[["x", "y"]] * own).sum(axis=1) + rng.gumbel(size=len(frame))
    best = utility.groupby(frame["task"]).idxmax()
    return choice_data(frame.assign(choice=frame.index.isin(best).astype(int)), **options)


def two_types(persons: int, seed: int = 0) -> np.ndarray:
    first = np.random.default_rng(seed).random(persons) < 0.6
    return np.where(first[:, None], [-1.0, 1.5], [-2.5, -0.5])


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return drawn(two_types(200))


@pytest.fixture(scope="module")
def found(data: bm.ChoiceData) -> Any:
    return bm.nonparametric(UTILITY, data, bm.Types(BOX, points=64, rng=0), replications=8, rng=1)


def log_probabilities(data: bm.ChoiceData, points: np.ndarray) -> np.ndarray:
    """``log P(y_i | b_m)`` (I, M), in NumPy."""
    utility = data.frame[["x", "y"]].to_numpy() @ points.T
    start = data.situation_start[:-1]
    logs = utility[data.chosen_row] - np.log(np.add.reduceat(np.exp(utility), start))
    return np.add.reduceat(logs, data.person_start[:-1])


def mixed(data: bm.ChoiceData, types: pd.DataFrame) -> np.ndarray:
    """Probabilities (I,) of persons' choices."""
    logs = log_probabilities(data, types[["x", "y"]].to_numpy())
    return np.exp(logs) @ types["share"].to_numpy()


def test_the_maximum_is_certified_by_direct_formulas(data: bm.ChoiceData, found: Any) -> None:
    own = mixed(data, found.types)
    np.testing.assert_allclose(found.loglik, np.log(own).sum(), rtol=1e-12)
    grid = np.array(np.meshgrid(np.linspace(*BOX["x"], 71), np.linspace(*BOX["y"], 81)))
    grid = grid.reshape(2, -1).T
    slopes = (np.exp(log_probabilities(data, grid)) / own[:, None]).sum(axis=0) - len(own)
    assert slopes.max() < 1e-3  # over 5,751 points, none of which the search has seen
    assert found.largest < 1e-3


def test_types_find_the_truth(normal: bm.Fit, found: Any) -> None:
    types = found.types
    largest = types.iloc[0]
    np.testing.assert_allclose(largest[["x", "y"]], [-1.0, 1.5], atol=0.3)
    assert abs(types["share"][types["y"] > 0.5].sum() - (two_types(200)[:, 1] > 0).mean()) < 0.06
    assert found.loglik > normal.loglik


@pytest.fixture(scope="module")
def normal(data: bm.ChoiceData) -> bm.Fit:
    model = bm.MixedLogit("x + y", [bm.Normal("x", "y")])
    return bm.msle(model, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)


def test_a_bimodal_law_is_nearer_than_a_normal() -> None:
    rng = np.random.default_rng(3)
    high = rng.random(200) < 0.5
    truth = np.where(high[:, None], [-1.0, 1.5], [-2.5, -1.5]) + 0.3 * rng.normal(size=(200, 2))
    data = drawn(truth, seed=3)
    found = bm.nonparametric(UTILITY, data, bm.Types(BOX, points=64, rng=0), rng=1)
    grid = bm.centred(bm.sobol(32))
    law = [bm.Normal("x", "y")]
    fit = bm.msle(bm.MixedLogit("x + y", law), data, grid=grid, starts=1, rng=1)
    assert found.loglik > fit.loglik
    at = np.linspace(-3.9, 3.9, 400)
    true = norm.cdf((at[:, None] - [1.5, -1.5]) / 0.3) @ [0.5, 0.5]
    normal = norm.cdf(at, fit.params["mean[y]"], fit.params["sd[y]"])
    own = found.distribution("y", at)["estimate"].to_numpy()
    # The area between distribution functions: steps are never near a smooth one at their jumps.
    assert np.abs(own - true).mean() < 0.75 * np.abs(normal - true).mean()


def test_moments_are_those_of_the_types(found: Any) -> None:
    types, moments = found.types, found.moments()["estimate"]
    share, points = types["share"].to_numpy(), types[["x", "y"]].to_numpy()
    covariance = np.cov(points.T, aweights=share, ddof=0)
    np.testing.assert_allclose(moments["mean[x]"], share @ points[:, 0])
    np.testing.assert_allclose(moments["sd[y]"] ** 2, covariance[1, 1])
    corr = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    np.testing.assert_allclose(moments["corr[x, y]"], corr)
    np.testing.assert_allclose(moments["share positive[y]"], share[points[:, 1] > 0].sum())
    table = found.moments()
    assert table.loc["mean[y]", "2.5 %"] < table.loc["mean[y]", "97.5 %"]
    assert 0.02 < table.loc["mean[y]", "std error"] < 0.2


def test_demand_is_the_average_over_types(data: bm.ChoiceData, found: Any) -> None:
    types = found.types
    utility = data.frame[["x", "y"]].to_numpy() @ types[["x", "y"]].to_numpy().T
    odds = np.exp(utility)
    total = np.add.reduceat(odds, data.situation_start[:-1])
    rows = odds / np.repeat(total, 3, axis=0) @ types["share"].to_numpy()
    np.testing.assert_allclose(found.fit.predict()["probability"], rows, rtol=1e-9)
    shares = bm.shares(found.fit, data, uncertainty=found.bootstrap)
    direct = np.bincount(data.alternative_code, rows) / data.n_situations
    np.testing.assert_allclose(shares["estimate"], direct, rtol=1e-9)
    assert (shares["low"] < shares["high"]).all()
    with pytest.raises(bm.SpecificationError, match="replications=200"):
        bm.shares(found.fit, data)
    ratio = (types["x"] / -types["y"]) @ types["share"]
    wtp = bm.wtp(found.fit, "x", price="y", uncertainty=found.bootstrap, mean=True)
    np.testing.assert_allclose(float(wtp["estimate"].sel(statistic="mean")), ratio, rtol=1e-9)


def test_weights_are_persons_counted_so_often() -> None:
    truth = two_types(40)
    frame = drawn(truth, tasks=4).frame
    weights = np.where(frame["who"] < 20, 2.0, 1.0)
    once = choice_data(frame.assign(w=weights), weights="w")
    again = frame[frame["who"] < 20]
    again = again.assign(who=again["who"] + 100, task=again["task"] + 10_000)
    twice = choice_data(pd.concat([frame, again]))
    grid = bm.Types({"x": [-3, -2, -1, 0], "y": [-2, -1, 0, 1, 2]})
    one, two = (
        bm.nonparametric(UTILITY, d, grid, adding=False, tolerance=1e-7) for d in (once, twice)
    )
    np.testing.assert_allclose(one.loglik, two.loglik, rtol=1e-9)
    np.testing.assert_allclose(one.types["share"], two.types["share"], atol=1e-4)


def test_fixed_coefficients_beside_types_are_the_best(data: bm.ChoiceData) -> None:
    grid = bm.Types({"x": np.linspace(-4, 1, 11)})
    found = bm.nonparametric(UTILITY, data, grid, adding=False)
    at = found.fit.params["fixed[y]"]
    values = []
    for y in (at - 0.02, at, at + 0.02):
        points = np.column_stack([grid.values[:, 0], np.full(11, y)])
        table = pd.DataFrame(points, columns=["x", "y"])
        values.append(bm.nonparametric(UTILITY, data, bm.Types(table), adding=False).loglik)
    assert values[1] > max(values[0], values[2])
    np.testing.assert_allclose(values[1], found.loglik, atol=2e-3)


def test_methods_agree_as_they_should(data: bm.ChoiceData) -> None:
    grid = bm.Types({"x": [-3, -2.5, -1, 0], "y": [-1, -0.5, 1.5, 2]})
    newton, em, squares = (
        bm.nonparametric(UTILITY, data, grid, method=m, adding=False)
        for m in ("newton", "em", "least-squares")
    )
    assert abs(newton.loglik - em.loglik) < 2e-3
    assert em.dropped[0] > 0
    assert squares.loglik < newton.loglik
    assert squares.gap >= newton.loglik - squares.loglik
    # Least squares of choices on probabilities, by the direct formula.
    utility = data.frame[["x", "y"]].to_numpy() @ grid.values.T
    odds = np.exp(utility)
    rows = odds / np.repeat(np.add.reduceat(odds, data.situation_start[:-1]), 3, axis=0)
    y = np.zeros(len(rows))
    y[data.chosen_row] = 1.0
    weights = np.zeros(16)
    for _, one in squares.types.iterrows():
        weights[np.abs(grid.values - one[["x", "y"]].to_numpy()).sum(axis=1).argmin()] = one[
            "share"
        ]
    slope = 2 * rows.T @ (rows @ weights - y)
    assert (slope - slope @ weights).min() > -1e-6 * np.abs(slope).max()


def test_an_outside_option_has_its_probability() -> None:
    frame = drawn(two_types(60), tasks=4).frame
    none = frame["alt"] == 2
    data = choice_data(frame[~none], outside_option=True)
    grid = bm.Types({"x": [-2, -1, 0], "y": [-1, 0, 1]})
    newton = bm.nonparametric(UTILITY, data, grid, adding=False)
    utility = data.frame[["x", "y"]].to_numpy() @ newton.types[["x", "y"]].to_numpy().T
    total = 1.0 + np.add.reduceat(np.exp(utility), data.situation_start[:-1])
    inside = data.chosen_row >= 0
    logs = -np.log(total)
    logs[inside] += utility[data.chosen_row[inside]]
    people = np.exp(np.add.reduceat(logs, data.person_start[:-1]))
    value = np.log(people @ newton.types["share"].to_numpy()).sum()
    np.testing.assert_allclose(newton.loglik, value, rtol=1e-12)
    squares = bm.nonparametric(UTILITY, data, grid, method="least-squares")
    assert squares.gap > 0


def test_one_point_and_files(data: bm.ChoiceData, tmp_path: Any) -> None:
    one = bm.nonparametric(UTILITY, data, bm.Types({"x": [-1.0], "y": [0.5]}))
    assert len(one.types) == 1
    np.testing.assert_allclose(one.loglik, np.log(mixed(data, one.types)).sum(), rtol=1e-12)
    one.fit.save(tmp_path / "types.json")
    again = bm.Fit.load(tmp_path / "types.json", data)
    np.testing.assert_allclose(again.loglik, one.loglik, rtol=1e-12)
    assert "1 types" in repr(one) or "1 type" in repr(one)
    assert "parameters" not in one.headline()


def test_types_stay_where_the_box_has_one_place(data: bm.ChoiceData) -> None:
    one = bm.nonparametric(UTILITY, data, bm.Types({"x": [-1.0], "y": [0.5]}))
    assert one.types[["x", "y"]].to_numpy().tolist() == [[-1.0, 0.5]]
    found = bm.nonparametric(UTILITY, data, bm.Types({"x": [-1.0], "y": [-0.1, 0.3]}), rng=1)
    np.testing.assert_allclose(found.types["x"], -1.0, rtol=1e-12)
    # Choices pull both ways out of this box, to -0.5 and 1.5.
    np.testing.assert_allclose(np.sort(found.types["y"]), [-0.1, 0.3], rtol=1e-12)
    assert "at an end of the box: 2 of them" in found.headline()


def test_points_of_a_fit_are_of_its_law(normal: bm.Fit) -> None:
    types = bm.Types(normal, points=512, rng=1)
    means, sds = normal.params[["mean[x]", "mean[y]"]], normal.params[["sd[x]", "sd[y]"]]
    np.testing.assert_allclose(types.values.mean(axis=0), means, atol=0.02)
    np.testing.assert_allclose(types.values.std(axis=0), sds, rtol=0.03)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"grid": {"x": []}}, "finite numbers"),
        ({"grid": {"x": [1.0, np.nan]}}, "finite numbers"),
        ({"grid": {"x": (1.0, 0.0)}, "points": 4}, "lower first"),
        ({"grid": {term: range(10_000) for term in "abcdef"}}, "1000000 at most"),
        ({"grid": {"x": [1.0, 1.0]}}, "twice"),
        ({"grid": {"x": [0.0, 3.0]}, "box": {"x": (-1.0, 2.0)}}, "does not hold 1"),
        ({"grid": {"x": [0.0]}, "box": {"z": (-1.0, 2.0)}}, "no term"),
        ({"grid": pd.DataFrame({"x": ["a"]})}, "a number in every cell"),
        ({"grid": pd.DataFrame({"x": [1.0]}), "points": 3}, "a box or a fit"),
    ],
)
def test_points_are_checked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(bm.SpecificationError, match=words):
        bm.Types(**arguments)


def test_what_types_do_not_go_with(data: bm.ChoiceData) -> None:
    types = bm.Types({"x": [-1.0, 0.0]})
    with pytest.raises(bm.SpecificationError, match="random coefficients of its own"):
        bm.nonparametric(bm.MixedLogit("x + y", [bm.Normal("y")]), data, types)
    control = bm.ControlFunction("x", instruments="y", on=("task", "option"))
    with pytest.raises(bm.SpecificationError, match="control="):
        bm.nonparametric(bm.MixedLogit("x", control=control), data, types)
    with pytest.raises(bm.SpecificationError, match="are fixed"):
        bm.nonparametric(UTILITY, data, types, method="least-squares")
    with pytest.raises(bm.SpecificationError, match="adding=True"):
        bm.nonparametric(UTILITY, data, types, method="least-squares", adding=True)
    with pytest.raises(bm.SpecificationError, match="'z'"):
        bm.nonparametric(UTILITY, data, bm.Types({"z": [1.0]}))


def test_pictures(found: Any) -> None:
    figure = bm.plot_types(found)
    assert [axis.get_title() for axis in figure.axes if axis.get_title()] == ["x", "y"]
    assert len(bm.plot_types(found, ["y"]).axes) == 1


def test_willingness_to_pay_wants_a_price_that_is_not_zero(data: bm.ChoiceData) -> None:
    grid = bm.Types({"x": [-3.0, -2.0, 0.0], "y": [-1.0, 0.0, 2.0]})
    zero = bm.nonparametric(UTILITY, data, grid, adding=False, replications=4, rng=1)
    assert (zero.types["x"] == 0).any()
    with pytest.raises(bm.SpecificationError, match="'x' is 0 for some people at the estimate"):
        bm.wtp(zero.fit, "y", price="x", uncertainty=zero.bootstrap)
    grid = bm.Types({"x": [-3.0, -2.0, -0.5], "y": [-1.0, 0.0, 2.0]})
    some = bm.nonparametric(UTILITY, data, grid, adding=False, replications=4, rng=1)
    found = bm.wtp(some.fit, "y", price="x", uncertainty=some.bootstrap)
    mean = -(some.types["y"] / some.types["x"]) @ some.types["share"]
    np.testing.assert_allclose(found["estimate"].sel(statistic="mean"), mean, rtol=1e-9)
    assert bool(np.isfinite(found["low"]).all())


def test_classes_that_replications_alone_have_are_said(data: bm.ChoiceData, found: Any) -> None:
    table, shares = found.fit.summary(), found.types["share"]
    empty = table["note"].str.startswith("no type of these people")
    classes = [name for name in table.index if name.startswith("class share")]
    assert (~empty[classes]).sum() == len(shares)
    assert "curvature" not in "".join(table["note"])
