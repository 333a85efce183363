"""The first stage as it is reported, its strength, and tests of and with a control function."""

import numpy as np
import pytest
import scipy

import bayesmix as bm
from bayesmix.classical.instrument_strength import strength
from bayesmix.inference.first_stage_table import first_stage_record
from tests.markets_with_shocks import Stacked, control, data_of, frame

TABLE = frame(1)
DATA = data_of(TABLE)
MODEL = bm.MixedLogit("price + quality", control=control())


@pytest.fixture(scope="module")
def fit() -> bm.Fit:
    return bm.msle(MODEL, DATA)


def test_the_first_stage_is_least_squares_on_levels(fit: bm.Fit) -> None:
    oracle, found = Stacked(TABLE, 4), bm.first_stage(fit)
    assert len(found.levels) == 240
    assert found.table.index.tolist() == ["1", "quality", "cost", "wage"]
    np.testing.assert_allclose(found.table["estimate"], oracle.gamma, rtol=1e-10)
    market = oracle.levels["market"].to_numpy()
    sums = np.zeros((60, 4))
    np.add.at(sums, market, oracle.moments(oracle.gamma))
    bread = np.linalg.inv(oracle.z.T @ oracle.z)
    variance = 60 / 59 * bread @ sums.T @ sums @ bread
    np.testing.assert_allclose(found.table["std error"], np.sqrt(np.diag(variance)), rtol=1e-9)
    own = found.levels.sort_index()
    np.testing.assert_allclose(own["observed"], oracle.levels["price"])
    np.testing.assert_allclose(own["net"] - own["net fitted"], own["residual"], atol=1e-12)
    assert bm.first_stage(MODEL, DATA).strength == found.strength


def test_strength_by_comparison_of_two_regressions(fit: bm.Fit) -> None:
    oracle, s = Stacked(TABLE, 4), bm.first_stage(fit).strength
    p, z = oracle.levels["price"].to_numpy(), oracle.z

    def rss(x: np.ndarray) -> float:
        return float(((p - x @ np.linalg.lstsq(x, p, rcond=None)[0]) ** 2).sum())

    short, long = rss(z[:, :2]), rss(z)
    assert abs(s.f - (short - long) / 2 / (long / 236)) < 1e-9 * s.f
    assert abs(s.partial_r2 - (1 - long / short)) < 1e-12
    table, first = bm.first_stage(fit).table, first_stage_record(fit)
    own = first.gamma[2:] @ np.linalg.solve(first.covariance()[2:, 2:], first.gamma[2:]) / 2
    assert abs(s.f_clustered - own) < 1e-9 * own
    assert len(table) == 4


def test_effective_f_of_one_instrument_and_its_published_critical_value() -> None:
    one = control(instruments="cost", cluster="alt")
    found = bm.first_stage(bm.MixedLogit("price + quality", control=one), DATA)
    t = found.table["t"]["cost"]
    assert abs(found.strength.effective_f - t**2) < 1e-9 * t**2
    # Montiel Olea and Pflueger (2013), table 1: 23.1 for one instrument, a bias of 10 %.
    assert abs(found.strength.critical - 23.1) < 0.05
    assert not found.strength.weak


def test_weak_instruments_are_called_so() -> None:
    noise = np.random.default_rng(4).normal(size=240)
    table = TABLE.assign(noise=noise[TABLE["market"] * 4 + TABLE["alt"]])
    model = bm.MixedLogit("price + quality", control=control(instruments="noise"))
    fit = bm.msle(model, data_of(table))
    assert "instruments are weak: effective F" in fit.headline()
    assert "instruments are weak" in bm.first_stage(fit).headline()
    assert strength(first_stage_record(fit)).weak


def test_endogeneity_is_wald_s_test_of_the_residuals(fit: bm.Fit) -> None:
    found = bm.endogeneity_test(fit)
    same = bm.wald_test(fit, "fixed[residual[price]] = 0")
    assert found.statistic == same.statistic
    assert found.p_value < 1e-6
    powers = bm.msle(bm.MixedLogit("price + quality", control=control(powers=3)), DATA)
    assert bm.endogeneity_test(powers).df == 3
    with pytest.raises(bm.SpecificationError, match="held"):
        bm.endogeneity_test(bm.msle(MODEL, DATA, fixed={"fixed[residual[price]]": 0.0}))
    with pytest.raises(bm.SpecificationError, match="no control function"):
        bm.endogeneity_test(bm.msle(bm.MixedLogit("price"), DATA))
    law = bm.MixedLogit("price", bm.LogNormal("residual[price]"), control=control())
    one = bm.msle(law, DATA, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    with pytest.raises(bm.SpecificationError, match="give it a Normal"):
        bm.endogeneity_test(one)


def test_overidentification_agrees_with_wald_s_test_of_a_larger_model(fit: bm.Fit) -> None:
    """The score test and Wald's differ by what is of higher order, in persons and in markets."""
    big = data_of(frame(21, 400, 4, 5))
    for cluster in (None, "market"):
        small = bm.msle(MODEL, big, cluster=cluster)
        wider = bm.MixedLogit("price + quality + wage", control=control(instruments="cost"))
        large = bm.msle(wider, big, cluster=cluster)
        test = bm.overidentification_test(small)
        wald = bm.wald_test(large, "fixed[wage] = 0")
        assert test.df == 1
        assert abs(np.sqrt(test.statistic) - np.sqrt(wald.statistic)) < 0.1
    one = bm.msle(bm.MixedLogit("price + quality", control=control(instruments="cost")), DATA)
    with pytest.raises(bm.SpecificationError, match="is not overidentified"):
        bm.overidentification_test(one)
    moments = bm.msm(MODEL, DATA)
    with pytest.raises(bm.SpecificationError, match="Hansen's J"):
        bm.overidentification_test(moments)


def test_an_instrument_that_people_like_is_found_out() -> None:
    table = frame(3, 100, 4, 20)
    rng = np.random.default_rng(5)
    utility = -table["price"] + 0.5 * table["quality"] + 0.5 * table["wage"]
    noisy = (utility + rng.gumbel(size=len(table))).to_numpy().reshape(-1, 4)
    table["choice"] = (noisy == noisy.max(axis=1, keepdims=True)).ravel().astype(int)
    assert bm.overidentification_test(bm.msle(MODEL, data_of(table))).p_value < 1e-4


def test_other_tests_know_what_they_do_not_know(fit: bm.Fit) -> None:
    without = bm.msle(bm.MixedLogit("price + quality"), DATA)
    ratio, wald = bm.lr_test(without, fit), bm.endogeneity_test(fit)
    assert ratio.df == wald.df == 1
    held = bm.msle(MODEL, DATA, fixed={"fixed[quality]": 0.5})
    with pytest.raises(bm.SpecificationError, match="wald_test"):
        bm.lr_test(held, fit)
    with pytest.raises(bm.SpecificationError, match="endogeneity_test"):
        bm.hausman_test(without, fit)
    assert bm.hausman_test(without, fit, kind="robust").p_value < 1e-3


def test_the_law_of_the_endogeneity_test_is_chi_squared_where_prices_are_exogenous() -> None:
    values = []
    for seed in range(30):
        table = frame(100 + seed, 30, 3, 10)
        rng = np.random.default_rng(seed)
        utility = (-table["price"] + rng.gumbel(size=len(table))).to_numpy().reshape(-1, 3)
        table["choice"] = (utility == utility.max(axis=1, keepdims=True)).ravel().astype(int)
        fit = bm.msle(MODEL, data_of(table))
        values.append(bm.endogeneity_test(fit).p_value)
    assert scipy.stats.kstest(values, "uniform").pvalue > 0.01


def test_the_plot_has_both_panels(fit: bm.Fit) -> None:
    figure = bm.plot_first_stage(bm.first_stage(fit))
    observed, net = (axis.collections[0].get_offsets() for axis in figure.axes)
    assert len(observed) == len(net) == 240
    slope = np.polyfit(net[:, 0], net[:, 1], 1)[0]
    assert abs(slope - 1.0) < 1e-9
