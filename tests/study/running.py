"""A study run quietly, into a folder that may have no room."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bayesmix.study import keep, read_study, run_study
from bayesmix.study.stored import Origin

Write = Callable[..., Path]
FULL = OSError(errno.ENOSPC, "No space left on device")
FITS_ONLY = ("draws = 20", 'draws = 20\nmethods = ["msle"]')
FILES = {
    "study.toml", "run.json", "msle.json", "posterior.nc", "comparison.csv", "diagnostics.csv",
    "forest.png", "trace.png", "summary.txt",
}  # fmt: skip


def run(path: Path, out: Path, **options: bool) -> Any:
    return run_study(read_study(path), out, progress=False, **options)


def fill(monkeypatch: pytest.MonkeyPatch, *full: Path) -> None:
    """No posterior can be written into these folders, nor what is inside them."""
    format_ = keep.FORMATS["nuts"]

    def write(result: Any, path: Path, origin: Origin) -> Origin:
        if any(path.is_relative_to(one) for one in full):
            path.write_bytes(b"half")
            raise FULL
        return format_.write(result, path, origin)

    monkeypatch.setitem(keep.FORMATS, "nuts", replace(format_, write=write))
