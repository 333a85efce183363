"""Fit a study step by step into a run folder; what is finished is kept and used again."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

import bayesmix as bm
from bayesmix.integration.descriptions import Centred
from bayesmix.study.build import Built, check_study
from bayesmix.study.folder import (
    FinishedStep,
    Manifest,
    default_folder,
    is_finished,
    open_folder,
    step_key,
    with_step,
    write_whole,
)
from bayesmix.study.interrupt import interruptible
from bayesmix.study.progress import Steps
from bayesmix.study.report import Report, make_report, write_report
from bayesmix.study.schema import Study

Results = Mapping[str, Any]  # a Fit or a posterior, by the method that is finished


@dataclass(frozen=True)
class Method:
    """How a result is made from the study and the earlier results, kept in one file, read again."""

    file: str
    make: Callable[[Built, Results, bool], Any]
    save: Callable[[Any, Path], object]
    load: Callable[[Path, Built], Any]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: where it is, the result of each method by name, and the report on them."""

    folder: Path
    manifest: Manifest
    results: Results
    report: Report


def run_study(
    study: Study, out: str | Path | None = None, *, force: bool = False, progress: bool = True
) -> Run:
    """Fit a study with each of its methods, and write the run folder.

    A step's files are renamed into place when it is finished, and entered in ``run.json`` with a
    hash of all that its result depends on (data, model, grid, settings, version). The same call
    again takes finished steps from the folder, and redoes those whose settings have changed.

    Parameters
    ----------
    study
        From `read_study`.
    out
        Run folder, by default ``runs/<name of the study>``.
    force
        Start afresh: remove what an earlier run, of this study or another, left in the folder.
    progress
        Show steps and the sampler's bar on standard error.

    Raises
    ------
    SpecificationError, DataError
        Before anything is fitted: for a study that `check_study` refuses, or a folder that holds
        another study's run.
    KeyboardInterrupt
        On Ctrl-C; finished steps stay on disk.
    """
    built = check_study(study)
    folder = Path(out) if out is not None else default_folder(study)
    manifest = open_folder(study, folder, force=force)
    names = [name for name in METHODS if name in study.estimate.methods]
    lines = Steps(len(names) + 1, show=progress)
    results: dict[str, Any] = {}
    for number, name in enumerate(names, 1):
        method, key = METHODS[name], step_key(study, name, manifest.versions)
        if is_finished(folder, manifest, name, key):
            lines.reused(number, name.upper())
            results[name] = method.load(folder / method.file, built)
            continue
        # Outside as well: Ctrl-C counts from the moment that the step is announced.
        with interruptible(), lines.running(number, name.upper()) as clock, interruptible():
            results[name] = method.make(built, results, progress)
        write_whole(folder / method.file, partial(method.save, results[name]))
        manifest = with_step(folder, manifest, name, FinishedStep(key, clock(), (method.file,)))
    return _reported(built, folder, manifest, results, lines)


def _reported(
    built: Built, folder: Path, manifest: Manifest, results: Results, lines: Steps
) -> Run:
    """The run with its report, which is written unless it stands there already."""
    key = step_key(built.study, "report", manifest.versions)
    if is_finished(folder, manifest, "report", key):
        lines.reused(lines.total, "tables and plots")
        return Run(folder, manifest, results, make_report(built, results))
    with lines.running(lines.total, "tables and plots") as clock:
        report = write_report(folder, built, results)
    manifest = with_step(folder, manifest, "report", FinishedStep(key, clock(), report.files))
    return Run(folder, manifest, results, report)


def _msle(built: Built, results: Results, progress: bool) -> Any:
    settings = built.study.estimate
    return bm.msle(
        built.model,
        built.data,
        grid=built.rule,
        starts=settings.starts,
        optimizer=settings.optimizer,
        rng=settings.seed,
        progress=progress,
    )


def _msm(built: Built, results: Results, progress: bool) -> Any:
    """On the population's nodes: the study's rule, without its centring."""
    settings, rule = built.study.estimate, built.rule
    if isinstance(rule, Centred):
        rule = rule.rule
    return bm.msm(
        built.model,
        built.data,
        grid=None if isinstance(rule, str) else rule,
        starts=settings.starts,
        rng=settings.seed,
        progress=progress,
    )


def _mss(built: Built, results: Results, progress: bool) -> Any:
    """With draws from each person's posterior, whatever the study's grid."""
    settings = built.study.estimate
    return bm.mss(
        built.model, built.data, starts=settings.starts, rng=settings.seed, progress=progress
    )


def _nuts(built: Built, results: Results, progress: bool) -> xr.DataTree:
    """On the grid of the MSLE where there is one, unless grids are left to the estimators."""
    settings, rule = built.study.estimate, built.rule
    shared = "msle" in results and rule != "auto"
    # The sampler's bar is progress, and goes where progress goes: results alone are for stdout.
    with redirect_stdout(sys.stderr):
        return bm.sample(
            built.model,
            built.data,
            likelihood=settings.likelihood,
            grid=results["msle"].grid if shared else rule,
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            rng=settings.seed,
            progress=progress,
        )


def _save_fit(fit: Any, path: Path) -> None:
    fit.save(path)


def _load_fit(path: Path, built: Built) -> Any:
    return bm.Fit.load(path, built.data)


def _save_posterior(posterior: xr.DataTree, path: Path) -> None:
    posterior.to_netcdf(path, engine="netcdf4")


def _load_posterior(path: Path, built: Built) -> xr.DataTree:
    return xr.load_datatree(path, engine="netcdf4")


METHODS = {
    "msle": Method("msle.json", _msle, _save_fit, _load_fit),
    "msm": Method("msm.json", _msm, _save_fit, _load_fit),
    "mss": Method("mss.json", _mss, _save_fit, _load_fit),
    "nuts": Method("posterior.nc", _nuts, _save_posterior, _load_posterior),
}
