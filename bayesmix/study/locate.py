"""In which line of a study file something stands, which TOML's parser does not say.

The parser is asked about longer and longer beginnings of the file: a key stands where it is first
known, in the statement that the last beginning before did not have.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

STEP = re.compile(r"\[+([^\[\]]+)\]+(?: number (\d+))?")
MOST_LINES = 2000
"""Longer files are no studies that people write, and would take seconds."""


def line_in(file: Path, table: str, *keys: str) -> int | None:
    """The line of a key, or of a table's heading, in a file as it is now; None where unknown.

    Parameters
    ----------
    file
        The study file.
    table
        As it is shown in messages, ``[[random]] number 2, [[laws]] number 1``.
    *keys
        Keys inside of each other.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return None
    steps: list[str | int] = []
    for name, number in STEP.findall(table):
        steps += [*name.split("."), *([int(number)] if number else [])]
    return line_of(text, [*steps, *(key for key in keys if key)])


def line_of(text: str, steps: list[str | int]) -> int | None:
    r"""The line in which a path of keys, and of numbers of tables, is first there.

    Examples
    --------
    >>> line_of('[grid]\nrule = "sobol"\n\nnodes = 3\n', ["grid", "nodes"])
    4
    >>> line_of('[[random]]\nterms = ["a",\n"b"]\n[[random]]\nterms = ["c"]', ["random", 2])
    4
    """
    lines = text.split("\n")
    if not steps or len(lines) > MOST_LINES:
        return None
    before = 0
    for end in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("\n".join(lines[:end]) + "\n")
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        if _is_there(tree, steps):
            return before + 1
        before = end
    return None


def _is_there(tree: Any, steps: list[str | int]) -> bool:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(tree, list) or len(tree) < step:
                return False
            tree = tree[step - 1]
        elif not isinstance(tree, dict) or step not in tree:
            return False
        else:
            tree = tree[step]
    return True
