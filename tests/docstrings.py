"""Faults of a docstring by numpydoc's sections: what is missing, unknown or empty."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Notes", "References", "Examples")


def sections(doc: str) -> dict[str, list[str]]:
    """Lines below each underlined heading; those above the first are under the empty name."""
    lines = doc.splitlines()
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch("-{3,}", below) and len(below) == len(line):
            name = line
            found[name] = []
        elif not (line and set(line) == {"-"}):
            found[name].append(line)
    return found


def entries(lines: list[str]) -> dict[str, bool]:
    """Names that a section documents, several on a line or one; whether a description follows."""
    found = {}
    for number, line in enumerate(lines):
        if re.match(r"\*{0,2}[A-Za-z]", line):
            described = number + 1 < len(lines) and lines[number + 1].startswith(" ")
            for name in line.split(" : ")[0].split(","):
                found[name.strip().lstrip("*")] = described
    return found


def arguments(value: Any) -> dict[str, bool]:
    """What a call of a function, or of a record, takes; whether that is any further keyword."""
    given = inspect.signature(value).parameters.values()
    return {p.name: p.kind is p.VAR_KEYWORD for p in given if not p.name.startswith("_")}


def raised(value: Any) -> set[str]:
    """Exceptions that the name's own code raises, not what it calls."""
    body = getattr(value, "__post_init__", None) if inspect.isclass(value) else value
    if body is None or not inspect.isfunction(inspect.unwrap(body)):
        return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(body))))
    calls = [
        node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc is not None
    ]
    names = {ast.unparse(call).rpartition(".")[2] for call in calls}
    return {name for name in names if name.endswith(("Error", "Exception"))}


def returns(value: Any) -> bool:
    return inspect.signature(value).return_annotation not in {None, "None", inspect.Signature.empty}


def faults(value: Any, *, example: bool = True) -> Iterator[str]:
    """What is wrong with the docstring of a public function or class."""
    parts = sections(inspect.getdoc(value) or "")
    summary = parts[""][:2]
    if not summary or not summary[0].endswith(".") or (len(summary) > 1 and summary[1]):
        yield "its summary is no sentence on one line"
    yield from (f"unknown section {name}" for name in parts if name and name not in SECTIONS)
    for name, lines in parts.items():
        if name != "Examples" and any(line.startswith(">>>") for line in lines):
            yield f"an example outside of Examples, {name or 'above all sections'}"
        if name and not any(lines):
            yield f"nothing under {name}"
    if not (inspect.isclass(value) and issubclass(value, Exception)):
        yield from _argument_faults(value, parts)
    if inspect.isfunction(value) and returns(value) and "Returns" not in parts:
        yield "no Returns"
    listed = " ".join(entries(parts.get("Raises", [])))
    yield from (f"raises {name}" for name in sorted(raised(value)) if name not in listed)
    if example and not any(line.startswith(">>>") for line in parts.get("Examples", [])):
        yield "no Examples"


def _argument_faults(value: Any, parts: dict[str, list[str]]) -> Iterator[str]:
    documented, called = entries(parts.get("Parameters", [])), arguments(value)
    further = set(documented) - set(called)
    kept = entries(parts.get("Attributes", [])) if inspect.isclass(value) else {}
    for name, any_keyword in called.items():
        if name not in {**documented, **kept} and not (any_keyword and further):
            yield f"{name} is not documented"
    if not any(called.values()):  # else they are keywords that are handed on
        yield from (f"{name} is no argument" for name in sorted(further))
    told = {**documented, **kept}
    yield from (f"{name} has no description" for name in told if not told[name])
