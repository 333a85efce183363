"""A classical fit in a few lines: what was fitted, how well, on which grid, and what to know."""

from __future__ import annotations

import numpy as np

from bayesmix.classical.covariance import Information, weighting
from bayesmix.classical.estimates import OF_TYPES, Estimates
from bayesmix.classical.instrument_strength import control_words
from bayesmix.likelihood.effective_weights import person_unit
from bayesmix.specification.parameter_words import parameter_words

SAME_OPTIMUM = 0.1
"""Nats (of effective persons) between log-likelihoods of one optimum, reached by different ways."""


def headline(fit: Estimates) -> str:
    """`Fit.headline`."""
    lines = [
        f"{_what(fit)}, {fit.n_persons} persons, {fit.n_situations} situations",
        f"log-likelihood {fit.loglik:.3f} (multinomial logit {fit.loglik_multinomial:.3f}), "
        f"{_parameters(fit)}{fit.seconds:.1f} s",
        *([f"grid {fit.grid.rule}"] if fit.space.n_random else []),
        *(() if fit.estimator in OF_TYPES else parameter_words(fit.model)),
        *([_starts(fit)] if len(fit.optima) > 1 else []),
        *filter(None, [weighting(fit.weights)]),
        *([_clusters(fit.information)] if fit.information.groups is not None else []),
        *_control(fit),
        *([] if fit.market_constants is None else [fit.market_constants.words()]),
        fit.message,
        *([fit.problem.design.left_out] if fit.problem and fit.problem.design.empty else []),
    ]
    if fit.integration is not None:
        lines.append(str(fit.integration))
    if fit.overidentification is not None:
        lines.append(str(fit.overidentification))
    return "\n".join(lines)


def _what(fit: Estimates) -> str:
    """Estimator and model; a logit-mixed logit is known by the name of both."""
    return (
        "logit-mixed logit" if fit.estimator == "LML" else f"{fit.estimator} of a {fit.model.kind}"
    )


def _parameters(fit: Estimates) -> str:
    """Number of parameters that are estimated, and what is held and tied besides.

    Nothing of types: classes that are none in the fit, but in its replications, are no parameters.
    """
    if fit.estimator in OF_TYPES:
        return ""
    held = f" ({fit.model.constraints})" if fit.model.constraints else ""
    return f"{fit.n_parameters} parameters{held}, "


def _clusters(found: Information) -> str:
    """Clusters, and what too few of them mean for the covariance matrix."""
    n, size = found.n_groups, found.size
    words = f"standard errors by {found.grouped_by!r}, {n} clusters"
    if n <= size:
        words += (
            f": the covariance matrix of {size} parameters has rank {n - 1} at most, and standard "
            "errors of so few clusters are too small as a rule"
        )
    return words


def _control(fit: Estimates) -> list[str]:
    """The first stage of a control function, and how strong it is."""
    residuals = None if fit.problem is None else fit.problem.design.residuals
    return [] if residuals is None else [control_words(residuals.first)]


def _starts(fit: Estimates) -> str:
    """How many starts reached the best log-likelihood, and what became of the others."""
    optima, unit = fit.optima, person_unit(fit.weights)
    values = optima["loglik"]
    best = values.max()
    others = values[~(values > best - SAME_OPTIMUM * unit)]
    words = (
        f"{len(values) - len(others)} of {len(values)} starts reached the best log-likelihood, "
        f"{best:.3f}"
    )
    if fit.space.n_random:
        words += f" on {optima['grid'].iloc[int(np.nanargmax(values))]}"
        if f"{best:.3f}" != f"{fit.loglik:.3f}":
            words += f", the nodes of the search ({fit.loglik:.3f} on those of the fit)"
    if len(others):
        words += f"; the others {', '.join(f'{v:.3f}' for v in others.sort_values())}"
    return words
