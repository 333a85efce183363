"""``run.json``: what a run folder holds, for people and for the next run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bayesmix.files import write_text

MANIFEST = "run.json"


@dataclass(frozen=True)
class FinishedStep:
    """One step that is on disk.

    Parameters
    ----------
    key
        Identifies all that the result depends on.
    seconds, made, seed, versions
        How long it took, when, with which seed and by which packages.
    files
        SHA-256 by name of file; empty where an early build did not note it.
    """

    key: str
    seconds: float
    files: Mapping[str, str]
    made: str = ""
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What ``run.json`` holds.

    Parameters
    ----------
    study
        Name of the study.
    subject
        Identifies data, utility and random coefficients.
    steps
        What is finished.
    file
        The study file, from the run folder where there is such a way; "" of early builds.
    """

    study: str
    subject: str
    steps: Mapping[str, FinishedStep] = field(default_factory=dict)
    file: str = ""

    def having(self, name: str, step: FinishedStep) -> "Manifest":
        return replace(self, steps={**self.steps, name: step})

    def without(self, name: str) -> "Manifest":
        return replace(self, steps={k: v for k, v in self.steps.items() if k != name})


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder; None where there is none.

    Raises
    ------
    ValueError
        If there is one that is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        steps = {name: _step(step) for name, step in raw["steps"].items()}
        file = _text(raw.get("file", ""))
        return Manifest(_text(raw["study"]), _text(raw["subject"]), steps, file)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"'{path}' is damaged ({type(error).__name__}: {error})") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into its run folder, whole or not at all."""
    write_text(folder / MANIFEST, json.dumps(asdict(manifest), indent=2) + "\n")


def _step(raw: dict[str, Any]) -> FinishedStep:
    if isinstance(raw["files"], list):  # of builds that trusted names
        return FinishedStep("", float(raw["seconds"]), dict.fromkeys(raw["files"], ""))
    return FinishedStep(**{**raw, "files": dict(raw["files"]), "versions": dict(raw["versions"])})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value
