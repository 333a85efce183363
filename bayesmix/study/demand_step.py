"""The step of a study after its report: demand, markets and firms in the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.files import write_text
from bayesmix.picture import save_figure
from bayesmix.reporting.diversion_plot import plot_diversion
from bayesmix.study.build import Built
from bayesmix.study.demand_checks import settings
from bayesmix.study.keep import Keeper
from bayesmix.study.keys import demand_key
from bayesmix.study.quantities import Quantities, quantities
from bayesmix.study.quantity_words import NOTES, refused_before
from bayesmix.study.run_folder import as_noted
from bayesmix.study.written import Writer, read_table, written

TEXT = "demand.txt"


@dataclass(frozen=True, eq=False)
class Demand:
    """Tables of demand by file, read from the folder where they stood there already."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    """Files that lack something, or could not be written, and why."""


def bring_demand(built: Built, keeper: Keeper) -> Demand:
    """What a study asks of its results beyond estimates; written unless it stands there."""
    if settings(built.study) is None:
        return Demand()
    lines, folder = keeper.lines, keeper.place.folder
    key = demand_key(built.study, {n: one.origin.content for n, one in keeper.kept.items()})
    step = keeper.place.manifest.steps.get("demand")
    if step and step.key == key and as_noted(folder, step.files):
        lines.reused(lines.total, "demand")
        files = [name for name in step.files if name.endswith(".csv")]
        tables = {name: read_table(folder / name) for name in files}
        return Demand(tables, refused_before(tables.get(NOTES)))
    with lines.running(lines.total, "demand") as clock:
        found = quantities(built, {n.upper(): one.result for n, one in keeper.kept.items()})
        tables = found.frames()
        missing = dict(found.missing)
        for name, reason in missing.items():
            lines.problem(f"{name} lacks what was refused ({reason})")
        if keeper.place.closed is not None:
            reason = str(keeper.place.closed.strerror)
            lines.problem(f"demand is not written: {folder}: {reason}")
            return Demand(tables, missing | dict.fromkeys(tables, reason))
    missing |= written(built, keeper, "demand", (key, clock()), _writers(found))
    return Demand(tables, missing)


def _writers(found: Quantities) -> dict[str, Writer]:
    writers: dict[str, Writer] = {
        name: partial(_write_csv, table) for name, table in found.frames().items()
    }
    if found.texts:
        writers[TEXT] = partial(_write_text, "\n\n".join(found.texts) + "\n")
    for name, several in found.matrices.items():
        writers[name] = partial(_write_picture, several)
    return writers


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")


def _write_text(text: str, path: Path) -> None:
    write_text(path, text)


def _write_picture(several: Mapping[str, Any], path: Path) -> None:
    save_figure(plot_diversion(several), path)
