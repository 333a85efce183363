"""`bm.priors` and `bm.prior_predictive`: what people see of priors before they sample."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmix as bm
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x", mean="1 + age"), bm.LogNormal("y", sign=-1)])


def frame(persons: int = 60, situations: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    found = attributes(rng, persons, situations)
    found["age"] = rng.normal(size=persons)[found["who"]]
    found["weight"] = 1.0 + found["who"] % 3
    return found


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return choice_data(frame())


@pytest.fixture(scope="module")
def outside() -> bm.ChoiceData:
    return choice_data(frame(), outside_option=True, weights="weight")


def test_the_table_says_law_size_and_unit(data) -> None:
    given = {"mean[x]": (0.5, 2.0), "shift": bm.Prior("laplace", mu=0, b=1, scaled=True)}
    found = bm.priors(MODEL, data, given)
    table = found.table
    assert list(table.index) == [
        "mean[x]", "mean[y]", "sd[x]", "sd[y]", "shift[x, age]",
    ]  # fmt: skip
    assert table.loc["mean[x]", "97.5 %"] == pytest.approx(stats.norm(0.5, 2).ppf(0.975))
    half = stats.halfnorm(scale=3.0 * table.loc["sd[x]", "unit"])
    assert table.loc["sd[x]", ["sd", "50 %"]].tolist() == pytest.approx([half.std(), half.median()])
    size = np.sqrt((frame().groupby("who")["age"].first() ** 2).mean())
    unit = table.loc["sd[x]", "unit"] / size
    assert table.loc["shift[x, age]", "unit"] == pytest.approx(unit)
    assert table.loc["shift[x, age]", "sd"] == pytest.approx(np.sqrt(2) * unit)
    assert "lognormal" in table.loc["mean[y]", "scaled to"]
    assert list(found.likelihood.index) == ["mean[x]"]
    assert "1 util of a difference of" in found._repr_html_()
    assert len(found.plot().axes[0].get_yticks()) == 5


def test_correlated_held_and_classes_have_their_rows(data) -> None:
    block = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y", eta=3))
    assert bm.priors(block, data).table.loc["corr[x, y]", "sd"] == pytest.approx(
        stats.beta(3, 3, -1, 2).std()
    )
    wishart = bm.priors(block, data, {"cov": bm.InverseWishart(mean_precision=0.1)}).table
    assert wishart.loc["sd[x]", "law"].startswith("inverse-Wishart")
    assert wishart.loc["mean[x]", "law"] == "normal, covariance cov / 0.1"
    held = bm.Constraints(fixed={"mean[x]": 1.5})
    model = bm.MixedLogit("x + y", random=bm.Normal("x"), constraints=held)
    assert bm.priors(model, data).table.loc["mean[x]", ["law", "50 %"]].tolist() == [
        "held at 1.5", 1.5,
    ]  # fmt: skip
    kinds = bm.MixedLogit("x + y", random=bm.LatentClass("x", classes=2))
    assert {"fixed[x, 1]", "fixed[x, 2]", "share[2]"} <= set(bm.priors(kinds, data).table.index)


def test_sets_without_choices_have_priors(data) -> None:
    blank = bm.ChoiceData.from_long(
        frame().drop(columns="choice"), person="who", situation="task", alternative="alt"
    )
    found = bm.priors(MODEL, blank)
    pd.testing.assert_frame_equal(found.table, bm.priors(MODEL, data).table)
    assert not len(found.likelihood)
    assert bm.prior_predictive(MODEL, blank, draws=5, rng=1)["prior"].sizes["draw"] == 5


def test_shares_are_those_of_demand_and_of_choices(outside) -> None:
    tree = bm.prior_predictive(MODEL, outside, draws=400, rng=2)
    found = tree["prior_predictive"].to_dataset()
    np.testing.assert_allclose(found["share"].sum("alternative"), 1.0, atol=1e-12)
    assert list(found["alternative"].to_numpy()) == ["0", "1", "2", "outside"]
    demand = bm.shares(tree, outside, draws=400, nodes=64, rng=3)
    theirs = demand["estimate"].to_numpy()
    share = found["share"].mean(("chain", "draw")).to_numpy()
    # One draw of coefficients a person, 60 of them, in place of an integral.
    error = found["share"].std(("chain", "draw")).to_numpy() / np.sqrt(400)
    assert (np.abs(share - theirs) < 4 * error).all()
    weights = np.repeat(outside.weights, 4)
    codes = found["choice"].to_numpy().reshape(400, -1)
    drawn = np.stack([(codes == k) @ weights for k in range(4)], axis=1) / weights.sum()
    # Given probabilities, choices of 240 situations are independent.
    gap = drawn - found["share"].to_numpy()[0]
    assert (np.abs(gap.mean(axis=0)) < 4 * gap.std(axis=0) / 20).all()
    assert gap.std() < 0.5 / np.sqrt(240) * 1.3
    law = bm.wtp(tree, "x", price="y", data=outside, rng=1, draws=50)
    assert np.isfinite(law["estimate"].sel(statistic="median"))


def test_held_parameters_and_rows_that_are_sure(data) -> None:
    held = bm.Constraints(fixed={"fixed[x]": 200.0, "fixed[y]": 0.0})
    tree = bm.prior_predictive(
        bm.MixedLogit("x + y + z", random=[bm.Normal("z")], constraints=held),
        with_z(),
        draws=6,
        rng=1,
    )
    certain = tree["prior_predictive"]["certain"]
    assert (certain > 0.9).all()
    rows = with_z().frame.reset_index()
    best = rows.loc[rows.groupby("task")["x"].idxmax()].sort_values("task")["alt"].to_numpy()
    same = tree["prior_predictive"]["choice"].to_numpy()[0, 0] == best
    assert same.mean() > 0.9


def with_z() -> bm.ChoiceData:
    rows = frame()
    return choice_data(rows.assign(z=np.random.default_rng(2).normal(size=len(rows))))


def examples() -> dict[str, tuple[bm.MixedLogit, bm.ChoiceData]]:
    electricity = bm.examples.electricity()
    six = ("pf", "cl", "loc", "wk", "tod", "seas")
    away = choice_data(frame(), outside_option=True)
    return {
        "normals": (bm.MixedLogit(" + ".join(six), random=bm.Normal(*six)), electricity),
        "correlated": (
            bm.MixedLogit(
                " + ".join(six),
                random=[bm.LKJNormal(*six[:4]), bm.LogNormal("tod", "seas", sign=-1)],
            ),
            electricity,
        ),
        "outside": (bm.MixedLogit("x + y", random=bm.Normal("x", "y")), away),
        "constants": (bm.MixedLogit("C(alt) + x", random=bm.Normal("x")), away),
        "lognormal": (bm.MixedLogit("x", random=bm.LogNormal("x")), away),
    }


@pytest.mark.parametrize("name", ["normals", "correlated", "outside", "constants", "lognormal"])
def test_defaults_do_not_decide_choices(name: str) -> None:
    model, data = examples()[name]
    found = bm.prior_predictive(model, data, draws=60, rng=5)["prior_predictive"].to_dataset()
    assert found["certain"].median() < 0.75  # 0.83 with the scales of before
    middle = found["probability"].median(("chain", "draw")).sel(quantile="quantile 0.75")
    assert 0.2 < middle < 0.8
    low, high = np.quantile(found["share"].to_numpy()[0], [0.25, 0.75], axis=0)
    assert (high > 0.1).all()  # the outside option is one good among three that differ
    assert (low < 0.8).all()


def test_utilities_beyond_the_numbers_have_no_probabilities(data) -> None:
    given = {"sd[y]": bm.Prior("half-cauchy", beta=1000)}
    with pytest.raises(bm.SpecificationError, match="coefficients of 'y' are larger than"):
        bm.prior_predictive(MODEL, data, priors=given, draws=40, rng=1)
