"""The page of a run: the report on its results, and all else that its folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from bayesmix.arguments import instance
from bayesmix.document.html import (
    Section,
    folded,
    paragraph,
    stored_picture,
    table,
    text,
    verbatim,
)
from bayesmix.document.report import Maker, Report, Subject, composed
from bayesmix.document.results import diagnostics_section
from bayesmix.document.stored_rows import stored_rows
from bayesmix.study.demand_checks import settings
from bayesmix.study.manifest import read_manifest
from bayesmix.study.open import StudyRun
from bayesmix.study.quantity_words import table_words

HEADINGS = {
    "shares": "Shares",
    "elasticities": "Elasticities",
    "diversion": "Diversion",
    "wtp": "Willingness to pay",
    "surplus": "Consumer surplus",
    "constants": "Constants that match the market's shares",
    "markups": "Markups and costs",
    "pass_through": "Pass-through",
    "scenarios": "Scenarios",
    "notes": "Notes",
}
"""Tables of a run's demand, and what their sections are called."""
KEYS = ("method", "attribute", "kind", "term", "scenario", "part")
"""Columns of tables that say which result a row is of."""
TRACES = {"trace.png": "NUTS: chains", "trace-importance.png": "IMPORTANCE: draws"}


def run_page(run: StudyRun, *, price: str | None = None, progress: bool = True) -> Report:
    """One self-contained HTML page on a finished run, see `bayesmix.report`.

    Elasticities, diversion and willingness to pay are those of the run where it has them: computed
    once, and the same here as in its files.

    Parameters
    ----------
    run
        What `open_run` returned.
    price
        The column of prices; that of the study by default.
    progress
        Show how far it is.

    Raises
    ------
    SpecificationError
        If the price is no column of the utility, or ``run`` is no opened run.
    """
    instance("run", run, StudyRun, "an opened run, from bm.open_run(folder)")
    table = settings(run.study)
    own = {name.upper(): result for name, result in run.results.items()}
    subject = Subject(
        own,
        run.data,
        price or (table.price if table else None),
        run.study.name,
        run.study.text,
    )
    given: dict[str, Maker] = {"diagnostics": partial(_diagnostics, run, own)}
    if run.study.market is not None:  # at whose shares demand is: sections here know none
        given |= {name: partial(_not_asked, name) for name in ("elasticities", "diversion", "wtp")}
    given |= {name: partial(_section, run, name) for name in HEADINGS if name in run.tables}
    given["run"] = partial(_files, run)
    how: dict[str, Any] = {"rng": run.study.estimate.seed, "progress": progress}
    if table is not None:
        how |= {"interval": table.interval, "draws": table.draws, "nodes": table.nodes}
    return composed(subject, how, given)


def _section(run: StudyRun, name: str) -> Section:
    """A table of demand, a table each for what its keys tell apart, and its picture."""
    rows = run.tables[name]
    if name == "notes":
        return Section(name, HEADINGS[name], table(rows.set_index(["table", "method"])))
    keys = [key for key in KEYS if key in rows]
    parts = []
    for values, own in rows.groupby(keys, sort=False, dropna=False):
        known = dict(zip(keys, map(str, values), strict=True))
        words = table_words(run.study, run.model, f"{name}.csv", known)
        words = words[:1].upper() + words[1:]
        parts.append(f"<h3>{text(words)}</h3>{stored_rows(own.drop(columns=keys))}")
    picture = run.files.get(f"{name}.png")
    if picture is not None:
        caption = f"{HEADINGS[name]}, with intervals"
        parts.append(stored_picture(picture.read_bytes(), caption))
    return Section(name, HEADINGS[name], "".join(parts))


def _not_asked(name: str) -> Section:
    words = (
        f"Not computed: demand of this study is at the shares of its market, [market]. Name what "
        f"you want in [demand], key '{name}', and run the study again."
    )
    return Section(name, HEADINGS[name], paragraph(words, "note"))


def _diagnostics(run: StudyRun, own: Mapping[str, object]) -> Section | None:
    """With the traces of the run."""
    found = diagnostics_section(own)  # type: ignore[arg-type]
    if found is None:
        return None
    pictures = "".join(
        stored_picture(run.files[file].read_bytes(), caption)
        for file, caption in TRACES.items()
        if file in run.files
    )
    return replace(found, content=found.content + pictures)


def _files(run: StudyRun) -> Section:
    """When and how long steps took, and the run's own summary."""
    manifest = read_manifest(run.folder)
    steps = {} if manifest is None else manifest.steps
    rows = {
        name: {
            "made": step.made,
            "seconds": f"{step.seconds:.1f}",
            "seed": step.seed,
            "files": ", ".join(step.files),
        }
        for name, step in steps.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("step")
    summary = run.files["summary.txt"].read_text(encoding="utf-8")
    parts = [table(frame), folded("summary.txt: study, estimates, each fit", verbatim(summary))]
    return Section("run", "The run", "".join(parts))
