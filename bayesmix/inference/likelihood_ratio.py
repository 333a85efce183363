"""Likelihood ratio tests of nested models, also where variances are 0 under the null."""

from __future__ import annotations

import numpy as np

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.classical.fit import Fit
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.inference.chi_bar import boundary_law
from bayesmix.inference.chi_sum import ChiSum, ratio_scales
from bayesmix.inference.nesting import Nesting, nesting
from bayesmix.inference.null_scores import boundary_covariance
from bayesmix.inference.wald import HypothesisTest, Law, chi_squared, outcome
from bayesmix.optimise.leave_boundary import boundary_names

NOISE = 0.05
"""Nats by which a restricted optimum may lie above the full one, beyond their integration error."""


def lr_test(restricted: Fit, full: Fit) -> HypothesisTest:
    """Likelihood ratio test of a model nested in another.

    ``LR = 2 (log L_full - log L_restricted)``, chi-squared with as many degrees of freedom as there
    are restrictions, unless variances are 0 under the null. They cannot be negative: the law is
    then a mixture of chi-squared laws. One coefficient that does not vary, uncorrelated: half
    ``chi2(0)``, half ``chi2(1)``; with covariances with k others: half ``chi2(k)``, half
    ``chi2(k + 1)``; several uncorrelated ones: a mixture with weights from the correlations of
    their estimates under the null (binomial where they are independent); a covariance matrix of
    several: simulated, with a fixed seed.

    Weights are those of a sample: the test does not depend on their scale. Where they differ
    between persons, or the full fit has clusters, the log-likelihood is a pseudo-likelihood and
    ``LR`` a sum of chi-squared laws with scales, the eigenvalues of ``V B^-1``: of the restricted
    parameters' robust covariance times the inverse of their block of ``H^-1``. The statistic is
    then ``LR`` over the mean of the scales. Weights that are counts of persons are not told from
    others: repeat the persons.

    Parameters
    ----------
    restricted, full
        Fits by maximum simulated likelihood of the same choices with the same weights.

    Returns
    -------
    HypothesisTest
        Its notes hold the integration error of the difference of the log-likelihoods, from the
        certificates, and the p-values at both ends of it.

    Raises
    ------
    SpecificationError
        If a fit is not by maximum likelihood, data or weights differ, the models are not nested, or
        variances are 0 under the null and persons' weights differ.
    ConvergenceError
        If the restricted model has the larger likelihood, beyond the integration error.

    References
    ----------
    Chernoff (1954); Self and Liang (1987); Stram and Lee (1994). With weights: Rotnitzky and Jewell
    (1990); Lumley and Scott (2014); the mean of the scales is Rao and Scott's (1984).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> logit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> mixed = bm.msle(bm.MixedLogit("pf + cl", random=[bm.Normal("cl")]), data, rng=1)
    >>> test = bm.lr_test(logit, mixed)
    >>> test.distribution
    '1/2 chi2(0) + 1/2 chi2(1)'
    >>> bool(test.p_value < 0.001)
    True
    """
    _check_comparable(restricted, full)
    nested = nesting(restricted, full)
    gain = full.loglik - restricted.loglik
    middle, half = _integration_error(restricted, full)
    if gain < -(NOISE * full.information.weights.mean() + abs(middle) + half):
        raise ConvergenceError(
            f"the restricted model's log-likelihood is above the full one's by {-gain:.3f} nats: "
            "the full model's fit is a local maximum; fit it again with more starts"
        )
    unit, law, notes = _law(restricted, full, nested)
    notes += _ratio_notes(full, law, gain / unit, (middle / unit, half / unit))
    notes += _nuisance_notes(restricted, full, nested)
    return outcome("likelihood ratio", nested.null, max(0.0, 2.0 * gain / unit), law, notes)


def _law(restricted: Fit, full: Fit, nested: Nesting) -> tuple[float, Law, list[str]]:
    """By what twice the gain is divided, the law of that under the null, and what to know of it."""
    weights, clusters = full.information.weights, full.information.groups is not None
    equal = bool(np.allclose(weights, weights[0], rtol=1e-12, atol=0.0))
    if nested.blocks:
        if not equal:
            raise SpecificationError(
                f"{nested.null}: persons' weights differ, and the law of a weighted likelihood "
                "ratio is not known where variances are 0 under the null: fit both models without "
                "weights, which is right where the weights depend on attributes alone"
            )
        return _boundary(restricted, full, nested)
    if equal and not clusters:
        return float(weights[0]), chi_squared(nested.free), _one_weight(float(weights[0]))
    if not nested.names:
        raise SpecificationError(
            f"{nested.null}: where persons' weights differ or there are clusters, the law of the "
            "likelihood ratio of ties is not known here: write wald_test(full, ...)"
        )
    scales = ratio_scales(full, nested.names)
    unit = float(scales.mean())
    one = len(scales) == 1
    law = chi_squared(1) if one else ChiSum(tuple(float(s) for s in scales / unit))
    why = "persons' weights differ" if not equal else "there are clusters"
    words = (
        f"{why}, and the law is not that of a likelihood: twice the gain in the log-likelihood is "
        f"divided by {unit:.4g}, from the covariance matrix {full.information.kind!r}"
    )
    return unit, law, [words]


def _nuisance_notes(restricted: Fit, full: Fit, nested: Nesting) -> list[str]:
    """That standard deviations which are not tested are at the boundary 0, where any are."""
    tested = {*nested.names, *(f"sd[{term}]" for term in nested.fixed)}
    fits = [fit for fit in (restricted, full) if fit.problem is not None]
    found = [boundary_names(fit.problem, fit.theta) for fit in fits if fit.problem is not None]
    names = [n for n in dict.fromkeys(name for own in found for name in own) if n not in tested]
    if not names:
        return []
    return [
        f"{', '.join(names)} at the boundary 0, though not tested: the law of the ratio is then "
        "another mixture, and the p-value rough (Self and Liang 1987); hold at 0 in both fits, "
        "or leave out, what does not vary"
    ]


def _boundary(restricted: Fit, full: Fit, nested: Nesting) -> tuple[float, Law, list[str]]:
    """`_law` where variances are 0 under the null, of persons with one weight."""
    covariance, unit = None, float(full.information.weights[0])
    notes = _one_weight(unit)
    if len(nested.fixed) > 1:
        covariance = boundary_covariance(restricted, full, nested)
        if covariance is None:
            notes.append(
                "weights of the mixture: as if estimates of the variances were independent"
            )
    if full.information.groups is not None:
        notes.append("persons are taken to be independent: at a boundary no clusters are known")
    return unit, boundary_law(nested.sizes, nested.free, covariance), notes


def _one_weight(weight: float) -> list[str]:
    return [] if weight == 1 else [f"everybody's weight is {weight:g}: the test is that of 1"]


def _check_comparable(restricted: Fit, full: Fit) -> None:
    for name, fit in (("restricted", restricted), ("full", full)):
        arguments.instance(name, fit, Fit, "a fit, as bm.msle returns it")
        if fit.estimator != "MSLE":
            raise SpecificationError(
                f"argument {name!r}: a likelihood ratio needs two fits by maximum likelihood, got "
                f"one by {fit.estimator}: "
                "wald_test serves other estimators"
            )
    if not full.fingerprint or restricted.fingerprint != full.fingerprint:
        raise SpecificationError(
            f"the fits are of other choices or weights ({restricted.n_persons} and "
            f"{full.n_persons} persons, {restricted.n_situations} and {full.n_situations} "
            "situations): fit both models to the same data"
        )
    one, other = restricted.market_constants, full.market_constants
    same = one is other or (one and other and one.shares.equals(other.shares))
    if not same:
        raise SpecificationError(
            "the fits are not of the same shares of markets: constants that match them are part of "
            "a model, and one has others, or none; fit both with the same market_shares="
        )
    if restricted.model.control is not None:
        raise SpecificationError(
            "argument 'restricted' has a control function, and the law of a likelihood ratio is "
            "not known where residuals of a first stage are in both models: write wald_test(full, "
            "...), whose covariance carries it"
        )


def _integration_error(restricted: Fit, full: Fit) -> tuple[float, float]:
    """Error of the difference of the log-likelihoods, nats: estimate, half-width of 95 %."""
    middle, square = 0.0, 0.0
    for sign, fit in ((1.0, full), (-1.0, restricted)):
        if isinstance(fit.integration, Certificate):
            low, high = fit.integration.error_interval
            middle += sign * fit.integration.error
            square += ((high - low) / 2) ** 2
    return middle, float(np.sqrt(square))


def _ratio_notes(full: Fit, law: Law, gain: float, error: tuple[float, float]) -> list[str]:
    middle, half = error
    notes = []
    if full.integration is not None:
        ends = [law.sf(2 * (gain - middle + side * half)) for side in (1, -1)]
        notes.append(
            f"integration error of the difference {middle:+.2f} nats (95 % interval "
            f"{middle - half:+.2f} to {middle + half:+.2f}): p-value without it {ends[0]:.3g} to "
            f"{ends[1]:.3g}"
        )
        if ends[0] < 0.05 < ends[1]:
            notes.append("the verdict at 5 % depends on it: fit both with a smaller tolerance")
    if gain < 0:
        notes.append("the restricted model fits better within the integration error: statistic 0")
    return notes
