"""Imports run one way, and `import bayesmix` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "bayesmix"
TIERS = (
    {"cli"},
    {"study"},
    {"reporting"},
    {"demand"},
    {"classical", "bayes"},
    {"likelihood"},
    {"specification", "integration", "data"},
    {"arguments"},
    {"files"},
    {"errors"},
)
RANK = {layer: rank for rank, tier in enumerate(TIERS) for layer in tier}
SIDEWAYS = {("specification", "data")}  # a design is built from data
ONLY_IN = {
    "pymc": {"bayes"},
    "nutpie": {"bayes"},
    "arviz": {"bayes", "reporting", "study"},
    "arviz_base": {"bayes", "reporting", "study"},
    "arviz_plots": {"bayes", "reporting", "study"},
    "arviz_stats": {"bayes", "reporting", "study"},
}


def imported(source: str, package: str) -> set[str]:
    """Dotted names of everything imported anywhere in `source`, functions included."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def faults(source: str, layer: str, package: str) -> list[str]:
    """What `source`, a module of `layer`, imports against the rules."""
    found = []
    for name in sorted(imported(source, package)):
        top, _, rest = name.partition(".")
        if top == "bayesmix":
            target = rest.partition(".")[0]
            if target not in RANK:  # a public name, which lives in any layer
                legal = layer in {"cli", "study"}
            else:
                legal = layer == target or RANK[layer] < RANK[target] or (layer, target) in SIDEWAYS
        else:
            legal = layer in ONLY_IN.get(top, {layer})
        if not legal:
            found.append(f"{layer} imports {name}")
    return found


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_upwards(path: Path) -> None:
    package = ".".join(["bayesmix", *path.relative_to(PACKAGE).parts[:-1]])
    assert faults(path.read_text(encoding="utf-8"), layer_of(path), package) == []


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("classical", "from bayesmix.bayes.sampling import sample"),
        ("bayes", "import bayesmix.classical.fit"),
        ("likelihood", "def f():\n    from bayesmix.classical import fit"),
        ("data", "from ..specification import model"),
        ("data", "import bayesmix as bm"),
        ("integration", "from bayesmix import MixedLogit"),
        ("classical", "import pymc as pm"),
        ("likelihood", "from arviz import ess"),
        ("study", "from bayesmix import cli"),
    ],
)
def test_upward_imports_are_found(layer: str, source: str) -> None:
    assert len(faults(source, layer, f"bayesmix.{layer}")) == 1


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("cli", "from bayesmix.study import run_study"),
        ("study", "import bayesmix as bm"),
        ("bayes", "import pymc, arviz\nfrom ..likelihood import graph"),
        ("specification", "from bayesmix.data.choices import ChoiceData"),
        ("errors", "import numpy"),
    ],
)
def test_downward_imports_are_not(layer: str, source: str) -> None:
    assert faults(source, layer, f"bayesmix.{layer}") == []


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in modules()} <= set(RANK)


def test_import_is_light() -> None:
    command = (
        "import time; start = time.perf_counter(); import bayesmix, sys; "
        "print(time.perf_counter() - start, 'pymc' in sys.modules, 'arviz' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, *heavy = zip(*(run.stdout.split() for run in runs), strict=True)
    assert heavy == [("False",) * 3, ("False",) * 3]
    assert min(map(float, seconds)) < 1.0
