"""Messages that the page on errors speaks of are ones that the package has."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import bayesmix as bm

PACKAGE = Path(bm.__file__).parent
PAGE = PACKAGE.parent / "docs" / "troubleshooting.md"
HEADINGS = re.findall(r"^### `(.+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def messages() -> str:
    """Texts in the package's code that errors are raised with, a line each, but no docstring."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if _calls(node) else ""
            if name == "Fault" or name.endswith("Error"):
                found.append(" ".join(_words(argument) for argument in node.args))
    return "\n".join(found)


def _calls(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _words(node: ast.AST) -> str:
    """Constant text of an expression in the order of its source; what is computed is left out."""
    if isinstance(node, ast.Constant):
        return node.value.replace("\n", " ") if isinstance(node.value, str) else ""
    if isinstance(node, ast.FormattedValue):
        return "\0"
    return "".join(_words(child) for child in ast.iter_child_nodes(node))


def has(heading: str) -> bool:
    fixed = [re.escape(words.strip()) for words in heading.split("...")]
    return re.search(".*".join(fixed), messages()) is not None


@pytest.mark.parametrize("heading", HEADINGS)
def test_messages_are_the_packages(heading: str) -> None:
    assert has(heading)


def test_others_are_not() -> None:
    assert len(HEADINGS) > 10
    assert not has("the optimiser is tired after ... iterations")
    assert not has("... of ... rows has missing values")  # the order counts
