"""The run folder: which steps are finished, with what settings; no file is ever half there."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bayesmix.errors import SpecificationError
from bayesmix.study.build import data_path
from bayesmix.study.schema import Study

MANIFEST = "run.json"
PACKAGES = ("bayesmix", "arviz", "numba", "numpy", "nutpie", "pandas", "pymc", "pytensor", "scipy")


@dataclass(frozen=True)
class FinishedStep:
    """One step that is on disk: `key` identifies all settings that its result depends on."""

    key: str
    seconds: float
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What ``run.json`` holds. `subject` identifies data, utility and random coefficients."""

    study: str
    subject: str
    seed: int
    versions: Mapping[str, str]
    steps: Mapping[str, FinishedStep]


def package_versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a source tree
        return "not installed"


def default_folder(study: Study) -> Path:
    """``runs/<name of the study>`` under the current folder."""
    return Path("runs") / study.name


def open_folder(study: Study, folder: Path, *, force: bool = False) -> Manifest:
    """Make the folder, or take up what an earlier run of the same study left in it.

    Raises
    ------
    SpecificationError
        If the folder holds another study's run, or files that no run wrote, and not `force`, which
        removes the earlier run's files (and no others).
    """
    earlier = read_manifest(folder)
    fresh = Manifest(study.name, subject_key(study), study.estimate.seed, package_versions(), {})
    if force and earlier:
        _remove(folder, earlier)
        earlier = None
    if earlier is None and not force and folder.is_dir() and any(folder.iterdir()):
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
    manifest = replace(fresh, steps=earlier.steps) if earlier else fresh
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "study.toml", lambda path: path.write_text(study.text, encoding="utf-8"))
    write_manifest(folder, manifest)
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder; None where there is none.

    Raises
    ------
    SpecificationError
        If there is one that cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        steps = {
            name: FinishedStep(step["key"], step["seconds"], tuple(step["files"]))
            for name, step in raw.pop("steps").items()
        }
        return Manifest(**raw, steps=steps)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecificationError(
            f"'{path}' is damaged ({error}): remove it, or choose another folder with --out"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    write_whole(folder / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))


def with_step(folder: Path, manifest: Manifest, name: str, step: FinishedStep) -> Manifest:
    """The manifest with one more finished step; on disk too."""
    manifest = replace(manifest, steps={**manifest.steps, name: step})
    write_manifest(folder, manifest)
    return manifest


def is_finished(folder: Path, manifest: Manifest, name: str, key: str) -> bool:
    """Whether a step is on disk with these very settings."""
    step = manifest.steps.get(name)
    return step is not None and step.key == key and all((folder / f).is_file() for f in step.files)


def finished_steps(study: Study, folder: Path) -> dict[str, FinishedStep]:
    """Steps that the next run of this study would take from the folder."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.subject != subject_key(study):
        return {}
    return {
        name: step
        for name, step in manifest.steps.items()
        if is_finished(folder, manifest, name, step_key(study, name, package_versions()))
    }


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name and rename, so that a file is there whole or not at all."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def subject_key(study: Study) -> str:
    """Identifies what is estimated: the content of the data, the utility, the laws."""
    laws = [asdict(law) for law in study.random]
    return digest(_data_content(study), asdict(study.utility), laws)


def step_key(study: Study, name: str, versions: Mapping[str, str]) -> str:
    """Identifies all that the result of a step depends on."""
    estimate = asdict(study.estimate)
    classical = {key: estimate[key] for key in ("seed", "starts", "optimizer")}
    base = [subject_key(study), asdict(study.grid), versions["bayesmix"], classical]
    if name in ("msle", "msm", "mss"):
        return digest(*base)
    sampling = {key: estimate[key] for key in ("likelihood", "draws", "tune", "chains")}
    if name == "nuts":
        return digest(*base, sampling, "msle" in study.estimate.methods)
    return digest(*base, sampling, estimate["methods"])


def digest(*content: Any) -> str:
    """A short hash of JSON-like content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _data_content(study: Study) -> dict[str, Any]:
    content = asdict(study.data)
    if study.data.file is not None:
        content["file"] = hashlib.sha256(data_path(study.path, study.data).read_bytes()).hexdigest()
    return content


def _remove(folder: Path, manifest: Manifest) -> None:
    for name in [name for step in manifest.steps.values() for name in step.files] + [MANIFEST]:
        (folder / name).unlink(missing_ok=True)
