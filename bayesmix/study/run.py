"""Fit a study step by step into a run folder; what is finished is kept and used again."""

import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesmix.arguments import flag, instance, refused
from bayesmix.errors import SpecificationError
from bayesmix.identity import package_versions
from bayesmix.likelihood.cluster import on_workers
from bayesmix.study.build import Built, check_study
from bayesmix.study.demand_checks import settings
from bayesmix.study.demand_step import Demand, bring_demand
from bayesmix.study.interrupt import Stopped, deferred, interruptible, stoppable
from bayesmix.study.keep import Keeper, again, drop_tables, find, keep, taken
from bayesmix.study.keys import step_keys, subject_key
from bayesmix.study.manifest import Manifest
from bayesmix.study.methods import METHODS
from bayesmix.study.report_step import RunReport, bring_report
from bayesmix.study.run_folder import default_folder, drop_unfinished, opened
from bayesmix.study.schema import Study
from bayesmix.study.step_lines import StepLines
from bayesmix.study.stored import Origin
from bayesmix.study.words import words_of_studies


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: where it is, the result of each method by name, and the report on them.

    Parameters
    ----------
    folder, manifest
        Where it is, and what is in there.
    results
        A `Fit` or a posterior by method.
    report
        Tables and sentences.
    elsewhere
        By step, what could not be written into the folder, and why.
    demand
        Tables of what follows from estimates, where the study asks for it.
    """

    folder: Path
    manifest: Manifest
    results: Mapping[str, Any]
    report: RunReport
    elsewhere: Mapping[str, str]
    demand: Demand

    @property
    def missing(self) -> dict[str, str]:
        """Files that are not as they should be, and why."""
        return {**self.report.missing, **self.demand.missing}


def run_study(
    study: Study,
    out: str | Path | None = None,
    *,
    force: bool = False,
    progress: bool = True,
    client: Any = None,
) -> Run:
    """Fit a study with each of its methods, and write the run folder.

    A step's file is written whole, with a hash of its content and of all that its result depends on
    (data, model, grid, settings, code), and then entered in ``run.json``. The same call again takes
    finished steps from the folder, and redoes those whose settings have changed or whose file is
    not as it was written. A result that cannot be written there is kept in the system's folder for
    temporary files, or the user's for caches, or in memory.

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
    client
        A ``distributed.Client``, whose workers do what is done person by person, see `on_workers`.

    Raises
    ------
    SpecificationError, DataError
        Before anything is fitted: for a study that `check_study` refuses, or a folder that holds
        another study's run, is in use, or cannot be written.
    KeyboardInterrupt
        On Ctrl-C, or where the process is asked to terminate; finished steps stay on disk.
    """
    instance("study", study, Study, "a study, from bm.study.read_study(path)")
    if out is not None and not isinstance(out, str | os.PathLike):
        raise refused("out", "the path of a folder", out)
    force, progress = flag("force", force), flag("progress", progress)
    with stoppable(), nullcontext() if client is None else on_workers(client):
        built, subject = _checked(study)
        folder = Path(out) if out is not None else default_folder(study)
        names: list[str] = [name for name in METHODS if name in study.estimate.methods]
        lines = StepLines(len(names) + 1 + (settings(study) is not None), show=progress)
        with opened(study, subject, folder, force=force) as place:
            if place.damage:
                lines.problem(place.damage)
            keeper = Keeper(place, lines)
            for number, name in enumerate(names, 1):
                _step(built, keeper, (number, name, step_keys(study, subject)[name]), force)
            with deferred():
                again(keeper)
            report = bring_report(built, keeper)
            demand = bring_demand(built, keeper)
            elsewhere = {name: one.trouble for name, one in keeper.kept.items() if one.trouble}
            results = {name: keeper.kept[name].result for name in names}
            return Run(folder, keeper.place.manifest, results, report, elsewhere, demand)


def _checked(study: Study) -> tuple[Built, str]:
    """The study as objects, and the key of just these data: those on disk may change any time."""
    try:
        subject = subject_key(study)
    except OSError:  # which the next line says better
        subject = ""
    built = check_study(study)
    if subject_key(study) != subject:
        raise SpecificationError(
            f"{study.path}, [data], key 'file': '{study.data.file}' changed while it was read: "
            "run again"
        )
    return built, subject


def _step(built: Built, keeper: Keeper, what: tuple[int, str, str], force: bool) -> None:
    number, name, key = what
    if not force and _used_again(built, keeper, what):
        return
    keeper.place.refuse_if_closed(name.upper())
    results = {done: kept.result for done, kept in keeper.kept.items()}
    method = METHODS[name]
    resumes = method.resumes(built.study.estimate)
    kept = {"unfinished": keeper.place.unfinished(name, key)} if resumes else {}
    # Outside as well: Ctrl-C counts from the moment that the step is announced.
    made: list[tuple[Any, float]] = []
    came: int | None = None
    try:
        with (
            interruptible() as stopped,
            keeper.lines.running(number, name.upper()) as clock,
        ):
            with words_of_studies():
                found = method.make(built, results, keeper.lines.show, **kept)
            made.append((found, clock()))
        came = stopped()
    except Stopped as late:  # if it came after the result, the result counts
        came = late.number
    if came and not (made and method.whole(built, made[0][0])):
        raise Stopped(came)
    with deferred():
        drop_tables(keeper)
        keep(keeper, name, made[0][0], _origin(built, name, key, made[0][1]))
        if resumes and not keeper.kept[name].trouble:
            drop_unfinished(keeper.place.unfinished(name, key))
    if came:
        raise Stopped(came)


def _origin(built: Built, name: str, key: str, seconds: float) -> Origin:
    made = time.strftime("%Y-%m-%d %H:%M:%S")
    return Origin(name, key, built.study.estimate.seed, seconds, made, package_versions())


def _used_again(built: Built, keeper: Keeper, what: tuple[int, str, str]) -> bool:
    """Take a finished step from its file, if that can be read."""
    number, name, key = what
    found = find(keeper, name, key)
    if found is None:
        return False
    try:
        result = METHODS[name].load(found[0], built)
    except (ValueError, OSError, LookupError, TypeError) as error:
        keeper.lines.problem(f"{found[0]} cannot be read ({error}): this step is done again")
        return False
    with deferred():
        taken(keeper, name, result, found)
    keeper.lines.reused(number, name.upper())
    return True
