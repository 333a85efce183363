"""The run folder: opened, taken up, emptied; what is in it is found by content, not by name."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bayesmix.errors import SpecificationError
from bayesmix.files import PARTIAL, file_hash, write_text
from bayesmix.identity import digest, package_versions
from bayesmix.locks import LOCK, locked
from bayesmix.study.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from bayesmix.study.schema import Study

STUDY = "study.toml"
RESULTS = {
    "msle": "msle.json",
    "msm": "msm.json",
    "mss": "mss.json",
    "nuts": "posterior.nc",
    "importance": "importance.nc",
}
TABLES = (
    "comparison.csv",
    "diagnostics.csv",
    "forest.png",
    "trace.png",
    "trace-importance.png",
    "summary.txt",
)
DEMAND = (
    *(
        f"{name}.csv"
        for name in (
            "shares", "elasticities", "diversion", "wtp", "surplus", "constants", "markups",
            "pass_through", "scenarios", "notes",
        )
    ),
    "demand.txt",
    "elasticities.png",
    "diversion.png",
)  # fmt: skip
UNFINISHED, CHECKPOINT = {"nuts": "chains-", "msle": "search-"}, "checkpoint.json"
"""Beginnings of the names of folders of unfinished steps, and the file that makes them such."""
KEY = 12
"""Digits of a step's key in that name: other folders are the user's."""
WRITTEN = (*RESULTS.values(), *TABLES, *DEMAND)
"""Every file that a run may write, or remove, besides those of the folder itself."""


@dataclass(frozen=True)
class RunFolder:
    """An open run folder; `closed` says why nothing can be written there, if so."""

    folder: Path
    manifest: Manifest
    closed: OSError | None = None
    damage: str = ""

    def unfinished(self, name: str, key: str) -> Path:
        """Where what there is of a step with this key is kept until it is finished."""
        # A search that other versions began is not gone on with; of their chains it is asked.
        own = digest(key, package_versions()) if name == "msle" else key
        return self.folder / f"{UNFINISHED[name]}{own[:KEY]}"

    def refuse_if_closed(self, step: str) -> None:
        """Before hours of work whose result would have no place."""
        if self.closed is not None:
            raise SpecificationError(
                f"run folder '{self.folder}' cannot be written ({self.closed.strerror}), and step "
                f"{step} is not finished there: choose another folder with --out, or put that right"
            )


def default_folder(study: Study) -> Path:
    """``runs/<name of the study>`` under the current folder."""
    return Path("runs") / study.name


@contextmanager
def opened(study: Study, subject: str, folder: Path, *, force: bool = False) -> Iterator[RunFolder]:
    """Make the folder, or take up what an earlier run of the same study left in it.

    Raises
    ------
    SpecificationError
        If another process works there, or the folder holds another study's run, or files that no
        run wrote, and not `force`, which removes the earlier run's files (and no others).
    """
    fresh = Manifest(study.name, subject, file=_way(study.path, folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder)
        lock.__enter__()
    except OSError as error:
        yield _closed(study, fresh, folder, error)
        return
    try:
        yield _taken_up(study, fresh, folder, force)
    finally:
        lock.__exit__(None, None, None)


def _way(file: Path, folder: Path) -> str:
    """From a run folder to its study file, so that both can be moved together."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on other drives of Windows
        return str(file.resolve())


def _taken_up(study: Study, fresh: Manifest, folder: Path, force: bool) -> RunFolder:
    earlier, damage = _earlier(folder)
    if force:
        _remove(folder)
        earlier, damage = None, ""
    else:
        _check_ours(study, fresh, folder, earlier, damage)
    manifest = replace(fresh, steps=earlier.steps) if earlier else fresh
    try:
        write_manifest(folder, manifest)
        write_text(folder / STUDY, study.text)
    except OSError as error:
        return RunFolder(folder, manifest, error, damage)
    for name in (*WRITTEN, MANIFEST, STUDY):  # of killed runs
        with suppress(OSError):
            (folder / f"{PARTIAL}{name}").unlink(missing_ok=True)
    return RunFolder(folder, manifest, None, damage)


def _closed(study: Study, fresh: Manifest, folder: Path, error: OSError) -> RunFolder:
    """A folder that can at most be read: a finished run can be shown."""
    if not folder.is_dir():
        raise SpecificationError(
            f"run folder '{folder}' cannot be made ({error.strerror}): choose another with --out"
        ) from error
    earlier, damage = _earlier(folder)
    _check_ours(study, fresh, folder, earlier, damage)
    return RunFolder(folder, earlier or fresh, error, damage)


def _earlier(folder: Path) -> tuple[Manifest | None, str]:
    """The manifest, and what is wrong with it; results are known without it, by themselves."""
    try:
        return read_manifest(folder), ""
    except (ValueError, OSError) as error:
        return None, f"{error}: results are taken up by what they say of themselves"


def _check_ours(
    study: Study, fresh: Manifest, folder: Path, earlier: Manifest | None, damage: str
) -> None:
    if earlier is None and not damage and not _unfinished_start(study, folder):
        raise SpecificationError(
            f"run folder '{folder}' holds files, but no run: choose another with --out, "
            "or write beside them with --force"
        )
    if earlier and earlier.subject != fresh.subject:
        raise SpecificationError(
            f"run folder '{folder}' holds a run of another study (name '{earlier.study}', or other "
            "data, utility or random coefficients): choose another folder with --out, or replace "
            "that run with --force"
        )


def _unfinished_start(study: Study, folder: Path) -> bool:
    """Whether a run of this study, stopped at its start, could have left the folder so."""
    there = {
        entry.name
        for entry in folder.iterdir()
        if entry.name != LOCK and not entry.name.startswith(PARTIAL)
    }
    if not there:
        return True
    try:
        same = (folder / STUDY).read_text(encoding="utf-8") == study.text
    except (OSError, ValueError):
        return False
    return same and there <= {STUDY, *WRITTEN}


def _remove(folder: Path) -> None:
    """What runs write, by our own list: a manifest may say anything."""
    if (folder / MANIFEST).exists():
        for beginning in UNFINISHED.values():
            for path in folder.glob(beginning + "[0-9a-f]" * KEY):
                drop_unfinished(path)
        for name in (*WRITTEN, MANIFEST):
            if not (folder / name).is_dir() or (folder / name).is_symlink():
                (folder / name).unlink(missing_ok=True)


def drop_unfinished(path: Path) -> None:
    """Remove what a run kept of a step, if it is that; that of other settings is gone on with."""
    if (path / CHECKPOINT).is_file() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def set_aside(place: RunFolder, name: str, *, ours: bool) -> str:
    """Make way for a file: one that no run wrote, or that was changed since, gets another name.

    Returns the new name, or nothing where the old file may be replaced.
    """
    path = place.folder / name
    if ours or not os.path.lexists(path) or _as_noted(place.manifest, path):
        return ""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{name}.set-aside-{number}")):
        number += 1
    path.rename(aside)
    return aside.name


def _as_noted(manifest: Manifest, path: Path) -> bool:
    """Whether a manifest lists the file with this content; early builds noted names alone."""
    noted = [step.files[path.name] for step in manifest.steps.values() if path.name in step.files]
    return path.is_file() and any(one in ("", file_hash(path)) for one in noted)


def as_noted(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether all these files are there with the noted content."""
    try:
        return all(name in WRITTEN and file_hash(folder / name) == h for name, h in files.items())
    except OSError:
        return False
