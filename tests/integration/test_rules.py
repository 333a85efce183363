"""Descriptions of rules print as the calls that make them, and refuse what cannot be."""

import numpy as np
import pytest
from scipy.stats import qmc

from bayesmix.errors import SpecificationError
from bayesmix.integration import rules
from bayesmix.integration.constants import directions, from_scipy
from bayesmix.integration.rules import (
    centred,
    gauss_hermite,
    halton,
    mlhs,
    monte_carlo,
    sobol,
    sparse,
    trapezoid,
)

WORDS = [
    "sobol(64)",
    "halton(100)",
    "halton(100, scramble=False, skip=100)",
    "mlhs(50)",
    "monte_carlo(500)",
    "monte_carlo(500, antithetic=True)",
    "gauss_hermite(7)",
    "sparse(level=5, family='kpn')",
    "sparse(level=3, family='gqn')",
    "centred(sobol(64), population=0.25, inflation=1.2)",
    "trapezoid(64)",
    "centred(gauss_hermite(15))",
    "centred(trapezoid(31), inflation=1.2)",
    "centred(halton(32), population=0, inflation=1, moments=True)",
]


@pytest.mark.parametrize("words", WORDS)
def test_a_rule_prints_as_the_call_that_makes_it(words):
    made = eval(words, vars(rules).copy())
    assert str(made) == repr(made) == words
    assert made == eval(words, vars(rules).copy())
    assert hash(made) == hash(eval(words, vars(rules).copy()))


def test_numpy_integers_are_whole_numbers():
    assert sobol(np.int64(64)) == sobol(64)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: sobol(0), "nodes"),
        (lambda: sobol(64.0), "nodes"),
        (lambda: sobol(True), "nodes"),
        (lambda: sobol("64"), "nodes"),
        (lambda: mlhs(2**20 + 1), "nodes"),
        (lambda: halton(100, skip=10), "skip"),
        (lambda: halton(100, scramble=False, skip=0), "skip"),
        (lambda: halton(100, scramble="no"), "scramble"),
        (lambda: monte_carlo(7, antithetic=True), "nodes"),
        (lambda: gauss_hermite(0), "points"),
        (lambda: sparse(16), "level"),
        (lambda: sparse(3, "kronrod"), "family"),
        (lambda: centred(sparse(3)), "rule"),
        (lambda: centred(gauss_hermite(7), population=0.25), "population"),
        (lambda: centred(gauss_hermite(7), moments=True), "moments"),
        (lambda: trapezoid(0), "points"),
        (lambda: trapezoid(4097), "points"),
        (lambda: centred(centred(sobol(8))), "rule"),
        (lambda: centred(sobol(64), population=1.0), "population"),
        (lambda: centred(sobol(64), population=float("nan")), "population"),
        (lambda: centred(sobol(64), inflation=0.0), "inflation"),
        (lambda: centred(sobol(64), moments=1), "moments"),
    ],
)
def test_an_argument_that_cannot_be_is_named_with_what_was_expected_and_came(make, argument):
    with pytest.raises(SpecificationError, match=rf"argument '{argument}': expected .*got .+: .+"):
        make()


def test_stored_direction_numbers_are_scipys_and_go_on_where_they_end():
    stored = directions(64, 32) >> np.uint64(32)
    np.testing.assert_array_equal(stored[:, :14], from_scipy(64, 14))
    # All 32 bits of all dimensions, off SciPy's own table: to the last points is minutes by steps.
    table = qmc.Sobol(64, scramble=False, bits=32)._sv
    np.testing.assert_array_equal(stored, table)
    np.testing.assert_array_equal(directions(66, 5)[:64], directions(64, 5))
    np.testing.assert_array_equal(directions(66, 5) >> np.uint64(32), from_scipy(66, 5))
