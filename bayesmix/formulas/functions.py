"""The functions that formulas know: what is computed row by row, and what is learnt once.

A formula is data: nothing that stands in it is run, and its functions are those of these tables. A
statistic of a column, ``price.mean()`` or ``np.max(price)``, is a number that is learnt from the
data of an estimation, as the centre of ``center(price)`` is, and kept on all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from formulaic.transforms import TRANSFORMS, C
from formulaic.transforms.contrasts import (
    DiffContrasts,
    HelmertContrasts,
    PolyContrasts,
    SASContrasts,
    SumContrasts,
    TreatmentContrasts,
)

from bayesmix.arrays import Array


class Treatment(TreatmentContrasts):  # type: ignore[misc]  # formulaic has no types
    """Contrasts with one level, the base; columns are called by their level alone."""

    FACTOR_FORMAT_REDUCED = "{name}[{field}]"


class LastBase(SASContrasts):  # type: ignore[misc]  # formulaic has no types
    """Contrasts with the last level."""

    FACTOR_FORMAT_REDUCED = "{name}[{field}]"


def _rounded(values: Any, decimals: Any = 0.0) -> Any:
    return np.round(values, int(decimals))


_SAME = (
    *("log", "log10", "log2", "log1p", "exp", "exp2", "expm1", "sqrt", "cbrt", "square", "abs"),
    *("sign", "floor", "ceil", "trunc", "maximum", "minimum", "where", "clip", "power", "hypot"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
)
_NUMPY_ALONE = (
    *("absolute", "rint", "reciprocal", "add", "subtract", "multiply", "divide", "mod"),
    *("float_power", "fmax", "fmin", "heaviside", "interp", "digitize", "isin", "negative"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
    *("logical_and", "logical_or", "logical_not"),
)

ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in _SAME},
    **{f"np.{name}": getattr(np, name) for name in (*_SAME, *_NUMPY_ALONE)},
    "exp10": partial(np.power, 10.0),
    "I": lambda values: values,
    **dict.fromkeys(("round", "np.round"), _rounded),
}
"""Functions whose value in a row depends on that row alone."""

STATEFUL: Mapping[str, Callable[..., Any]] = {
    name: TRANSFORMS[name]
    for name in ("center", "scale", "standardize", "poly", "bs", "cs", "cr", "cc")
}
"""Transforms that learn centres, scales or knots."""

STATISTICS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("mean", "median", "min", "max", "sum", "std", "var")},
    **{name: getattr(np, name) for name in ("quantile", "percentile", "ptp")},
    "amax": np.max,
    "amin": np.min,
}
"""Statistics of a column, written ``np.mean(x)`` or ``x.mean()``."""

OPTIONS = {"std": "ddof", "var": "ddof", "quantile": "q", "percentile": "q"}
"""The one option that a statistic has; a quantile's may stand without its name."""

METHODS = ("abs", "clip", "round")
"""Methods of a column that are functions of `ELEMENTWISE`."""

CONTRASTS: Mapping[str, Callable[..., Any]] = {
    "contr.treatment": Treatment,
    "contr.SAS": LastBase,
    "contr.sum": SumContrasts,
    "contr.helmert": HelmertContrasts,
    "contr.poly": PolyContrasts,
    "contr.diff": DiffContrasts,
    "Treatment": lambda reference=None: _treatment(reference),
    "Sum": SumContrasts,
    "Helmert": HelmertContrasts,
    "Poly": PolyContrasts,
    "Diff": DiffContrasts,
}
"""Contrasts of categories, the second argument of ``C()``."""


def category(data: Any, contrasts: Any = None, **options: Any) -> Any:
    """``C()``: values as categories, against the first level where nothing else is said."""
    if isinstance(options.get("levels"), list | tuple):
        options["levels"] = [_in_data(level) for level in options["levels"]]
    return C(data, Treatment() if contrasts is None else contrasts, **options)


def _in_data(level: Any) -> Any:
    """A level as the data have it, whose True and False are 1 and 0."""
    return int(level) if isinstance(level, bool | np.bool_) else level


def _treatment(reference: Any = None) -> Treatment:
    return Treatment() if reference is None else Treatment(_in_data(reference))


CONSTANTS: Mapping[str, float] = {"np.pi": float(np.pi), "np.e": float(np.e)}

KNOWN = (
    *("C", "Q"),
    *ELEMENTWISE,
    *STATEFUL,
    *CONTRASTS,
    *(f"np.{name}" for name in STATISTICS),
)
"""Names of all functions, for hints."""


def statistic(name: str, values: Array, option: float | None, *, method: bool) -> float:
    """A statistic of a column: of a method the one of pandas, which divides by n - 1."""
    function = STATISTICS[name]
    if name in ("std", "var"):
        return float(function(values, ddof=float(method) if option is None else option))
    if name in ("quantile", "percentile"):
        return float(function(values, 0.5 if option is None else option))
    return float(function(values))
