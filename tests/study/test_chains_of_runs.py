"""A run keeps chains and searches until their results are written, and no longer."""

from pathlib import Path
from typing import Any

import pytest

from bayesmix.errors import IntegrationError, SpecificationError
from tests.study.running import FITS_ONLY, FULL, Write, run


def test_chains_are_kept_until_the_posterior_is(
    write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path
) -> None:
    """A run that ends in the middle of NUTS leaves the chains' folder, and is given it again."""
    path, out = write_study(("draws = 20", "draws = 20\ncheckpoint = true")), tmp_path / "out"

    def ends() -> None:
        folder = estimators.calls[-1][1]["checkpoint"]
        folder.mkdir()
        (folder / "checkpoint.json").write_text("{}")
        raise IntegrationError("the machine went away")

    estimators.during["nuts"] = ends
    with pytest.raises(IntegrationError, match="went away"):
        run(path, out)
    (unfinished,) = out.glob("chains-*")
    (out / "chains-mine").mkdir()  # no run's: its name is no key of a step
    (out / "chains-mine" / "checkpoint.json").write_text("{}")
    (out / "chains-0123456789ab").mkdir()  # of other settings: hours that may be gone on with
    (out / "chains-0123456789ab" / "checkpoint.json").write_text("{}")
    del estimators.during["nuts"]
    run(path, out)
    assert estimators.names == ["msle", "nuts", "nuts"]
    assert estimators.calls[-1][1]["checkpoint"] == unfinished
    left = {folder.name for folder in out.glob("chains-*")}
    assert left == {"chains-mine", "chains-0123456789ab"}
    run(path, out)
    assert estimators.names == ["msle", "nuts", "nuts"]
    # Without the key draws are others, and are made anew.
    run(write_study(), out)
    assert estimators.names[3:] == ["nuts"]
    assert "checkpoint" not in estimators.calls[-1][1]


def test_chains_of_a_run_that_is_replaced_go(
    write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(write_study(), out)
    (out / "chains-0123456789ab").mkdir()
    (out / "chains-0123456789ab" / "checkpoint.json").write_text("{}")
    run(write_study(), out, force=True)
    assert not list(out.glob("chains-*"))


def test_a_path_without_segments_is_said_in_words_of_the_study(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    def refuses() -> None:
        raise SpecificationError("argument 'checkpoint': no segments; leave it out")

    estimators.during["nuts"] = refuses
    path = write_study(("draws = 20", "draws = 20\ncheckpoint = true"))
    with pytest.raises(SpecificationError, match=r"\[estimate\], key 'checkpoint': no segments"):
        run(path, tmp_path / "out")


def test_the_search_is_kept_until_the_fit_is(
    write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path
) -> None:
    """Without being asked for; not where nothing can be written beside the run."""
    path, out = write_study(FITS_ONLY), tmp_path / "out"

    def ends() -> None:
        folder = estimators.calls[-1][1]["checkpoint"]
        folder.mkdir()
        (folder / "checkpoint.json").write_text("{}")
        raise IntegrationError("the machine went away")

    estimators.during["msle"] = ends
    with pytest.raises(IntegrationError, match="went away"):
        run(path, out)
    (unfinished,) = out.glob("search-*")
    del estimators.during["msle"]
    run(path, out)
    assert estimators.calls[-1][1]["checkpoint"] == unfinished
    assert not list(out.glob("search-*"))
    unfinished.mkdir()
    (unfinished / "checkpoint.json").write_text("{}")
    (out / "search-mine").mkdir()
    run(path, out, force=True)
    assert [folder.name for folder in out.glob("search-*")] == ["search-mine"]


def test_without_room_nothing_of_a_search_is_kept(
    write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path, monkeypatch: Any
) -> None:
    def full(self: Path, content: bytes) -> None:
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", full)
    run(write_study(FITS_ONLY), tmp_path / "out")
    assert "checkpoint" not in estimators.calls[-1][1]
