"""Names, order and round trips of the parameters."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.errors import SpecificationError
from bayesmix.specification.parameter import (
    CORRELATION,
    FIXED,
    MEAN,
    SCALE,
    SD,
    SHIFT,
    Parameter,
)
from bayesmix.specification.parameters import ParameterSpace
from tests.oracles import differences

SPACES = {
    "none": ParameterSpace((), ("x", "y"), ()),
    "one": ParameterSpace(("a",), (), ((0,),)),
    "independent": ParameterSpace(("a", "b", "c"), ("x",), ((0,), (1,), (2,))),
    "correlated": ParameterSpace(("a", "b", "c"), ("x", "y"), ((0, 1, 2),)),
    "blocks": ParameterSpace(tuple("abcdef"), ("x",), ((0,), (1, 2, 3), (4, 5))),
}
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))


def factor(space, rng):
    """A random lower-triangular factor with the blocks of ``space`` and a positive diagonal."""
    chol = np.zeros((space.n_random, space.n_random))
    chol[space.chol_index] = rng.normal(size=len(space.chol_index[0]))
    np.fill_diagonal(chol, np.abs(np.diag(chol)) + 0.1)
    return chol


def draw(space, seed):
    rng = np.random.default_rng(seed)
    chol = factor(space, rng)
    return space.pack(rng.normal(size=space.n_random), chol, rng.normal(size=len(space.fixed)))


def test_names_and_their_order():
    assert SPACES["blocks"].names == (
        *(f"mean[{n}]" for n in "abcdef"),
        *(f"sd[{n}]" for n in "abcdef"),
        *("corr[b, c]", "corr[b, d]", "corr[c, d]", "corr[e, f]"),
        "fixed[x]",
    )
    assert SPACES["none"].names == ("fixed[x]", "fixed[y]")
    assert SPACES["correlated"].pair_names == ("a, b", "a, c", "b, c")


@every_space
def test_both_forms_have_the_same_number_of_parameters(space):
    theta = draw(space, 1)
    assert theta.shape == (space.size,)
    assert space.natural(theta).shape == (space.size,)
    assert space.series(space.natural(theta)).index.tolist() == list(space.names)


@every_space
def test_unpack_inverts_pack_and_copies(space):
    for seed in range(20):
        theta = draw(space, seed)
        before = theta.copy()
        mean, chol, fixed, *_ = space.unpack(theta)
        np.testing.assert_array_equal(chol, np.tril(chol))
        np.testing.assert_array_equal(space.pack(mean, chol, fixed), theta)
        mean += 1
        fixed += 1
        np.testing.assert_array_equal(theta, before)


@every_space
def test_the_factor_is_zero_between_blocks(space):
    _, chol, *_ = space.unpack(np.ones(space.size))
    expected = np.zeros_like(chol)
    for block in space.blocks:
        expected[np.ix_(block, block)] = np.tril(np.ones((len(block), len(block))))
    np.testing.assert_array_equal(chol, expected)


@every_space
def test_diagonal_finds_the_diagonal(space):
    theta = np.zeros(space.size)
    theta[space.diagonal()] = 1.0
    np.testing.assert_array_equal(space.unpack(theta)[1], np.eye(space.n_random))


@every_space
def test_natural_parameters_are_those_of_the_covariance(space):
    for seed in range(20):
        theta = draw(space, seed)
        _, chol, *_ = space.unpack(theta)
        covariance = chol @ chol.T
        sd = np.sqrt(np.diag(covariance))
        values = space.series(space.natural(theta))
        for k, name in enumerate(space.random):
            assert values[f"sd[{name}]"] == pytest.approx(sd[k], rel=1e-14)
        for (j, k), name in zip(space.pairs, space.pair_names, strict=True):
            expected = covariance[j, k] / (sd[j] * sd[k])
            assert values[f"corr[{name}]"] == pytest.approx(expected, abs=1e-14)


@every_space
def test_theta_inverts_natural(space):
    for seed in range(20):
        theta = draw(space, seed)
        values = space.series(space.natural(theta))
        shuffled = values.sample(frac=1.0, random_state=seed)
        np.testing.assert_allclose(space.theta(shuffled), theta, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(space.theta(dict(values)), theta, rtol=1e-9, atol=1e-9)


@every_space
def test_canonical_is_the_same_law_with_a_positive_diagonal(space):
    for seed in range(20):
        theta = draw(space, seed)
        flips = np.random.default_rng(seed).choice([-1.0, 1.0], space.n_random)
        mean, chol, fixed, *_ = space.unpack(theta)
        turned = space.pack(mean, chol * flips, fixed)
        np.testing.assert_allclose(space.natural(turned), space.natural(theta), atol=1e-14)
        np.testing.assert_array_equal(space.canonical(turned), theta)


@every_space
def test_jacobian_is_that_of_differences(space):
    for seed in range(5):
        theta = draw(space, seed)
        theta[space.diagonal()[::2]] *= -1
        expected = differences(space.natural, theta, step=1e-6).T
        # The second differences of 1 / sd are up to 1 / 0.1^3 here.
        np.testing.assert_allclose(space.jacobian(theta), expected, atol=1e-7)


def test_a_standard_deviation_of_zero_has_no_correlation():
    space = SPACES["correlated"]
    mean, chol, fixed, *_ = space.unpack(draw(space, 1))
    chol[1] = 0.0
    theta = space.pack(mean, chol, fixed)
    values = space.series(space.natural(theta))
    assert values["sd[b]"] == 0.0
    assert values[["corr[a, b]", "corr[b, c]"]].isna().all()
    assert np.isfinite(values.drop(["corr[a, b]", "corr[b, c]"])).all()
    rows = pd.Index(space.names).get_indexer(["sd[b]", "corr[a, b]", "corr[b, c]"])
    jacobian = space.jacobian(theta)
    assert np.isfinite(np.delete(jacobian, rows, axis=0)).all()
    assert all(np.isnan(jacobian[row]).any() for row in rows)


def test_given_parameters_may_have_a_standard_deviation_of_zero():
    space = SPACES["correlated"]
    values = space.series(space.natural(draw(space, 1)))
    values["sd[b]"] = 0.0
    theta = space.theta(values)
    again = space.series(space.natural(theta))
    assert again["sd[b]"] == 0.0
    assert again["corr[a, c]"] == pytest.approx(values["corr[a, c]"], abs=1e-14)
    # Its correlations print as NaN, and are read back.
    np.testing.assert_allclose(space.natural(space.theta(again)), again, equal_nan=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sd[a]": -1.0}, r"sd\[a\] is negative"),
        ({"corr[a, b]": 0.9, "corr[a, c]": -0.9, "corr[b, c]": 0.9}, "positive definite"),
        ({"corr[a, b]": 1.0}, "positive definite"),
        ({"corr[a, b]": np.nan}, r"corr\[a, b\] is nan"),
        ({"mean[b]": np.inf}, r"mean\[b\] is inf"),
        ({"corr[b, a]": 0.0}, r"unknown parameter 'corr\[b, a\]'; did you mean 'corr\[.*\]'\?"),
        ({"zzz": 0.0}, r"unknown parameter 'zzz'; expected \['mean\[a\]'"),
    ],
)
def test_given_parameters_are_checked(change, message):
    space = SPACES["correlated"]
    values = dict(space.series(space.natural(draw(space, 1)))) | change
    with pytest.raises(SpecificationError, match=message):
        space.theta(values)


def test_missing_parameters_are_named():
    space = SPACES["one"]
    with pytest.raises(SpecificationError, match=r"no value for parameters \['sd\[a\]'\]"):
        space.theta({"mean[a]": 1.0})


WHOLE = ParameterSpace(
    ("a", "b", "c"), ("x",), ((0,), (1, 2)), centred=(1,), shifts=((0, "age"),), scales=("SP",)
)


def test_every_parameter_is_of_one_kind_and_its_name_follows():
    of_kind = np.array([WHOLE.of_kind(k) for k in (MEAN, SD, CORRELATION, FIXED, SHIFT, SCALE)])
    np.testing.assert_array_equal(of_kind.sum(axis=1), [2, 3, 1, 1, 1, 1])
    np.testing.assert_array_equal(of_kind.sum(axis=0), 1)
    assert WHOLE.names == tuple(f"{p.kind.name}[{p.label}]" for p in WHOLE.listed)
    assert [p.terms for p in WHOLE.listed if p.kind == CORRELATION] == [("b", "c")]


def test_entries_of_the_free_vector_stand_where_it_is_unpacked():
    theta = np.arange(float(WHOLE.size))
    named = dict(zip(map(str, WHOLE.free_listed), theta, strict=True))
    mean, chol, fixed, shift, log_scale = WHOLE.unpack(theta)
    assert (mean[2], chol[2, 1]) == (named["mean[c]"], named["chol[c, b]"])
    assert (fixed[0], shift[0]) == (named["fixed[x]"], named["shift[a, age]"])
    assert log_scale[0] == named["log scale[SP]"]


def test_a_parameter_of_a_class_keeps_its_kind_and_its_terms():
    own = Parameter(SD, "a, b", ("a, b",)).of_class(2)
    assert (str(own), own.kind, own.terms, own.number) == ("sd[a, b, 2]", SD, ("a, b",), 2)
