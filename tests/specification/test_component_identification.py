"""Order and rank conditions of error components: the textbook's cases, panels, choice sets."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.data.choices import ChoiceData
from bayesmix.specification.component_identification import check_components, check_products


def offered(*sets, persons=None, outside=False):
    """Data with these choice sets, one a situation; each its own person unless told."""
    rows = [(t, alt, k == 0) for t, members in enumerate(sets) for k, alt in enumerate(members)]
    frame = pd.DataFrame(rows, columns=["task", "alt", "y"])
    if persons is not None:
        frame["who"] = np.array(persons)[frame["task"]]
    return ChoiceData.from_long(
        frame,
        person=None if persons is None else "who",
        situation="task",
        alternative="alt",
        chosen="y",
        outside_option=outside,
    )


def check(data, *components, **options):
    """Components as texts of the alternatives that they belong to."""
    labels = data.frame[data.alternative]
    dummies = np.stack([labels.isin(list(c)).to_numpy(float) for c in components], axis=1)
    return check_components(dummies, components, data, **options)


@pytest.mark.parametrize(("size", "identified"), [(2, 0), (3, 2), (4, 3), (7, 6)])
def test_one_variance_for_each_alternative(size, identified):
    alternatives = "abcdefg"[:size]
    found = check(offered(alternatives, alternatives), *alternatives)
    assert found.rank == identified
    (group,) = found.unidentified
    assert group.names == tuple(f"sd[{a}]" for a in alternatives)
    assert (group.identified, group.with_scale) == (identified, True)


def test_one_variance_less_is_identified():
    assert check(offered("abc", "abc"), "a", "b").unidentified == ()
    assert check(offered("abcd", "abcd"), "a", "b", "d").rank == 3


def test_two_nests_have_one_variance():
    found = check(offered("abcd", "abcd"), "ab", "cd")
    (group,) = found.unidentified
    assert (found.rank, group.identified, group.with_scale) == (1, 1, False)
    assert "does not matter which" in found.faults()[0].remedy
    assert check(offered("abcd", "abcd"), "ab").unidentified == ()


def test_three_nests_have_all():
    assert check(offered("abcde", "abcde"), "ab", "cd", "e").rank == 3
    assert check(offered("abcdef", "abcdef"), "ab", "cd", "ef").unidentified == ()


def test_cross_nested():
    found = check(offered("abcde", "abcde"), "abc", "cde")
    assert (found.rank, found.unidentified) == (2, ())


def test_groups_are_told_apart():
    # Two nests that are each other's complement, and an alternative's own variance.
    found = check(offered("abcde", "abcde"), "ab", "cde", "a")
    (group,) = found.unidentified
    assert group.names == ("sd[ab]", "sd[cde]")
    assert found.rank == 2


def test_order_condition():
    found = check(offered("abc", "abc"), "a", "b", "c", "ab", "bc")
    assert (found.order, found.rank) == (2, 2)


def test_the_covariances_of_all_constants_need_one_restriction():
    free = check(offered("abc", "abc"), "b", "c", correlated=[(0, 1)])
    assert (free.order, free.rank) == (2, 2)  # of three: sd b, sd c, their correlation
    assert "corr[b, c]" in free.unidentified[0].names
    persons = [1, 1, 2, 2]
    panel = check(offered(*["abc"] * 4, persons=persons), "b", "c", correlated=[(0, 1)])
    assert panel.unidentified == ()


def test_a_panel_identifies_more():
    panel = offered(*["abc"] * 4, persons=[1, 1, 2, 2])
    assert check(panel, "a", "b", "c").unidentified == ()
    binary = offered(*["ab"] * 4, persons=[1, 1, 2, 2])
    assert check(binary, "a").unidentified == ()
    (group,) = check(binary, "a", "b").unidentified
    assert (group.identified, group.with_scale) == (1, False)


def test_persons_with_one_situation_make_no_panel():
    assert check(offered("abc", "abc", persons=[1, 2]), "a", "b", "c").rank == 2


def test_two_sets_of_one_person_have_a_covariance():
    # The common alternative's effect on both differences is seen between the situations.
    sets = ("ab", "ac", "ab", "ac")
    assert check(offered(*sets), "a").unidentified[0].identified == 0
    assert check(offered(*sets, persons=[1, 1, 2, 2]), "a").unidentified == ()


def test_different_sets_identify_more():
    # Three alternatives' variances, two at a time: sums of pairs, and the logit's own variance.
    found = check(offered("ab", "ac", "bc"), "a", "b", "c")
    assert found.rank == 2
    assert check(offered("ab", "ac", "bc", "abc"), "a", "b", "c").rank == 2
    assert check(offered("ab", "cd"), "a").unidentified == ()


def test_the_outside_option_is_an_alternative_without_a_component():
    assert check(offered("ab", "ab", outside=True), "a", "b").unidentified == ()
    (group,) = check(offered("a", "a", outside=True), "a").unidentified
    assert group.identified == 0


def brute_force_rank(components, size):
    """Rank of the derivatives of the covariance of differences, by differences."""

    def omega(parameters):
        f = np.stack(components, axis=1)
        cov = f @ np.diag(parameters[:-1]) @ f.T + parameters[-1] * np.eye(size)
        d = np.hstack([-np.ones((size - 1, 1)), np.eye(size - 1)])
        return (d @ cov @ d.T)[np.tril_indices(size - 1)]

    base = np.linspace(1.0, 2.0, len(components) + 1)
    step = np.eye(len(base))
    columns = [omega(base + e) - omega(base - e) for e in step]
    return np.linalg.matrix_rank(np.stack(columns)) - 1


@pytest.mark.parametrize("seed", range(20))
def test_random_components_against_brute_force(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 6))
    alternatives = "abcde"[:size]
    masks = rng.integers(0, 2, size=(int(rng.integers(1, 5)), size))
    names = ["".join(a for a, inside in zip(alternatives, m, strict=True) if inside) for m in masks]
    found = check(offered(alternatives, alternatives), *names)
    assert found.rank == brute_force_rank(list(masks.astype(float)), size)
    assert found.rank == sum(g.identified for g in found.unidentified) + len(names) - sum(
        len(g.names) for g in found.unidentified
    )


def test_words():
    (fault,) = check(offered("abc", "abc"), "a", "b", "c").faults()
    assert str(fault).startswith(
        "error components: only 2 of the 3 variances sd[a], sd[b], sd[c] are identified by these "
        "choice sets: fix 1 of them at 0, the smallest"
    )
    (fault,) = check(offered("ab", "ab"), "a").faults()
    assert str(fault) == (
        "error components: sd[a] is not identified by these choice sets: leave these "
        "coefficients fixed, or, where they have no mean, out"
    )


def test_products_of_columns_against_brute_force():
    """Rank of the products of all pairs of rows of each person, written out."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"who": np.repeat(np.arange(6), 6), "task": np.arange(36) // 3})
    frame["alt"], frame["y"] = np.tile(list("abc"), 12), np.tile([1, 0, 0], 12)
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "y"}
    data = ChoiceData.from_long(frame, **roles)
    x, dummy = rng.normal(size=(36, 2)), (frame["alt"] == "a").to_numpy(float)
    for columns, correlated in (
        (np.column_stack([x, x.sum(axis=1)]), [(0, 1)]),
        (np.column_stack([x, x.sum(axis=1)]), []),
        (np.column_stack([x, x.sum(axis=1)]), [(0, 1), (0, 2), (1, 2)]),
        (np.column_stack([dummy, 2 * dummy, x[:, 0]]), [(0, 2)]),
        (np.column_stack([x, dummy]), [(0, 1), (0, 2), (1, 2)]),
    ):
        d = columns - np.repeat(columns.reshape(12, 3, -1).mean(axis=1), 3, axis=0)
        pairs = [(m, m) for m in range(3)] + correlated
        products = [
            [d[r, a] * d[s, b] + d[r, b] * d[s, a] for a, b in pairs]
            for r in range(36)
            for s in range(36)
            if r // 6 == s // 6
        ]
        found = check_products(columns, ["p", "q", "r"], data, correlated=correlated)
        assert found.rank == np.linalg.matrix_rank(products, tol=1e-8)
        assert (found.unidentified == ()) == (found.rank == len(pairs))
