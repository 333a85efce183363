"""Fits as tables for papers, with notes."""

from __future__ import annotations

from collections.abc import Sequence

from bayesmix.classical.covariance import weighting
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.summary import summary
from bayesmix.data.booktabs import tabular

KINDS = {
    "robust": "robust standard errors by person",
    "hessian": "standard errors from the curvature",
    "opg": "standard errors from the outer product of scores",
}


def fit_to_latex(
    fit: Estimates,
    *,
    kind: str | None,
    caption: str | None,
    label: str | None,
    digits: int,
    notes: Sequence[str] = (),
) -> str:
    """`Fit.to_latex`, and further notes below its own."""
    used = fit.information.kind if kind is None else kind
    below = [*_notes(fit, used), *notes]
    return tabular(
        summary(fit, level=0.95, kind=used),
        notes=below,
        caption=caption,
        label=label,
        digits=digits,
    )


def _notes(fit: Estimates, kind: str) -> list[str]:
    criteria = f", AIC {fit.aic:.1f}, BIC {fit.bic:.1f}" if fit.estimator == "MSLE" else ""
    notes = [
        f"{fit.n_persons} persons, {fit.n_situations} situations; {fit.estimator}, log-likelihood "
        f"{fit.loglik:.3f} (multinomial logit {fit.loglik_multinomial:.3f}){criteria}.",
        f"{_capital(errors_of(fit, kind))}.",
    ]
    if fit.information.first is not None:
        notes.append("Standard errors carry the first stage of the control function.")
    words = weighting(fit.weights)
    if words:
        notes.append(f"{_capital(words)}.")
    if fit.integration is not None:
        grid = f"Grid {fit.grid.rule}; " if fit.space.n_random else ""
        notes.append(f"{_capital(f'{grid}{fit.integration}')}.")
    return notes


def errors_of(fit: Estimates, kind: str) -> str:
    """Which standard errors these are, in words."""
    if kind == "cluster":
        found = fit.information
        return f"standard errors by {found.grouped_by}, {found.n_groups} clusters"
    return KINDS[kind]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
