"""The page of all messages has those that the package raises, each once, in a family."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import bayesmix as bm

DOCS = Path(bm.__file__).parents[1] / "docs"
RAISED = ("DataError", "SpecificationError", "IntegrationError", "ConvergenceError", "refused")


@cache
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", DOCS / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["messages"] = found  # dataclasses look their module up
    spec.loader.exec_module(found)
    return found


@cache
def page() -> str:
    return str(module().page())


def test_whatever_is_raised_with_words_is_on_the_page() -> None:
    """Walked anew: each ``raise`` of ours, but those whose words are all computed elsewhere."""
    count, missing, text = 0, [], " ".join(page().split())
    for path in sorted(module().PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            name = getattr(node.exc.func, "id", getattr(node.exc.func, "attr", ""))
            if name not in RAISED or not node.exc.args:
                continue
            constants = [
                part.value
                for part in ast.walk(node.exc.args[1 if name == "refused" else 0])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            longest = " ".join(max(constants, key=len, default="").replace("`", "'").split())
            count += 1
            if len(longest) > 20 and longest not in text:
                missing.append(f"{path.name}, line {node.lineno}: {longest}")
    assert count > 500
    assert not missing


def test_each_message_has_an_anchor_of_its_own() -> None:
    spans = re.findall(r'<span id="([^"]+)"></span>', page())
    assert len(spans) == len(set(spans)) == len(module().messages()) > 700


def test_families_say_cause_and_remedy_and_none_is_empty() -> None:
    used = {message.family.heading for message in module().messages()}
    assert used == {family.heading for family in module().FAMILIES}
    for family in module().FAMILIES:
        assert min(len(family.cause), len(family.remedy)) > 40
        assert f"({family.anchor})=" in page()


def test_troubleshooting_leads_to_every_family() -> None:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    links = re.findall(r"\(messages\.md#(family-[^)]+)\)", text)
    assert links == [family.anchor for family in module().FAMILIES]


def test_an_error_that_is_met_is_found_by_its_words() -> None:
    with pytest.raises(bm.SpecificationError) as caught:
        bm.sobol(-1)
    with pytest.raises(bm.DataError) as other:
        bm.examples.electricity().without("nowhere")
    for error in (caught.value, other.value):
        shapes = [
            ".*".join(re.escape(part) for part in message.text.split("..."))
            for message in module().messages()
            if len(message.text.replace("...", "")) > 25
        ]
        assert any(re.fullmatch(shape, str(error), re.DOTALL) for shape in shapes), str(error)


def test_a_file_without_a_family_is_said() -> None:
    with pytest.raises(LookupError, match=r"no family has errors of new/file\.py"):
        _ = module().Message("words", "new/file.py").family
