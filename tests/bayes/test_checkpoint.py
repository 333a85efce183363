"""Chains on disk: ended at any moment, they end with the draws of those left alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes import chain_segments
from bayesmix.bayes.chain_segments import LAST, _usable
from bayesmix.likelihood.checkpoint import Checkpoint, open_checkpoint
from tests.simulated import simulated

MODEL = bm.MixedLogit("x", random=[bm.Normal("x")])
TRUTH = {"mean[x]": 1.0, "sd[x]": 0.8}
SCALE, CLOSE = 3.0, 3.0000001
"""Of the standard deviation's prior: two that a table prints alike."""


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return simulated(MODEL, TRUTH, 20, 4, columns=("x",), alternatives=2)


@pytest.fixture(scope="module", autouse=True)
def short() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_segments, "SEGMENT", 20)
        patch.setattr(chain_segments, "ADAPT", 20)
        yield


def draw(data: bm.ChoiceData, folder: Path, **more: Any) -> xr.DataTree:
    options = {"draws": 50, "chains": 2, "tune": 40, "rng": 5, "progress": False}
    given = {"priors": {"sd[x]": SCALE}} | more
    return bm.sample(MODEL, data, grid=bm.sobol(32), checkpoint=folder, **(options | given))


@pytest.fixture(scope="module")
def alone(
    data: bm.ChoiceData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, xr.DataTree]:
    folder = tmp_path_factory.mktemp("chains") / "alone"
    return folder, draw(data, folder)


def same(a: xr.DataTree, b: xr.DataTree) -> bool:
    return all(
        np.array_equal(a["posterior"][name].to_numpy(), b["posterior"][name].to_numpy())
        for name in ("mean", "sd")
    )


def test_segments_are_kept(alone: tuple[Path, xr.DataTree]) -> None:
    folder, tree = alone
    assert len(list(folder.glob("*-chain-*.npz"))) >= 6
    assert not list(folder.glob(".partial*"))
    assert dict(tree["posterior"].sizes)["draw"] == 50
    assert tree["sample_stats"]["diverging"].shape == (2, 50)
    assert bm.diagnose(tree).chains["divergences"].notna().all()


def test_a_killed_run_ends_with_the_same_draws(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree], tmp_path: Path, monkeypatch: Any
) -> None:
    written: list[str] = []
    true = Checkpoint.write

    def killed(self: Checkpoint, name: str, arrays: Any) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(name)
        true(self, name, arrays)

    monkeypatch.setattr(Checkpoint, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        draw(data, tmp_path / "half")
    monkeypatch.setattr(Checkpoint, "write", true)
    assert 1 <= len(list((tmp_path / "half").glob("*.npz"))) <= 3
    again = draw(data, tmp_path / "half")
    assert same(again, alone[1])
    name = sorted((tmp_path / "half").glob("*segment-1*"))[0]
    name.write_bytes(name.read_bytes()[:100])  # damaged
    assert same(draw(data, tmp_path / "half"), alone[1])


def test_finished_segments_are_not_drawn_again(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree], monkeypatch: Any
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("drawn again")

    monkeypatch.setattr(chain_segments, "_segment", never)
    assert same(draw(data, alone[0]), alone[1])
    assert same(draw(data, alone[0], rng=None), alone[1])


def test_more_draws_go_on_with_whole_segments(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree]
) -> None:
    more = draw(data, alone[0], draws=60)["posterior"]["mean"].to_numpy()
    assert np.array_equal(more[:, :40], alone[1]["posterior"]["mean"].to_numpy()[:, :40])
    assert more.shape[1] == 60


def test_segments_go_on_where_the_last_one_ended(alone: tuple[Path, xr.DataTree]) -> None:
    """Not at the mode, and not with the same random numbers."""
    values = alone[1]["posterior"]["mean"].to_numpy()[..., 0]
    assert len(np.unique(values[:, ::5])) == values[:, ::5].size
    first = [values[:, :20], values[:, 20:40]]
    assert not np.array_equal(*first)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rng": 6}, "another rng"),
        ({"tune": 41}, "another tuning"),
        ({"priors": {"sd[x]": 9.0}}, "another priors"),
        ({"priors": {"sd[x]": CLOSE}}, "another priors"),
        ({"method": "importance", "tune": None}, "takes seconds"),
        ({"likelihood": "hierarchical"}, "another path"),
        ({"likelihood": "hierarchical", "noncentred": False}, "PyMC's are whole or not at all"),
    ],
)
def test_other_posteriors_are_refused(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(bm.SpecificationError, match=words):
        draw(data, alone[0], **more)


def test_options_of_display_make_no_other_posterior(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree]
) -> None:
    with pd.option_context("display.precision", 2, "display.float_format", "{:.1f}".format):
        again = draw(data, alone[0])
    assert same(again, alone[1])
    assert again["posterior"].attrs["priors"] == alone[1]["posterior"].attrs["priors"]


def test_other_data_and_folders_are_refused(
    data: bm.ChoiceData, alone: tuple[Path, xr.DataTree], tmp_path: Path
) -> None:
    other = data.with_choices(data.situation_start[:-1])
    with pytest.raises(bm.SpecificationError, match="another data"):
        draw(other, alone[0])
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(bm.SpecificationError, match="holds files, but no chains"):
        draw(data, tmp_path)
    (tmp_path / "checkpoint.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(bm.SpecificationError, match="no chains"):
        open_checkpoint(tmp_path, {}, 1)
    with pytest.raises(bm.SpecificationError, match="cannot be used"):
        open_checkpoint(tmp_path / "notes.txt", {}, 1)


def test_a_segment_that_holds_something_else_is_made_anew():
    draws = {"posterior/mean": np.zeros((5, 2)), LAST: np.zeros(3)}
    assert _usable(draws, 5, None)
    assert _usable(draws, 5, dict(draws))
    assert not _usable(draws, 6, None)
    assert not _usable({"posterior/mean": np.zeros((5, 2))}, 5, None)
    assert not _usable({LAST: np.zeros(3)}, 5, None)
    assert not _usable(draws, 5, draws | {"posterior/sd": np.zeros((5, 2))})
