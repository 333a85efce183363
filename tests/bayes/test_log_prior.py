"""What each prior says of each draw: its sum, and ArviZ's sensitivity to it."""

import arviz as az
import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.log_prior import log_prior_group
from bayesmix.bayes.marginal_sampling import draws_dataset
from bayesmix.bayes.prior_values import prior_values
from bayesmix.bayes.priors import make_priors

from .test_prior_density import LAWS
from .test_prior_values import bound

SMALL = bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b"))


@pytest.mark.parametrize("kind", LAWS)
def test_parts_add_up_to_the_prior_of_the_free_vector(kind: str) -> None:
    problem, _, thetas = bound(kind)
    given, space = LAWS[kind][1], problem.parameters
    group = log_prior_group(problem, given, draws_dataset(problem, thetas.reshape(2, 3, -1)))
    total = sum(part.sum(part.dims[2:]) for part in group.data_vars.values())
    logs = np.log(thetas[:, space.diagonal()])
    wishart = "wishart" in kind
    jacobian = (
        3 * np.log(2) + logs @ [3.0, 2.0, 1.0]
        if wishart
        else [np.linalg.slogdet(space.jacobian(theta))[1] for theta in thetas]
    )
    expected = prior_values(problem, make_priors(problem, given), thetas) - jacobian
    np.testing.assert_allclose(total.to_numpy().ravel(), expected, atol=1e-9)
    assert ("cov" in group) == wishart
    assert ("corr" in group) == (kind in ("lkj", "families"))
    if kind == "shifts":
        assert list(group["mean"][group["mean"].dims[-1]].to_numpy()) == ["price"]
        assert list(group["shift"]["shifted"].to_numpy()) == ["price, income"]


def test_what_is_held_has_no_prior(panel) -> None:
    tree = bm.sample(
        SMALL, panel, method="importance", grid=bm.centred(bm.sobol(32)), fixed={"mean[a]": 1.0},
        draws=250, rng=3, progress=False,
    )  # fmt: skip
    assert tree["log_prior"]["mean"].sizes[tree["log_prior"]["mean"].dims[-1]] == 1
    assert list(tree["log_prior"]["sd"]["random"].to_numpy()) == ["a", "b"]


def test_a_correlation_that_is_held_has_no_prior(panel) -> None:
    model = bm.MixedLogit("a + b", random=[bm.LKJNormal("a", "b")])
    tree = bm.sample(
        model, panel, method="importance", grid=bm.centred(bm.sobol(32)), draws=100, rng=3,
        fixed={"corr[a, b]": 0.0}, progress=False,
    )  # fmt: skip
    assert set(tree["log_prior"].data_vars) == {"mean", "sd"}


def test_a_sharp_prior_is_what_a_posterior_is_sensitive_to(panel) -> None:
    options = {"grid": bm.centred(bm.sobol(32)), "rng": 4, "progress": False}
    sharp = {"mean[a]": (0.0, 0.15)}
    wide, narrow = (
        az.psense_summary(bm.sample(SMALL, panel, method="importance", priors=p, **options))
        for p in (None, sharp)
    )
    assert wide.loc["mean[a]", "prior"] < 0.05
    assert narrow.loc["mean[a]", "prior"] > 0.1
    assert (wide["likelihood"] > 0.05).all()
