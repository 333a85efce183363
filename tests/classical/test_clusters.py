"""Standard errors by cluster: brute force, limits, weights, and columns that split persons."""

from functools import cache

import numpy as np
import pytest

from bayesmix import Normal
from bayesmix.classical.clusters import person_groups
from bayesmix.classical.msle import msle
from bayesmix.errors import DataError
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.simulated import attributes, choice_data, simulated

MODEL = MixedLogit("x + y", random=Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 0.8, "fixed[y]": -0.6}


@cache
def data(weighted=False):
    frame = simulated(MODEL, AT, 120, 4).frame
    frame["region"] = np.array(["south", "east", "north", "west"])[frame["who"] % 11 % 4]
    frame["half"] = frame["who"] // 60
    if not weighted:
        return choice_data(frame)
    return choice_data(frame.assign(weight=0.5 + frame["who"] % 3), weights="weight")


@cache
def fit(cluster=None, weighted=False):
    return msle(MODEL, data(weighted), grid=gauss_hermite(9), starts=1, rng=1, cluster=cluster)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_summed_by_cluster(weighted):
    found = fit("region", weighted)
    _, scores = Likelihood(bind(MODEL, data(weighted)), found.grid).by_person(found.theta)
    regions = data(weighted).frame.groupby("who")["region"].first().to_numpy()
    weights = data(weighted).weights
    meat = 0.0
    for region in set(regions):
        members = np.flatnonzero(regions == region)
        total = sum(weights[i] * scores[i] for i in members)
        meat = meat + np.outer(total, total) * 4 / 3
    bread = np.linalg.inv(found.information.hessian)
    np.testing.assert_allclose(
        found.information.covariance("cluster"), bread @ meat @ bread, rtol=1e-8
    )


def test_clusters_of_one_person_are_the_robust_errors_but_for_their_factor():
    found = fit().clustered(data(), "who")
    ratio = found.covariance("cluster") / found.covariance("robust")
    np.testing.assert_allclose(ratio, 120 / 119, rtol=1e-9)


def test_what_is_printed_is_by_cluster():
    found = fit("region")
    np.testing.assert_array_equal(found.params, fit().params)
    np.testing.assert_allclose(found.std_errors**2, np.diag(found.covariance("cluster")), 1e-14)
    assert (found.std_errors != fit().std_errors).all()
    assert "standard errors by 'region', 4 clusters" in found.headline()
    assert "rank" not in found.headline()
    assert "clusters" not in fit().headline()
    again = fit().clustered(data(), "region")
    np.testing.assert_allclose(again.std_errors, found.std_errors, rtol=1e-10)
    logit = msle(MixedLogit("x + y"), data(), cluster="half")
    assert logit.information.n_groups == 2
    assert (
        "2 clusters: the covariance matrix of 2 parameters has rank 1 at most" in logit.headline()
    )


def test_copies_of_persons_in_one_cluster_are_one_person():
    """Every person twice: errors by person are too small, by pairs those of the single sample."""
    frame = data().frame
    second = frame.assign(who=frame["who"] + 1000, task=frame["task"] + 10_000)
    twice = choice_data(
        type(frame)(np.concatenate([frame, second]), columns=frame.columns)
        .astype(frame.dtypes)
        .assign(pair=lambda f: f["who"] % 1000)
    )
    double = msle(MODEL, twice, grid=gauss_hermite(9), starts=1, cluster="pair")
    single = fit().clustered(data(), "who")
    np.testing.assert_allclose(double.std_errors, single.std_errors, rtol=1e-3)
    root2 = np.sqrt(np.diag(double.covariance("robust")) * 120 / 119)
    np.testing.assert_allclose(root2, single.std_errors / np.sqrt(2), rtol=1e-3)


def test_a_column_that_splits_persons_is_refused_by_name():
    with pytest.raises(
        DataError, match=r"'x' varies within 120 of 120 persons \(person 0 in row 1; .*117 more"
    ):
        msle(MODEL, data(), cluster="x")
    frame = data().frame.copy()
    frame.loc[7, "region"] = "moved"
    with pytest.raises(DataError, match=r"within 1 of 120 persons \(person 0 in row 7\): clusters"):
        person_groups(choice_data(frame), "region")


def test_a_cross_section_is_clustered_by_what_its_situations_share():
    frame = attributes(np.random.default_rng(1), 40, 3)
    frame["choice"] = (frame["alt"] == frame["task"] % 3).astype(int)
    cross = choice_data(frame, person=None)
    np.testing.assert_array_equal(person_groups(cross, "who"), np.repeat(np.arange(40), 3))
    with pytest.raises(DataError, match=r"of 120 situations .*whole situations"):
        person_groups(cross, "alt")


def test_other_columns_that_are_no_clusters():
    frame = data().frame.assign(all="one", hole=np.where(data().frame["who"] == 3, np.nan, 1.0))
    holes = choice_data(frame)
    for column, words in (
        ("all", "'all' is 'one' for everybody"),
        ("hole", "'hole' is missing for 1 of 120 persons .*drop these persons"),
        ("regoin", "did you mean 'region'"),
    ):
        with pytest.raises(DataError, match=words):
            person_groups(holes, column)
    with pytest.raises(DataError, match="the data have 40 persons, the fit 120"):
        fit().clustered(simulated(MODEL, AT, 40, 2), "who")
