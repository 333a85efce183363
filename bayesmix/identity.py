"""What results on disk depend on besides their input: versions, and the source of this package."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("arviz", "numba", "numpy", "nutpie", "pandas", "pymc", "pytensor", "scipy")
PACKAGE = Path(__file__).parent


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


def digest(*content: Any) -> str:
    """A short hash of JSON-like content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a source tree
        return "not installed"
