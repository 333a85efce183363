"""README and docs: links lead somewhere, and what they call exists."""

import ast
import re
import runpy
from pathlib import Path

import pytest

import bayesmix as bm

ROOT = Path(bm.__file__).parents[1]
SITE = sorted((ROOT / "docs").rglob("*.md"))
GALLERY = [p for p in SITE if p.parent.name == "gallery" and p.stem != "index"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *SITE]


def anchors(page: Path) -> set[str]:
    """Those that headings have where Markdown is shown, and names that are given."""
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    given = re.findall(r"^\((\S+)\)=$", text, re.MULTILINE)
    given += re.findall(r'<span id="([^"]+)">', text)
    return {re.sub(r"[^a-z0-9_ -]", "", h.lower()).replace(" ", "-") for h in heads} | set(given)


def cells_of(page: Path) -> list[str]:
    """Executed cells, without what speaks to the generator or to IPython."""
    text = page.read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^(:tags:|%).*$", "", cell, flags=re.MULTILINE) for cell in cells]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path, tmp_path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8"))
    made = tmp_path / "messages.md"  # a page that the site makes, and no file of the sources
    if any(link.startswith(made.name) for link in links):
        made.write_text(
            runpy.run_path(str(ROOT / "docs" / "messages.py"))["page"](), encoding="utf-8"
        )
    for link in links:
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        target = made if file == made.name else target
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_public_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bbm\.([A-Za-z_]\w*)", text))
    assert not {name for name in named if not hasattr(bm, name)}


def test_every_function_has_a_place_in_the_guide() -> None:
    """Records that functions return, and laws, are told of where these are."""
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    verbs = [name for name in bm.__all__ if name.islower()]
    assert not [name for name in verbs if not re.search(rf"\b{name}\b", texts)]


@pytest.mark.parametrize("page", SITE, ids=lambda page: page.name)
def test_cells_are_code(page: Path) -> None:
    """They are executed by `make docs`; here it is seen that they can be read."""
    for cell in cells_of(page):
        ast.parse(cell)


@pytest.mark.parametrize("page", GALLERY, ids=lambda page: page.name)
def test_data_come_from_what_make_docs_installs(page: Path) -> None:
    code = "\n".join(cells_of(page))
    named = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    named |= set(re.findall(r"find_spec\(\"(\w+)\"\)", code))
    (line,) = re.findall(r"^DATA := (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    sources = set(line.replace("-", "_").split())
    assert named <= sources | {"bayesmix", "importlib", "pandas", "pathlib"}
    text = page.read_text(encoding="utf-8")
    assert not named & sources or re.search(r"\((MIT|GPL-3)( licence)?\)", text)  # noted


def test_every_page_of_the_gallery_has_a_row_in_its_table() -> None:
    text = (ROOT / "docs" / "gallery" / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[.+?\]\((\w+)\.md\)", text, re.MULTILINE)
    assert sorted(rows) == sorted(page.stem for page in GALLERY)


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = set()
    for page in SITE:
        trees = re.findall(
            r"^```\{toctree\}\n(.*?)^```",
            page.read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        names = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
        listed |= {(page.parent / f"{name}.md").resolve() for name in names}
    assert {page.resolve() for page in SITE} - listed == {(ROOT / "docs" / "index.md").resolve()}
