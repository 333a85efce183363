"""A small study on disk, and estimators that cost nothing."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix.specification.parameters import ParameterSpace
from bayesmix.study import methods as methods_module
from bayesmix.study import report_step

TEXT = """
[data]
file = "choices.csv"
person = "id"
situation = "chid"
alternative = "alt"
chosen = "choice"

[utility]
formula = "price + time"

[[random]]
law = "normal"
terms = ["time"]

[grid]
rule = "sobol"
nodes = 32

[estimate]
draws = 20
tune = 10
chains = 2
seed = 5
"""


def choices(seed: int = 1) -> pd.DataFrame:
    """Twelve persons with three choices out of three alternatives."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [range(12), range(3), list("abc")], names=["id", "chid", "alt"]
    )
    frame = pd.DataFrame({"price": rng.normal(size=108), "time": rng.normal(size=108)}, index)
    chosen = rng.integers(3, size=36)
    frame["choice"] = (np.tile(np.arange(3), 36) == np.repeat(chosen, 3)).astype(int)
    return frame.reset_index()


def wide(codes: bool = False) -> pd.DataFrame:
    """The choices of the small study with one row a situation; of c one is not available."""
    long = choices()
    parts = long.pivot(index=["id", "chid"], columns="alt", values=["price", "time", "choice"])
    frame = pd.DataFrame(
        {"id": [f"0{i}" for i, _ in parts.index], "chid": [t for _, t in parts.index]}
    )
    for name in ("price", "time"):
        for alt in "abc":
            frame[f"{name}_{alt}"] = parts[(name, alt)].to_numpy()
    chosen = parts["choice"].to_numpy().argmax(axis=1)
    frame["choice"] = chosen + 1 if codes else np.array(list("abc"))[chosen]
    for alt in "abc":
        frame[f"av_{alt}"] = 1
    frame.loc[np.flatnonzero(chosen != 2)[0], "av_c"] = 0
    return frame


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[..., Path]:
    """`write_study(("old", "new"), ...)`: the study with texts replaced; returns its path."""
    choices().to_csv(tmp_path / "choices.csv", index=False)

    def write(*replacements: tuple[str, str]) -> Path:
        text = TEXT
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "small.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@dataclass(frozen=True)
class FakeFit:
    """What a study uses of a `Fit`."""

    values: dict[str, float]
    grid: str = "the grid as used"

    @property
    def params(self) -> pd.Series:
        return pd.Series(self.values)

    @property
    def space(self) -> ParameterSpace:
        return ParameterSpace(("time",), ("price",), ((0,),))

    @property
    def std_errors(self) -> pd.Series:
        return pd.Series(0.1, self.params.index)

    def headline(self) -> str:
        return "MSLE: log-likelihood -30.0"

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, data: object) -> "FakeFit":
        record = json.loads(path.read_text(encoding="utf-8"))
        return cls(record["values"], record["grid"])


@dataclass
class Estimators:
    """Stands for `bayesmix` in the module that runs studies; remembers the calls."""

    Fit: type[FakeFit] = FakeFit
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    during: dict[str, Callable[[], object]] = field(default_factory=dict)
    fewer_draws: bool = False
    offset: float = 0.0

    def msle(self, model: object, data: object, **settings: object) -> FakeFit:
        self.calls.append(("msle", settings))
        self.during.get("msle", lambda: None)()
        return FakeFit({"mean[time]": -1.0 + self.offset, "sd[time]": 0.5, "fixed[price]": -0.3})

    def msm(self, model: object, data: object, **settings: object) -> FakeFit:
        self.calls.append(("msm", settings))
        return FakeFit({"mean[time]": -1.1, "sd[time]": 0.6, "fixed[price]": -0.3})

    def mss(self, model: object, data: object, **settings: object) -> FakeFit:
        self.calls.append(("mss", settings))
        self.during.get("mss", lambda: None)()
        return FakeFit({"mean[time]": -0.9, "sd[time]": 0.5, "fixed[price]": -0.3})

    def sample(self, model: object, data: object, **settings: Any) -> xr.DataTree:
        self.calls.append(("nuts", settings))
        self.during.get("nuts", lambda: None)()
        rng = np.random.default_rng(settings["rng"])
        draws = settings["draws"] - self.fewer_draws
        dims, shape = ("chain", "draw"), (settings["chains"], draws)
        coords = {"chain": range(shape[0]), "draw": range(shape[1])}
        posterior = xr.Dataset(
            {
                "mean": ((*dims, "random"), rng.normal(-1.0, 0.1, (*shape, 1))),
                "sd": ((*dims, "random"), rng.normal(0.5, 0.1, (*shape, 1))),
                "fixed": ((*dims, "term"), rng.normal(-0.3, 0.1, (*shape, 1))),
            },
            coords={**coords, "random": ["time"], "term": ["price"]},
        )
        stats = xr.Dataset({"diverging": (dims, np.zeros(shape, dtype=bool))}, coords)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def estimators(monkeypatch: pytest.MonkeyPatch) -> Estimators:
    fake = Estimators()
    monkeypatch.setattr(methods_module, "bm", fake)
    return fake


@pytest.fixture
def refuge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for temporary files of the test's own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return temporary


@pytest.fixture
def quick_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots that cost nothing."""
    monkeypatch.setattr(report_step, "plot_forest", lambda results: None)
    monkeypatch.setattr(report_step, "save_figure", lambda figure, path: path.write_bytes(b"PNG"))
    monkeypatch.setattr(report_step, "save_trace", lambda posterior, path: path.write_bytes(b"PNG"))
