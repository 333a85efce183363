"""Nested choice probabilities against closed forms, written with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmix.kernels.certain_choices import FINITE, QUALITY, REMOVAL, SIZE, SLOPE, Change
from bayesmix.kernels.integrals import integrate, node_log_probabilities
from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.logsums import money_logsums
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nested_demand import nested_money_logsums, nested_shares
from bayesmix.kernels.nested_integrals import integrate_nested, nested_node_log_probabilities
from bayesmix.kernels.nested_substitution import nested_substitution
from bayesmix.kernels.nests import ALONE, Nested, Nests
from bayesmix.kernels.shares import row_shares
from bayesmix.kernels.substitution import Sets, Size, substitution

COEFFICIENTS = np.array([0.35, 0.8])
# Alternatives 0 .. 4, and 5 the outside option: 0, 1 and a part of 2 in nest 0, 3, the outside
# option and the rest of 2 in nest 1; 4 in none.
MEMBERS = {
    0: {0: 1.0},
    1: {0: 1.0},
    2: {0: 0.4, 1: 0.6},
    3: {1: 1.0},
    4: {ALONE: 1.0},
    5: {1: 1.0},
}


def nests_of(alternative, coefficients=COEFFICIENTS, members=MEMBERS):
    entries = [members[a] for a in sorted(members)]
    start = np.cumsum([0, *(len(e) for e in entries)])
    nest = np.array([k for e in entries for k in e])
    part = np.log([a for e in entries for a in e.values()])
    return Nests(alternative, 5, start, nest, part, coefficients)


def oracle(v, alternatives, coefficients=COEFFICIENTS, members=MEMBERS):
    """Probabilities of a set, and the log-sum: the textbook's formulas, without care."""
    sums = {}
    for j, a in enumerate(alternatives):
        for k, part in members[a].items():
            key, scale = (("alone", a), 1.0) if k == ALONE else (k, coefficients[k])
            sums.setdefault((key, scale), []).append((j, (part * np.exp(v[j])) ** (1 / scale)))
    total = sum(sum(z for _, z in own) ** scale for (_, scale), own in sums.items())
    prob = np.zeros(len(v))
    for (_, scale), own in sums.items():
        inside = sum(z for _, z in own)
        for j, z in own:
            prob[j] += z / inside * inside**scale / total
    return prob, np.log(total)


@pytest.fixture(scope="module")
def case():
    """Three persons with ragged sets, an outside option, two coefficients, 150 nodes."""
    rng = np.random.default_rng(4)
    sets = [[0, 1, 2, 3, 4], [0, 1, 4], [2, 3], [1, 3, 4], [0], [0, 1, 2, 3, 4], [2]]
    starts = np.cumsum([0, *map(len, sets)])
    chosen = np.array([2, 6, -1, 11, 13, 18, 19])
    x = rng.normal(size=(starts[-1], 2))
    panel = Panel(x, np.array([0, 2, 5, 7]), starts, chosen, True)
    base = rng.normal(size=len(x))
    nodes = rng.normal(size=(3, 2, 150))
    weights = rng.dirichlet(np.ones(150), size=3)
    chol = np.array([[0.7, 0.0], [0.3, 0.5]])
    mixture = Mixture(np.array([[0.4, -0.6]]), chol, no_laws(2), nodes, weights)
    return panel, nests_of(np.concatenate(sets)), base, mixture


def by_hand(case, coefficients=COEFFICIENTS):
    """Log-integrals (n,), shares of rows and of the outside option, and mean log-sums."""
    panel, nests, base, mixture = case
    logp, rows = np.zeros(3), np.zeros(len(base))
    outside, logsum = np.zeros(7), np.zeros(7)
    for i in range(3):
        total = 0.0
        for s in range(150):
            beta, p = mixture.loc[0] + mixture.chol @ mixture.nodes[i, :, s], 1.0
            w = mixture.weights[i, s]
            for t in range(panel.person_start[i], panel.person_start[i + 1]):
                own = slice(panel.situation_start[t], panel.situation_start[t + 1])
                v = np.append(base[own] + panel.x[own] @ beta, 0.0)
                prob, level = oracle(v, [*nests.alternative[own], 5], coefficients)
                y = panel.chosen_row[t]
                p *= prob[-1] if y < 0 else prob[y - own.start]
                rows[own] += w * prob[:-1]
                outside[t] += w * prob[-1]
                logsum[t] += w * level
            total += w * p
        logp[i] = np.log(total)
    return logp, rows, outside, logsum


def explicit(case):
    """The same sets with the outside option a row, situations in the place of persons."""
    panel, nests, base, mixture = case
    n = len(panel.chosen_row)
    own = np.arange(len(base)) + np.repeat(np.arange(n), np.diff(panel.situation_start))
    x, level = np.zeros((len(base) + n, 2)), np.zeros(len(base) + n)
    alternative = np.full(len(level), 5)
    x[own], level[own], alternative[own] = panel.x, base, nests.alternative
    starts = panel.situation_start + np.arange(n + 1)
    whole = Panel(x, np.arange(n + 1), starts, np.full(n, -1), False)
    sets = Sets(panel.person_start, alternative, np.zeros(n, dtype=np.int64), np.ones(n))
    return whole, nests._replace(alternative=alternative), sets, level, mixture


def test_integrals_and_shares_are_the_textbooks(case):
    mixture = case[3]
    logp, rows, outside, _ = by_hand(case)
    np.testing.assert_allclose(integrate_nested(*case)[0], logp, rtol=0, atol=1e-12)
    at_nodes = nested_node_log_probabilities(*case)
    mean = np.log((mixture.weights * np.exp(at_nodes)).sum(axis=1))
    np.testing.assert_allclose(mean, logp, rtol=0, atol=1e-12)
    found = nested_shares(*case)
    np.testing.assert_allclose(found[0], rows, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found[1], outside, rtol=0, atol=1e-13)


def test_slopes_are_those_of_differences(case):
    panel, nests, base, mixture = case
    _, d_loc, d_chol, d_base, d_nest = integrate_nested(*case)

    def value(nests=nests, base=base, mixture=mixture):
        return integrate_nested(panel, nests, base, mixture)[0]

    def slope(of):
        return (of(1e-5) - of(-1e-5)) / 2e-5

    for k in range(2):
        e = np.eye(2)[k]
        by = slope(lambda h, e=e: value(mixture=mixture._replace(loc=mixture.loc + h * e)))
        np.testing.assert_allclose(d_loc[:, k], by, atol=1e-9)
        moved = lambda h, e=e: np.exp(h * e) * nests.coefficient  # noqa: E731
        by = slope(lambda h, m=moved: value(nests=nests._replace(coefficient=m(h))))
        np.testing.assert_allclose(d_nest[:, k], by, atol=1e-9)
        for j in range(k + 1):
            e = np.zeros((2, 2))
            e[k, j] = 1.0
            by = slope(lambda h, e=e: value(mixture=mixture._replace(chol=mixture.chol + h * e)))
            np.testing.assert_allclose(d_chol[:, k, j], by, atol=1e-9)
    person = np.repeat(np.arange(3), np.diff(panel.situation_start[panel.person_start]))
    for row in range(len(base)):
        e = np.eye(len(base))[row]
        by = slope(lambda h, e=e: value(base=base + h * e))
        np.testing.assert_allclose(d_base[row], by[person[row]], atol=1e-9)


def test_coefficients_of_one_are_the_logit(case):
    panel, nests, base, mixture = case
    one = nests_of(nests.alternative, np.ones(2))
    nested, plain = integrate_nested(panel, one, base, mixture), integrate(
        panel, base, mixture, True
    )  # fmt: skip
    for own, other in zip(nested[:4], plain, strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-12)
    at_nodes = nested_node_log_probabilities(panel, one, base, mixture)
    np.testing.assert_allclose(
        at_nodes, node_log_probabilities(panel, base, mixture), rtol=0, atol=1e-12
    )
    found = nested_shares(panel, one, base, mixture)[0]
    np.testing.assert_allclose(found, row_shares(panel, base, mixture), rtol=0, atol=1e-13)


def test_money_logsums(case):
    panel, nests, sets, base, mixture = explicit(case)
    price = Change(SLOPE, np.zeros((7, 2)), np.full(7, -2.0))
    found = nested_money_logsums(panel, nests, sets.person_start, base, price, mixture)
    np.testing.assert_allclose(found, by_hand(case)[3] / 2.0, rtol=0, atol=1e-12)
    one = nests._replace(coefficient=np.ones(2))
    plain = money_logsums(panel, sets, base, price, mixture)
    found = nested_money_logsums(panel, one, sets.person_start, base, price, mixture)
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-12)


def changed(case, kind, moves):
    """Effects (1, 5, 6) by probabilities before and after, or by differences of them."""
    panel, nests, sets, base, mixture = explicit(case)
    out = np.zeros((1, 5, 6))
    step = 1e-5 if kind in (SLOPE, SIZE, QUALITY) else 1.0
    for i in range(3):
        for s in range(150):
            beta = mixture.loc[0] + mixture.chol @ mixture.nodes[i, :, s]
            for t in range(sets.person_start[i], sets.person_start[i + 1]):
                own = slice(panel.situation_start[t], panel.situation_start[t + 1])
                codes = nests.alternative[own]
                v = base[own] + panel.x[own] @ beta
                d = moves.base[own] + moves.x[own] @ beta
                d = {QUALITY: np.ones(len(v)), SIZE: np.abs(d)}.get(kind, d)
                for j, a in enumerate(codes[:-1]):
                    e = np.eye(len(v))[j] * d
                    if kind == REMOVAL:
                        keep = np.arange(len(v)) != j
                        new = np.zeros(len(v))
                        new[keep] = oracle(v[keep], codes[keep])[0]
                        by = new - oracle(v, codes)[0]
                    elif kind == FINITE:
                        by = oracle(v + e, codes)[0] - oracle(v, codes)[0]
                    else:
                        ends = (oracle(v + h * e, codes)[0] for h in (step, -step))
                        by = np.subtract(*ends) / (2 * step)
                    np.add.at(out[0, a], codes, mixture.weights[i, s] * by)
    return out


@pytest.mark.parametrize("kind", [QUALITY, SLOPE, SIZE, REMOVAL, FINITE])
def test_substitution_is_what_probabilities_say(case, kind):
    panel, nests, sets, base, mixture = explicit(case)
    rng = np.random.default_rng(7)
    moves = Change(kind, rng.normal(size=panel.x.shape), rng.normal(size=len(base)))
    effect, shares = nested_substitution(
        Nested(panel, nests, base), sets, moves, mixture, Size(1, 5, 6)
    )
    tolerance = 1e-12 if kind in (REMOVAL, FINITE) else 1e-9
    np.testing.assert_allclose(effect, changed(case, kind, moves), rtol=0, atol=tolerance)
    _, rows, outside, _ = by_hand(case)
    total = np.bincount(case[1].alternative, rows, 6)
    total[5] = outside.sum()
    np.testing.assert_allclose(shares[0], total, rtol=0, atol=1e-12)
    one = nests._replace(coefficient=np.ones(2))
    plain = substitution(panel, sets, base, moves, mixture, Size(1, 5, 6))[0]
    found = nested_substitution(Nested(panel, one, base), sets, moves, mixture, Size(1, 5, 6))[0]
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [REMOVAL, FINITE])
def test_substitution_of_those_who_are_sure(case, kind):
    """Someone who is sure of what changes goes elsewhere by what is left, not by rounding."""
    panel, nests, sets, base, mixture = explicit(case)
    base = base + np.where(nests.alternative == 0, 400.0, 0.0)
    moves = Change(kind, np.zeros_like(panel.x), np.full(len(base), -900.0))
    effect, _ = nested_substitution(Nested(panel, nests, base), sets, moves, mixture, Size(1, 5, 6))
    without = Change(REMOVAL, moves.x, moves.base)
    other, _ = nested_substitution(
        Nested(panel, nests, base), sets, without, mixture, Size(1, 5, 6)
    )
    np.testing.assert_allclose(effect[0, 0], other[0, 0], rtol=0, atol=1e-12)
    assert abs(effect[0, 0, 0] + 4.0) < 1e-12  # offered in four situations
    assert (effect[0, 0, 1:] > 0.01).all()
