"""What is held and tied: read, refused, and kept by the free vector."""

import numpy as np
import pytest

from bayesmix.errors import SpecificationError
from bayesmix.specification.class_space import ClassSpace
from bayesmix.specification.constraint_map import constraint_map
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.parameters import ParameterSpace

SPACE = ParameterSpace(
    tuple("abcd"), ("x", "y", "z"), ((0,), (1, 2, 3)), shifts=((0, "age"),), scales=("SP", "T")
)
CLASSES = ClassSpace(
    ParameterSpace(("a", "b"), ("p", "x"), ((0, 1),)), 2, points=("p",), own=("a", "b")
)


def kept(space, **constraints):
    """The map, and printed parameters of free vectors that keep the constraints."""
    found = constraint_map(space, Constraints(**constraints))
    rng = np.random.default_rng(2)
    phi = rng.normal(size=(400, found.size))
    thetas = [space.canonical(found.offset + found.directions @ p) for p in phi]
    # Of correlations that are held, signs of the Cholesky factor's diagonal keep one half.
    values = [space.natural(t) for t in thetas if found.kept_by(t)]
    assert len(values) > 5
    return found, np.array(values)


CORRELATED = {"corr[b, c]": 0.5, "corr[b, d]": -0.2, "corr[c, d]": 0.1}


@pytest.mark.parametrize(
    ("fixed", "dropped"),
    [
        ({"mean[a]": 1.3, "fixed[x]": 0, "shift[a, age]": 2.0, "scale[T]": 1.5}, 4),
        ({"sd[a]": 0.8326}, 1),
        ({"sd[b]": 1.5}, 1),
        ({"sd[c]": 0}, 3),
        ({"sd[c]": 0, "corr[b, c]": 0}, 3),
        ({"sd[c]": 0, "sd[d]": 0}, 5),
        ({"corr[b, c]": 0.5}, 1),
        ({"corr[b, c]": -0.5, "sd[c]": 2.0}, 2),
        (CORRELATED, 3),
        (CORRELATED | {"sd[d]": 0.3, "sd[c]": 2.0}, 5),
        ({"corr[b, d]": 0}, 1),
        ({"corr[b, d]": 0, "corr[c, d]": 0, "sd[d]": 1.0}, 3),
        ({"corr[b, c]": 0, "corr[b, d]": 0}, 2),
        ({"sd[b]": 0, "corr[c, d]": 0.4}, 4),
    ],
)
def test_what_is_held_is_held_exactly_and_names_mean_the_same(fixed, dropped):
    found, values = kept(SPACE, fixed=fixed)
    assert found.size == SPACE.size - dropped
    for name, value in fixed.items():
        place = SPACE.names.index(name)
        assert found.held[place]
        if not found.undefined[place]:
            np.testing.assert_allclose(values[:, place], value, rtol=1e-12, atol=1e-15)
    others = ~found.held
    assert (np.ptp(values[:, others], axis=0) > 1e-3).all()


@pytest.mark.parametrize(
    ("constraints", "fixed"),
    [
        ({"linear": "sd[c] = 0"}, {"sd[c]": 0}),
        ({"linear": ["2 * sd[c] = 0", "0.5 * fixed[x] = 1"]}, {"sd[c]": 0, "fixed[x]": 2}),
        ({"linear": "sd[b] = 1.5, corr[b, c] = -0.5"}, {"sd[b]": 1.5, "corr[b, c]": -0.5}),
        ({"linear": "scale[T] = 2"}, {"scale[T]": 2}),
        # What ties leave at 0 is held there too, and what scales of 0 leave of correlations.
        ({"fixed": {"sd[a]": 0}, "equal": [("sd[a]", "sd[b]")]}, {"sd[a]": 0, "sd[b]": 0}),
        ({"linear": "sd[a] + 2 * sd[b] = 0"}, {"sd[a]": 0, "sd[b]": 0}),
        ({"linear": "sd[a] = 0, sd[a] = 3 * sd[b]"}, {"sd[a]": 0, "sd[b]": 0}),
        # What is equal to what is held need not be linear while it is free.
        ({"fixed": {"sd[b]": 0}, "equal": [("sd[c]", "sd[b]")]}, {"sd[b]": 0, "sd[c]": 0}),
        (
            {
                "fixed": CORRELATED,
                "equal": [("sd[b]", "sd[c]"), ("sd[c]", "sd[d]")],
                "linear": "sd[d] = 2",
            },
            CORRELATED | {"sd[b]": 2, "sd[c]": 2, "sd[d]": 2},
        ),
    ],
)
def test_one_parameter_in_words_is_held_as_by_its_name(constraints, fixed):
    ours, named = (
        constraint_map(SPACE, Constraints(**given)) for given in (constraints, {"fixed": fixed})
    )
    assert ours.size == named.size
    np.testing.assert_array_equal(ours.held, named.held)
    np.testing.assert_array_equal(ours.undefined, named.undefined)
    np.testing.assert_array_equal(ours.offset, named.offset)
    np.testing.assert_array_equal(ours.directions, named.directions)


def test_ties_and_linear_constraints_hold():
    found, values = kept(
        SPACE,
        equal=[("fixed[x]", "fixed[y]"), ("sd[a]", "sd[b]"), ("scale[SP]", "scale[T]")],
        linear="fixed[x] + 2 * fixed[z] = 1, mean[a] = 2 * mean[b]",
    )
    by = dict(zip(SPACE.names, values.T, strict=True))
    np.testing.assert_allclose(by["fixed[x]"], by["fixed[y]"], rtol=1e-12)
    np.testing.assert_allclose(by["sd[a]"], by["sd[b]"], rtol=1e-12)
    np.testing.assert_allclose(by["scale[SP]"], by["scale[T]"], rtol=1e-12)
    np.testing.assert_allclose(by["fixed[x]"] + 2 * by["fixed[z]"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(by["mean[a]"], 2 * by["mean[b]"], rtol=1e-12)
    assert found.size == SPACE.size - 5


def test_classes_have_their_own_and_share_the_rest():
    fixed = {"fixed[p, 2]": 0.0, "sd[b, 1]": 0.0, "corr[a, b, 2]": 0.3, "share[2]": -1.0}
    found, values = kept(CLASSES, fixed=fixed)
    by = dict(zip(CLASSES.names, values.T, strict=True))
    np.testing.assert_allclose(by["corr[a, b, 2]"], 0.3, rtol=1e-12)
    np.testing.assert_array_equal(by["fixed[p, 2]"], 0.0)
    np.testing.assert_array_equal(by["share[2]"], -1.0)
    assert np.isnan(by["corr[a, b, 1]"]).all()
    assert np.ptp(by["fixed[p, 1]"]) > 0
    assert found.size == CLASSES.size - 5


def test_the_nearest_vector_keeps_them_and_is_itself_where_it_does():
    found = constraint_map(SPACE, Constraints(fixed=CORRELATED, equal=[("fixed[x]", "fixed[y]")]))
    theta = np.random.default_rng(1).normal(size=SPACE.size)
    near = found.nearest(theta)
    assert found.kept_by(near)
    assert not found.kept_by(theta)
    assert found.nearest(near) is near
    # No other is nearer: what is left is at right angles to the directions that are free.
    np.testing.assert_allclose(found.directions.T @ (theta - near), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ({"fixed": {"fixed[xx]": 1}}, r"names 'fixed\[xx\]', .* did you mean 'fixed\[x\]'"),
        ({"equal": [("fixed[x]", "mean[e]")]}, r"names 'mean\[e\]'"),
        ({"bounds": {"sd[e]": (0, 1)}}, r"argument 'bounds' names 'sd\[e\]'"),
        ({"linear": "fixed[x] = fixed[w]"}, r"argument 'linear': .*fixed\[w\]"),
        ({"fixed": {"sd[a]": -1}}, r"sd\[a\] is to be held at -1; expected 0 at least"),
        ({"fixed": {"corr[b, c]": 1}}, "between -1 and 1"),
        ({"fixed": {"scale[T]": 0}}, "expected above 0"),
        ({"fixed": {"sd[b]": 0, "corr[b, c]": 0.5}}, "leaves no correlation"),
        ({"fixed": {"sd[c]": 1.0}}, "put 'c' first in its law"),
        ({"fixed": {"corr[c, d]": 0}}, "put 'c' first and hold it at 0"),
        ({"fixed": {"corr[b, d]": 0.5}}, r"hold all correlations of 'd'"),
        (
            {"fixed": {"corr[b, c]": 0.9, "corr[b, d]": 0.9, "corr[c, d]": -0.9}},
            "not those of a positive definite",
        ),
        ({"equal": [("sd[b]", "sd[c]")]}, r"sd\[c\] is not linear"),
        ({"fixed": {"sd[b]": 1}, "equal": [("sd[b]", "sd[c]")]}, "'equal'.*put 'c' first"),
        ({"fixed": {"sd[a]": 1, "sd[b]": 2}, "equal": [("sd[a]", "sd[b]")]}, "contradict"),
        ({"equal": [("corr[b, c]", "corr[b, d]")]}, "hold it at a value"),
        ({"equal": [("scale[T]", "mean[a]")]}, "scales are equal to scales alone"),
        ({"linear": "scale[T] = 2 * scale[SP]"}, "scales are held"),
        ({"linear": "sd[a] = -1"}, r"'linear': sd\[a\] is to be held at -1; expected 0 at least"),
        ({"linear": "2 * sd[b] = -1"}, r"sd\[b\] is to be held at -0.5"),
        ({"linear": "corr[b, c] = 1"}, "'linear'.*between -1 and 1"),
        ({"linear": "sd[c] = 1"}, "'linear'.*put 'c' first in its law"),
        ({"linear": "sd[a] + sd[b] = -1"}, r"no values of at least 0 .*sd\[a\]"),
        ({"linear": "sd[a] + sd[b] = 1, sd[b] = 3"}, "no values of at least 0"),
        ({"fixed": {"fixed[x]": 1}, "linear": "2 * fixed[x] = 3"}, "contradict each other"),
        (
            {"fixed": {"fixed[x]": 1}, "equal": [("fixed[x]", "fixed[y]")], "linear": "fixed[y]=2"},
            "contradict each other",
        ),
    ],
)
def test_what_cannot_be_held_is_refused_with_words(constraints, words):
    with pytest.raises(SpecificationError, match=words):
        constraint_map(SPACE, Constraints(**constraints))


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ({"fixed": {"x": float("nan")}}, "expected a finite number"),
        ({"fixed": {"x": "0"}}, "expected a finite number"),
        ({"fixed": [1]}, "values by flat name"),
        ({"equal": "ab"}, "groups of flat names"),
        ({"equal": ["ab"]}, "groups of flat names"),
        ({"equal": [("a", "a")]}, "two at least"),
        ({"bounds": {"a": (1, 0)}}, "a lower bound below the upper"),
        ({"bounds": {"a": 1}}, "lower, upper"),
        ({"linear": [1]}, "linear"),
    ],
)
def test_constraints_that_are_none(constraints, words):
    with pytest.raises(SpecificationError, match=words):
        Constraints(**constraints)


def test_bounds_without_ends_are_none():
    assert not Constraints(bounds={"a": (None, None), "b": (-np.inf, np.inf)})
    assert str(Constraints(bounds={"a": (None, None), "b": (0, None)})) == "b >= 0"


def test_a_record_is_read_back():
    given = Constraints({"a": 0}, [("b", "c")], "d = 1", {"e": (None, 0), "f": (0, 1)})
    assert Constraints.from_record(given.record()) == given
    assert hash(Constraints.from_record(given.record())) == hash(given)
    assert str(given) == "a = 0; b = c; d = 1; e <= 0; 0 <= f <= 1"
    assert not Constraints.from_record(None)
