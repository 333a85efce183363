"""Every argument of every public function, given values that are not of its kind."""

import inspect
import time
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import bayesmix as bm
from tests.arguments.calls import Call, calls
from tests.arguments.things import made

OURS = (bm.DataError, bm.SpecificationError, bm.IntegrationError, bm.ConvergenceError)
SECONDS = 10.0
"""A refusal takes no longer, on any machine."""


class Stranger:
    """Something that no argument is."""

    def __repr__(self) -> str:
        return "Stranger()"


WRONG: Mapping[str, Any] = {
    "an object": Stranger(),
    "a half": 2.5,
    "minus one": -1,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "True": True,
    "a word": "nonsense",
    "nothing": "",
    "bytes": b"x",
    "an empty list": [],
    "numbers": [1, 2],
    "a mapping": {"x": 1},
    "a matrix": np.zeros((2, 3)),
    "a frame": pd.DataFrame({"x": [1]}),
    "None": None,
    "a pair": (1, "a"),
}

FINE: Mapping[str, tuple[str, ...]] = {
    # Of any function: what these options may be, besides the value in the call.
    "rng": ("None",),
    "compare_laws.wtp_of": ("an empty list",),
    "scaled": ("True",),
    "mu": ("a half", "minus one"),
    "sigma": ("a half",),
    "progress": ("True",),
    "noncentred": ("True",),
    "moments": ("True",),
    "antithetic": ("True",),
    "intervals": ("True",),
    "differences": ("True",),
    "uncertainty": ("None", "True"),
    "outside_option": ("True",),
    "sign": ("minus one", "None"),
    "eta": ("a half",),
    "inflation": ("a half",),
    "halves": ("True",),
    "lower": ("a half", "minus one"),
    "upper": ("a half", "infinity"),
    "zero_bounded": ("True",),
    "bounded": ("True",),
    "term": ("a word",),
    "terms": ("a word",),
    "members": ("a word",),
    "mean": ("a word", "True"),
    "share": ("a word",),
    "formula": ("a word",),
    "wtp": ("a word",),
    "scale": ("a word",),
    # Its sign is looked at where its size is known.
    "InverseWishart.scale": ("a half", "numbers", "a frame", "minus one"),
    "std_errors": ("a half",),
    "report.path": ("a word",),
    "report.title": ("a word",),
    "report.reproduce": ("a word", "nothing"),
    "ChoiceData.from_wide.alternatives": ("a mapping",),
    "caption": ("a word",),
    "label": ("a word",),
    # Columns are looked up where data are known.
    "ControlFunction.price": ("a word",),
    "ControlFunction.instruments": ("a word",),
    "ControlFunction.on": ("a word",),
    "ControlFunction.exogenous": ("a word",),
    "ControlFunction.cluster": ("a word",),
    "notes": ("an empty list",),
    "random": ("an empty list",),
    "covariates": ("an empty list",),
    "attributes": ("an empty list",),
    "equal": ("an empty list",),
    "linear": ("a word", "an empty list"),
    "Constraints.fixed": ("a mapping",),
    "df": ("a half",),
    "mean_precision": ("a half",),
    "mean_location": ("a half", "minus one", "numbers"),
    "estimates": ("a half",),
    "loglik": ("a half",),
    # Anything is an attribute until a model uses it.
    "value": ("a half", "minus one", "infinity", "True", "a word", "nothing", "bytes", "an object"),
    "result": ("a frame",),
    "name": ("a word",),
    "labels": ("an empty list",),
    "stars": ("True",),
    "codes": ("an empty list",),
    "missing": ("an empty list",),
    "change": ("a half", "minus one", "True"),
    "arc": ("a half",),
    "column": ("a word",),
    "allow_positive": ("True",),
    "specific": ("a half", "minus one"),
    "ad_valorem": ("a half",),
    "ownership": ("a word",),
    "Firms.price": ("a word",),
    "Firms.market": ("a word",),
    "Firms.products": ("a word",),
    "values": ("a half", "minus one"),
    "file": ("a word",),
    "checkpoint": ("a word",),
    "refit": ("True",),
    "exact": ("an empty list", "numbers"),
    "adding": ("True",),
    "correlated": ("True",),
    "nonparametric.tolerance": ("a half",),
    "Types.grid": ("a mapping", "a frame"),
    "store": ("a word",),
    "ChoiceData.from_parquet.columns": ("an empty list",),
}


def allowed(name: str, call: Call, argument: str, value: str) -> bool:
    """Whether an argument may have this value: listed, or the function's own default of None."""
    if value == "None":
        parameters = inspect.signature(call.function).parameters
        return argument not in parameters or parameters[argument].default is None
    return value in FINE.get(f"{name}.{argument}", FINE.get(argument, ()))


def invoke(call: Call, given: Mapping[str, Any]) -> Any:
    """The call, with what is given to ``*terms`` in its place."""
    arguments = dict(given)
    for parameter in inspect.signature(call.function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            first = arguments.pop(parameter.name)
            several = first if isinstance(first, tuple) and first != (1, "a") else (first,)
            return call.function(*several, **arguments)
    return call.function(**arguments)


def names(error: ValueError, argument: str, value: Any, function: str) -> bool:
    """Whether a message leads to what is wrong: the argument, its value, or what that holds."""
    held = list(value) if isinstance(value, dict | list | tuple) else []
    words = [argument, function, repr(value), type(value).__name__, *map(repr, held)]
    return any(word in str(error) for word in [*words, "column '"])


@pytest.fixture(scope="session")
def every() -> dict[str, Call]:
    matplotlib.use("Agg")
    return calls(made())


METHODS = (
    "ChoiceData.from_long",
    "ChoiceData.from_parquet",
    "ChoiceData.from_wide",
    "ChoiceData.with_attribute",
    "ChoiceData.with_population_shares",
    "ChoiceData.without",
    "Fit.confidence_intervals",
)
RESULTS = {
    "Bootstrap",
    "ChoiceData",
    "Counterfactual",
    "Coverage",
    "CrossValidation",
    "CrossValidations",
    "Diagnosis",
    "FirstStageResult",
    "Fit",
    "HypothesisTest",
    "Loo",
    "MarketConstants",
    "MatchedShares",
    "MeanUtilities",
    "Report",
    "RegressionTable",
    "SBC",
    "LawComparison",
    "StudyRun",
    "TypesFit",
}
"""Records that functions return, and that nobody makes by hand."""


def functions() -> list[str]:
    """Names of all public functions, of records that people make, and of some methods."""
    public = [name for name in bm.__all__ if callable(getattr(bm, name))]
    errors = {kind.__name__ for kind in OURS}
    elsewhere = {"on_workers"}  # needs a cluster: tests/likelihood/test_cluster.py
    return [*(name for name in public if name not in errors | RESULTS | elsewhere), *METHODS]


@pytest.mark.parametrize("name", functions())
def test_what_is_of_another_kind_is_refused_by_name(every: dict[str, Call], name: str) -> None:
    call = every[name]
    faults = []
    for argument in call.arguments:
        for kind, value in WRONG.items():
            if allowed(name, call, argument, kind):
                continue
            begun = time.perf_counter()
            try:
                invoke(call, {**call.arguments, argument: value})
                said = "accepted"
            except OURS as error:
                said = "" if names(error, argument, value, name) else f"does not name it: {error}"
            except Exception as error:  # what users must never see
                said = f"foreign: {type(error).__name__}: {error}"
            if time.perf_counter() - begun > SECONDS:
                said = f"slow: {said}"
            if said:
                faults.append(f"{name}({argument}={kind}) {said}")
    pyplot.close("all")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", functions())
def test_calls_are_valid_as_they_stand(every: dict[str, Call], name: str) -> None:
    # Else every refusal would be one of something else.
    if name in {"sample", "bootstrap", "mss", "sbc", "report"}:
        pytest.skip("tested by itself: it takes some seconds")
    invoke(every[name], every[name].arguments)
    pyplot.close("all")


def test_there_are_enough_of_them(every: dict[str, Call]) -> None:
    count = sum(
        not allowed(name, call, argument, kind)
        for name, call in every.items()
        for argument in call.arguments
        for kind in WRONG
    )
    assert count >= 4_000
