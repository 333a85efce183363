"""Matrices of correlations, of people in classes."""

import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from tests.simulated import simulated


def test_equal_shares_have_no_parameter_and_are_classes_all_the_same():
    """Their pairs are named by class, and no matrix of terms would find one."""
    people = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 1.0, "fixed[y]": -1.0}, 30, 3, seed=1)
    model = bm.MixedLogit("x + y", bm.LatentClass(bm.LKJNormal("x", "y"), share="0"))
    prior = bm.prior_predictive(model, people, draws=3, rng=1)
    assert "share" not in prior["prior"]
    assert list(prior["prior"]["pair"].to_numpy()) == ["x, y, 1", "x, y, 2"]
    with pytest.raises(SpecificationError, match="each latent class has a matrix of its own"):
        bm.correlations(prior)
