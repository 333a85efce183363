"""Study files that are none, run folders that were damaged, fits that are text no more."""

# One case a line, however long.
# ruff: noqa: E501

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import xarray as xr
from _bad_case import Case
from _bad_tables import base

import bayesmix as bm
from bayesmix.study import check_study, read_study, run_study
from tests.arguments.things import STUDY, frame

# What stands in the study, what in its place, and words of the refusal.
CHANGES = (
    ("no TOML", "[data]", "[data", "line 2"),
    ("a quotation mark not closed", '"who"', '"who', "line"),
    ("a table twice", "[utility]", "[data]\n[utility]", "data"),
    ("a key twice", 'person = "who"', 'person = "who"\nperson = "who"', "line 5"),
    ("an unknown table", "[utility]", "[utilities]", "utility"),
    ("an unknown key", "person =", "persona =", "person"),
    ("a key too many", "starts = 1", "starts = 1\nseeds = 3", "seeds"),
    ("no formula", 'formula = "price + quality"', "", "formula"),
    ("an empty formula", '"price + quality"', '""', "formula"),
    ("a formula that is a number", '"price + quality"', "3", "formula"),
    ("a formula of no column", "quality", "qualty", "quality"),
    ("a formula of code", '"price + quality"', '"price.mean()"', "price.mean"),
    ("no file", 'file = "choices.csv"', "", "file"),
    ("a file that is absent", "choices.csv", "absent.csv", "absent.csv"),
    ("a file that is a list", '"choices.csv"', '["choices.csv"]', "file"),
    ("file and example", 'file = "choices.csv"', 'file = "choices.csv"\nexample = "electricity"', "example"),
    ("an unknown example", 'file = "choices.csv"', 'example = "electrcity"', "electricity"),
    ("a role of no column", '"who"', '"whom"', "who"),
    ("no chosen", 'chosen = "choice"', "", "chosen"),
    ("a role that is a number", '"who"', "7", "person"),
    ("an unknown method", '["msle"]', '["mlse"]', "msle"),
    ("no methods", '["msle"]', "[]", "methods"),
    ("methods as text", '["msle"]', '"msle"', "methods"),
    ("a method twice", '["msle"]', '["msle", "msle"]', "msle"),
    ("starts 0", "starts = 1", "starts = 0", "starts"),
    ("starts 1.5", "starts = 1", "starts = 1.5", "starts"),
    ("starts as text", "starts = 1", 'starts = "1"', "starts"),
    ("a seed below 0", "starts = 1", "starts = 1\nseed = -1", "seed"),
    ("a grid of an unknown rule", "starts = 1", "starts = 1\n[grid]\nrule = \"sobl\"", "sobol"),
    ("a grid without a rule", "starts = 1", "starts = 1\n[grid]\nnodes = 8", "rule"),
    ("an unknown law", "[estimate]", '[[random]]\nlaw = "norml"\nterms = ["price"]\n[estimate]', "normal"),
    ("a law without terms", "[estimate]", '[[random]]\nlaw = "normal"\n[estimate]', "terms"),
    ("a law of no column", "[estimate]", '[[random]]\nlaw = "normal"\nterms = ["prise"]\n[estimate]', "price"),
    ("a law of another's key", "[estimate]", '[[random]]\nlaw = "normal"\nterms = ["price"]\neta = 2\n[estimate]', "eta"),
    ("random as one table", "[estimate]", '[random]\nlaw = "normal"\nterms = ["price"]\n[estimate]', "random"),
    ("demand of no column", "[estimate]", '[demand]\nelasticities = ["prise"]\n[estimate]', "price"),
    ("diversion of no kind", "[estimate]", '[demand]\ndiversion = ["removl"]\n[estimate]', "removal"),
    ("a group of no column", "[estimate]", '[demand]\nshares = true\nby = "region"\n[estimate]', "region"),
    ("an interval of 95", "[estimate]", '[demand]\nshares = true\ninterval = 95\n[estimate]', "interval"),
    ("firms of no column", "[estimate]", '[firms]\nownership = "brand"\n[estimate]', "brand"),
    ("a scenario of no kind", "[estimate]", '[[scenario]]\nname = "x"\nkind = "mergr"\n[estimate]', "merger"),
    ("a scenario without a name", "[estimate]", '[[scenario]]\nkind = "change"\n[estimate]', "name"),
    ("a prior of no parameter", "[estimate]", '[priors]\n"mean[x]" = {name = "normal", mu = 0, sigma = 1}\n[estimate]', "mean[x]"),
    ("a name of the study with a path", "[data]", 'name = "../x"\n[data]', "name"),
    ("a name of dots", "[data]", 'name = ".."\n[data]', "name"),
    ("dates for text", '"who"', "2024-01-01", "person"),
    ("infinity for a number", "starts = 1", "starts = inf", "starts"),
)  # fmt: skip


def study_cases() -> Iterator[Case]:
    folder = Path(tempfile.mkdtemp())
    base().to_csv(folder / "choices.csv", index=False)
    for number, (name, old, new, word) in enumerate(CHANGES):
        assert old in STUDY, name
        path = folder / f"study{number}.toml"
        path.write_text(STUDY.replace(old, new, 1), encoding="utf-8")
        yield Case("study", name, lambda p=path: checked(p), words=(word,))
    for name, content, word in (
        ("an empty file", b"", "data"),
        ("bytes", b"\xff\xfe\x00\x01", "toml"),
        ("latin-1", "# é\n".encode("latin-1") + STUDY.encode(), "utf-8"),
        ("null bytes", STUDY.encode() + b"\x00", "line"),
        ("JSON", b'{"data": 1}', "line 1"),
    ):
        path = folder / f"{name.replace(' ', '_')}.toml"
        path.write_bytes(content)
        yield Case("study", name, lambda p=path: checked(p), words=(word,))
    for name, path, word in (
        ("absent", folder / "absent.toml", "absent.toml"),
        ("a folder", folder, str(folder.name)),
        ("a data file", folder / "choices.csv", "choices.csv"),
    ):
        yield Case("study", name, lambda p=path: checked(p), words=(word,))


def checked(path: Path) -> Any:
    built = check_study(read_study(path))
    return bm.check(built.model, built.data)


def stored_cases(have: SimpleNamespace) -> Iterator[Case]:
    folder = Path(tempfile.mkdtemp())
    good = folder / "fit.json"
    have.fit.save(good)
    text = good.read_text(encoding="utf-8")
    stored = json.loads(text)
    damaged: dict[str, str] = {
        "nothing": "", "half a file": text[: len(text) // 2], "a list": "[]", "a number": "3",
        "no JSON": "fit", "another format": json.dumps(stored | {"format": 99}),
        **{f"without {key}": json.dumps({k: v for k, v in stored.items() if k != key}) for key in stored},
        **{f"{key} as text": json.dumps(stored | {key: "x"}) for key in stored},
    }  # fmt: skip
    for name, content in damaged.items():
        path = folder / f"{len(list(folder.iterdir()))}.json"
        path.write_text(content, encoding="utf-8")
        load = lambda p=path: bm.Fit.load(p, have.data)  # noqa: E731
        if name in UNUSED:  # estimates are those of theta, and said again for people
            yield Case("stored fit", name, load, lambda fit: fit.params.equals(have.fit.params))
        else:
            yield Case("stored fit", name, load, words=(path.name,))
    other = bm.ChoiceData.from_long(frame(39), **ROLES)
    yield Case("stored fit", "other data", lambda: bm.Fit.load(good, other), words=("data",))
    yield Case("stored fit", "no data set", lambda: bm.Fit.load(good, "x"), words=("data",))
    yield Case("stored fit", "as it was", lambda: bm.Fit.load(good, have.data),
               lambda fit: fit.params.equals(have.fit.params))  # fmt: skip
    yield from posterior_cases(have)
    yield from run_cases(have, folder)


ROLES = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}


UNUSED = {
    *(f"{key} as text" for key in ("first_stage", "params", "std_errors", "message")),
    *(f"without {key}" for key in ("first_stage", "params", "std_errors", "offset")),
    *(f"without {key}" for key in ("overidentification", "market_constants", "at_bounds")),
}


def posterior_cases(have: SimpleNamespace) -> Iterator[Case]:
    draws = have.posterior
    group = draws["posterior"].to_dataset()
    trees: dict[str, Any] = {
        "an empty tree": xr.DataTree(),
        "of other variables": have.draws,
        "a dataset": group,
        "of a prior that is none": xr.DataTree.from_dict({"prior": group[["sd"]]}),
        "with NaN": xr.DataTree.from_dict({"posterior": (group * float("nan")).assign_attrs(group.attrs)}),
        "without attributes": xr.DataTree.from_dict({"posterior": group.drop_attrs()}),
    }  # fmt: skip
    for name, tree in trees.items():
        for function in (bm.shares, bm.elasticities, bm.diversion, bm.individuals, bm.predict):
            more = ("price",) if function is bm.elasticities else ()
            yield Case("posterior", f"{function.__name__}: {name}",
                       lambda f=function, t=tree, m=more: f(t, have.data, *m, rng=1), words=WORDS.get(name, ("posterior",)))  # fmt: skip


WORDS = {"a dataset": ("result", "bm.sample"), "of a prior that is none": ("'mean'", "bm.sample")}


def run_cases(have: SimpleNamespace, folder: Path) -> Iterator[Case]:
    """A file of a finished run that is damaged: the same command goes on, with the same numbers."""
    names = [path.name for path in sorted(have.run.iterdir()) if path.is_file()]
    table = (have.run / "comparison.csv").read_text() if "comparison.csv" in names else ""
    for name in names:
        for how, content in {"empty": b"", "bytes": b"\x00\xff" * 40, "gone": None}.items():
            copy = folder / f"{name}-{how}"
            shutil.copytree(have.run.parent, copy)
            path = copy / "run" / name
            path.unlink() if content is None else path.write_bytes(content)
            yield Case("run folder", f"{name} {how}", _again(copy), lambda run, t=table: not t or
                       (run.folder / "comparison.csv").read_text() == t)  # fmt: skip
            yield Case("run folder", f"opened: {name} {how}", lambda p=copy: bm.open_run(p / "run").results,
                       lambda found: set(found) == {"msle"})  # fmt: skip


def _again(folder: Path) -> Callable[[], Any]:
    return lambda: run_study(read_study(folder / "study.toml"), folder / "run", progress=False)
