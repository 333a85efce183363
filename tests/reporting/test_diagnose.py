"""Checks of draws, in words: what is bad is said with a remedy, what is not recorded as unknown."""

from typing import Any

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.reporting.diagnosis import Diagnosis

SHAPE = (4, 500)


def tree(attrs: dict[str, Any] | None = None, **stats: Any) -> xr.DataTree:
    """Independent draws of two parameters, and statistics of a sampler that has no trouble."""
    rng = np.random.default_rng(4)
    values = {"mean": (("chain", "draw", "random"), rng.normal(size=(*SHAPE, 2)))}
    posterior = xr.Dataset(values, {"random": ["x", "y"]}, attrs or {})
    quiet = {
        "diverging": np.zeros(SHAPE, bool),
        "maxdepth_reached": np.zeros(SHAPE, bool),
        "depth": np.full(SHAPE, 3),
        "energy": rng.normal(size=SHAPE),
    }
    own = {k: (("chain", "draw"), v) for k, v in (quiet | stats).items() if v is not None}
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset(own)})


def found(diagnosis: Diagnosis, check: str) -> Any:
    return next(finding for finding in diagnosis.findings if finding.check == check)


def marked(count: int) -> np.ndarray:
    return (np.arange(np.prod(SHAPE)) < count).reshape(SHAPE)


def test_good_draws_are_called_good() -> None:
    diagnosis = bm.diagnose(tree())
    assert diagnosis.good
    assert diagnosis.troubles == ()
    assert diagnosis.headline() == "4 chains of 500 draws: nothing bad is seen"
    assert diagnosis.table["good"].all()
    assert "E-BFMI" in diagnosis._repr_html_()


def test_figures_are_those_of_arviz() -> None:
    given = tree(energy=np.cumsum(np.random.default_rng(2).normal(size=SHAPE), axis=1))
    diagnosis = bm.diagnose(given)
    np.testing.assert_allclose(
        diagnosis.chains["E-BFMI"], np.ravel(az.bfmi(given)["energy"].to_numpy())
    )
    assert not diagnosis.good
    assert "tails are hardly explored" in diagnosis.troubles[0]


@pytest.mark.parametrize(
    ("stats", "check", "value"),
    [
        ({"diverging": marked(3)}, "divergences", 3),
        ({"maxdepth_reached": marked(700)}, "tree depth", 700),
    ],
)
def test_troubles_are_counted(stats: dict[str, Any], check: str, value: int) -> None:
    diagnosis = bm.diagnose(tree({"likelihood": "hierarchical"}, **stats))
    finding = found(diagnosis, check)
    assert (finding.value, finding.good) == (value, False)
    assert f"{value} of 2,000" in finding.words
    assert "likelihood='marginal'" in finding.remedy
    assert [text.startswith(f"{value} of") for text in diagnosis.troubles] == [True]


def test_what_is_not_recorded_is_unknown_and_not_0() -> None:
    diagnosis = bm.diagnose(tree(diverging=None, energy=None))
    assert found(diagnosis, "divergences").good is None
    assert np.isnan(found(diagnosis, "energy").value)
    assert diagnosis.good
    assert diagnosis.headline().endswith("not known: divergences, energy")
    assert diagnosis.table["good"].isna().sum() == 2


def test_names_of_other_samplers_are_known() -> None:
    given = tree(maxdepth_reached=None, depth=None, reached_max_treedepth=marked(2))
    assert found(bm.diagnose(given), "tree depth").value == 2


def test_chains_that_disagree_and_draws_that_stand_still() -> None:
    given = tree()
    given["posterior"]["mean"][0, :, 1] += 1.0
    diagnosis = bm.diagnose(given)
    assert "(mean[y]), chains have not come to the same law" in found(diagnosis, "R-hat").words
    assert found(diagnosis, "bulk ESS").good is False
    given["posterior"]["mean"][..., 1] = 0.5
    stuck = bm.diagnose(given)
    assert "none for mean[y]" in found(stuck, "R-hat").words
    assert not stuck.good


def test_one_chain_is_said() -> None:
    diagnosis = bm.diagnose(tree().isel(chain=0))
    assert found(diagnosis, "chains").good is None
    assert "its halves alone" in found(diagnosis, "chains").words
    assert diagnosis.chains["divergences"].tolist() == [0]


@pytest.mark.parametrize(("k", "ess", "bad"), [(0.2, 1500.0, []), (0.9, 90.0, [False, False])])
def test_weighted_draws_have_their_own_figures(k: float, ess: float, bad: list[bool]) -> None:
    """Draws that were resampled are without autocorrelation whatever their weights were."""
    attrs = {"method": "importance", "pareto_k": k, "ess": ess}
    diagnosis = bm.diagnose(tree(attrs, diverging=None, energy=None))
    checks = [finding.check for finding in diagnosis.findings]
    assert checks == ["effective draws", "Pareto k"]
    assert [f.good for f in diagnosis.findings if not f.good] == bad
    assert diagnosis.parameters["r_hat"].isna().all()
    assert found(diagnosis, "Pareto k").value == k


def test_nodes_classes_and_fallbacks_are_part_of_it() -> None:
    attrs = {
        "integration_error_sd": 0.9,
        "integration": "integration error: sd 0.90 nats",
        "label_switching": 1,
        "labels": "classes 1 and 2 change places",
        "fallback": "weights were too heavy",
    }
    diagnosis = bm.diagnose(tree(attrs))
    assert [text.partition(":")[0] for text in diagnosis.troubles] == [
        "integration error",
        "classes 1 and 2 change places",
    ]
    assert "weights were too heavy" in str(diagnosis)


def test_too_few_draws_are_unknown() -> None:
    diagnosis = bm.diagnose(tree().isel(draw=slice(0, 2)))
    assert found(diagnosis, "R-hat").good is None
    assert "cannot be computed" in found(diagnosis, "bulk ESS").words


def test_a_group_alone_and_draws_of_priors_are_taken() -> None:
    own = tree({"model": "{}", "method": "nuts"})["posterior"].to_dataset()
    diagnosis = bm.diagnose(xr.DataTree(own))
    assert found(diagnosis, "divergences").good is None
    assert found(diagnosis, "R-hat").value == found(bm.diagnose(tree()), "R-hat").value
    prior = bm.diagnose(xr.DataTree.from_dict({"prior": own}))
    assert prior.size == "4 chains of 500 draws"


def test_nodes_whose_weights_have_heavy_tails_are_said() -> None:
    """However small the error that is seen: it is of references that may miss the same."""
    draws = {"x": (("chain", "draw"), np.random.default_rng(1).normal(size=(4, 500)))}
    for k, good in ((0.5, True), (0.83, False)):
        known = {"integration_error_sd": 0.1, "integration_pareto_k": k}
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws, attrs=known)})
        found = bm.diagnose(tree)
        assert found.good == good
        assert any("k = 0.83" in words for words in found.troubles) != good
