"""Sphinx: pages in Markdown, some of them executed, and the API from docstrings."""

import inspect
import sys
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

sys.path.insert(0, str(Path(__file__).parents[1]))

import bayesmix as bm

sys.path.insert(0, str(Path(__file__).parent))
import messages

project = "bayesmix"
author = "the developers of bayesmix"
version = release = bm.__version__
copyright = "the developers of bayesmix, MIT licence"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"bayesmix {version}"
html_static_path = ["_static"]
html_css_files = ["bayesmix.css"]
html_copy_source = False
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "build" / "docs" / "jupyter")
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 0)]

numpydoc_show_class_members = False
autodoc_typehints = "none"
add_module_names = False
html_math_renderer = "mathml"

GROUPS = {
    "data": "Data",
    "specification": "Models and laws",
    "integration": "Integration",
    "accuracy": "Accuracy",
    "identification": "Identification",
    "classical": "Classical estimators",
    "bayes": "Posteriors",
    "inference": "Tests of hypotheses",
    "demand": "Demand",
    "markets": "Firms and markets",
    "likelihood": "Simulated choices",
    "evaluation": "Evaluation",
    "reporting": "Tables and plots",
    "document": "Report",
    "study": "Studies",
    "errors": "Errors",
}


def write_api() -> None:
    """A page for each trade, with every public name on it."""
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    pages: dict[str, list[str]] = {}
    for name in bm.__all__:
        pages.setdefault(bm._HOME[name].split(".")[1], []).append(name)
    unknown = set(pages) - set(GROUPS)
    if unknown:
        raise RuntimeError(f"docs/conf.py: GROUPS has no heading for {sorted(unknown)}")
    for group, heading in GROUPS.items():
        if group in pages:
            _write(folder / f"{group}.rst", _page(heading, pages[group]))
    listed = "".join(f"   {group}\n" for group in GROUPS if group in pages)
    index = "API\n===\n\nEvery public name, by trade; `import bayesmix as bm`.\n\n"
    _write(folder / "index.rst", f"{index}.. toctree::\n   :maxdepth: 1\n\n{listed}")


def _page(heading: str, names: list[str]) -> str:
    parts = [heading, "=" * len(heading), ""]
    for name in sorted(names, key=str.lower):
        value = getattr(bm, name)
        if inspect.isclass(value):
            parts += [f".. autoclass:: bayesmix.{name}", "   :members:", ""]
        elif inspect.ismodule(value):
            parts += [f".. automodule:: {value.__name__}", "   :members:", ""]
        else:
            parts += [f".. autofunction:: bayesmix.{name}", ""]
    return "\n".join(parts)


def _write(path: Path, text: str) -> None:
    """Only where it changes: Sphinx reads again what is newer."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def inline_math(self: Any, node: Any) -> None:
    """Formulas as MathML, which browsers draw by themselves: nothing is fetched."""
    self.body.append(convert(node.astext()))
    raise SkipNode


def block_math(self: Any, node: Any) -> None:
    """The same on lines of their own."""
    self.body.append(f'<div class="math-block">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def setup(app: Any) -> None:
    """Pages of the API, and of all messages, are written before Sphinx looks for pages."""
    write_api()
    messages.write()
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
