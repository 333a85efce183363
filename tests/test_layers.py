"""Imports run one way, between folders and between files, and `import bayesmix` stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bayesmix

PACKAGE = Path(__file__).parents[1] / "bayesmix"
TIERS = (
    {"__main__"},
    {"cli"},
    {"console"},
    {"study"},
    {"document"},
    {"evaluation"},
    {"reporting"},
    {"markets"},
    {"demand"},
    {"inference"},
    {"classical", "bayes"},
    {"accuracy", "identification"},
    {"optimise"},
    {"centring"},
    {"likelihood"},
    {"specification", "integration"},
    {"formulas"},
    {"data"},
    {"repeated"},
    {"processes"},
    {"kernels"},
    {"arguments"},
    {"files", "identity", "journal", "locks", "picture", "progress"},
    {"errors", "arrays", "close_names"},
)
RANK = {layer: rank for rank, tier in enumerate(TIERS) for layer in tier}
ONLY_IN = {
    "pymc": {"bayes"},
    "pytensor": {"bayes"},
    "nutpie": {"bayes"},
    "arviz": {"bayes", "reporting"},
    "arviz_base": {"bayes", "reporting"},
    "arviz_plots": {"bayes", "reporting"},
    "arviz_stats": {"bayes", "reporting"},
}

OF_KERNELS = {"numpy", "numba", "llvmlite"}
"""Other packages that kernels may import."""


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
                legal = layer == target or RANK[layer] < RANK[target]
            if layer == "kernels":  # they know nothing of what they are used for
                legal = target in {"kernels", "arrays", "errors"}
        elif layer == "kernels":
            legal = top in OF_KERNELS or top in sys.stdlib_module_names
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
        ("classical", "import pytensor"),
        ("kernels", "from bayesmix.data import choices"),
        ("kernels", "from bayesmix.arguments import flag"),
        ("kernels", "import scipy.stats"),
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
        ("bayes", "import pymc, arviz\nfrom ..likelihood import mixture"),
        ("specification", "from bayesmix.data.choices import ChoiceData"),
        ("errors", "import numpy"),
    ],
)
def test_downward_imports_are_not(layer: str, source: str) -> None:
    assert faults(source, layer, f"bayesmix.{layer}") == []


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in modules()} <= set(RANK)


def edges() -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports, for types alone included."""
    paths = {
        ".".join(["bayesmix", *path.relative_to(PACKAGE).with_suffix("").parts]): path
        for path in modules()
    }
    found = {}
    for module, path in paths.items():
        names = imported(path.read_text(encoding="utf-8"), module.rpartition(".")[0])
        # `from module import name` is an import of the module, `from folder import module` as well.
        whole = names | {name.rpartition(".")[0] for name in names}
        found[module] = whole & set(paths)
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a circle, or none."""
    left = dict(graph)
    while ready := [module for module, needs in left.items() if not needs & set(left)]:
        for module in ready:
            del left[module]
    # What is left imports something that is left: a walk comes back to where it has been.
    walk: list[str] = []
    module = min(left, default="")
    while left and module not in walk:
        walk.append(module)
        module = min(graph[module] & set(left))
    return walk[walk.index(module) :] if walk else []


def test_no_circle_between_files() -> None:
    assert circle(edges()) == []


def asks_for_a_law(source: str) -> bool:
    """Whether `source` reads the name of a coefficient's law."""
    nodes = ast.walk(ast.parse(source))
    return any(isinstance(node, ast.Attribute) and node.attr == "family" for node in nodes)


def test_no_law_is_asked_for_by_name() -> None:
    laws = PACKAGE / "specification" / "laws"
    own = [p for p in modules() if p.parent != laws and layer_of(p) != "integration"]
    assert [p.name for p in own if asks_for_a_law(p.read_text(encoding="utf-8"))] == []
    assert asks_for_a_law("if c.family == 'gamma':\n    pass")


def test_circles_are_found() -> None:
    chain = {"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}
    assert circle(chain) == []
    assert sorted(circle(chain | {"c": {"a"}})) == ["a", "b", "c"]


def test_public_names_are_listed_once_for_people_and_type_checkers() -> None:
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    public = sorted(set(bayesmix.__all__))
    assert public == list(bayesmix.__all__)
    assert len(public) > 60
    laws = bayesmix._homes_of_laws()  # found by their files, listed or not
    for name in public:
        assert getattr(bayesmix, name) is not None
        # `import name as name` is how a typed package says that it hands a name on.
        listed = len(re.findall(rf"\b{name} as {name}\b", source))
        assert listed == 1 or (listed == 0 and name in laws)
    assert {*public, "__version__"} == set(dir(bayesmix))
    assert (PACKAGE / "py.typed").is_file()
    with pytest.raises(AttributeError, match="no attribute 'elasticity'"):
        bayesmix.elasticity  # noqa: B018


HEAVY = ("pymc", "pytensor", "arviz", "nutpie", "matplotlib")


def test_import_is_light() -> None:
    command = f"import bayesmix, sys; print([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


WITHOUT = """
import sys
for name in ("pymc", "pytensor", "arviz", "nutpie"):
    sys.modules[name] = None  # an import of it fails
import numpy as np, pandas as pd
import bayesmix as bm

rng = np.random.default_rng(1)
frame = pd.DataFrame({
    "who": np.repeat(np.arange(40), 15), "task": np.repeat(np.arange(200), 3),
    "alt": np.tile(list("abc"), 200), "x": rng.normal(size=600), "y": rng.normal(size=600),
})
taste = rng.normal(1.0, 0.8, 40)[frame["who"]]
noisy = taste * frame["x"] - frame["y"] + rng.gumbel(size=600)
frame["chosen"] = noisy == noisy.groupby(frame["task"]).transform("max")
data = bm.ChoiceData.from_long(
    frame, person="who", situation="task", alternative="alt", chosen="chosen"
)
model = bm.MixedLogit("x + y", random=bm.Normal("x"))
fit = bm.msle(model, data, grid=bm.centred(bm.sobol(8)), starts=1)
# Dear to import, and no part of a fit.
assert not {"scipy.stats", "xarray"} & set(sys.modules)
fit = bm.msle(model, data, grid=bm.gauss_hermite(7), starts=1)
for other in (bm.msm(model, data, grid=fit.grid), bm.mss(model, data, rng=1)):
    assert other.converged
bm.wald_test(fit, "fixed[y] = -1")
assert bool(bm.elasticities(fit, data, "x").to_array().notnull().all())
assert bool(bm.diversion(fit, data, "x").to_array().notnull().any())
bm.wtp(fit, "x", price="y")
"""


def test_the_classical_half_needs_no_sampler() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


def test_the_page_on_architecture_names_what_there_is() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    table = set(re.findall(r"`(\w+)(?:/|\.py)`", " ".join(cells)))
    assert table == set(RANK)
    files = re.findall(r"`((?:\w+/)*\w+\.(?:py|md|toml))`", page)
    assert len(files) > 20
    roots = (PACKAGE, PACKAGE.parent)
    assert [name for name in files if not any((root / name).exists() for root in roots)] == []
