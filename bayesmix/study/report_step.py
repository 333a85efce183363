"""The last step of a study: tables, plots and a summary in words, from what the methods left."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd

from bayesmix.data.display import number
from bayesmix.files import write_text
from bayesmix.inference.first_stage_table import first_stage
from bayesmix.picture import save_figure
from bayesmix.reporting.compare import compare
from bayesmix.reporting.diagnose import diagnose
from bayesmix.reporting.diagnostics import convergence, convergence_sentence
from bayesmix.reporting.forest import plot_forest
from bayesmix.reporting.tables import write_csv
from bayesmix.reporting.trace_plot import save_trace
from bayesmix.reporting.units import units_in_words
from bayesmix.study.build import Built
from bayesmix.study.demand_checks import settings
from bayesmix.study.keep import Keeper
from bayesmix.study.keys import report_key
from bayesmix.study.run_folder import as_noted
from bayesmix.study.written import Writer, written

POSTERIORS = {"nuts": "trace.png", "importance": "trace-importance.png"}
"""Methods that make posteriors, and where the pictures of their draws go."""
NOTES = ("importance", "fallback", "integration", "weights")
"""What a posterior's attributes say that a reader of its figures should know."""


@dataclass(frozen=True, eq=False)
class RunReport:
    """Tables of a finished run, and the names of the files that hold them and the plots."""

    comparison: pd.DataFrame
    diagnostics: pd.DataFrame | None
    sentences: tuple[str, ...]
    files: tuple[str, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    """Files that could not be made or written, and why."""


def bring_report(built: Built, keeper: Keeper) -> RunReport:
    """The report on a run's results; it is written unless it stands there already."""
    results = {name: one.result for name, one in keeper.kept.items()}
    report, lines = make_report(built, results), keeper.lines
    number = lines.total - (settings(built.study) is not None)
    key = report_key({name: one.origin.content for name, one in keeper.kept.items()})
    step = keeper.place.manifest.steps.get("report")
    if step and step.key == key and as_noted(keeper.place.folder, step.files):
        lines.reused(number, "tables and plots")
        return report
    if keeper.place.closed is not None:
        reason = str(keeper.place.closed.strerror)
        lines.problem(f"tables and plots are not written: {keeper.place.folder}: {reason}")
        return replace(report, missing=dict.fromkeys(report.files, reason))
    with lines.running(number, "tables and plots") as clock:
        writers = _writers(built, report, results)
        missing = written(built, keeper, "report", (key, clock()), writers)
    return replace(report, missing=missing)


def _writers(built: Built, report: RunReport, results: Mapping[str, Any]) -> dict[str, Writer]:
    writers: dict[str, Writer] = {
        "comparison.csv": lambda path: write_csv(report.comparison, path),
        "forest.png": lambda path: save_figure(plot_forest(_labelled(results)), path),
        "summary.txt": lambda path: write_text(path, _summary(built, report, results)),
    }
    diagnostics = report.diagnostics
    if diagnostics is not None:
        writers["diagnostics.csv"] = lambda path: write_csv(diagnostics, path)
    for name in _posteriors(results):
        writers[POSTERIORS[name]] = partial(save_trace, results[name])
    return writers


def make_report(built: Built, results: Mapping[str, Any]) -> RunReport:
    """The tables and sentences alone; writes nothing."""
    tables = {name.upper(): convergence(results[name]) for name in _posteriors(results)}
    diagnostics = _one_table(tables)
    files = ("comparison.csv", "forest.png", "summary.txt")
    pictures = tuple(POSTERIORS[name] for name in _posteriors(results))
    return RunReport(
        comparison=compare(_labelled(results), differences=True),
        diagnostics=diagnostics,
        sentences=tuple(_sentences(results, tables)),
        files=files if diagnostics is None else (*files, "diagnostics.csv", *pictures),
    )


def _labelled(results: Mapping[str, Any]) -> dict[str, Any]:
    return {name.upper(): result for name, result in results.items()}


def _one_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """By parameter, and by method too where several made posteriors."""
    if len(tables) > 1:
        return pd.concat(tables, names=["method"])
    return next(iter(tables.values()), None)


def _posteriors(results: Mapping[str, Any]) -> list[str]:
    return [name for name in POSTERIORS if name in results]


def _sentences(results: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> list[str]:
    lines = [results[name].headline() for name in ("msle", "msm", "mss") if name in results]
    if not lines:  # which say it
        lines = list(units_in_words(results))
    for label, table in tables.items():
        notes = results[label.lower()]["posterior"].attrs
        known = [notes[name] for name in NOTES if name in notes]
        seen = diagnose(results[label.lower()])
        lines += [
            f"{label}: {text}"
            for text in (convergence_sentence(table), seen.headline(), *seen.troubles, *known)
        ]
    return lines


def _summary(built: Built, report: RunReport, results: Mapping[str, Any]) -> str:
    """Study, sentences and estimates; then each classical fit as it prints itself."""
    table = report.comparison.to_string(na_rep="", float_format=number)
    parts = [str(built), "\n".join(report.sentences), "\n".join([table, *units_in_words(results)])]
    if len(report.comparison.columns) > 4:
        parts.append("difference: in standard errors of the first method")
    fits = {name: results[name] for name in ("msle", "msm", "mss") if name in results}
    parts += [f"{name.upper()}\n{fit!r}" for name, fit in fits.items()]
    if built.model.control is not None:
        parts.append(repr(first_stage(built.model, built.data)))
    return "\n\n".join(parts) + "\n"
