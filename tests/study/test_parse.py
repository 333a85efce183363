"""Study files: what is read, and how each mistake is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bayesmix.errors import SpecificationError
from bayesmix.study import read_study
from bayesmix.study.schema import (
    TABLES,
    AutoTable,
    CorrelatedTable,
    DataTable,
    DrawsTable,
    EstimateTable,
    LKJNormalTable,
)

MODELS = Path(__file__).parents[2] / "models"
Write = Callable[..., Path]
NormalTable, LogNormalTable = TABLES["normal"], TABLES["lognormal"]
TERMS = ("pf", "cl", "loc", "wk", "tod", "seas")


def message(path: Path) -> str:
    with pytest.raises(SpecificationError) as caught:
        read_study(path)
    return str(caught.value)


def test_electricity_is_read_whole() -> None:
    study = read_study(MODELS / "electricity.toml")
    assert study.name == "electricity"
    assert study.data == DataTable("electricity", None, "id", "chid", "alt", "choice")
    assert study.utility.formula == "pf + cl + loc + wk + tod + seas"
    assert study.random == (LKJNormalTable("lkj-normal", TERMS, 2.0),)
    assert study.grid == DrawsTable("sobol", 256, centred=True)
    assert study.estimate == EstimateTable(likelihood="marginal", draws=1000, chains=4, seed=1)


@pytest.mark.parametrize(
    ("name", "random"),
    [
        ("electricity_independent", (NormalTable("normal", TERMS),)),
        (
            "electricity_lognormal",
            (NormalTable("normal", TERMS[:4]), LogNormalTable("lognormal", TERMS[4:], -1)),
        ),
    ],
)
def test_other_models(name: str, random: tuple[object, ...]) -> None:
    study = read_study(MODELS / f"{name}.toml")
    reference = read_study(MODELS / "electricity.toml")
    assert study.random == random
    assert (study.grid, study.estimate) == (reference.grid, reference.estimate)


def test_tables_with_defaults_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "least.toml"
    path.write_text('[data]\nexample = "electricity"\n[utility]\nformula = "pf"\n')
    study = read_study(path)
    assert (study.random, study.grid, study.estimate) == ((), AutoTable("auto"), EstimateTable())


def test_correlated_laws_are_nested(write_study: Write) -> None:
    nested = (
        'law = "correlated"\neta = 1\n[[random.laws]]\nlaw = "normal"\nterms = ["time"]\n'
        '[[random.laws]]\nlaw = "lognormal"\nterms = ["price"]\nsign = -1'
    )
    study = read_study(write_study(('law = "normal"\nterms = ["time"]', nested)))
    inner = (NormalTable("normal", ("time",)), LogNormalTable("lognormal", ("price",), -1))
    assert study.random == (CorrelatedTable("correlated", inner, 1.0),)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[utility]", "[utilty]", "unknown table 'utilty'; did you mean 'utility'? valid: data,"),
        ("nodes = 32", "node = 32", "[grid]: unknown key 'node' for rule 'sobol'; did you mean "
         "'nodes'? valid: rule, nodes, centred, moments"),
        ("nodes = 32", "points = 7", "[grid]: unknown key 'points' for rule 'sobol'; valid: rule"),
        ("tune = 10", "tun = 10", "[estimate]: unknown key 'tun'; did you mean 'tune'? valid: "),
        ('file =', 'flie =', "[data]: unknown key 'flie'; did you mean 'file'? valid: example"),
        ('terms =', 'term =', "[[random]] number 1: unknown key 'term' for law 'normal'; did you"),
        ('"sobol"', '"sobel"', "[grid], key 'rule': unknown value 'sobel'; did you mean 'sobol'? "
         "valid: sobol, halton, mlhs, monte-carlo, gauss-hermite, trapezoid, sparse, auto"),
        ('law = "normal"', 'law = "lognormle"', "key 'law': unknown value 'lognormle'; did you "
         "mean 'lognormal'? valid: censored-normal, exponential, gamma, johnson-sb, "),
        ("tune = 10", 'methods = ["mlse"]', "[estimate], key 'methods': unknown value 'mlse'; did "
         "you mean 'msle'? valid: msle, msm, mss, nuts"),
        ("tune = 10", 'likelihood = "marginl"', "did you mean 'marginal'?"),
        ('law = "normal"', 'law = "lognormal"\nsign = 2', "'sign': unknown value 2; valid: 1, -1"),
        ('law = "normal"\n', "", "[[random]] number 1: key 'law' is missing; valid: censored-"),
        ('rule = "sobol"\n', "", "[grid]: key 'rule' is missing; valid: sobol, halton"),
        ("nodes = 32", "", "[grid]: key 'nodes' is missing"),
        ('[utility]\nformula = "price + time"', "", "table 'utility' is missing"),
        ("nodes = 32", 'nodes = "32"', "[grid], key 'nodes': expected a whole number, got '32'"),
        ("nodes = 32", "nodes = 32.0", "key 'nodes': expected a whole number, got 32.0"),
        ("nodes = 32", "nodes = true", "key 'nodes': expected a whole number, got true"),
        ("nodes = 32", "nodes = 0", "[grid], key 'nodes': expected at least 1, got 0"),
        ("seed = 5", "seed = -1", "[estimate], key 'seed': expected at least 0, got -1"),
        ("nodes = 32", "nodes = 32\ncentred = 1", "key 'centred': expected true or false, got 1"),
        ('formula = "price + time"', "formula = 3", "key 'formula': expected text, got 3"),
        ('["time"]', '"time"', "key 'terms': expected a list, got 'time': write ['time']"),
        ('["time"]', "[]", "key 'terms': the list is empty; name at least one"),
        ('["time"]', '["time", "time"]', "key 'terms': 'time' stands there twice"),
        ('["time"]', '["time", 3]', "key 'terms': expected text, got 3"),
        ("[[random]]", "[random]", "[random]: write its heading with two brackets, [[random]]"),
        ("[data]", "[data", "not a valid TOML file: "),
    ],
)  # fmt: skip
def test_mistakes_are_named(write_study: Write, old: str, new: str, expected: str) -> None:
    path = write_study((old, new))
    text = message(path)
    assert text.startswith(str(path))
    assert expected in text


def test_nested_tables_are_numbered(write_study: Write) -> None:
    nested = 'law = "correlated"\n[[random.laws]]\nlaw = "normal"\nterm = ["time"]'
    text = message(write_study(('law = "normal"\nterms = ["time"]', nested)))
    assert "[[random]] number 1, [[laws]] number 1: unknown key 'term' for law 'normal'" in text


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match=r"no study file .*absent\.toml': check the name"):
        read_study(tmp_path / "absent.toml")
