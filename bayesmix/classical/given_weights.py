"""A fit found with weights of effective persons, in the weights that were given."""

from __future__ import annotations

from dataclasses import replace

from bayesmix.accuracy.certificate import Certificate
from bayesmix.classical.fit import Fit
from bayesmix.data.fingerprint import fingerprint
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem, is_plain_logit


def in_given_weights(fit: Fit, given: Problem, unit: float, multinomial: float) -> Fit:
    """The fit of ``given``, from that of the same problem with all weights over ``unit``.

    Log-likelihoods and their integration error, the curvature and what comes from it are of the
    weights given. Estimates, scores and robust standard errors are the same; so is all that
    simulated moments know, whose variances do not depend on the scale of weights. ``multinomial``
    is the multinomial logit's log-likelihood in the weights given.
    """
    if fit.problem is given:
        return fit
    weights, found, integration = given.data.weights, fit.information, fit.integration
    if fit.estimator != "MSM":
        found = replace(found, hessian=found.hessian * unit, weights=weights)
    if isinstance(integration, Certificate):
        integration = integration.scaled(unit)
    loglik = multinomial
    if fit.estimator != "MSLE" or not is_plain_logit(given):
        loglik = float(weighted_sum(weights, Likelihood(given, fit.grid).by_person(fit.theta)[0]))
    return replace(
        fit,
        loglik=loglik,
        loglik_multinomial=multinomial,
        information=found,
        integration=integration,
        optima=fit.optima.assign(loglik=fit.optima["loglik"] * unit),
        fingerprint=fingerprint(given.data),
        problem=given,
    )
