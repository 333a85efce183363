"""Scores of probabilities: by hand, by person, and at the ends."""

import numpy as np
import pytest
from scipy.stats import t

from bayesmix.evaluation.scores import Predicted, score_choices

PERSON = np.array([0, 0, 1, 2, 2, 2])
WEIGHT = np.array([1.0, 1.0, 2.5, 0.5, 0.5, 0.5])
SIZES = np.array([2, 3, 2, 4, 2, 3])


def drawn(seed=1):
    rng = np.random.default_rng(seed)
    start = np.append(0, SIZES.cumsum())
    p = np.concatenate([rng.dirichlet(np.ones(n)) for n in SIZES])
    chosen = start[:-1] + rng.integers(0, SIZES)
    return Predicted(p, start, chosen, PERSON, WEIGHT)


def test_scores_are_those_of_a_loop():
    found = drawn()
    expected = []
    for s, e, y in zip(found.start[:-1], found.start[1:], found.chosen, strict=True):
        p, one = found.probability[s:e], np.arange(s, e) == y
        expected.append([np.log(p[one][0]), ((p - one) ** 2).sum(), p.argmax() == y - s, p.max()])
    scores = score_choices(found)
    np.testing.assert_allclose(scores.situations.to_numpy(), np.array(expected, float))
    mean = WEIGHT @ np.array(expected, float) / WEIGHT.sum()
    np.testing.assert_allclose(scores.table["mean"], mean)
    brier = WEIGHT @ (1 - 1 / SIZES) / WEIGHT.sum()
    assert scores.table.loc["Brier score", "equal shares"] == pytest.approx(brier)
    assert scores.table.loc["expected hits", "equal shares"] == pytest.approx(
        WEIGHT @ (1 / SIZES) / WEIGHT.sum()
    )


def test_intervals_take_a_persons_choices_together():
    found, scores = drawn(), score_choices(drawn(), interval=0.9)
    s = scores.situations["log score"].to_numpy()
    mean = scores.table.loc["log score", "mean"]
    sums = [(WEIGHT * (s - mean))[i == PERSON].sum() for i in range(3)]
    error = np.sqrt(3 / 2 * np.square(sums).sum()) / WEIGHT.sum()
    row = scores.table.loc["log score"]
    assert row["std error"] == pytest.approx(error)
    assert row["high"] - row["mean"] == pytest.approx(t.ppf(0.95, 2) * error)
    # The same choices, each twice: no more is known of persons.
    twice = Predicted(
        np.tile(found.probability, 2),
        np.append(found.start[:-1], found.start + found.start[-1]),
        np.append(found.chosen, found.chosen + found.start[-1]),
        np.tile(PERSON, 2),
        np.tile(WEIGHT, 2),
    )
    np.testing.assert_allclose(score_choices(twice).table, score_choices(found).table)


def test_what_cannot_be_is_infinite_and_equals_share_a_hit():
    found = Predicted(
        np.array([0.5, 0.5, 0.0, 1.0]),
        np.array([0, 2, 4]),
        np.array([1, 2]),
        np.array([0, 1]),
        np.ones(2),
    )
    table = score_choices(found).table
    assert table.loc["log score", "mean"] == -np.inf
    assert np.isnan(table.loc["log score", "low"])
    assert table.loc["hit rate", "mean"] == pytest.approx(0.25)
    assert table.loc["Brier score", "mean"] == pytest.approx((0.5 + 2.0) / 2)
    one = Predicted(*(np.array(v) for v in ([0.3, 0.7], [0, 2], [1], [0], [1.0])))
    scores = score_choices(one, notes=("a note",))
    assert scores.table["std error"].isna().all()
    assert "1 choices of 1 persons" in repr(scores)
    assert "<p>a note</p>" in scores._repr_html_()


def test_mean_and_coverage_of_the_interval():
    """Choices drawn from the probabilities: hits are as often as expected, in 95 of 100 samples."""
    rng, inside = np.random.default_rng(3), 0
    for _ in range(200):
        persons, tasks = 40, 3
        p = rng.dirichlet(np.ones(3), persons * tasks)
        y = (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1)
        start = 3 * np.arange(len(p) + 1)
        person = np.repeat(np.arange(persons), tasks)
        found = Predicted(p.ravel(), start, start[:-1] + y, person, np.ones(len(p)))
        row = score_choices(found).table.loc["Brier score"]
        inside += row["low"] <= 0.5 <= row["high"]  # 1 - E sum p^2 = 1 - 3 * 2 / 12
    assert 180 <= inside <= 199
