"""The page of all messages, by family, from the package's source: ``python docs/messages.py``.

A family is what has one kind of cause and one kind of remedy; a message belongs to that of the
file that raises it. The site writes the page where it is made.
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "bayesmix"
PAGE = Path(__file__).parent / "messages.md"
LIST = Path(__file__).parent / "message_families.toml"
LONGEST = 60
"""Letters of an anchor."""
COMPUTED = "..."
MAKERS = ("Fault", "NoEstimates", "refused")
"""What makes errors and is not called one."""


@dataclass(frozen=True)
class Family:
    """A heading, what its messages come from, what to do, and where they are raised."""

    heading: str
    cause: str
    remedy: str
    places: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Of the heading."""
        return f"family-{slug(self.heading)}"


FAMILIES = tuple(
    Family(one["heading"], one["cause"], one["remedy"], tuple(one["places"]))
    for one in tomllib.loads(LIST.read_text(encoding="utf-8"))["family"]
)


@dataclass(frozen=True)
class Message:
    """A text that errors are raised with; what is computed in it is ``...``."""

    text: str
    file: str

    @property
    def family(self) -> Family:
        """That of the longest place that the file is in."""
        places = [(place, own) for own in FAMILIES for place in own.places]
        fitting = [one for one in places if self.file.startswith(one[0])]
        if not fitting:
            raise LookupError(f"docs/messages.py: no family has errors of {self.file}")
        return max(fitting, key=lambda one: len(one[0]))[1]


def slug(text: str) -> str:
    """Words of a text as an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST].strip("-")


@cache
def messages() -> tuple[Message, ...]:
    """All of them, by file, each once."""
    found: dict[Message, None] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or (name := _makes_error(node)) == "":
                continue
            text = _tidy([_words(argument) for argument in node.args], name)
            if re.search(r"[A-Za-z]{3}", text):
                found[Message(text, file)] = None
    return tuple(found)


def _makes_error(node: ast.Call) -> str:
    """The name of what it calls, where this makes an error, or a finding that becomes one."""
    called = node.func
    name = called.id if isinstance(called, ast.Name) else ""
    if isinstance(called, ast.Attribute) and called.attr == "refused":
        name = called.attr
    return name if name in MAKERS or name.endswith("Error") else ""


def _tidy(words: list[str], name: str) -> str:
    """The text of a call; of an argument that is refused, the sentence made of its parts."""
    if name == "refused" and len(words) > 1:
        words = [f"argument '{words[0]}' must be {words[1]}, got {COMPUTED}"]
    if name == "Fault":
        words = [": ".join(words[:2])]
    text = re.sub(r"(?:\.\.\.\s*)+(?=[,;:.)\]])", COMPUTED, " ".join(words[:1] or [""]))
    text = re.sub(r"(?:\.\.\.){2,}", COMPUTED, text)
    return " ".join(text.split())


def _words(node: ast.AST) -> str:
    """Text of an expression, in the order of its source."""
    if isinstance(node, ast.Constant):
        return node.value.replace("\n", " ") if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _words(node.left) + _words(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_words(node.body)} "
    return COMPUTED


def anchors() -> dict[Message, str]:
    """An anchor of each message, of its first words; numbered where others have these too."""
    found: dict[Message, str] = {}
    taken: set[str] = set()
    for message in messages():
        base = own = f"m-{slug(message.text)}"
        number = 1
        while own in taken:
            number += 1
            own = f"{base}-{number}"
        taken.add(own)
        found[message] = own
    return found


def page() -> str:
    """The page in Markdown."""
    listed: dict[str, list[str]] = {family.heading: [] for family in FAMILIES}
    for message, anchor in anchors().items():
        words = message.text.replace("`", "'")
        listed[message.family.heading].append(f'- <span id="{anchor}"></span>`{words}`')
    parts = [
        "# All messages, by family\n\n"
        "Each error of the package says where it is and what helps. Here are their texts, with "
        "`...` for names and numbers, under what their causes have in common; the ones that people "
        "meet most are explained in [troubleshooting](troubleshooting.md).\n"
    ]
    for family in FAMILIES:
        lines = "\n".join(listed[family.heading])
        parts.append(
            f"({family.anchor})=\n## {family.heading}\n\n**Cause.** {family.cause}\n\n"
            f"**Remedy.** {family.remedy}\n\n{lines}\n"
        )
    return "\n".join(parts)


def write() -> None:
    """The page beside this file, where it changes."""
    text = page()
    if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
