"""Parameters drawn from the prior, one free vector at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.inverse_wishart import Covariance
from bayesmix.bayes.priors import Prior, make_priors
from bayesmix.likelihood.problem import Problem


def prior_theta(
    problem: Problem, given: Mapping[str, Prior] | None, rng: np.random.Generator
) -> Array:
    """A free vector (P,) from the prior; what is held is where it is held."""
    priors, space = make_priors(problem, given), problem.parameters.within
    k = space.n_random
    chol, mean = np.zeros((k, k)), np.zeros(k + len(space.shapes))
    own = np.isfinite(priors.mean_scale)
    scale = np.where(own, priors.mean_scale, 0.0)
    mean[space.located] = rng.normal(np.where(own, priors.mean_location, 0.0), scale)
    position = 0
    for law, covariance in zip(problem.model.laws, priors.covariances, strict=True):
        here = slice(position, position + len(law.coefficients))
        size = here.stop - here.start
        if covariance is None:
            sd = np.abs(rng.normal(0.0, priors.sd_scale[here]))
            unit = np.eye(size) if law.eta is None else lkj_factor(size, law.eta, rng)
            chol[here, here] = sd[:, None] * unit
        else:
            chol[here, here] = wishart_factor(covariance, rng)
            if covariance.mean_precision is not None:
                noise = chol[here, here] @ rng.standard_normal(size)
                mean[here] = covariance.mean_location + noise / np.sqrt(covariance.mean_precision)
        position = here.stop
    theta: Array = np.concatenate(
        [
            mean[space.located],
            chol[space.chol_index],
            rng.normal(priors.fixed_location, priors.fixed_scale),
            rng.normal(priors.shift_location, priors.shift_scale),
            rng.normal(priors.scale_location, priors.scale_scale),
        ]
    )
    names = list(problem.parameters.names)
    for name, value in problem.model.constraints.fixed:
        values = problem.parameters.natural(theta)
        values[names.index(name)] = value
        theta = problem.parameters.theta(dict(zip(names, values, strict=True)))
    return theta


def lkj_factor(size: int, eta: float, rng: np.random.Generator) -> Array:
    """Cholesky factor of correlations from the LKJ law, by independent partial correlations.

    That of k and j given all before j is ``2 B - 1``, ``B ~ Beta(b, b)`` with ``b = eta + (n - 2 -
    j) / 2``, j = 0 .. k - 1 (Lewandowski, Kurowicka and Joe 2009).
    """
    unit = np.eye(size)
    for k in range(1, size):
        left = 1.0
        for j in range(k):
            b = eta + (size - 2 - j) / 2
            partial = 2.0 * rng.beta(b, b) - 1.0
            unit[k, j] = partial * np.sqrt(left)
            left *= 1.0 - partial**2
        unit[k, k] = np.sqrt(left)
    return unit


def wishart_factor(covariance: Covariance, rng: np.random.Generator) -> Array:
    """Cholesky factor of a covariance from the inverse-Wishart law (Bartlett 1933)."""
    size = len(covariance.root)
    whole = np.diag(np.sqrt(rng.chisquare(covariance.df - size + np.arange(1, size + 1))))
    below = np.tril_indices(size, -1)
    whole[below] = rng.standard_normal(len(below[0]))
    found: Array = covariance.root @ np.linalg.inv(whole)
    return found
