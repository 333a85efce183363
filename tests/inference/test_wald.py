"""Wald tests: formulas, words, and refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.errors import SpecificationError
from tests.inference.fits import data, fit
from tests.simulated import choice_data


def test_one_restriction_is_the_square_of_z():
    test = bm.wald_test(fit(), "fixed[z] = 0")
    z = fit().params["fixed[z]"] / fit().std_errors["fixed[z]"]
    assert test.statistic == pytest.approx(z**2)
    assert test.p_value == pytest.approx(chi2.sf(z**2, 1))
    assert (test.df, test.null) == (1, "fixed[z] = 0")
    assert test.p_value > 0.01  # it is true


def test_restrictions_in_words_are_those_of_the_matrix():
    words = bm.wald_test(fit(), "mean[x] = 2 * mean[y] + 1, corr[x, y] - fixed[z]/2 = -0.5")
    matrix = pd.DataFrame(
        {"mean[x]": [1.0, 0.0], "mean[y]": [-2.0, 0], "corr[x, y]": [0, 1.0], "fixed[z]": [0, -0.5]}
    )
    by_name = bm.wald_test(fit(), matrix, [1.0, -0.5])
    full = matrix.reindex(columns=fit().params.index, fill_value=0.0).to_numpy()
    by_array = bm.wald_test(fit(), full, [1.0, -0.5])
    gap = full @ fit().params - [1.0, -0.5]
    statistic = gap @ np.linalg.inv(full @ fit().covariance() @ full.T) @ gap
    for test in (words, by_name, by_array):
        assert test.statistic == pytest.approx(statistic)
        assert test.df == 2
        assert test.null == "mean[x] - 2 mean[y] = 1, corr[x, y] - 0.5 fixed[z] = -0.5"
    listed = bm.wald_test(fit(), ["mean[x] = 2 * mean[y] + 1", "corr[x, y] - fixed[z]/2 = -0.5"])
    assert listed.statistic == pytest.approx(statistic)


def test_the_kind_of_covariance_is_taken():
    regional = fit().clustered(choice_data(data().frame.assign(g=data().frame["who"] // 4)), "g")
    found = [bm.wald_test(regional, "mean[x] = 1", kind=k) for k in (None, "hessian")]
    for test, kind in zip(found, ("cluster", "hessian"), strict=True):
        variance = regional.covariance(kind).loc["mean[x]", "mean[x]"]
        assert test.statistic == pytest.approx((fit().params["mean[x]"] - 1) ** 2 / variance)
        assert f"covariance: {kind}" in str(test)


def test_the_scale_of_a_restriction_does_not_matter():
    one, other = (bm.wald_test(fit(), f"{a} * mean[x] = {a} * mean[y]") for a in (1, 1000))
    assert one.statistic == pytest.approx(other.statistic)


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ("sd[x] = 0", r"sd\[x\] = 0 is at the boundary.*lr_test\(restricted, full\)"),
        ("mean[a] = 0", r"names 'mean\[a\]', which is no parameter; it has 'mean\[x\]'"),
        ("mean[x] = 0, 2 * mean[x] = 0", "singular: some follow from others"),
        ("mean[x] * mean[y] = 1", "'restrictions': cannot read"),
        ("mean[x] =", "'restrictions': cannot read"),
        ("3 = 3", "concerns no parameter"),
        (np.ones((1, 3)), r"shape \(1, 3\), expected \(n, 6\)"),
        (pd.DataFrame({"mean[w]": [1.0]}), r"'mean\[w\]', which is no parameter"),
    ],
)
def test_what_cannot_be_tested_is_refused(restrictions, words):
    with pytest.raises(SpecificationError, match=words):
        bm.wald_test(fit(), restrictions)


def test_a_parameter_at_the_boundary_cannot_be_tested():
    scores = fit().information.scores.copy()
    scores[:, 2] *= 1e-3  # chol[x, x]
    silent = replace(fit(), information=replace(fit().information, scores=scores))
    with pytest.raises(SpecificationError, match=r"^sd\[x\]: no standard error"):
        bm.wald_test(silent, "sd[x] = 1, mean[x] = 1")
    assert bm.wald_test(silent, "mean[x] = 1").df == 1


def test_tests_print_themselves():
    test = bm.wald_test(fit(), "mean[x] = mean[y]")
    assert str(test).startswith("Wald test of mean[x] - mean[y] = 0\nstatistic ")
    assert "chi2(1): p-value" in repr(test)
    assert test._repr_html_().startswith("<p>Wald test of mean[x]")
