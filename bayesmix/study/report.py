"""The last step of a study: tables, plots and a summary in words, from what the methods left."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.reporting.compare import compare
from bayesmix.reporting.diagnostics import convergence, convergence_sentence
from bayesmix.reporting.plots import forest, save_figure, save_trace
from bayesmix.reporting.tables import write_csv
from bayesmix.study.build import Built
from bayesmix.study.folder import write_whole


@dataclass(frozen=True, eq=False)
class Report:
    """Tables of a finished run, and the names of the files that hold them and the plots."""

    comparison: pd.DataFrame
    diagnostics: pd.DataFrame | None
    sentences: tuple[str, ...]
    files: tuple[str, ...]


def write_report(folder: Path, built: Built, results: Mapping[str, Any]) -> Report:
    """Write everything that follows from the results; `results` by method, in order of the run."""
    report = make_report(built, results)
    writers = {
        "comparison.csv": lambda path: write_csv(report.comparison, path),
        "forest.png": lambda path: save_figure(forest(_labelled(results)), path),
        "summary.txt": lambda path: path.write_text(_summary(built, report), encoding="utf-8"),
    }
    diagnostics = report.diagnostics
    if diagnostics is not None:
        writers["diagnostics.csv"] = lambda path: write_csv(diagnostics, path)
        writers["trace.png"] = lambda path: save_trace(results["nuts"], path)
    for name in report.files:
        write_whole(folder / name, writers[name])
    return report


def make_report(built: Built, results: Mapping[str, Any]) -> Report:
    """The tables and sentences alone; writes nothing."""
    diagnostics = convergence(results["nuts"]) if "nuts" in results else None
    files = ("comparison.csv", "forest.png", "summary.txt")
    return Report(
        comparison=compare(_labelled(results), differences=True),
        diagnostics=diagnostics,
        sentences=tuple(_sentences(results, diagnostics)),
        files=files if diagnostics is None else (*files, "diagnostics.csv", "trace.png"),
    )


def _labelled(results: Mapping[str, Any]) -> dict[str, Any]:
    return {name.upper(): result for name, result in results.items()}


def _sentences(results: Mapping[str, Any], diagnostics: pd.DataFrame | None) -> list[str]:
    lines = [results[name].headline() for name in ("msle", "msm", "mss") if name in results]
    if diagnostics is not None:
        lines.append(f"NUTS: {convergence_sentence(diagnostics)}")
        notes = results["nuts"]["posterior"].attrs
        lines += [f"NUTS: {notes['integration']}"] if "integration" in notes else []
    return lines


def _summary(built: Built, report: Report) -> str:
    table = report.comparison.to_string(na_rep="", float_format="{:.4f}".format)
    parts = [str(built), "\n".join(report.sentences), table]
    if len(report.comparison.columns) > 4:
        parts.append("difference: in standard errors of the first method")
    return "\n\n".join(parts) + "\n"
