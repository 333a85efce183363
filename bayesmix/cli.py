"""The command line: ``bayesmix --help`` lists the commands.

Exit codes: 0 done; 1 an error of the program; 2 something that the user can put right, or a result
that is not whole; 130 after Ctrl-C, 143 after a request to terminate. With ``--json`` standard
output is one JSON object, ``{"error": ...}`` where something is to be put right.
"""

import shlex
from dataclasses import asdict
from pathlib import Path
from signal import SIGINT
from typing import Annotated

import typer

from bayesmix.console import (
    EXIT_USER_ERROR,
    peak_memory,
    print_comparison,
    print_json,
    print_run,
    readable_errors,
    rows,
    say_how_to_resume,
)
from bayesmix.errors import DataError

EXIT_SIGNAL = 128  # and the signal's number: 130 after Ctrl-C, 143 after a request to terminate

app = typer.Typer(
    help="Mixed logit studies: a TOML file in, a folder with fits, tables and plots out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
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
    workers: Annotated[
        int | None, typer.Option(min=1, help="Share persons among so many processes (Dask).")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Or among the workers of a Dask scheduler, by its address.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: JSON = False,
) -> None:
    """Fit a study and write its run folder; finished steps of an earlier run are used again."""
    from bayesmix.study import read_study, run_study
    from bayesmix.study.workers import cluster

    with readable_errors(as_json):
        parsed = read_study(study)
        try:
            with cluster(workers, scheduler) as client:
                finished = run_study(parsed, out, force=force, progress=not quiet, client=client)
        except KeyboardInterrupt as stopped:
            shared = [] if workers is None else ["--workers", str(workers)]
            shared += [] if scheduler is None else ["--scheduler", scheduler]
            say_how_to_resume(study, out, parsed, shared)
            raise typer.Exit(EXIT_SIGNAL + getattr(stopped, "number", SIGINT)) from None
    if as_json:
        print_json(
            folder=str(finished.folder),
            results=list(finished.results),
            files=[file for step in finished.manifest.steps.values() for file in step.files],
            missing=finished.missing,
            peak_memory=peak_memory(),
            elsewhere=dict(finished.elsewhere),
            comparison=rows(finished.report.comparison),
        )
    elif not quiet:
        print_run(finished)
    if finished.elsewhere or finished.missing:
        raise typer.Exit(EXIT_USER_ERROR)


@app.command()
def check(study: StudyFile, as_json: JSON = False) -> None:
    """Validate a study file, its data and its model, without fitting; report on identification."""
    import bayesmix as bm
    from bayesmix.study import check_study, read_study

    with readable_errors(as_json):
        built = check_study(read_study(study))
        found = bm.check(built.model, built.data)
    if as_json:
        names = list(built.model.design(built.data).parameters.names)
        findings = [asdict(one) for one in found.findings]
        print_json(study=str(study), ok=found.ok, parameters=names, findings=findings)
    else:
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
    as_json: JSON = False,
) -> None:
    """Look at a data file and write a first, commented study of it."""
    from bayesmix.study import new_study

    with readable_errors(as_json):
        path, found = new_study(file, out, force=force)
    if as_json:
        print_json(written=str(path), suspicions=list(found.suspicions))
        return
    for one in found.suspicions:
        print(f"suspicious: {one}")
    print(f"written: {path}\nnext: {shlex.join(['bayesmix', 'check', str(path)])}")


@app.command()
def inspect(file: DataFile, as_json: JSON = False) -> None:
    """Show a data file's columns, guesses of their roles, and what looks wrong."""
    from bayesmix.study import inspect_file

    with readable_errors(as_json):
        found = inspect_file(file)
    if as_json:
        print_json(
            file=str(found.path),
            rows=len(found.frame),
            columns=rows(found.columns),
            why=found.why,
            suspicions=list(found.suspicions),
        )
    else:
        print(found)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    as_json: JSON = False,
) -> None:
    """Show the estimates of finished runs beside one another."""
    from bayesmix.study.side_by_side import compare_runs

    with readable_errors(as_json):
        table = compare_runs(runs)
    if as_json:
        print_json(estimates=rows(table), models=rows(table.models), units=list(table.units))
    else:
        print_comparison(table)


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The page.", show_default="report.html in RUN")
    ] = None,
    price: Annotated[str | None, typer.Option(help="The column of prices.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="The study file, where it was moved with its data.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: JSON = False,
) -> None:
    """Write all of a finished run on one HTML page, which needs nothing but itself."""
    import bayesmix as bm
    from bayesmix.study.page import run_page

    path = run_folder / "report.html" if out is None else out
    with readable_errors(as_json):
        if path.exists() and not force:
            raise DataError(f"'{path}' is there: --force replaces it, --out writes another")
        finished = bm.open_run(run_folder, study=study)
        run_page(finished, price=price, progress=not quiet and not as_json).save(path)
    if as_json:
        print_json(written=str(path))
    elif not quiet:
        print(f"written: {path}")


@app.command()
def example(
    name: Annotated[str | None, typer.Argument(help="Which; none lists them.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder.", show_default="the current one")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JSON = False,
) -> None:
    """Copy a study or a notebook that travels with the package."""
    from bayesmix.study.example import copy_example, examples

    if name is None:
        files = {key: path.name for key, path in examples().items()}
        if as_json:
            print_json(examples=files)
        else:
            print("\n".join(files.values()))
        return
    with readable_errors(as_json):
        path = copy_example(name, out, force=force)
    if as_json:
        print_json(written=str(path))
    else:
        print(f"written: {path}")


@app.command()
def rules(
    dimension: Annotated[int, typer.Argument(help="Random coefficients.", min=1, max=1000)],
    as_json: JSON = False,
) -> None:
    """List rules of integration: nodes, exactness, and how rounding is magnified."""
    import bayesmix as bm
    from bayesmix.reporting.tables import print_whole

    table = bm.rule_table(dimension)
    if as_json:
        print_json(rules=rows(table))
    else:
        print_whole(table)


@app.command()
def warm(
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many share the work.", show_default="processors")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: JSON = False,
) -> None:
    """Compile beforehand what first fits and demand would, with all processors."""
    import bayesmix as bm

    missing = bm.warm(processes=processes, progress=not quiet)
    if as_json:
        print_json(compiled=missing)
    elif not quiet:
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


def main() -> None:
    """Entry point of the console script."""
    app()
