"""What commands print: results as text or one JSON object, errors as one message."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape

from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError

if TYPE_CHECKING:
    import pandas as pd

    from bayesmix.reporting.compare import Comparison
    from bayesmix.study import Study
    from bayesmix.study.run import Run

USER_ERRORS = (DataError, SpecificationError, IntegrationError, ConvergenceError, OSError)
EXIT_USER_ERROR = 2


@contextmanager
def readable_errors(as_json: bool = False) -> Iterator[None]:
    """What the user can put right: one message on standard error, no traceback, exit code 2.

    Warnings are notes there, without the file and the line of the code that they come from.
    """
    try:
        with warnings.catch_warnings():
            shown = warnings.showwarning
            warnings.showwarning = lambda *warning: _note(shown, *warning)
            yield
    except USER_ERRORS as error:
        if as_json:
            print_json(error=str(error), kind=type(error).__name__)
        else:
            errors().print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_USER_ERROR) from None


def _note(shown: Callable[..., None], message: Any, category: type, *place: Any) -> None:
    """A warning of ours as a note; others, such as of a library that has aged, as they are."""
    if not issubclass(category, UserWarning):
        shown(message, category, *place)
        return
    errors().print(f"note: {message}", markup=False, highlight=False, soft_wrap=True)


def print_json(**content: Any) -> None:
    """One JSON object; what JSON does not know is text."""
    print(json.dumps(content, indent=1, default=str, allow_nan=False))


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of its rows; null where there is no number."""
    flat = table.copy()
    flat.columns = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in flat.columns]
    if flat.index.name is None:
        flat.index.name = "name"
    whole = flat.reset_index().astype(object)
    # Not by pandas' own JSON, which cuts numbers at 15 decimals.
    rows = whole.where(whole.notna(), None).to_dict(orient="records")
    return [{str(name): _finite(value) for name, value in row.items()} for row in rows]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def print_run(run: Run) -> None:
    """The table and the sentences of a finished run."""
    from bayesmix.reporting.tables import print_whole

    console = Console(highlight=False)
    print_whole(run.report.comparison)
    for sentence in run.report.sentences:
        console.print(escape(sentence), soft_wrap=True)
    peak = peak_memory()
    words = "" if peak is None else f" (at most {peak / 2**20:,.0f} MiB of memory in this process)"
    console.print(f"\nwritten to {escape(str(run.folder))}{words}", soft_wrap=True)


def print_comparison(table: Comparison) -> None:
    """Estimates beside one another, what models are of, and sentences, as the table has them."""
    from bayesmix.reporting.model_facts import below
    from bayesmix.reporting.tables import print_whole

    facts, sentences = below(table.models)
    print_whole(table)
    print_whole(facts)
    for sentence in (*table.units, *sentences):
        Console(highlight=False).print(escape(sentence), soft_wrap=True)


def peak_memory() -> int | None:
    """Bytes that this process has had in memory at most; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def say_how_to_resume(file: Path, out: Path | None, study: Study, more: Sequence[str] = ()) -> None:
    """What is on disk, and the command that goes on from there."""
    from bayesmix.study.keep import finished_steps
    from bayesmix.study.run_folder import default_folder

    folder = out or default_folder(study)
    steps = finished_steps(study, folder)
    done = ", ".join(
        f"{name} ({path.name if path.parent == folder else path})" for name, path in steps.items()
    )
    command = ["bayesmix", "run", str(file), *(["--out", str(out)] if out else []), *more]
    errors().print(
        f"\nInterrupted. Finished and kept in {escape(str(folder))}: {escape(done) or 'no step'}.\n"
        f"To go on from there:\n  {escape(shlex.join(command))}",
        soft_wrap=True,
    )


def errors() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False)
