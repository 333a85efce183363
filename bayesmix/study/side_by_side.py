"""Estimates of several runs beside one another: `bayesmix compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayesmix.errors import SpecificationError
from bayesmix.reporting.compare import Comparison, compare
from bayesmix.study.open import StudyRun, open_run


def compare_runs(folders: Sequence[str | Path]) -> Comparison:
    """The results of runs as `compare` shows them, labelled by run and method.

    Raises
    ------
    SpecificationError, DataError
        If a folder is given twice, or no run can be opened there.
    """
    runs = [open_run(folder) for folder in folders]
    labels = _labels(runs)
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise SpecificationError(f"run '{twice}' is given twice: name each folder once")
    fits: dict[str, Any] = {
        f"{label} {name.upper()}": result
        for label, run in zip(labels, runs, strict=True)
        for name, result in run.results.items()
    }
    return compare(fits)


def _labels(runs: Sequence[StudyRun]) -> list[str]:
    """Names of the studies, or the folders where two have the same."""
    names = [run.study.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]
