"""A first study of a data file, commented."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bayesmix.arguments import flag, refused
from bayesmix.errors import DataError, SpecificationError
from bayesmix.files import write_text
from bayesmix.study.inspect import Inspection, inspect_file
from bayesmix.study.parse import PlaceInFile, check_name
from bayesmix.study.terms import first_terms

MOST_RANDOM = 3
LONG = ("person", "situation", "alternative", "chosen", "availability", "outside_option")
WIDE = ("person", "situation", "chosen", "outside_option")
OF_WIDE = ("alternatives", "outside_label", "availability", "varying")


def new_study(
    file: str | Path, out: str | Path | None = None, *, force: bool = False
) -> tuple[Path, Inspection]:
    """Write a study of a data file, with guesses of roles and terms, each with its reason.

    Parameters
    ----------
    file
        The data file.
    out
        The study, by default beside the file, with its name and the ending .toml.
    force
        Replace a study that is there.

    Returns
    -------
    The path that was written, and what was found in the file.

    Raises
    ------
    DataError
        Where the file cannot be read, or no roles can be guessed that make choice data.
    SpecificationError
        Where there is a study of that name, or its name cannot be one.
    """
    force = flag("force", force)
    found = inspect_file(file)
    if out is not None and (not isinstance(out, str | os.PathLike) or not str(out)):
        raise refused("out", "the path of a study file", out)
    path = Path(out) if out is not None else _usual(found.path)
    check_name(PlaceInFile(path))
    if path.exists() and not force:
        raise SpecificationError(
            f"{path} is there already: give another name (--out), or remove it first"
        )
    if found.data is None:
        raise DataError(
            f"'{found.path}': {found.suspicions[0] if found.guess.layout else 'no roles guessed'}: "
            f"look at it (bayesmix inspect {found.path}), and write the study by hand"
        )
    write_text(path, study_text(found, path))
    return path, found


def _usual(file: Path) -> Path:
    name = file.name.removesuffix(".gz")
    return file.with_name(f"{Path(name).stem}.toml")


def study_text(found: Inspection, path: Path) -> str:
    """The study file's text."""
    data = found.data
    assert data is not None
    terms, left = first_terms(data)
    head = [
        f"# A first study of {found.path.name}: guesses, each with its reason. Check it by",
        f"#     bayesmix check {path.name}",
        *(f"# Suspicious: {one}" for one in found.suspicions),
        "",
    ]
    utility = [
        "[utility]",
        f"formula = {quote(' + '.join(terms))}"
        if terms
        else '# formula = "..."  # no column varies',
        *(f"# not {name}: {reason}" for name, reason in left.items()),
        "",
    ]
    return "\n".join([*head, *_data(found, path), *utility, *_random(found, terms), *LAST])


def _data(found: Inspection, path: Path) -> list[str]:
    roles, why = found.guess.roles, found.guess.why
    lines = ["[data]", f"file = {quote(_relative(found.path, path))}"]
    lines += [
        f"{key} = {quote(getattr(found.options, key))}  # {reason}"
        for key, reason in found.why.items()
    ]
    keys = LONG if found.guess.layout == "long" else WIDE
    lines += [f"{key} = {quote(roles[key])}  # {why[key]}" for key in keys if roles.get(key)]
    if not roles.get("person"):
        lines.append('# person = "..."  # none was found: every situation is its own person')
    lines.append("")
    if found.guess.layout == "wide":
        own = [key for key in OF_WIDE if key in roles]
        lines.append("[data.wide]  # one row a situation")
        lines += [f"{key} = {quote(roles[key])}  # {why[key]}" for key in own]
        lines.append("")
    return lines


def _random(found: Inspection, terms: list[str]) -> list[str]:
    """Random coefficients of numbers where persons are seen several times; else a comment."""
    numbers = [term.strip("`") for term in terms if not term.startswith("C(")][:MOST_RANDOM]
    several = found.data is not None and found.data.n_situations > found.data.n_persons
    lines = [
        "[[random]]  # tastes that differ between people",
        'law = "normal"  # or lognormal with sign = -1, for what everybody dislikes',
        f"terms = {quote(numbers or ['...'])}",
        "",
    ]
    if several and numbers:
        return lines
    reason = "each person chose once: such data say little of how tastes differ"
    return [f"# {reason}", *(f"# {line}" if line else line for line in lines)]


LAST = [
    "[estimate]",
    'methods = ["msle"]  # and "nuts" or "importance" for a posterior',
    "seed = 1",
    "",
]


def _relative(file: Path, study: Path) -> str:
    try:
        return Path(os.path.relpath(file.resolve(), study.resolve().parent)).as_posix()
    except ValueError:  # another drive
        return file.resolve().as_posix()


def quote(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(k)} = {quote(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(quote(one) for one in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    for mark, written in (("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(mark, written)
    return f'"{text}"'
