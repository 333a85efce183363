"""The joint prior density of the population parameters, in terms of the Cholesky factor.

The same law as that of `bayesmix.bayes.models`, written as one expression: samplers that move in
other coordinates need the density, not the random variables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from bayesmix.bayes.prior_density import free_below
from bayesmix.bayes.priors import Priors
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.values import Parameters


def log_prior(problem: Problem, priors: Priors, parameters: Parameters) -> Any:
    """Log-density, up to a constant, of means, free entries of ``L``, fixed, shifts, log scales.

    With ``L_k = sd_k U_k`` and ``U`` the Cholesky factor of the correlations of a law with n terms,
    ``p(L) = prod_k p(sd_k) U_kk^(n - k + 2 (eta - 1)) U_kk / sd_k^(k - 1)``, k = 1 .. n: the LKJ
    density of U (Lewandowski, Kurowicka and Joe 2009) and the Jacobian of polar coordinates. A law
    with an inverse-Wishart prior has that of `bayesmix.bayes.inverse_wishart`.
    """
    space = problem.parameters.within
    mean, chol, fixed, shift, log_scale = parameters
    total = _normal(mean[space.located], priors.mean_location, priors.mean_scale)
    total += _normal(fixed, priors.fixed_location, priors.fixed_scale)
    total += _normal(shift, priors.shift_location, priors.shift_scale)
    total += _normal(log_scale, priors.scale_location, priors.scale_scale)
    position = 0
    for law, covariance in zip(problem.model.laws, priors.covariances, strict=True):
        size = len(law.coefficients)
        here = slice(position, position + size)
        block = chol[here, here]
        diagonal = pt.diagonal(block)
        if covariance is not None:
            total += covariance.log_density(block, mean[here])
        elif law.eta is None:
            total += _normal(diagonal, 0.0, priors.sd_scale[here])
        else:
            sd = pt.sqrt((block**2).sum(axis=1))
            rank = np.arange(1, size + 1)
            power = size - rank + 2 * (law.eta - 1) + 1
            # U_11 is 1: its power does not matter.
            total += _normal(sd, 0.0, priors.sd_scale[here])
            free = free_below(problem)[here]
            total += (power * pt.log(diagonal / sd)).sum() - (free * pt.log(sd)).sum()
        position += size
    return total


def _normal(value: Any, location: Any, scale: Any) -> Any:
    return (-0.5 * ((value - location) / scale) ** 2).sum()
