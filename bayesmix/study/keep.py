"""Results are kept: in the run folder, else elsewhere, else in memory until there is room."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from bayesmix.files import file_hash, write_whole
from bayesmix.study.keys import step_keys, subject_key
from bayesmix.study.manifest import FinishedStep, Manifest, write_manifest
from bayesmix.study.run_folder import RESULTS, RunFolder, as_noted, set_aside
from bayesmix.study.schema import Study
from bayesmix.study.step_lines import StepLines
from bayesmix.study.stored import FIT, POSTERIOR, Origin, ResultFormat

FORMATS = {"msle": FIT, "msm": FIT, "mss": FIT, "nuts": POSTERIOR, "importance": POSTERIOR}


@dataclass(frozen=True)
class KeptResult:
    """A result, where it comes from, and what was wrong with keeping it in the run folder."""

    result: Any
    origin: Origin
    path: Path | None
    """Its file; None while it is in memory alone."""
    trouble: str = ""


@dataclass
class Keeper:
    """The results of a run so far, and its folder."""

    place: RunFolder
    lines: StepLines
    kept: dict[str, KeptResult] = field(default_factory=dict)


def find(keeper: Keeper, name: str, key: str) -> tuple[Path, Origin] | None:
    """The file of a finished step with these very settings, in the run folder or beside it."""
    file, format_ = RESULTS[name], FORMATS[name]
    for folder in (keeper.place.folder, *refuges(keeper.place.folder)):
        path = folder / file
        found = _origin(keeper, path, format_)
        if found is not None and (found.step, found.key) == (name, key):
            return path, found
    return None


def _origin(keeper: Keeper, path: Path, format_: ResultFormat) -> Origin | None:
    if not path.is_file():
        return None
    try:
        return format_.origin(path)
    except (ValueError, OSError) as error:
        keeper.lines.problem(f"{path} is not used ({_first_line(error)}): this step is done again")
        return None


def finished_steps(study: Study, folder: Path) -> dict[str, Path]:
    """Files of the steps that the next run of this study would take as they are."""
    keys = step_keys(study, subject_key(study))
    keeper = Keeper(RunFolder(folder, Manifest(study.name, "")), StepLines(0, show=False))
    found = {name: find(keeper, name, keys[name]) for name in study.estimate.methods}
    return {name: one[0] for name, one in found.items() if one is not None}


def keep(keeper: Keeper, name: str, result: Any, origin: Origin) -> None:
    """Write a result where it is safe; it stays in memory where it is not."""
    keeper.kept[name] = _written(keeper, KeptResult(result, origin, None))
    _say(keeper, name)
    again(keeper, but=name)


def again(keeper: Keeper, but: str = "") -> None:
    """Try the run folder once more for all that is not there: others may have made room."""
    for name, kept in keeper.kept.items():
        if kept.trouble and name != but:
            keeper.kept[name] = _written(keeper, kept)
            if not keeper.kept[name].trouble:
                keeper.lines.problem(f"{name.upper()} is now in {keeper.kept[name].path}")


def _written(keeper: Keeper, kept: KeptResult) -> KeptResult:
    name = kept.origin.step
    path, format_ = keeper.place.folder / RESULTS[name], FORMATS[name]
    try:
        origin = _replace(keeper, path, format_, kept)
    except Exception as error:  # netCDF raises RuntimeErrors where a disk is full
        kept = replace(kept, trouble=_first_line(error))
        return kept if kept.path is not None else _rescued(keeper, kept)
    _note(keeper, name, origin, path)
    return replace(kept, origin=origin, path=path, trouble="")


def _replace(keeper: Keeper, path: Path, format_: ResultFormat, kept: KeptResult) -> Origin:
    origins: list[Origin] = []

    def write(beside: Path) -> None:
        _append(origins, kept, beside)
        aside = set_aside(keeper.place, path.name, ours=_ours(path, format_))
        if aside:
            keeper.lines.problem(f"{path.name} was not as a run had written it: now {aside}")

    write_whole(path, write)
    return origins[0]


def _ours(path: Path, format_: ResultFormat) -> bool:
    """Whether the file is as a run wrote it; only of a file it is the word."""
    try:
        format_.origin(path)
    except (ValueError, OSError):
        return False
    return True


def _note(keeper: Keeper, name: str, origin: Origin, path: Path) -> None:
    """Enter a finished step in the manifest, whose loss would not matter."""
    step = FinishedStep(
        origin.key,
        origin.seconds,
        {path.name: file_hash(path)},
        origin.made,
        origin.seed,
        origin.versions,
    )
    note(keeper, name, step)


def note(keeper: Keeper, name: str, step: FinishedStep) -> None:
    """Enter a finished step in the manifest, on disk too where that can be written."""
    place = keeper.place
    if place.manifest.steps.get(name) == step:
        return
    keeper.place = replace(place, manifest=place.manifest.having(name, step))
    if place.closed is None:
        with suppress(OSError):
            write_manifest(place.folder, keeper.place.manifest)


def taken(keeper: Keeper, name: str, result: Any, found: tuple[Path, Origin]) -> None:
    """A result of an earlier run, moved into the run folder if it had been kept elsewhere."""
    path, origin = found
    keeper.kept[name] = KeptResult(result, origin, path)
    if path.parent == keeper.place.folder:
        _note(keeper, name, origin, path)
        return
    kept = replace(keeper.kept[name], trouble="it had been kept elsewhere")
    keeper.kept[name] = _written(keeper, kept) if keeper.place.closed is None else kept
    if not keeper.kept[name].trouble:
        with suppress(OSError):
            path.unlink()
    _say(keeper, name)


def drop_tables(keeper: Keeper) -> None:
    """Tables and plots of results that are about to be replaced would be stale."""
    for name in ("report", "demand"):
        step = keeper.place.manifest.steps.get(name)
        if step is None or keeper.place.closed is not None:
            continue
        keeper.place = replace(keeper.place, manifest=keeper.place.manifest.without(name))
        for file, content in step.files.items():
            if content and as_noted(keeper.place.folder, {file: content}):
                with suppress(OSError):
                    (keeper.place.folder / file).unlink()


def _rescued(keeper: Keeper, kept: KeptResult) -> KeptResult:
    name = kept.origin.step
    for folder in refuges(keeper.place.folder, make=True):
        path = folder / RESULTS[name]
        origins: list[Origin] = []
        with suppress(Exception):
            write_whole(path, partial(_append, origins, kept))
            return replace(kept, origin=origins[0], path=path)
    return kept


def _append(origins: list[Origin], kept: KeptResult, path: Path) -> None:
    origins.append(FORMATS[kept.origin.step].write(kept.result, path, kept.origin))


def _say(keeper: Keeper, name: str) -> None:
    kept = keeper.kept[name]
    if not kept.trouble:
        return
    where = (
        "it is kept in memory, and written as soon as it can be"
        if kept.path is None
        else f"it is kept in {kept.path}, where the same command finds it"
    )
    keeper.lines.problem(
        f"{name.upper()} could not be written to {keeper.place.folder} ({kept.trouble}): {where}"
    )


def refuges(folder: Path, *, make: bool = False) -> Iterator[Path]:
    """Folders of our own, in the system's place for temporary files and in the user's for caches.

    One a run folder; those of other people, who could have put anything there, do not count.
    """
    name = hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for base in (Path(tempfile.gettempdir()) / f"bayesmix-{_user()}", cache / "bayesmix"):
        try:
            for one in (base, base / name):
                if make:
                    one.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not _own(one):
                    break
            else:
                yield base / name
        except OSError:
            continue


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _own(folder: Path) -> bool:
    found = os.lstat(folder)
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine


def _first_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).splitlines()[0]
