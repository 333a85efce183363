"""Which parameters can be constants of a posterior, and the words of those that are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.bayes.importance_check import why_not_whitened
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.parameter import SD


def check_held(problem: Problem, priors: Mapping[str, Any] | None, noncentred: bool) -> None:
    """Refuse what a posterior does not hold, and priors of what it does.

    Raises
    ------
    SpecificationError
        As `check_holdable`, or if a prior is given for what is held.
    """
    check_holdable(problem, noncentred)
    both = [name for name, _ in problem.model.constraints.fixed if name in (priors or {})]
    if both:
        raise SpecificationError(f"priors[{both[0]!r}]: the parameter is held; give one of them")


def check_holdable(problem: Problem, noncentred: bool = True) -> None:
    """Refuse what a posterior does not hold.

    In whitened coordinates with the logarithms of standard deviations, parameters are constants
    where each is an entry of the free vector of its own.

    Raises
    ------
    SpecificationError
        If parameters are tied or bounded, a standard deviation is held at 0, a correlation
        elsewhere, or the path has no such coordinates.
    """
    given, constraint = problem.model.constraints, problem.constraint
    if not given:
        return
    if constraint is None or given.equal or given.linear or given.bounds:
        forms = (
            (given.equal, "of equal coefficients add the columns in the formula"),
            (given.linear, "of a linear constraint write its columns' combination in the formula"),
            (given.bounds, "in place of a bound give a prior, priors=, or a law of one sign"),
        )
        remedies = "; ".join(words for has, words in forms if has)
        raise SpecificationError(
            f"posteriors hold parameters, and neither tie nor bound them ({given})"
            f"{f': {remedies}' if remedies else ''}; or fit by bm.msle"
        )
    if why_not_whitened(problem) or not noncentred:
        raise SpecificationError(
            f"posteriors hold parameters ({given}) where coefficients are random, without latent "
            "classes, and with noncentred=True: give known utilities (offset=), or fit by bm.msle"
        )
    own = np.eye(problem.parameters.size)[:, constraint.free]
    still = [n for n, v in given.fixed if v == 0 and _is_deviation(problem, n)]
    if still or not np.array_equal(constraint.directions, own):
        raise SpecificationError(
            f"posteriors hold no standard deviation at 0, and correlations at 0 alone ({given}): "
            "leave out the law of a coefficient that does not vary, or fit by bm.msle"
        )


def with_held(problem: Problem, table: pd.DataFrame) -> pd.DataFrame:
    """A table of priors that says what is held, and where."""
    for name, value in problem.model.constraints.fixed:
        if name in table.index:
            table.loc[name, "law"] = "held"
            table.loc[name, "location"] = value
            table.loc[name, "scale"] = 0.0
    return table


def _is_deviation(problem: Problem, name: str) -> bool:
    return any(str(p) == name and p.kind == SD for p in problem.parameters.listed)
