"""Valid calls of what makes models, rules and data."""

from types import SimpleNamespace
from typing import Any

import bayesmix as bm
from tests.arguments.call import Call
from tests.arguments.things import LONG, frame, wide


def model_calls(have: SimpleNamespace) -> dict[str, Call]:
    """Models, laws, rules of integration, and files, by their names."""
    data = have.data
    rule = bm.sobol(16)
    law = {"terms": ("price",), "mean": "1"}
    return {
        "MixedLogit": Call(
            bm.MixedLogit,
            {
                "formula": "price + quality",
                "random": [bm.Normal("price")],
                "wtp": None,
                "scale": None,
                "control": None,
                "nests": None,
            },
        ),
        "Nests": Call(bm.Nests, {"nests": {"a": ["bus", "train"]}, "bounded": True}),
        "Normal": Call(bm.Normal, law),
        "LogNormal": Call(bm.LogNormal, {**law, "sign": 1}),
        "LKJNormal": Call(bm.LKJNormal, {"terms": ("a", "b"), "eta": 2.0, "mean": "1"}),
        "Uniform": Call(bm.Uniform, law),
        "Triangular": Call(bm.Triangular, {**law, "zero_bounded": True, "sign": 1}),
        "TruncatedNormal": Call(bm.TruncatedNormal, {**law, "lower": 0.0, "upper": None}),
        "CensoredNormal": Call(bm.CensoredNormal, {**law, "lower": 0.0, "upper": None}),
        "SemiNonparametric": Call(bm.SemiNonparametric, {**law, "degree": 2}),
        "YeoJohnson": Call(bm.YeoJohnson, law),
        "JohnsonSB": Call(bm.JohnsonSB, {**law, "lower": 0.0, "upper": 1.0}),
        "Exponential": Call(bm.Exponential, {"terms": ("price",), "sign": 1}),
        "Gamma": Call(bm.Gamma, {**law, "sign": 1}),
        "Correlated": Call(
            bm.Correlated, {"laws": (bm.Normal("a"), bm.LogNormal("b")), "eta": 2.0}
        ),
        "Constraints": Call(
            bm.Constraints,
            {
                "fixed": {"a": 0.0},
                "equal": [("a", "b")],
                "linear": "a = 1",
                "bounds": {"a": (0.0, 1.0)},
            },
        ),
        "NormalMixture": Call(
            bm.NormalMixture,
            {"terms": ("price", "quality"), "components": 2, "correlated": False, "share": "1"},
        ),
        "LogitWeights": Call(
            bm.LogitWeights,
            {
                "types": bm.Types({"price": [-2.0, -1.0, 0.0]}),
                "basis": "steps",
                "size": 1,
                "correlated": False,
            },
        ),
        "LatentClass": Call(bm.LatentClass, {"members": ("price",), "classes": 2, "share": "1"}),
        "InverseWishart": Call(
            bm.InverseWishart,
            {"df": 6.0, "scale": 1.0, "mean_precision": 0.1, "mean_location": 0.0},
        ),
        "Tolerance": Call(bm.Tolerance, {"estimates": 0.05, "loglik": 0.5, "std_errors": 0.02}),
        "sobol": Call(bm.sobol, {"nodes": 16}),
        "halton": Call(bm.halton, {"nodes": 16, "scramble": False, "skip": 1}),
        "trapezoid": Call(bm.trapezoid, {"points": 16}),
        "mlhs": Call(bm.mlhs, {"nodes": 16}),
        "monte_carlo": Call(bm.monte_carlo, {"nodes": 16, "antithetic": False}),
        "gauss_hermite": Call(bm.gauss_hermite, {"points": 5}),
        "sparse": Call(bm.sparse, {"level": 3, "family": "kpn"}),
        "centred": Call(
            bm.centred,
            {
                "rule": rule,
                "population": 0.25,
                "inflation": 1.2,
                "moments": False,
                "halves": False,
            },
        ),
        "population_grid": Call(
            bm.population_grid, {"rule": rule, "dimension": 1, "persons": 3, "rng": 1}
        ),
        "rule_table": Call(bm.rule_table, {"dimension": 1, "rules": [rule]}),
        "read_table": Call(bm.read_table, {"path": have.file, **_file()}),
        "table": Call(
            bm.table,
            {"results": {"MSLE": have.fit}, "stars": True, "digits": 3, "labels": None}
            | {"notes": []},
        ),
        "open_run": Call(bm.open_run, {"folder": have.run, "study": None}),
        "read_choices": Call(bm.read_choices, {"path": have.file, **LONG, **_file()}),
        "ChoiceData.from_long": Call(
            bm.ChoiceData.from_long,
            {
                "frame": frame(4),
                **LONG,
                "weights": None,
                "availability": None,
                "outside_option": False,
            },
        ),
        "ChoiceData.from_parquet": Call(
            bm.ChoiceData.from_parquet,
            {
                "path": have.parquet,
                **LONG,
                "weights": None,
                "availability": None,
                "outside_option": False,
                "columns": None,
                "store": None,
                "progress": False,
            },
        ),
        "ChoiceData.from_wide": Call(
            bm.ChoiceData.from_wide,
            {
                "frame": wide(),
                "chosen": "mode",
                "alternatives": ["bus", "car"],
                "varying": {"price": "{alternative}_price"},
                "availability": None,
                "outside_option": False,
            },
        ),
        "ChoiceData.with_population_shares": Call(
            have.once.with_population_shares, {"shares": {"a": 0.2, "b": 0.3, "c": 0.5}}
        ),
        "ChoiceData.with_attribute": Call(data.with_attribute, {"name": "price", "value": 2.0}),
        "ChoiceData.without": Call(data.without, {"alternatives": ("a",)}),
    }


def _file() -> dict[str, Any]:
    """How a text file is read, with values that serve."""
    return {
        "labels": ["group"],
        "codes": None,
        "missing": ["NA"],
        "separator": ",",
        "decimal": ".",
        "encoding": "utf-8",
        "table": None,
    }
