"""Starting values that a researcher gives: by flat name, from a fit, or from a posterior."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.estimates import Estimates
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.model import MixedLogit

if TYPE_CHECKING:
    import xarray as xr

type Start = Mapping[str, float] | pd.Series | Estimates | xr.DataTree
MEANING = "values by flat name, a fit, or a posterior of bm.sample"


def refuse_bounds(model: MixedLogit, estimator: str) -> None:
    """Refuse bounds where an estimator does not know them.

    Raises
    ------
    SpecificationError
        If the model has any.
    """
    if model.constraints.bounds:
        raise SpecificationError(
            f"{estimator} knows no bounds on parameters ({model.constraints}): use msle, or hold "
            "parameters at a value, fixed="
        )


def check_starts(starts: int | Sequence[Start], most: int) -> int:
    """Number of starts.

    Raises
    ------
    SpecificationError
        If they are neither a number nor a list of starts.
    """
    if isinstance(starts, list | tuple):
        if not starts:
            raise arguments.refused("starts", "a number, or a list of starts", starts)
        return len(starts)
    return arguments.whole("starts", starts, most=most)


def with_given(
    problem: Problem, origins: Sequence[Array], given: Sequence[Start | None]
) -> list[Array]:
    """Free vectors to start from, the first of which are completed by ``given`` values."""
    argument = "start" if len(given) == 1 else "starts"
    padded = [*given, *[None] * (len(origins) - len(given))]
    pairs = zip(origins, padded, strict=True)
    return [o if s is None else completed(problem, o, s, argument) for o, s in pairs]


def completed(problem: Problem, theta: Array, start: Start, argument: str = "start") -> Array:
    """The free vector of ``start``, in what it has no value for that of ``theta`` (P,).

    Raises
    ------
    SpecificationError
        If a name is no parameter, a fit or posterior has none of them, or values are refused by
        `ParameterSpace.theta`.
    """
    space = problem.parameters
    if isinstance(start, Estimates) and start.space.names == space.names:
        return problem.canonical(start.theta)
    values = _by_name(start, argument)
    unknown = [name for name in values if name not in space.names]
    if len(unknown) == len(values) and (isinstance(start, Estimates) or _is_posterior(start)):
        raise SpecificationError(
            f"argument {argument!r} has no parameter in common with the model: it has "
            f"{', '.join(values)}, the model {', '.join(space.names)}"
        )
    if unknown and not (isinstance(start, Estimates) or _is_posterior(start)):
        raise SpecificationError(
            f"argument {argument!r} has {unknown[0]!r}, which is no parameter of the model: "
            f"{nearest(unknown[0], space.names)}"
        )
    whole = dict(zip(space.names, space.natural(theta), strict=True))
    known = {name: value for name, value in values.items() if name in whole}
    try:
        return problem.canonical(space.theta(whole | known))
    except SpecificationError as error:
        raise SpecificationError(f"argument {argument!r}: {error}") from None


def written(start: Start | None, argument: str = "start") -> str:
    """A start in words that tell it from others."""
    if start is None:
        return "none"
    if isinstance(start, Estimates):
        return f"{start.space.names} {start.theta.tolist()}"
    return json.dumps({name: float(value) for name, value in _by_name(start, argument).items()})


def _is_posterior(start: Any) -> TypeGuard[xr.DataTree]:
    # A fit need not import xarray: who has a tree has done so.
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(start, xarray.DataTree)


def _by_name(start: Start, argument: str) -> dict[str, float]:
    if isinstance(start, Estimates):
        return {str(name): float(value) for name, value in start.params.items()}
    if _is_posterior(start):
        return _posterior_means(start, argument)
    given = start.to_dict() if isinstance(start, pd.Series) else start
    return arguments.mapping(argument, given, MEANING)


def _posterior_means(tree: xr.DataTree, argument: str) -> dict[str, float]:
    if "posterior" not in tree.children:
        raise arguments.refused(argument, MEANING, tree)
    found = {}
    for kind, draws in tree["posterior"].to_dataset().data_vars.items():
        if "person" in draws.dims or draws.ndim != 3:
            continue
        labels = draws[draws.dims[-1]].to_numpy()
        for label, mean in zip(labels, draws.mean(("chain", "draw")).to_numpy(), strict=True):
            if np.isfinite(mean):
                found[f"{kind}[{label}]"] = float(mean)
    return found
