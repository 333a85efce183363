"""Columns that choices cannot inform are refused."""

import numpy as np
import pytest

from bayesmix.errors import DataError
from bayesmix.formulas.variation import deviations, spread, variation_faults
from bayesmix.specification.means import Terms, check_terms
from tests.oracles import choice_frame, choices


def check_variation(values, names, data):
    """All columns with fixed coefficients."""
    check_terms(Terms(values, names), data)


@pytest.fixture(scope="module")
def data():
    return choices(choice_frame(np.random.default_rng(1)))


@pytest.fixture(scope="module")
def outside():
    return choices(choice_frame(np.random.default_rng(1), outside=True), outside_option=True)


def columns(data, size=3, seed=2):
    return np.random.default_rng(seed).normal(size=(data.n_rows, size))


def within(data, values):
    """The deviations from the situation's mean, situation by situation."""
    out = np.empty_like(values)
    for start, end in zip(data.situation_start[:-1], data.situation_start[1:], strict=True):
        out[start:end] = values[start:end] - values[start:end].mean(axis=0)
    return out


def test_deviations_are_from_the_situations_mean(data):
    values = columns(data)
    np.testing.assert_allclose(deviations(values, data), within(data, values), atol=1e-14)


def test_deviations_with_an_outside_option_are_the_values(outside):
    values = columns(outside)
    np.testing.assert_array_equal(deviations(values, outside), values)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_deviations_of_a_constant_are_exactly_zero(data, scale):
    constant = scale * np.random.default_rng(3).normal(size=data.n_situations)
    values = constant[data.row_situation][:, None]
    assert (deviations(values, data) == 0.0).all()


def test_spread_is_the_root_mean_square(data):
    values = columns(data)
    expected = np.sqrt((within(data, values) ** 2).mean(axis=0))
    np.testing.assert_allclose(spread(values, data), expected, rtol=1e-13)


def test_columns_in_general_position_are_accepted(data):
    check_variation(columns(data), ("a", "b", "c"), data)
    check_variation(columns(data) * [1e-9, 1.0, 1e9], ("a", "b", "c"), data)
    check_variation(columns(data, 0), (), data)


def test_nearly_collinear_columns_are_accepted(data):
    values = columns(data)
    values[:, 2] = values[:, 0] + 1e-5 * values[:, 2]
    check_variation(values, ("a", "b", "c"), data)


@pytest.mark.parametrize("apart", [1e-7, 1e-9])
def test_columns_apart_by_less_than_information_keeps_are_collinear(data, apart):
    values = columns(data)
    values[:, 2] = values[:, 0] + apart * values[:, 2]
    with pytest.raises(DataError, match=r"situations: -1 a \+1 c = 0"):
        check_variation(values, ("a", "b", "c"), data)


def test_powers_that_rounding_makes_collinear_are_refused(data):
    x = np.random.default_rng(5).uniform(size=data.n_rows)
    names = tuple(f"x{m}" for m in range(1, 15))
    with pytest.raises(DataError, match="perfectly collinear"):
        check_variation(x[:, None] ** np.arange(1, 15), names, data)
    check_variation(x[:, None] ** np.arange(1, 6), names[:5], data)


def test_all_faults_are_listed_with_their_columns(data):
    values = columns(data, 5)
    values[:, 0] = 1.0
    values[:, 2] = values[:, 1]
    values[:, 4] = values[:, 3] - values[:, 1]
    faults = list(variation_faults(values, ("a", "b", "c", "d", "e"), data))
    assert [fault.where for fault in faults] == [("a",), ("b", "c"), ("b", "d", "e")]
    with pytest.raises(DataError) as caught:
        check_variation(values, ("a", "b", "c", "d", "e"), data)
    assert str(caught.value) == str(faults[0])


def test_a_column_without_variation_is_named_with_the_remedy(data):
    values = columns(data)
    values[:, 1] = np.arange(data.n_situations)[data.row_situation]
    message = r"'b' has no variation within any situation.*leave it out.*alone, C\(mode\):b"
    with pytest.raises(DataError, match=message):
        check_variation(values, ("a", "b", "c"), data)


def test_a_person_s_covariate_varies_against_an_outside_option(outside):
    values = columns(outside)
    values[:, 1] = outside.frame["income"]
    check_variation(values, ("a", "b", "c"), outside)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_collinear_columns_are_named_with_their_combination(data, scale):
    values = columns(data, 5)
    shift = np.random.default_rng(4).normal(size=data.n_situations)[data.row_situation]
    values[:, 3] = scale * (2 * values[:, 0] - 0.5 * values[:, 2]) + shift
    first, third = -2 * scale, 0.5 * scale
    with pytest.raises(DataError, match="perfectly collinear within situations") as caught:
        check_variation(values, ("a", "b", "c", "d", "e"), data)
    assert f"situations: {first:+.4g} a {third:+.4g} c +1 d = 0 (up to" in str(caught.value)


def test_the_first_of_several_combinations_is_named_alone(data):
    values = columns(data, 4)
    values[:, 1] = values[:, 0]
    values[:, 3] = 3 * values[:, 2]
    with pytest.raises(DataError, match=r"situations: -1 a \+1 b = 0 "):
        check_variation(values, ("a", "b", "c", "d"), data)


def test_more_columns_than_rows_are_refused(data):
    values = columns(data, data.n_rows + 1)
    with pytest.raises(DataError, match=rf"{data.n_rows + 1} columns but only {data.n_rows} rows"):
        check_variation(values, tuple(f"x{k}" for k in range(data.n_rows + 1)), data)


def test_a_factor_with_a_large_level_is_told_from_an_exact_combination(data):
    values = columns(data)
    values[:, 2] = values[:, 0] * (1e8 + values[:, 1])  # an interaction with a time stamp
    with pytest.raises(DataError, match=r"level that is large beside its spread, take that level"):
        check_variation(values, ("a", "b", "a:b"), data)
