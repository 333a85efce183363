"""Searches on disk: ended at any moment, they end with the fit of one left alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical.kept_search import JOURNAL
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.locks import locked
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x"), bm.LogNormal("y")])
KINDS = bm.MixedLogit("x + y", bm.LatentClass("x", bm.Normal("y")))
TRUTH = {"mean[x]": 1.0, "sd[x]": 0.8, "mean[y]": -0.5, "sd[y]": 0.5}
CENTRED, SHARED = bm.centred(bm.sobol(16)), bm.sobol(32)
SEARCHES: dict[str, tuple[bm.MixedLogit, dict[str, Any]]] = {
    "centred": (MODEL, {"grid": CENTRED}),
    "shared": (MODEL, {"grid": SHARED}),
    "auto": (MODEL, {"grid": "auto", "starts": 1}),
    "bhhh": (MODEL, {"grid": SHARED, "optimizer": "bhhh", "starts": 1}),
    "classes": (KINDS, {"grid": CENTRED, "starts": 1}),
}


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return simulated(MODEL, TRUTH, 60, 5, columns=("x", "y"), alternatives=3)


def fit(data: bm.ChoiceData, name: str, folder: Path | None, **more: Any) -> bm.Fit:
    model, options = SEARCHES[name]
    given = {"starts": 2, "rng": 3} | options | more
    return bm.msle(model, data, checkpoint=folder, **given)


@pytest.fixture(scope="module")
def alone(
    data: bm.ChoiceData, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Path, bm.Fit]]:
    """`alone(name)`: the folder of a search that nothing has ended, and its fit without one."""
    found: dict[str, tuple[Path, bm.Fit]] = {}

    def search(name: str) -> tuple[Path, bm.Fit]:
        if name not in found:
            folder = tmp_path_factory.mktemp(name) / "search"
            fit(data, name, folder)
            found[name] = folder, fit(data, name, None)
        return found[name]

    return search


def same(one: bm.Fit, other: bm.Fit) -> bool:
    """To the bit."""
    return (
        one.theta.tobytes() == other.theta.tobytes()
        and one.loglik == other.loglik
        and one.covariance().to_numpy().tobytes() == other.covariance().to_numpy().tobytes()
        and one.optima.drop(columns="grid").to_numpy(float).tobytes()
        == other.optima.drop(columns="grid").to_numpy(float).tobytes()
        and one.integration.error == other.integration.error
        and one.message == other.message
    )


@pytest.mark.parametrize("name", list(SEARCHES))
def test_a_search_that_was_ended_ends_with_the_same_fit(
    data: bm.ChoiceData, alone: Callable[[str], tuple[Path, bm.Fit]], name: str, tmp_path: Path
) -> None:
    """Wherever the file ends, in the middle of a line too; what is known is not evaluated again."""
    folder, whole = alone(name)
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    assert len(lines) > 20
    for part in (0.3, 0.7):
        shutil.copytree(folder, own := tmp_path / str(part))
        cut = int(part * len(lines))
        (own / JOURNAL).write_bytes(b"".join(lines[:cut]) + lines[cut][:50])
        assert same(fit(data, name, own), whole)
        assert (own / JOURNAL).read_bytes() == b"".join(lines)


def test_what_is_known_is_not_evaluated_again(
    data: bm.ChoiceData, alone: Callable[[str], tuple[Path, bm.Fit]], monkeypatch: Any
) -> None:
    folder, whole = alone("centred")
    seen: list[int] = []
    true = Likelihood._evaluate

    def counted(self: Likelihood, theta: Any) -> Any:
        seen.append(1)
        return true(self, theta)

    monkeypatch.setattr(Likelihood, "_evaluate", counted)
    assert same(fit(data, "centred", folder, rng=None), whole)  # the seed is the folder's
    known = len(seen)
    fit(data, "centred", None)
    assert known < (len(seen) - known) / 5


def test_generators_stand_where_they_would(data: bm.ChoiceData, tmp_path: Path) -> None:
    def generator() -> np.random.Generator:
        return np.random.default_rng(8)

    one, two = generator(), generator()
    first = fit(data, "shared", tmp_path / "own", rng=one)
    assert same(fit(data, "shared", tmp_path / "own", rng=two), first)
    assert one.random() == two.random()
    with pytest.raises(bm.SpecificationError, match="another rng"):
        fit(data, "shared", tmp_path / "own", rng=one)
    with pytest.raises(bm.SpecificationError, match="of a Generator"):
        fit(data, "shared", tmp_path / "own", rng=None)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rng": 4}, "the search of another fit .another rng"),
        ({"grid": bm.sobol(16)}, "another grid"),
        ({"starts": 3}, "another starts"),
        ({"start": {"mean[x]": 0.5}}, "another starts"),
        ({"optimizer": "l-bfgs-b"}, "another optimizer"),
        ({"tolerance": bm.Tolerance(loglik=0.1)}, "another tolerance"),
        ({"fixed": {"sd[x]": 0.0}}, "another model"),
        ({"market_shares": {"a": 0.5}}, "begins at the constants of the one before"),
        ({"checkpoint": 3}, "path of a folder"),
    ],
)
def test_other_searches_are_refused(
    data: bm.ChoiceData,
    alone: Callable[[str], tuple[Path, bm.Fit]],
    more: dict[str, Any],
    words: str,
) -> None:
    folder, _ = alone("shared")
    model, options = SEARCHES["shared"]
    given = {"starts": 2, "rng": 3, "checkpoint": folder} | options | more
    with pytest.raises(bm.SpecificationError, match=words):
        bm.msle(model, data, **given)


def test_folders_in_use_and_of_chains_are_refused(
    data: bm.ChoiceData, alone: Callable[[str], tuple[Path, bm.Fit]], tmp_path: Path
) -> None:
    folder, _ = alone("shared")
    with locked(folder), pytest.raises(bm.SpecificationError, match="in use by process"):
        fit(data, "shared", folder)
    record = json.loads((folder / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps(record | {"holds": "chains"}))
    with pytest.raises(bm.SpecificationError, match="holds files, but no search"):
        fit(data, "shared", tmp_path)
