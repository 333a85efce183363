"""Laws of any shape against a truth of two peaks: how far each is from it, and what it implies."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.likelihood.simulate import draw_coefficients
from bayesmix.specification.maps import index_cdf
from tests.simulated import attributes, choice_data

PEAKS, WIDTH = np.array([2.0, -2.0]), 0.5
AT = np.linspace(-6.0, 6.0, 1201)
TRUE = norm.cdf((AT[:, None] - PEAKS) / WIDTH).mean(axis=1)
SNP = bm.SemiNonparametric("y", degree=2)


@cache
def data() -> bm.ChoiceData:
    """300 persons with 8 choices each, half of them around each peak of y."""
    rng = np.random.default_rng(1)
    y = np.repeat(PEAKS, 150) + WIDTH * rng.normal(size=300)
    frame = attributes(rng, 300, 8)
    utility = -frame["x"] + y[frame["who"]] * frame["y"] + rng.gumbel(size=len(frame))
    best = utility.groupby(frame["task"]).idxmax()
    return choice_data(frame.assign(choice=frame.index.isin(best).astype(int)))


@cache
def fit(law: bm.Normal) -> bm.Fit:
    grid = bm.centred(bm.sobol(64))
    return bm.msle(bm.MixedLogit("x + y", law), data(), grid=grid, starts=1, rng=1)


def distance(cdf: np.ndarray) -> float:
    """Kolmogorov's, from the true law of y."""
    return float(np.abs(cdf - TRUE).max())


@cache
def of_normal() -> float:
    params = fit(bm.Normal("y")).params
    return distance(norm.cdf(AT, params["mean[y]"], params["sd[y]"]))


def test_a_semi_nonparametric_law_has_both_peaks() -> None:
    found = fit(SNP)
    (c,) = SNP.coefficients
    c = replace(c, shape=tuple(found.params.filter(like="shape[")))
    loc = np.array([found.params["mean[y]"]])
    cdf = np.array([index_cdf(c, loc, found.params["sd[y]"], y)[0] for y in AT])
    assert distance(cdf) < 0.5 * of_normal()
    assert found.bic < fit(bm.Normal("y")).bic - 50
    drawn = np.concatenate(
        [draw_coefficients(found.problem, found.theta, np.random.default_rng(r)) for r in range(99)]
    )[:, 0]
    summary, error = found.summary()["estimate"], drawn.std() / len(drawn) ** 0.5
    assert summary["implied mean[y]"] == pytest.approx(drawn.mean(), abs=4 * error)
    assert summary["implied sd[y]"] == pytest.approx(drawn.std(), rel=0.02)
    assert summary["share positive[y]"] == pytest.approx((drawn > 0).mean(), abs=0.01)
    assert np.abs((np.sort(drawn)[:, None] < AT).mean(axis=0) - cdf).max() < 0.01


def test_components_of_one_width_have_both_peaks() -> None:
    """Of widths of its own, one component narrows to a point here; the fit says what to do."""
    model, widths = bm.MixedLogit("x + y", bm.NormalMixture("y")), ("sd[y, 1]", "sd[y, 2]")
    free = bm.msle(model, data(), starts=1, rng=1)
    assert min(free.params[name] for name in widths) < 0.1
    assert f"equal={[widths]}" in free.message
    found = bm.msle(model, data(), equal=[widths], starts=1, rng=1)
    table = found.summary()["estimate"].astype(float)
    share = [table[f"class share[{c}]"] for c in (1, 2)]
    parts = [norm.cdf(AT, table[f"mean[y, {c}]"], table[f"sd[y, {c}]"]) for c in (1, 2)]
    assert distance(np.average(parts, axis=0, weights=share)) < 0.5 * of_normal()
    assert table["sd[y, 1]"] == table["sd[y, 2]"] == pytest.approx(WIDTH, abs=0.2)
    assert found.bic < fit(bm.Normal("y")).bic - 50
    assert "boundary" not in found.message
