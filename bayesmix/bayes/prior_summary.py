"""Priors in words and numbers: what people look at before they sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from bayesmix.arrays import Array
from bayesmix.bayes.class_priors import ClassPriors, class_priors
from bayesmix.bayes.prior_defaults import default_laws
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.parameter import CORRELATION, FIXED, MEAN, SD, SHIFT, Parameter

LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)
COLUMNS = ("2.5 %", "25 %", "50 %", "75 %", "97.5 %")


def prior_summary(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> pd.DataFrame:
    """Law, standard deviation and quantiles of every parameter's prior, and its natural unit.

    Columns ``law`` (in words), ``sd``, ``2.5 %`` to ``97.5 %``, ``unit`` and ``scaled to`` (what
    the unit is), by flat name. Of correlations they are each one's own, of LKJ's law; those of
    covariances with an inverse-Wishart prior are blank.
    """
    priors, units = class_priors(problem, given), _units(problem)
    held = dict(problem.model.constraints.fixed)
    rows: dict[str, list[object]] = {}
    for parameter in problem.parameters.listed:
        name = str(parameter)
        unit, words = units.get(name, (1.0, ""))
        if name in held:
            rows[name] = [f"held at {held[name]:g}", 0.0, *[held[name]] * 5, unit, words]
        elif parameter.kind == CORRELATION:
            rows[name] = [*_of_correlation(problem, priors, parameter), 1.0, "-1 to 1"]
        elif priors.laws[name].kind == "none":
            whole = make_priors(problem, given).table
            law = whole.loc[name, "law"] if name in whole.index else _wishart(whole, parameter)
            rows[name] = [law, *[np.nan] * 6, unit, words]
        else:
            own = priors.laws[name]
            quantiles = np.asarray(own.frozen.ppf(LEVELS), dtype=float)
            rows[name] = [str(own), float(own.frozen.std()), *quantiles, unit, words]
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["law", "sd", *COLUMNS, "unit", "scaled to"]
    )
    table.index.name = "parameter"
    return table


def _units(problem: Problem) -> dict[str, tuple[float, str]]:
    """Natural unit of every parameter, and what it is, by flat name."""
    within, space = problem.within, problem.parameters
    defaults = default_laws(within)
    found = {
        str(parameter): (defaults[str(parameter)][1], _words(within, parameter))
        for parameter in within.parameters.listed
        if str(parameter) in defaults
    }
    for places in space.select_printed:
        for parameter, place in zip(within.parameters.listed, places, strict=True):
            if str(parameter) in found:
                found[space.names[place]] = found[str(parameter)]
    return found


def _words(within: Problem, parameter: Parameter) -> str:
    """What a parameter's prior is scaled to."""
    if parameter.kind not in (MEAN, SD, FIXED, SHIFT):
        return ""
    term, design = parameter.terms[0], within.design
    names = [*design.random_names, *design.fixed_names]
    place = names.index(term)
    if place < len(within.index) and within.index[place]:
        law = design.coefficients[place].law
        return f"an index of a {law.words} law, which has no unit"
    size = f"a difference of {design.spread[place]:.4g} in {term}"
    if within.price >= 0 and place != within.price:
        words = f"{size}, worth {design.spread[within.price]:.4g} of {names[within.price]}"
    else:
        words = f"1 util of {size}"
    return words + (", over the covariate's size" if parameter.kind == SHIFT else "")


def _of_correlation(problem: Problem, priors: ClassPriors, parameter: Parameter) -> list[object]:
    """Of one correlation of n coefficients: ``(r + 1) / 2`` is beta(eta + (n - 2) / 2, .)."""
    laws = problem.within.model.laws
    n = next(k for k, law in enumerate(laws) if set(parameter.terms) <= set(law.terms))
    eta, size = priors.etas[n], len(laws[n].terms)
    wishart = f"cov[{', '.join(laws[n].terms)}]"
    if wishart in priors.table.index:
        return [str(priors.table.loc[wishart, "law"]), *[np.nan] * 6]
    assert eta is not None
    own = stats.beta(eta + (size - 2) / 2, eta + (size - 2) / 2, -1, 2)
    quantiles: Array = own.ppf(LEVELS)
    return [f"LKJ(eta={eta:g}) of {size}", float(own.std()), *quantiles]


def _wishart(table: pd.DataFrame, parameter: Parameter) -> str:
    for name in table.index:
        inside = str(name).removeprefix("cov[").removesuffix("]").split(", ")
        if str(name).startswith("cov[") and parameter.terms[0] in inside:
            return str(table.loc[name, "law"])
    return ""
