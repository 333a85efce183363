"""Studies and notebooks that travel with the package: `bayesmix example`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import bayesmix
from bayesmix.arguments import refused
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError
from bayesmix.files import write_text

ENDINGS = (".toml", ".ipynb")


def examples() -> dict[str, Path]:
    """Files by name without ending: of an installed package in its folder, else the source's."""
    package = Path(bayesmix.__file__).parent
    folders = (package / "examples", package.parent / "models", package.parent / "notebooks")
    return {
        path.stem: path
        for folder in folders
        for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if path.suffix in ENDINGS
    }


def companions(path: Path) -> list[Path]:
    """Files of data that an example study reads, beside it."""
    if path.suffix != ".toml":
        return []
    study = tomllib.loads(path.read_text(encoding="utf-8"))
    names = (study.get("data", {}).get("file"), study.get("market", {}).get("shares"))
    return [path.parent / name for name in names if name]


def copy_example(name: str, out: str | Path | None = None, *, force: bool = False) -> Path:
    """Copy a study with its files of data, or a notebook, into a folder, by default this one.

    Raises
    ------
    SpecificationError
        If there is no such example, or another file of its name is there already, and not
        `force`.
    """
    known = examples()
    if not isinstance(name, str) or Path(name).stem not in known:
        raise SpecificationError(f"there is no example {name!r}; {nearest(name, list(known))}")
    if out is not None and not isinstance(out, str | os.PathLike):
        raise refused("out", "the path of a folder", out)
    source = known[Path(name).stem]
    target = (Path.cwd() if out is None else Path(out)) / source.name
    copies = {target.parent / one.name: one for one in (source, *companions(source))}
    for copy, one in copies.items():
        if copy.exists() and not force and copy.read_bytes() != one.read_bytes():
            raise SpecificationError(
                f"'{copy}' is there already: choose another folder with --out, or replace it with "
                "--force"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    for copy, one in copies.items():
        write_text(copy, one.read_text(encoding="utf-8"))
    return target
