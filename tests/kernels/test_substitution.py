"""The kernel of substitution: a NumPy oracle, an example by hand, threads, and removal at P = 1."""

import numpy as np
import pytest

from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.substitution import (
    FINITE,
    QUALITY,
    REMOVAL,
    SIZE,
    SLOPE,
    Change,
    Sets,
    Size,
    marginal,
    substitution,
)
from bayesmix.kernels.threads import use_threads
from tests.oracles import coefficients, person, random_mixture, random_panel

KINDS = (QUALITY, SLOPE, SIZE, REMOVAL, FINITE)


def softmax(v):
    e = np.exp(v - v.max(axis=0))
    return e / e.sum(axis=0)


def changed(kind, v, j, dv):
    """Change of the probabilities (m, S) when alternative j alone changes."""
    p = softmax(v)
    if kind == REMOVAL:
        gone = v.copy()
        gone[j] = -np.inf
        return softmax(gone) - p
    if kind == FINITE:
        moved = v.copy()
        moved[j] += dv[j]
        return softmax(moved) - p
    factor = {QUALITY: np.ones(len(p[0])), SLOPE: dv[j], SIZE: abs(dv[j])}[kind]
    return p[j] * factor * ((np.arange(len(p)) == j)[:, None] - p)


def problem(persons=6, size=3, nodes=150, shared=False):
    """Ragged sets of up to 7 alternatives, some left out, in 2 groups."""
    rng = np.random.default_rng(4)
    panel = random_panel(rng, persons, size, largest=7)
    starts = panel.situation_start
    n = len(starts) - 1
    codes = np.concatenate([np.sort(rng.permutation(8)[:m]) for m in np.diff(starts)])
    by_situation = Panel(panel.x, np.arange(n + 1), starts, np.full(n, -1), False)
    sets = Sets(panel.person_start, codes, rng.integers(0, 2, n), rng.uniform(0.5, 2.0, n))
    mixture = random_mixture(rng, persons, size, nodes, link=-1, shared=shared)
    change = rng.normal(size=panel.x.shape), rng.normal(size=len(panel.x))
    return by_situation, sets, rng.normal(size=len(panel.x)), change, mixture


def oracle(panel, sets, base, kind, change, mixture, size):
    effect, share = np.zeros((size.groups, *size[1:])), np.zeros((size.groups, size.alternatives))
    for i in range(len(sets.person_start) - 1):
        beta, w = coefficients(mixture, i), person(mixture.weights, i)
        for t in range(sets.person_start[i], sets.person_start[i + 1]):
            rows = slice(panel.situation_start[t], panel.situation_start[t + 1])
            v = base[rows, None] + panel.x[rows] @ beta
            dv = change[1][rows, None] + change[0][rows] @ beta
            codes, g = sets.alternative[rows], sets.group[t]
            share[g, codes] += sets.weight[t] * softmax(v) @ w
            for j, code in enumerate(codes):
                if code < size.changed:
                    effect[g, code, codes] += sets.weight[t] * changed(kind, v, j, dv) @ w
    return effect, share


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_effects_are_the_oracles(kind, shared):
    panel, sets, base, change, mixture = problem(shared=shared)
    size = Size(2, 7, 8)
    effect, share = substitution(panel, sets, base, Change(kind, *change), mixture, size)
    if kind == REMOVAL:  # the only alternative of a situation leaves nobody to go anywhere
        alone = np.diff(panel.situation_start) == 1
        assert alone.any()
        sets.weight[alone] = 0.0
        effect, _ = substitution(panel, sets, base, Change(kind, *change), mixture, size)
        keep = np.repeat(~alone, np.diff(panel.situation_start))
        expected, _ = oracle(*without(panel, sets, base, change, ~alone, keep, kind), mixture, size)
    else:
        expected, shares = oracle(panel, sets, base, kind, change, mixture, size)
        np.testing.assert_allclose(share, shares, rtol=1e-12)
    np.testing.assert_allclose(effect, expected, atol=1e-13)
    assert abs(effect.sum(axis=2)).max() < 1e-13


def without(panel, sets, base, change, situations, rows, kind):
    """The problem on some of its situations."""
    owner = np.repeat(np.arange(len(sets.person_start) - 1), np.diff(sets.person_start))
    counts = np.bincount(owner[situations], minlength=len(sets.person_start) - 1)
    start = np.append(0, np.cumsum(np.diff(panel.situation_start)[situations]))
    n = len(start) - 1
    return (
        Panel(panel.x[rows], np.arange(n + 1), start, np.full(n, -1), False),
        Sets(
            np.append(0, np.cumsum(counts)),
            sets.alternative[rows],
            sets.group[situations],
            sets.weight[situations],
        ),
        base[rows],
        kind,
        tuple(c[rows] for c in change),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_marginal_people_are_those_of_the_effects(kind):
    """Own effects, row by row, and the coefficients of those who leave."""
    panel, sets, base, change, mixture = problem()
    own, with_beta = marginal(
        panel, sets, base, Change(kind, *change), mixture, np.zeros(len(base))
    )
    start = panel.situation_start
    for i, t in ((0, 0), (5, len(start) - 2)):
        rows = slice(start[t], start[t + 1])
        beta, w = coefficients(mixture, i), person(mixture.weights, i)
        v = base[rows, None] + panel.x[rows] @ beta
        dv = change[1][rows, None] + change[0][rows] @ beta
        for j, row in enumerate(range(start[t], start[t + 1])):
            if len(v) == 1 and kind == REMOVAL:
                continue
            each = w * changed(kind, v, j, dv)[j]
            np.testing.assert_allclose(own[row], each.sum(), atol=1e-13)
            np.testing.assert_allclose(with_beta[row], beta @ each, atol=1e-13)


def two_types(kind, scale=(1.0, 1.0), change=None):
    """v_ij = c_i + x_j + alpha_i p_j, alpha = (-1, -3), c = (2, 4), outside 0; two nodes."""
    x, p = np.array([1.0, 0.6, 0.0]), np.array([1.0, 0.8, 0.0])
    inside = np.array([1.0, 1.0, 0.0])
    panel = Panel(
        np.column_stack([inside, p]), np.arange(2), np.array([0, 3]), np.array([-1]), False
    )
    sets = Sets(np.arange(2), np.arange(3), np.zeros(1, dtype=np.int64), np.ones(1))
    nodes = np.array([[[2.0, 4.0], [-1.0, -3.0]]])
    mixture = Mixture(np.zeros((1, 2)), np.eye(2), no_laws(2), nodes, np.full((1, 2), 0.5))
    slope = np.column_stack([np.zeros(3), np.array([*scale, 0.0]) if change is None else change])
    effect, share = substitution(
        panel, sets, x, Change(kind, slope, np.zeros(3)), mixture, Size(1, 2, 3)
    )
    return effect[0], share[0]


def test_two_types_by_hand():
    effect, share = two_types(SLOPE)
    np.testing.assert_allclose(share, [0.468034, 0.468624, 0.063342], atol=5e-7)
    elasticity = effect[:, 0] * np.array([1.0, 0.8]) / share[0]
    np.testing.assert_allclose(elasticity, [-1.0497919, 0.747069], atol=5e-7)
    doubled = np.array([1.0, 0.8, 0.0])
    for kind, diversion in (
        (REMOVAL, 0.877233),
        (SIZE, 0.889545),
        (SLOPE, 0.889545),
        (QUALITY, 0.878961),
        (FINITE, 0.884457),
    ):
        effect, _ = two_types(kind, change=doubled if kind == FINITE else None)
        assert -effect[0, 1] / effect[0, 0] == pytest.approx(diversion, abs=5e-7)


@pytest.mark.parametrize("kind", [REMOVAL, FINITE])
def test_those_who_leave_a_certain_choice_are_all_found(kind):
    """P = 1 to the last digit: where its people go is still the ratio of the others' odds."""
    panel = Panel(np.zeros((3, 0)), np.arange(2), np.array([0, 3]), np.array([-1]), False)
    sets = Sets(np.arange(2), np.arange(3), np.zeros(1, dtype=np.int64), np.ones(1))
    mixture = Mixture(np.zeros((1, 0)), np.eye(0), no_laws(0), np.zeros((1, 0, 1)), np.ones((1, 1)))
    base, down = np.array([60.0, 1.0, 0.0]), np.array([-2000.0, 0.0, 0.0])
    change = Change(kind, np.zeros((3, 0)), down)
    effect, _ = substitution(panel, sets, base, change, mixture, Size(1, 3, 3))
    assert effect[0, 0, 1] / effect[0, 0, 2] == pytest.approx(np.e, rel=1e-13)
    assert effect[0, 0, 0] == pytest.approx(-1.0, rel=1e-13)


def test_threads_do_not_change_the_numbers():
    panel, sets, base, change, mixture = problem(persons=50)
    found = []
    try:
        for n in (1, 3):
            use_threads(n)
            found.append(
                substitution(panel, sets, base, Change(SLOPE, *change), mixture, Size(2, 8, 8))[0]
            )
    finally:
        use_threads(None)
    np.testing.assert_array_equal(*found)


def changed_together(kind, v, mine, dv):
    """Change of the probabilities (m, S) when all rows of a product change."""
    p = softmax(v)
    if kind in (REMOVAL, FINITE):
        other = np.where(mine[:, None], -np.inf if kind == REMOVAL else v + dv, v)
        return softmax(other) - p
    factor = {QUALITY: np.ones_like(v), SLOPE: dv, SIZE: abs(dv)}[kind]
    return p * (mine[:, None] * factor - (p * mine[:, None] * factor).sum(axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_product_change_together(kind):
    panel, sets, base, change, mixture = problem()
    sets = sets._replace(alternative=sets.alternative // 3)  # products 0, 1 and the outside option
    size, expected = Size(2, 2, 3), np.zeros((2, 2, 3))
    who, own = np.zeros((2, 2)), np.zeros((2, 2))
    rows_own, _ = marginal(panel, sets, base, Change(kind, *change), mixture, np.zeros(len(base)))
    for i in range(len(sets.person_start) - 1):
        beta, w = coefficients(mixture, i), person(mixture.weights, i)
        for t in range(sets.person_start[i], sets.person_start[i + 1]):
            rows = slice(panel.situation_start[t], panel.situation_start[t + 1])
            codes, g = sets.alternative[rows], sets.group[t]
            if kind == REMOVAL and len(np.unique(codes)) == 1:
                sets.weight[t] = 0.0  # nobody has anywhere to go
                continue
            v = base[rows, None] + panel.x[rows] @ beta
            dv = change[1][rows, None] + change[0][rows] @ beta
            for j in (0, 1):
                there = changed_together(kind, v, codes == j, dv) @ w * sets.weight[t]
                np.add.at(expected[g, j], codes, there)
                who[g, j] += there[codes == j].sum()
                own[g, j] += sets.weight[t] * rows_own[rows][codes == j].sum()
    effect, _ = substitution(panel, sets, base, Change(kind, *change), mixture, size)
    np.testing.assert_allclose(effect, expected, atol=1e-12)
    np.testing.assert_allclose(own, who, atol=1e-12)
    assert (np.diff(panel.situation_start) > 2).any()


def test_a_large_change_of_a_product_overflows_nowhere():
    panel, sets, base, change, mixture = problem()
    sets = sets._replace(alternative=sets.alternative // 3)
    size = Size(2, 2, 3)
    for sign in (-1.0, 1.0):
        far = Change(FINITE, 0 * change[0], np.full(len(base), sign * 2000.0))
        effect, share = substitution(panel, sets, base, far, mixture, size)
        assert np.isfinite(effect).all()
        if sign < 0:
            own = effect[:, [0, 1], [0, 1]]
            alone = share[:, :2] + own  # what is left are situations with nothing else
            assert (own <= 0).all()
            assert (alone >= -1e-9).all()
