"""The command line: ``bayesmix run``, ``check``, ``new``, ``inspect`` and ``warm``."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError

if TYPE_CHECKING:
    from bayesmix.study import Study
    from bayesmix.study.run import Run

USER_ERRORS = (DataError, SpecificationError, IntegrationError, ConvergenceError, OSError)
EXIT_USER_ERROR = 2
EXIT_SIGNAL = 128  # and the signal's number: 130 after Ctrl-C, 143 after a request to terminate

app = typer.Typer(
    help="Mixed logit studies: a TOML file in, a folder with fits, tables and plots out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")]


@app.command()
def run(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option(help="Run folder.", show_default="runs/<name of the study>")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Start afresh: replace what is in the run folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit a study and write its run folder; finished steps of an earlier run are used again."""
    from bayesmix.study import read_study, run_study

    with _readable_errors():
        parsed = read_study(study)
        try:
            finished = run_study(parsed, out, force=force, progress=not quiet)
        except KeyboardInterrupt as stopped:
            _say_how_to_resume(study, out, parsed)
            raise typer.Exit(EXIT_SIGNAL + getattr(stopped, "number", SIGINT)) from None
    if not quiet:
        _print_run(finished)
    if finished.elsewhere or finished.missing:
        raise typer.Exit(EXIT_USER_ERROR)


@app.command()
def check(study: StudyFile) -> None:
    """Validate a study file, its data and its model, without fitting; report on identification."""
    import bayesmix as bm
    from bayesmix.study import check_study, read_study

    with _readable_errors():
        built = check_study(read_study(study))
        found = bm.check(built.model, built.data)
    print(f"{built}\n\n{found}")
    if not found.ok:
        raise typer.Exit(EXIT_USER_ERROR)


DataFile = Annotated[Path, typer.Argument(metavar="FILE", help="A data file of any format.")]


@app.command()
def new(
    file: DataFile,
    out: Annotated[
        Path | None, typer.Option(help="The study file.", show_default="beside FILE, .toml")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study that is there.")] = False,
) -> None:
    """Look at a data file and write a first, commented study of it."""
    from bayesmix.study import new_study

    with _readable_errors():
        path, found = new_study(file, out, force=force)
    for one in found.suspicions:
        print(f"suspicious: {one}")
    print(f"written: {path}\nnext: {shlex.join(['bayesmix', 'check', str(path)])}")


@app.command()
def inspect(file: DataFile) -> None:
    """Show a data file's columns, guesses of their roles, and what looks wrong."""
    from bayesmix.study import inspect_file

    with _readable_errors():
        found = inspect_file(file)
    print(found)


@app.command()
def warm(
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many share the work.", show_default="processors")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Compile beforehand what first fits and demand would, with all processors."""
    import bayesmix as bm

    missing = bm.warm(processes=processes, progress=not quiet)
    if not quiet:
        print(f"compiled {missing} kernels" if missing else "nothing to compile: all is there")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"bayesmix {version('bayesmix')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@contextmanager
def _readable_errors() -> Iterator[None]:
    """What the user can put right: one message on standard error, no traceback, exit code 2."""
    try:
        yield
    except USER_ERRORS as error:
        _errors().print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_USER_ERROR) from None


def _print_run(run: "Run") -> None:
    from bayesmix.reporting.tables import print_whole

    console = Console(highlight=False)
    print_whole(run.report.comparison)
    for sentence in run.report.sentences:
        console.print(escape(sentence), soft_wrap=True)
    console.print(f"\nwritten to {escape(str(run.folder))}", soft_wrap=True)


def _say_how_to_resume(file: Path, out: Path | None, study: "Study") -> None:
    """What is on disk, and the command that goes on from there."""
    from bayesmix.study.folder import default_folder
    from bayesmix.study.keep import finished_steps

    folder = out or default_folder(study)
    steps = finished_steps(study, folder)
    done = ", ".join(
        f"{name} ({path.name if path.parent == folder else path})" for name, path in steps.items()
    )
    command = ["bayesmix", "run", str(file), *(["--out", str(out)] if out else [])]
    _errors().print(
        f"\nInterrupted. Finished and kept in {escape(str(folder))}: {escape(done) or 'no step'}.\n"
        f"To go on from there:\n  {escape(shlex.join(command))}",
        soft_wrap=True,
    )


def _errors() -> Console:
    return Console(stderr=True, highlight=False)


def main() -> None:
    """Entry point of the console script."""
    app()
