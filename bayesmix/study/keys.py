"""What a result depends on, as short hashes: data, model, settings, and the code that made it."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bayesmix.study.build import data_path
from bayesmix.study.schema import Study

PACKAGES = ("arviz", "numba", "numpy", "nutpie", "pandas", "pymc", "pytensor", "scipy")
PACKAGE = Path(__file__).parents[1]


@cache
def package_identity() -> str:
    """Version and a hash over the source: builds under development share a version."""
    source = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        source.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return f"{_version('bayesmix')}+{source.hexdigest()[:12]}"


def package_versions() -> dict[str, str]:
    """Versions of what figures depend on."""
    python = ".".join(map(str, sys.version_info[:3]))
    others = {name: _version(name) for name in PACKAGES}
    return {"bayesmix": package_identity(), "python": python, **others}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a source tree
        return "not installed"


def subject_key(study: Study) -> str:
    """Identifies what is estimated: the content of the data, the utility, the laws."""
    laws = [asdict(law) for law in study.random]
    held = (study.fixed, asdict(study.constraints))
    further = [held] if study.fixed or any(held[1].values()) else []
    return digest(_data_content(study), asdict(study.utility), laws, *further)


def step_keys(study: Study, subject: str) -> dict[str, str]:
    """By step, what identifies all that its result depends on; ``subject`` from `subject_key`."""
    estimate = asdict(study.estimate)
    classical = {key: estimate[key] for key in ("seed", "starts", "optimizer")}
    base = [subject, asdict(study.grid), package_identity(), classical]
    sampling = {key: estimate[key] for key in ("likelihood", "draws", "tune", "chains")}
    scores = {key: estimate[key] for key in ("scores", "accepted", "candidates")}
    keys = {name: digest(name, *base) for name in ("msle", "msm")}
    return (
        keys
        | {
            "mss": digest("mss", *base, scores),
        }
        | {
            name: digest(name, *base, sampling, "msle" in study.estimate.methods)
            for name in ("nuts", "importance")
        }
    )


def report_key(results: Mapping[str, str]) -> str:
    """Identifies tables and plots by the content of the results that they show, by step."""
    return digest("report", package_identity(), list(results.items()))


def digest(*content: Any) -> str:
    """A short hash of JSON-like content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _data_content(study: Study) -> dict[str, Any]:
    content = asdict(study.data)
    if study.data.file is not None:
        with data_path(study.path, study.data).open("rb") as stream:
            content["file"] = hashlib.file_digest(stream, "sha256").hexdigest()
    return content
