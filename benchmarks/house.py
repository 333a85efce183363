"""What the code looks like, in figures: where ideas live, how long files are, what imports what.

A file asks about classes where a condition of it depends on whether a model has several latent
classes: a comparison of their number, whether there are shares or points or all is shared, whether
what is within a class is the whole, the type of a layout, a grid or a block. Files that say what
classes are count too; who only names itself to `check_one_class` or `why_not`, which know what is
of one class alone, has none.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bayesmix"
LONG, MANY = 300, 6
SEVERAL = {"share_names", "points", "members", "own", "inner"}
OF_CLASSES = {"latent", "parameters", "space", "layout", "persons", "problem", "self"}
TYPES = {
    *("ClassSpace", "Classes", "OneClass", "PointCoefficient", "ClassGrid", "ClassBlock"),
    "ClassPriors",
}
CONDITIONS = (ast.If, ast.IfExp, ast.While, ast.Assert)
Functions = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(folder: Path) -> dict[Path, ast.Module]:
    """Every file of a folder, by its path from the root."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    }


def conditions(tree: ast.AST) -> Iterator[ast.expr]:
    """What decides: tests of branches, of comprehensions, operands of and, or, not; comparisons."""
    for node in ast.walk(tree):
        if isinstance(node, CONDITIONS):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.BoolOp):
            yield from node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.operand
        elif isinstance(node, ast.Compare):
            yield node


def name_of(node: ast.AST) -> str:
    """The last name of a name, an attribute or what is called; "" of anything else."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return getattr(node, "attr", "") or getattr(node, "id", "")


def of_classes(node: ast.AST) -> bool:
    """Whether something counts classes, or is true where there are several."""
    if isinstance(node, ast.Call) and name_of(node) == "len" and node.args:
        return of_classes(node.args[0])
    if not isinstance(node, ast.Attribute):
        return name_of(node) in {"n_classes", "classes"}
    return node.attr == "classes" or (node.attr == "number" and name_of(node.value) == "latent")


def several(test: ast.expr) -> bool:
    """Whether a condition is whether there are several classes."""
    if isinstance(test, ast.Compare):
        sides = (test.left, *test.comparators)
        values = [side.value for side in sides if isinstance(side, ast.Constant)]
        whole = isinstance(test.ops[0], ast.Is | ast.IsNot) and "within" in map(name_of, sides)
        return whole or (bool(values) and any(map(of_classes, sides)))
    if isinstance(test, ast.Call) and name_of(test) == "isinstance":
        names = {name_of(node) for node in ast.walk(test.args[1])} - {""}
        return bool(names) and names <= TYPES  # of one of these and others: whether it is given
    if isinstance(test, ast.Call) and name_of(test) in {"all", "any"}:
        return "shared" in map(name_of, ast.walk(test.func))
    if not isinstance(test, ast.Attribute):
        return False
    return test.attr == "_several" or (test.attr in SEVERAL and name_of(test.value) in OF_CLASSES)


def asks_about_classes(tree: ast.Module) -> int:
    """How many questions about classes are in a file."""
    patterns = (node.cls for node in ast.walk(tree) if isinstance(node, ast.MatchClass))
    asked = sum(name_of(one) in TYPES for one in patterns)
    return asked + len({id(test) for test in conditions(tree) if several(test)})


def functions(trees: dict[Path, ast.Module]) -> dict[str, int]:
    """Numbers of parameters of all functions, ``self`` left out."""
    found = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Functions):
                names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(one.arg not in {"self", "cls"} for one in names)
                count += (node.args.vararg is not None) + (node.args.kwarg is not None)
                found[f"{path}:{node.lineno} {node.name}"] = count
    return found


def imports(trees: dict[Path, ast.Module]) -> dict[str, set[str]]:
    """Files of the package by name, and those that each imports, for types and in functions too."""
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in trees}
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees.items():
        own = ".".join(path.with_suffix("").parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
                found[own] |= wanted & names - {own, "bayesmix"}
    return found


def circles(graph: dict[str, set[str]]) -> int:
    """How many files import themselves by way of others."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = set(graph.get(start, ()))
        while ahead:
            seen |= ahead
            ahead = {far for name in ahead for far in graph.get(name, ())} - seen
        return seen

    return sum(name in reached(name) for name in list(graph))


def holding(pattern: str, *folders: str) -> list[str]:
    """Files in which a pattern stands, with how often."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            count = len(re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE))
            found += [f"{path.relative_to(ROOT)} {count}"] if count else []
    return found


def lines(path: Path) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def largest_folder(trees: dict[Path, ast.Module]) -> tuple[str, float]:
    """The folder with most lines, and its share of all."""
    sizes: dict[str, int] = defaultdict(int)
    for path in trees:
        sizes[path.parts[1]] += lines(path)
    name = max(sizes, key=sizes.__getitem__)
    return name, sizes[name] / sum(sizes.values())


def caches(trees: dict[Path, ast.Module]) -> list[str]:
    """Empty containers that modules hold for what comes later."""
    found = []
    for path, tree in trees.items():
        for node in tree.body:
            value = getattr(node, "value", None)
            empty = isinstance(value, ast.Dict | ast.List) and not ast.unparse(value).strip("{}[]")
            made = isinstance(value, ast.Call) and name_of(value) in {"set", "dict", "list"}
            if isinstance(node, ast.Assign | ast.AnnAssign) and (
                empty or (made and not value.args)
            ):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                found.append(f"{path} {ast.unparse(target)}")
    return found


def in_blocks(trees: dict[Path, ast.Module]) -> list[str]:
    """Files outside of kernels with a range that has a step of its own."""
    return [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        if path.parts[1] != "kernels"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node) == "range" and len(node.args) == 3
        if not isinstance(node.args[2], ast.Constant | ast.UnaryOp)
    ]


def main() -> None:
    trees, tests = parsed(PACKAGE), parsed(ROOT / "tests") | parsed(ROOT / "benchmarks")
    asking = {str(path): n for path, tree in trees.items() if (n := asks_about_classes(tree))}
    counted = functions(trees)
    many = {name: count for name, count in counted.items() if count > MANY}
    folder, share = largest_folder(trees)
    texts = {
        "files that ask about classes": [f"{path} {count}" for path, count in asking.items()],
        "files that go through something in blocks": in_blocks(trees),
        "`startswith(` on names of parameters": holding(
            r"startswith\(\(?\"(mean|sd|corr|cov|fixed|shift|shape|share|scale)\b", "bayesmix"
        ),
        "`type: ignore`": holding("type: ignore", "bayesmix"),
        "containers that modules fill": caches(trees),
        f"files over {LONG} lines": [
            f"{path} {lines(path)}" for path in (*trees, *tests) if lines(path) > LONG
        ],
        f"functions with more than {MANY} parameters": [f"{n} {c}" for n, c in many.items()],
    }
    rows = [(what, len(where)) for what, where in texts.items()]
    rows += [
        (f"the same, of {len(counted)} functions, %", round(100 * len(many) / len(counted), 2)),
        ("files in circles of imports", circles(imports(trees))),
        (f"largest folder ({folder}), % of lines", round(100 * share, 1)),
    ]
    for what, figure in rows:
        print(f"{what:<62}{figure:>8}")
    for what, where in texts.items():
        print(f"\n{what}:\n  " + "\n  ".join(where or ["none"]))


if __name__ == "__main__":
    main()
