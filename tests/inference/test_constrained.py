"""Tests of hypotheses on fits under constraints."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from tests.classical.constrained import MODEL, fit, held


def test_a_ratio_of_a_held_fit_is_that_of_the_refitted_model():
    free = fit(bm.MixedLogit("x + y + z", random=[bm.Normal("x"), bm.Normal("y")]))
    still = fit(free.model, fixed=(("sd[y]", 0.0),))
    refit = fit(bm.MixedLogit("x + y + z", random=bm.Normal("x")))
    ours, theirs = bm.lr_test(still, free), bm.lr_test(refit, free)
    assert ours.distribution == theirs.distribution == "1/2 chi2(0) + 1/2 chi2(1)"
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-5)
    assert ours.null == "sd[y] = 0"


@pytest.mark.parametrize(
    ("fixed", "law"),
    [
        ({"fixed[z]": 0.5}, "chi2(1)"),
        ({"corr[x, y]": 0.2, "fixed[z]": 0.5}, "chi2(2)"),
        ({"sd[y]": 0}, "1/2 chi2(1) + 1/2 chi2(2)"),
        ({"sd[y]": 0, "fixed[z]": 0.5}, "1/2 chi2(2) + 1/2 chi2(3)"),
    ],
)
def test_laws_of_ratios(fixed, law):
    test = bm.lr_test(held(**fixed), fit())
    assert test.distribution == law
    assert test.null == ", ".join(f"{name} = {value:g}" for name, value in fixed.items())


def test_a_standard_deviation_of_0_in_words_is_held_as_by_its_name():
    words = fit(replace(MODEL, constraints=bm.Constraints(linear="sd[y] = 0")))
    named = held(**{"sd[y]": 0})
    np.testing.assert_array_equal(words.params, named.params)
    assert words.aic == named.aic
    ours, theirs = (bm.lr_test(one, fit()) for one in (words, named))
    assert (ours.statistic, ours.p_value) == (theirs.statistic, theirs.p_value)
    assert ours.distribution == theirs.distribution == "1/2 chi2(1) + 1/2 chi2(2)"
    assert ours.null == theirs.null == "sd[y] = 0"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"fixed[z]": (None, 0.9)}, None),
        ({"fixed[z]": (0.5, None)}, r"fixed\[z\] = 0.5 under the null is at a bound"),
        ({"fixed[z]": (None, 0.5)}, "the same parameters"),
        ({"fixed[z]": (0.52, None)}, "not nested in the second.* the second bounds it"),
    ],
)
def test_a_null_at_a_bound_of_the_full_fit_has_no_known_law(bounds, words):
    """Though the restricted model is written without the bound."""
    restricted = held(**{"fixed[z]": 0.5})
    full = fit(replace(MODEL, constraints=bm.Constraints(bounds=bounds)))
    if words is None:
        assert bm.lr_test(restricted, full).distribution == "chi2(1)"
        return
    with pytest.raises(SpecificationError, match=words):
        bm.lr_test(restricted, full)


def test_several_standard_deviations_of_0_are_at_the_corner_of_a_cone():
    free = fit()
    none = held(**{"sd[x]": 0, "sd[y]": 0})
    test, refit = bm.lr_test(none, free), bm.lr_test(fit(bm.MixedLogit("x + y + z")), free)
    assert "dimension 3 onto the cone" in test.distribution
    assert test.statistic == pytest.approx(refit.statistic, abs=1e-5)
    np.testing.assert_allclose(test.law.sf(2.0), refit.law.sf(2.0), rtol=0.02)


def test_fits_that_are_not_nested_are_refused():
    one, other = held(**{"fixed[z]": 0.5}), held(**{"corr[x, y]": 0.2})
    for restricted, full, words in (
        (fit(), one, "does not hold and tie all"),
        (one, other, "does not hold and tie all"),
        (one, one, "the same parameters"),
        (one, fit(bm.MixedLogit("x + y + z", random=bm.Normal("x"))), "different models"),
    ):
        with pytest.raises(SpecificationError, match=words):
            bm.lr_test(restricted, full)


def test_functions_do_not_move_with_what_is_held():
    under = held(**{"fixed[z]": 0.5})
    table = under.delta(lambda b: {"a": b["fixed[z]"] ** 2, "b": b["mean[x]"] / b["fixed[z]"]})
    assert table["std error"]["a"] == 0.0
    expected = under.std_errors["mean[x]"] / 0.5
    assert table["std error"]["b"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ({"fixed": (("fixed[z]", 0.5),)}, "fixed[z] = 0"),
        ({"equal": (("mean[x]", "mean[y]"),)}, "mean[x] = mean[y]"),
        ({"fixed": (("fixed[z]", 0.5),)}, "mean[x] = 0, 2 * fixed[z] = 1"),
    ],
)
def test_a_wald_test_of_what_is_held_says_so(constraints, words):
    with pytest.raises(SpecificationError, match="the fit itself holds or ties this"):
        bm.wald_test(fit(**constraints), words)
