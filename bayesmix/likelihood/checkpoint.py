"""Unfinished chains and searches on disk: what is there of them, and of which posterior or fit.

A folder holds ``checkpoint.json``, which says what its content is of; with chains a file for every
finished segment of one, written whole or not at all, and with a search its journal.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import SpecificationError
from bayesmix.files import PARTIAL, write_text, write_whole
from bayesmix.identity import package_versions
from bayesmix.likelihood.design_key import design_key
from bayesmix.likelihood.problem import Problem
from bayesmix.locks import LOCK
from bayesmix.specification.record import model_record

NAME, FORMAT = "checkpoint.json", 1


@dataclass(frozen=True)
class Content:
    """What a folder holds, and what that is of."""

    words: str
    of: str


CHAINS, SEARCH = Content("chains", "posterior"), Content("search", "fit")
IN_USE = "checkpoint folder", "choose another, checkpoint="
"""What is said to whom a folder is refused because another process works there."""


@dataclass(frozen=True)
class Checkpoint:
    """An open folder, and the seed of what it holds."""

    folder: Path
    seed: int

    def read(self, name: str) -> dict[str, Array] | None:
        """The arrays of a finished segment; None where it is not there, or not whole."""
        try:
            with (self.folder / f"{name}.npz").open("rb") as stream:
                file = np.load(stream, allow_pickle=False)
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile):
            return None

    def write(self, name: str, arrays: Mapping[str, Array]) -> None:
        """Keep a finished segment."""

        def save(path: Path) -> None:
            with path.open("wb") as stream:
                np.savez(stream, **dict(arrays))  # type: ignore[arg-type]

        write_whole(self.folder / f"{name}.npz", save)


def open_checkpoint(
    path: Any, key: Mapping[str, str], seed: int | None, content: Content = CHAINS
) -> Checkpoint:
    """The folder, made where there is none; the seed that it has, where none is given.

    Raises
    ------
    SpecificationError
        If it holds the chains of another posterior or the search of another fit, or other files.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise arguments.refused("checkpoint", "the path of a folder, or None", path)
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = any(not one.name.startswith((LOCK, PARTIAL)) for one in folder.iterdir())
        if not there:
            seed = int(np.random.default_rng().integers(2**62)) if seed is None else seed
            record = {"format": FORMAT, "holds": content.words, "seed": seed, "key": dict(key)}
            write_text(folder / NAME, json.dumps(record, indent=1))
            return Checkpoint(folder, seed)
    except OSError as error:
        raise SpecificationError(
            f"argument 'checkpoint': folder {str(folder)!r} cannot be used ({error.strerror})"
        ) from error
    return Checkpoint(folder, _checked(folder, key, seed, content))


def problem_key(problem: Problem, settings: Mapping[str, Any]) -> dict[str, str]:
    """By word, what chains or a search depend on besides their seed."""
    return {
        "model": json.dumps(model_record(problem.model)),
        "data": f"{design_key(problem)} {fingerprint(problem.data)}",
        **{name: str(value) for name, value in settings.items()},
        "version": json.dumps(package_versions()),
    }


def _checked(folder: Path, key: Mapping[str, str], seed: int | None, content: Content) -> int:
    """The seed of a folder that holds the chains or the search that is asked for."""
    try:
        record = json.loads((folder / NAME).read_text(encoding="utf-8"))
        own, known = record["seed"], record["key"]
        holds = record.get("holds", CHAINS.words)
        if record["format"] != FORMAT or not isinstance(own, int) or holds != content.words:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise SpecificationError(
            f"argument 'checkpoint': folder {str(folder)!r} holds files, but no {content.words}: "
            "choose another, or an empty one"
        ) from None
    others = [word for word in sorted({*key, *known}) if key.get(word) != known.get(word)]
    if seed is not None and own != seed:
        others.append("rng")
    if others:
        raise SpecificationError(
            f"argument 'checkpoint': folder {str(folder)!r} holds the {content.words} of another "
            f"{content.of} (another {', another '.join(others)}): choose another folder, or remove "
            "that one"
        )
    return own
