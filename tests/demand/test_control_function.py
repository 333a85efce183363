"""Demand with a control function: its residual stays where prices move, and is uncertain too."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical.first_stage_errors import without_first_stage
from bayesmix.demand.drawn_people import drawn_people
from bayesmix.demand.options import Where, settle
from bayesmix.likelihood.simulate import expected_utilities
from tests.markets_with_shocks import Stacked, control, data_of, frame

TABLE = frame(1)
DATA = data_of(TABLE)
MODEL = bm.MixedLogit("price + quality", control=control())
RANDOM = bm.MixedLogit(
    "price + quality",
    random=[bm.Normal("residual[price]")],
    control=control(powers=2),
)


@pytest.fixture(scope="module")
def fit() -> bm.Fit:
    return bm.msle(MODEL, DATA)


def test_elasticities_leave_the_residual_where_it_is(fit: bm.Fit) -> None:
    oracle, theta = Stacked(TABLE, 4), fit.params.to_numpy()
    x = oracle.x(oracle.gamma)
    before = oracle.shares(theta, x).mean(axis=0)
    expected = np.empty((4, 4))
    for j in range(4):
        shares = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[:, j, 0] *= 1.0 + sign * 1e-5  # the price alone
            shares.append(oracle.shares(theta, moved).mean(axis=0))
        expected[j] = (shares[0] - shares[1]) / 2e-5 / before
    found = bm.elasticities(fit, DATA, "price", draws=4, rng=1)["estimate"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_scenario_keeps_the_residuals_of_its_levels(fit: bm.Fit) -> None:
    oracle, theta = Stacked(TABLE, 4), fit.params.to_numpy()
    x = oracle.x(oracle.gamma)
    x[:, 1, 0] += 0.5
    dearer = DATA.with_attribute("price", lambda rows: rows["price"] + 0.5, alternative=1)
    found = bm.shares(fit, DATA, scenario=dearer, draws=4, rng=1)["estimate"]
    np.testing.assert_allclose(found, oracle.shares(theta, x).mean(axis=0), rtol=1e-10)
    table = fit.predict(DATA, scenario=dearer)
    np.testing.assert_allclose(table["probability"], oracle.shares(theta, x).ravel(), rtol=1e-10)


@pytest.mark.parametrize("powers", [1, 2])
def test_what_the_data_fix_does_not_move_with_the_first_stage(powers: int) -> None:
    """With one instrument, utilities at the data are the same for any first-stage coefficients.

    Price, exogenous attributes and residual span what they do with the instrument in the
    residual's place: what estimates and residuals owe to the first stage cancels, exactly.
    """
    one = control(instruments="cost", powers=powers)
    fit = bm.msle(bm.MixedLogit("price + quality", control=one), DATA)
    known = without_first_stage(fit)
    found, plain = (bm.shares(f, DATA, uncertainty="delta") for f in (fit, known))
    width, expected = (f["high"] - f["low"] for f in (found, plain))
    if powers == 1:
        np.testing.assert_allclose(width, expected, rtol=1e-5)
    wide = [bm.elasticities(f, DATA, "price", uncertainty="delta") for f in (fit, known)]
    own, less = ((w["high"] - w["low"]).to_numpy().diagonal() for w in wide)
    assert (own > 1.2 * less).all()


def test_draws_are_of_both_stages(fit: bm.Fit) -> None:
    drawn = bm.shares(fit, DATA, draws=400, rng=1)
    exact = bm.shares(fit, DATA, uncertainty="delta")
    again = bm.bootstrap(fit, DATA, 60, rng=2, processes=1)
    by_bootstrap = bm.shares(fit, DATA, uncertainty=again)
    width = [float((f["high"] - f["low"]).mean()) for f in (exact, drawn, by_bootstrap)]
    assert abs(width[1] / width[0] - 1.0) < 0.12
    assert abs(width[2] / width[0] - 1.0) < 0.3


def test_random_residuals_move_in_all_that_is_read() -> None:
    data = data_of(frame(1, 30, 4, 10))
    fit = bm.msle(RANDOM, data, grid=bm.gauss_hermite(15), starts=1, rng=1)
    gamma = fit.problem.design.residuals.first.gamma
    moved = fit.problem.at_first_stage(gamma + np.array([0.1, 0.0, 0.1, -0.1]))
    whole = moved.design.residuals
    expected = whole.first.residual[whole.code]
    names = (*moved.design.random_names, *moved.design.fixed_names)
    columns = moved.design.written(moved.data).columns
    np.testing.assert_allclose(columns[:, names.index("residual[price]")], expected, atol=1e-12)
    np.testing.assert_allclose(
        columns[:, names.index("residual[price]^2")], expected**2, atol=1e-12
    )
    # Interval ends of everything that looks at draws, people's own coefficients among them.
    for people in ("population", "known"):
        found = bm.shares(fit, data, draws=8, nodes=16, people=people, rng=1)
        assert bool((found["low"] < found["high"]).all())
    assert bm.individuals(fit, data, draws=4, rng=1)["sd"].min() > 0.0
    assert np.isfinite(bm.surplus(fit, data, price="price", draws=4, nodes=16, rng=1)["estimate"])


def test_drawn_people_meet_the_residuals_of_their_own_draw() -> None:
    data = data_of(frame(1, 30, 4, 10))
    fit = bm.msle(RANDOM, data, grid=bm.gauss_hermite(15), starts=1, rng=1)
    size, person = len(fit.theta), data.row_person
    for people in ("population", "known"):
        how = settle({"draws": 3, "nodes": 32, "people": people, "rng": 1}, bm.shares)
        drawn = drawn_people(fit, data, Where(None), how)
        for theta, beta in drawn:
            problem = drawn.problem.at_first_stage(theta[size:])
            whole = problem.design.residuals
            residual = whole.first.residual[whole.code]
            values = {
                "price": data.frame["price"],
                "quality": data.frame["quality"],
                "residual[price]^2": residual**2,
            }
            by_name = dict(zip(fit.params.index, theta[:size], strict=True))
            expected = beta[person, 0] * residual
            expected += sum(by_name[f"fixed[{name}]"] * x for name, x in values.items())
            np.testing.assert_allclose(
                expected_utilities(drawn.problem, theta, beta), expected, atol=1e-12
            )
    # What people are known by moves with the first stage, too: the same numbers, other people.
    wide = drawn.thetas.copy()
    wide[:, list(fit.params.index).index("sd[residual[price]]")] = 1.0
    moved = wide + np.append(np.zeros(size), [0.3, 0.0, 0.3, -0.3])
    same, other = (
        np.stack([beta for _, beta in replace(drawn, thetas=t, rng=np.random.default_rng(1))])
        for t in (wide, moved)
    )
    assert (same != other).any()


def test_new_levels_are_refused_or_have_no_shock(fit: bm.Fit) -> None:
    other = data_of(frame(2, markets=61))
    with pytest.raises(bm.DataError, match=r"4 levels .* market 60, alt 0 .*new='zero'"):
        bm.shares(fit, other, draws=4, rng=1)
    zero = bm.msle(bm.MixedLogit("price + quality", control=control(new="zero")), DATA)
    found = bm.shares(zero, other, draws=4, rng=1)["estimate"]
    assert abs(float(found.sum()) - 1.0) < 1e-12
    residual = zero.problem.design.residuals.on(other)
    assert (residual.columns()[other.frame["market"].to_numpy() == 60] == 0.0).all()
    added = DATA.with_alternative("new", {"price": 2.0}, like=1)
    with pytest.raises(bm.DataError, match="alt 'new'"):
        bm.shares(fit, DATA, scenario=added, draws=4, rng=1)
    assert float(bm.shares(zero, DATA, scenario=added, draws=4, rng=1)["estimate"].sum()) > 0.999
