"""What results are of and how they were estimated, beside one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.bayes.read import attributes_of, effective_draws, held_names, posterior_group
from bayesmix.classical.estimates import OF_TYPES
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.reporting.compare_rules import grid_at
from bayesmix.reporting.named_draws import flat_items, population_variables

CERTIFICATE = "certificate"
COMMON = "log-likelihood, common grid"
FORMATS = {
    "persons": "{:,}",
    "situations": "{:,}",
    "parameters": "{}",
    "draws": "{:,}",
    "effective draws": "{:,.0f}",
    "Pareto k": "{:.2f}",
    "log-likelihood": "{:.3f}",
    COMMON: "{:.3f}",
    "AIC": "{:.1f}",
    "BIC": "{:.1f}",
    "seconds": "{:.1f}",
}


def model_facts(
    results: Mapping[str, Any], grid: Rule | Centred | None = None, *, certificates: bool = False
) -> pd.DataFrame:
    """A column a result, of anything; a row a fact, in order; NaN where it is not known.

    With ``grid`` fits have their log-likelihoods on nodes of this one rule too, the same for all:
    those of seed 0, centred on each fit's own estimates where the rule is.
    """
    columns = {}
    for label, result in results.items():
        facts = _of_fit(result) if isinstance(result, Fit) else _of_draws(result, certificates)
        if grid is not None and isinstance(result, Fit):
            facts = _after(facts, "log-likelihood", {COMMON: _on(result, grid, str(label))})
        if certificates and isinstance(result, Fit) and result.integration is not None:
            facts[CERTIFICATE] = str(result.integration)
        columns[label] = facts
    order = [*dict.fromkeys(name for facts in columns.values() for name in facts)]
    # Of what one result alone has the place is that in the result's own order.
    order.sort(key=lambda name: ORDER.index(name))
    return pd.DataFrame(columns, index=order, dtype=object)


ORDER = (
    "method", "persons", "situations", "draws", "effective draws", "Pareto k", "parameters",
    "log-likelihood", COMMON, "AIC", "BIC", "grid", CERTIFICATE, "seconds",
)  # fmt: skip


def in_words(facts: pd.DataFrame) -> pd.DataFrame:
    """The same as text, blank where it is not known."""
    rows = {
        name: ["" if _unknown(v) else FORMATS.get(str(name), "{}").format(v) for v in row]
        for name, row in zip(facts.index, facts.to_numpy(object), strict=True)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=facts.columns)


def below(facts: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The facts as text, and what is too long for a column as a sentence for each result."""
    if CERTIFICATE not in facts.index:
        return in_words(facts), []
    known = {label: words for label, words in facts.loc[CERTIFICATE].items() if not _unknown(words)}
    sentences = [f"{label}: {words}" for label, words in known.items()]
    return in_words(facts.drop(index=CERTIFICATE)), sentences


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _after(facts: dict[str, Any], name: str, more: dict[str, Any]) -> dict[str, Any]:
    return facts | more if name in facts else facts


def _of_draws(result: Any, certificates: bool) -> dict[str, Any]:
    if not hasattr(result, "children"):
        return {}
    sizes, known = posterior_group(result).sizes, posterior_group(result).attrs
    draws = sizes.get("chain", 1) * sizes.get("draw", 1)
    facts = {"method": "posterior", "draws": int(draws)}
    if known.get("method") == "importance":  # resampled draws, which no autocorrelation tells
        facts["method"] = "importance sampling"
        worth = effective_draws(posterior_group(result))
        facts |= {"effective draws": worth, "Pareto k": float(known["pareto_k"])}
    if "log_likelihood" in result.children:
        facts["persons"] = int(result["log_likelihood"].sizes.get("person", 0)) or None
    own = posterior_group(result)
    names = {name for name, _ in flat_items(own[population_variables(own)])}
    facts["parameters"] = len(names - set(held_names(result)))
    if "grid" in known:
        facts["grid"] = str(attributes_of(result)["grid"])
    if certificates and "integration" in known:
        facts[CERTIFICATE] = str(known["integration"])
    return facts


def _of_fit(fit: Fit) -> dict[str, Any]:
    facts = {
        "method": fit.estimator,
        "persons": fit.n_persons,
        "situations": fit.n_situations,
        "parameters": fit.n_parameters,
        "log-likelihood": fit.loglik,
    }
    if fit.estimator in OF_TYPES:  # classes that are none in the fit are no parameters, and shares
        del facts["parameters"]  # that are a logit have fewer: found.logit knows
    if fit.estimator == "MSLE":
        facts |= {"AIC": fit.aic, "BIC": fit.bic}
    if fit.space.n_random:
        facts["grid"] = str(fit.grid.rule)
    return facts | {"seconds": fit.seconds}


def _on(fit: Fit, rule: Rule | Centred, label: str) -> float:
    """The log-likelihood at a fit's estimates, on nodes of a rule."""
    if fit.problem is None:
        raise SpecificationError(
            f"argument 'grid': the fit {label!r} was loaded without its data, and its "
            "log-likelihood cannot be computed: bm.Fit.load(path, data)"
        )
    if not fit.space.n_random:
        return fit.loglik
    nodes = grid_at(fit.problem, rule, fit.theta, np.random.default_rng(0))
    by_person = Likelihood(fit.problem, nodes).by_person(fit.theta)[0]
    return float(fit.problem.data.weights @ by_person)
