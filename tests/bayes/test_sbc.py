"""Simulation-based calibration: right posteriors are inside the bands, wrong ones are not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.arrays import Array
from bayesmix.bayes import importance, sampler_grid, sbc_simulation
from bayesmix.bayes.sbc_ranks import SBC
from bayesmix.bayes.uniform_bands import counts_below, probability_inside, simultaneous_band
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x", random=[bm.Normal("x")])
PRIORS = {"mean[x]": (0.0, 0.7), "sd[x]": 0.7}
OPTIONS: dict[str, Any] = {"priors": PRIORS, "processes": 1, "progress": False, "draws": 25}


def design(**options: Any) -> bm.ChoiceData:
    """12 persons, 3 pairs each."""
    frame = attributes(np.random.default_rng(1), 12, 3, ("x",), alternatives=2)
    return choice_data(frame.assign(**options) if options else frame)


@pytest.fixture(scope="module", autouse=True)
def frugal() -> Iterator[None]:
    """Fewer draws and nodes to begin with than where posteriors are not so small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "FIRST", 200)
        patch.setattr(sampler_grid, "FINE_NODES", 256)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sbc")


@pytest.fixture(scope="module")
def right(folder: Path) -> SBC:
    return bm.sbc(MODEL, design(), simulations=16, rng=2, file=folder / "right.jsonl", **OPTIONS)


def test_right_posteriors_are_inside(right: SBC) -> None:
    assert list(right.ranks.columns) == ["mean[x]", "sd[x]", "log_likelihood"]
    assert right.inside().all()
    assert not right.failed
    assert len(right.ranks) == 16
    assert "inside the 99 %" in right.headline()
    assert right.truth["sd[x]"].min() > 0


def test_choices_of_another_law_are_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    true = sbc_simulation.simulate_choices

    def shifted(model: Any, params: Any, data: Any, rng: Any) -> Any:
        return true(model, {**params, "mean[x]": params["mean[x]"] + 1.5}, data, rng)

    monkeypatch.setattr(sbc_simulation, "simulate_choices", shifted)
    wrong = bm.sbc(MODEL, design(), simulations=12, rng=2, **OPTIONS)
    assert not wrong.inside()["mean[x]"]
    assert "mean[x]: posteriors are too high" in wrong.headline()


def test_a_file_gives_the_same_ranks(right: SBC, folder: Path) -> None:
    again = bm.sbc(MODEL, design(), simulations=16, rng=2, file=folder / "right.jsonl", **OPTIONS)
    pd.testing.assert_frame_equal(again.ranks, right.ranks)
    alone = sbc_simulation.simulate(
        sbc_simulation.Calibration(MODEL, design(), "importance", PRIORS, 25),
        int(np.random.default_rng(2).integers(2**62)),
        7,
    )
    assert alone["ranks"] == right.ranks.loc[7].to_dict()


def test_a_file_knows_all_digits_of_its_priors(right: SBC, folder: Path) -> None:
    options = OPTIONS | {"priors": {"mean[x]": (0.0, 0.7), "sd[x]": 0.70000001}}
    with pytest.raises(bm.SpecificationError, match="another priors"):
        bm.sbc(MODEL, design(), simulations=16, rng=2, file=folder / "right.jsonl", **options)


def test_choices_of_the_design_are_not_used(right: SBC, folder: Path) -> None:
    other = design()
    other = other.with_choices(other.situation_start[1:] - 1)
    again = bm.sbc(MODEL, other, simulations=16, rng=2, file=folder / "right.jsonl", **OPTIONS)
    pd.testing.assert_frame_equal(again.ranks, right.ranks)
    with pytest.raises(bm.SpecificationError, match="another priors"):
        bm.sbc(
            MODEL,
            other,
            rng=2,
            file=folder / "right.jsonl",
            **{**OPTIONS, "priors": {"sd[x]": 2.0}},
        )


def test_what_cannot_be_calibrated_is_refused() -> None:
    frame = attributes(np.random.default_rng(1), 12, 3, ("x",), alternatives=2)
    weighted = choice_data(frame.assign(w=2.0), weights="w")
    with pytest.raises(bm.SpecificationError, match="weights"):
        bm.sbc(MODEL, weighted, **OPTIONS)
    classes = bm.MixedLogit("x", random=bm.LatentClass("x"))
    with pytest.raises(bm.SpecificationError, match="no coefficient is random"):
        bm.sbc(bm.MixedLogit("x"), design(), **{**OPTIONS, "priors": None})
    with pytest.raises(bm.SpecificationError, match="order of latent classes"):
        bm.sbc(classes, design(), **{**OPTIONS, "priors": None})
    nested = bm.MixedLogit("x", bm.Normal("x"), nests=bm.Nests({"both": [0, 1]}))
    with pytest.raises(bm.SpecificationError, match="nests="):
        bm.sbc(nested, design(), **{**OPTIONS, "priors": None})


def test_simulations_that_fail_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    true = sbc_simulation._ranked

    def failing(job: Any, data: Any, truth: Any, rng: Any) -> Any:
        if len(calls) == 1:
            calls.append(1)
            raise bm.ConvergenceError("no end")
        calls.append(1)
        return true(job, data, truth, rng)

    calls: list[int] = []
    monkeypatch.setattr(sbc_simulation, "_ranked", failing)
    found = bm.sbc(MODEL, design(), simulations=2, rng=2, **OPTIONS)
    assert found.failed == {1: "ConvergenceError: no end"}
    assert list(found.ranks.index) == [0]
    assert "1 have no ranks" in found.headline()


def test_bands_hold_as_often_as_they_say() -> None:
    n, points, probability = 40, 20, 0.9
    lower, upper = simultaneous_band(n, points, probability)
    rng = np.random.default_rng(5)
    counts = [counts_below(rng.integers(0, points + 1, n), points) for _ in range(4000)]
    inside = np.mean([((lower <= c) & (c <= upper)).all() for c in counts])
    exact = probability_inside(n, lower, upper)
    assert probability <= exact < probability + 0.03  # counts are whole
    assert abs(inside - exact) < 3 * np.sqrt(exact * (1 - exact) / 4000)


def test_counts_are_of_ranks_below() -> None:
    assert counts_below(np.array([0, 0, 2, 3]), 3).tolist() == [2, 2, 3]


def ranks_of(values: Array) -> SBC:
    frame = pd.DataFrame({"a": values})
    return SBC(frame, frame, 20, len(frame), "marginal", {}, pd.Series(np.full(len(frame), 50.0)))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 12, "too high"), (9, 21, "too low"), (7, 14, "too wide")],
)
def test_the_shape_of_ranks_is_said(low: int, high: int, words: str) -> None:
    found = ranks_of(np.random.default_rng(0).integers(low, high, 200))
    assert not found.inside()["a"]
    assert f"posteriors are {words}" in found.headline()


def test_narrow_posteriors_and_short_runs_are_said() -> None:
    found = ranks_of(np.tile([0, 20, 1, 19, 0, 20, 10], 30))
    assert "posteriors are too narrow" in found.headline()
    frame = found.ranks
    few = SBC(frame, frame, 20, 300, "marginal", {}, pd.Series(np.full(len(frame), 9.0)), 2, True)
    assert "210 have fewer than 20 effective draws (least 9)" in few.headline()
    assert "NUTS sampled 2" in few.headline()
    assert few.headline().endswith("interrupted")


def test_arviz_takes_the_tree(right: SBC) -> None:
    picture = az.plot_ecdf_pit(right.tree, backend="none")
    assert picture is not None
    assert float(right.tree["prior_sbc"]["sd[x]"].max()) < 1
