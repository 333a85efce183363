"""Statistics of choices against loops, and envelopes against exchangeable curves."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from bayesmix.evaluation.calibration import POINTS, reliability, transform
from bayesmix.evaluation.envelope import envelope
from bayesmix.evaluation.statistics import SetsWithOutside, levels, shares, spread, switches

SIZES = np.array([2, 3, 3, 2, 3, 3, 2, 3, 2])
PERSON = np.array([0, 0, 0, 1, 2, 2, 2, 2, 3])
WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])[PERSON]


def sets():
    rng = np.random.default_rng(1)
    start = np.append(0, SIZES.cumsum())
    code = np.concatenate([np.sort(rng.permutation(3)[:n]) for n in SIZES])
    return SetsWithOutside(
        start, PERSON, WEIGHT, code, ("a", "b", "c"), PERSON % 2, ("even", "odd")
    )


def chosen(seed=2):
    return sets().start[:-1] + np.random.default_rng(seed).integers(0, SIZES)


def probability():
    rng = np.random.default_rng(3)
    return np.concatenate([rng.dirichlet(np.ones(n)) for n in SIZES])


def test_shares_and_segments():
    own, y = sets(), chosen()
    good = own.code[y]
    expected = [WEIGHT[good == j].sum() / WEIGHT.sum() for j in range(3)]
    np.testing.assert_allclose(shares(own).of(y), expected)
    found = shares(own, "half")
    assert found.labels[4] == "odd: b"
    for g in range(2):
        at = g == PERSON % 2
        expected = [WEIGHT[at & (good == j)].sum() / WEIGHT[at].sum() for j in range(3)]
        np.testing.assert_allclose(found.of(y)[3 * g : 3 * g + 3], expected)


def test_switches_are_of_persons_with_several_situations():
    own, y = sets(), chosen()
    good = own.code[y]
    number = {i: int((np.diff(good[i == PERSON]) != 0).sum()) for i in (0, 2)}
    weight = {0: 1.0, 2: 0.5}
    found = dict(zip(switches(own).labels, switches(own).of(y), strict=True))
    for k in range(4):
        expected = sum(w for i, w in weight.items() if number[i] == k) / 1.5
        assert found[str(k)] == pytest.approx(expected)
    assert found["rate"] == pytest.approx((number[0] / 2 + 0.5 * number[2] / 3) / 1.5)
    single = SetsWithOutside(np.array([0, 2, 4]), np.arange(2), np.ones(2), own.code[:4], own.goods,
                  np.zeros(2, dtype=int), ("all",))  # fmt: skip
    assert switches(single) is None
    none = np.zeros(40, dtype=int)
    long = SetsWithOutside(
        2 * np.arange(41), none, np.ones(40), np.tile([0, 1], 40), ("a", "b"), none, ("all",)
    )
    assert switches(long).labels[:2] == ("0-3", "4-7")
    assert switches(long).of(2 * np.arange(40)).tolist() == [1.0, *[0.0] * 9, 0.0]
    assert switches(long).of(2 * np.arange(40) + np.arange(40) % 2)[[-2, -1]].tolist() == [1.0, 1.0]


def test_levels_and_spread():
    own, y = sets(), chosen()
    x = np.random.default_rng(4).normal(size=len(own.code))
    inside = own.code < 2  # as if c were the outside option
    found = levels(own, "x", pd.Series(x[inside]), inside)
    edges = np.quantile(x[inside], np.linspace(0, 1, 7))
    for b, (low, high) in enumerate(pairwise(edges)):
        at = inside[y] & (x[y] <= high) & ((x[y] > low) | (b == 0) & (x[y] >= low))
        assert found.of(y)[b] == pytest.approx(WEIGHT[at].sum() / WEIGHT.sum())
    text = levels(own, "t", pd.Series(np.array(["u", "v"])[own.code[inside]]), inside)
    assert text.labels == ("u", "v")
    away = np.concatenate(
        [x[s:e] - x[s:e].mean() for s, e in zip(own.start[:-1], own.start[1:], strict=True)]
    )
    away /= np.sqrt((away**2).mean())
    mean = np.array([away[y][i == PERSON].mean() for i in range(4)])
    w = np.array([1.0, 2.0, 0.5, 3.0]) / 6.5
    expected = np.sqrt(w @ (mean - w @ mean) ** 2)
    both = np.column_stack([x, own.situation.astype(float)])
    np.testing.assert_allclose(spread(own, both, ("x", "t")).of(y), [expected, 0.0], atol=1e-12)


def test_the_transform_is_that_of_its_authors():
    own, y, p = sets(), chosen(), probability()
    total = np.zeros(len(POINTS))
    for t, (s, e) in enumerate(zip(own.start[:-1], own.start[1:], strict=True)):
        before = p[s:e][p[s:e] > p[y[t]]].sum()  # likelier ones come first
        upper = before + p[y[t]]
        for k, u in enumerate(POINTS):
            part = 0.0 if u <= before else 1.0 if u >= upper else (u - before) / p[y[t]]
            total[k] += WEIGHT[t] * part
    np.testing.assert_allclose(transform(own, p).of(y), total / WEIGHT.sum() - POINTS, atol=1e-12)


def test_what_is_chosen_with_the_probabilities_is_calibrated():
    rng = np.random.default_rng(5)
    n = 40_000
    p = rng.dirichlet(np.ones(3), n)
    y = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    own = SetsWithOutside(3 * np.arange(n + 1), np.arange(n), np.ones(n), np.tile(np.arange(3), n),
               ("a", "b", "c"), np.zeros(n, dtype=int), ("all",))  # fmt: skip
    assert abs(transform(own, p.ravel()).of(3 * np.arange(n) + y)).max() < 0.01
    curve = reliability(own, p.ravel())
    assert abs(curve.of(3 * np.arange(n) + y) - curve.at).max() < 0.02
    sharper = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert abs(transform(own, sharper.ravel()).of(3 * np.arange(n) + y)).max() > 0.05
    assert len(reliability(own, np.full(3 * n, 1 / 3)).at) == 1


def test_reliability_by_a_loop():
    own, y, p = sets(), chosen(), probability()
    found = reliability(own, p)
    weight = WEIGHT[own.situation]
    picked = np.isin(np.arange(len(p)), y)
    edges = np.quantile(p, np.linspace(0, 1, 11))
    bins = [(p <= edges[1]) if b == 0 else (p > edges[b]) & (p <= edges[b + 1]) for b in range(10)]
    bins = [b for b in bins if b.any()]
    np.testing.assert_allclose(found.at, [np.average(p[b], weights=weight[b]) for b in bins])
    np.testing.assert_allclose(
        found.of(y), [np.average(picked[b], weights=weight[b]) for b in bins]
    )


def test_envelopes_hold_curves_as_often_as_they_say():
    """p-values of exchangeable curves are uniform; out of the band is what has p <= 1 - level."""
    rng, p, out = np.random.default_rng(6), [], []
    for _ in range(300):
        walks = rng.normal(size=(100, 15)).cumsum(axis=1)
        found = envelope(walks[0], walks[1:], 0.9)
        p.append(found.p_value)
        out.append(((found.observed < found.low) | (found.observed > found.high)).any())
    assert kstest(p, "uniform").pvalue > 0.01
    np.testing.assert_array_equal(out, np.array(p) <= 0.1 + 1e-9)


def test_envelopes_of_counts_and_constants():
    rng = np.random.default_rng(7)
    curves = np.column_stack([rng.integers(0, 3, 200), np.zeros(200), rng.integers(0, 2, 200)])
    found = envelope(curves[0], curves[1:])
    assert found.low[1] == found.high[1] == 0
    assert envelope(np.array([1.0, 0.5, 1.0]), curves[1:]).worst == 1
    assert envelope(np.array([1.0, 0.5, 1.0]), curves[1:]).p_value <= 0.01
