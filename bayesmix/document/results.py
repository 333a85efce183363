"""Sections on data, model and estimates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import xarray as xr

from bayesmix.bayes.read import attributes_of
from bayesmix.classical.estimates import OF_TYPES
from bayesmix.classical.fit import Fit
from bayesmix.classical.types_fit import moments, points_and_shares
from bayesmix.data.choices import ChoiceData
from bayesmix.document.formula import EXPLAINED, formulas
from bayesmix.document.guard import guarded
from bayesmix.document.html import (
    Section,
    folded,
    listed,
    paragraph,
    picture,
    table,
    text,
    verbatim,
)
from bayesmix.likelihood.problem import Problem
from bayesmix.reporting.compare import compare
from bayesmix.reporting.diagnose import diagnose
from bayesmix.reporting.explain_difference import explain_difference
from bayesmix.reporting.forest import plot_forest

Results = Mapping[str, Fit | xr.DataTree]
PRIORS = "priors"
BESIDE = ("first_stage", "market_shares")
"""Attributes of posteriors that say what is drawn beside parameters, and with which prior."""
MOST_PARAMETERS = 60
"""Up to which the picture of estimates is drawn: beyond, it is a wall of lines."""


def data_section(data: ChoiceData) -> Section:
    """Who chose what: counts, shares."""
    found = data.summary()
    counts = pd.DataFrame({"count": [f"{value:g}" for value in found.counts]}, found.counts.index)
    content = table(counts) + table(found.alternatives)
    return Section("data", "Data", content)


def model_section(problems: Mapping[str, Problem]) -> Section:
    """Each model once, in words and as a formula, with the results that are of it."""
    groups: dict[str, list[str]] = {}
    for label, problem in problems.items():
        groups.setdefault(_described(problem), []).append(label)
    parts = []
    for words, labels in groups.items():
        if len(groups) > 1:
            parts.append(f"<h3>{text(', '.join(labels))}</h3>")
        parts += [verbatim(words), formulas(problems[labels[0]])]
    return Section("model", "Model", "".join([*parts, paragraph(EXPLAINED, "soft")]))


def _described(problem: Problem) -> str:
    space = problem.parameters
    fixed = f"\n  fixed     {', '.join(space.fixed)}" if space.fixed else ""
    return f"{problem.model}{fixed}\n  {space.size} parameters"


def estimates_section(results: Results) -> Section:
    """Side by side; each result's own summary below. Of types there are marginals, no points."""
    parts: list[str] = []
    compared = {label: one for label, one in results.items() if not _is_of_types(one)}
    if compared:
        parts += _compared(compared)
    for label, result in results.items():
        if not isinstance(result, Fit):
            continue
        parts.append(f"<h3>{text(label)}</h3>{paragraph(result.headline(), 'note')}")
        if _is_of_types(result):
            terms = result.model.latent.terms
            found = points_and_shares(result.space, result.theta, terms)
            words = f"Coefficients over people, of {len(found[1])} points and their shares:"
            parts += [paragraph(words), table(moments(terms, *found).to_frame("estimate"))]
        else:
            parts.append(folded(f"{label}: summary, implied moments", table(result.summary())))
    return Section("estimates", "Estimates", "".join(parts))


def _is_of_types(result: Fit | xr.DataTree) -> bool:
    """Whether its parameters are points of coefficients and their shares, often hundreds."""
    return isinstance(result, Fit) and result.estimator in OF_TYPES


def _compared(results: Results) -> list[str]:
    found = compare(results, differences=len(results) > 1)
    words = (
        "Fits: estimate and standard error (robust, by person unless said otherwise). Posteriors: "
        "mean and standard deviation."
    )
    if len(results) > 1:
        first = next(iter(results))
        words += f" Difference: from {first}, in its standard errors (posterior sd)."
    parts = [paragraph(words), table(found), listed(found.units)]
    if len(found) <= MOST_PARAMETERS:
        caption = "Estimates with 50 % (thick) and 95 % (thin) intervals"
        parts.append(picture(plot_forest(results), caption))
    return parts


def accuracy_section(results: Results) -> Section:
    """How far numbers on grids are from integrals: the certificate of each result."""
    parts = []
    for label, result in results.items():
        if isinstance(result, Fit):
            words = str(result.integration) if result.integration is not None else (
                "no certificate: nothing was integrated, or the fit is by moments or scores"
            )  # fmt: skip
        else:
            known = attributes_of(result)
            words = str(known.get("integration", "no certificate: people were sampled one by one"))
        parts.append(f"<h3>{text(label)}</h3>{paragraph(words)}")
    return Section("accuracy", "Accuracy of the integrals", "".join(parts))


def diagnostics_section(results: Results) -> Section | None:
    """Whether the draws of posteriors can be relied upon, and the priors; None without any."""
    parts = []
    for label, result in results.items():
        if isinstance(result, Fit):
            continue
        seen, known = diagnose(result), attributes_of(result)
        checks = seen.table[["value", "wanted", "meaning"]]
        parts += [f"<h3>{text(label)}</h3>", paragraph(seen.headline()), listed(seen.troubles)]
        parts += [table(checks), folded(f"{label}: by parameter", table(seen.parameters))]
        if PRIORS in known:
            words = "\n".join(str(known[name]) for name in (PRIORS, *BESIDE) if name in known)
            parts.append(folded(f"{label}: priors", verbatim(words)))
    return Section("diagnostics", "Diagnostics of draws", "".join(parts)) if parts else None


def differences_section(results: Results, data: ChoiceData, rng: int) -> Section | None:
    """What lies between the first MSLE and each posterior: integration, prior, skewness."""
    fits = {k: r for k, r in results.items() if isinstance(r, Fit) and r.estimator == "MSLE"}
    draws = {k: r for k, r in results.items() if not isinstance(r, Fit)}
    if not fits or not draws:
        return None
    first, fit = next(iter(fits.items()))
    parts = [
        paragraph(
            f"Posterior mean minus {first}, in posterior standard deviations, and the parts that "
            "add up to it: what the search left, integration (1,024 nodes against the fit's own), "
            "the priors, and skewness, for a mean is not a mode. The last column is the Monte "
            "Carlo standard error of the draws' means, which skewness has in it."
        )
    ]
    for label, posterior in draws.items():
        caption = f"{label}: parts of the difference from {first}"
        split = guarded(partial(_split, (fit, posterior), data, rng, caption))
        parts += [f"<h3>{text(label)}</h3>", split]
    return Section("differences", "What changed between methods, and why", "".join(parts))


def _split(pair: tuple[Fit, xr.DataTree], data: ChoiceData, rng: int, caption: str) -> str:
    found = explain_difference(*pair, data, rng=rng)
    return table(found.parts.round(4)) + picture(found.plot(), caption)
