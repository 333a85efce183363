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
    total = priors.mean.symbolic(pt, mean[space.located]) + pt.zeros(())
    total += priors.fixed.symbolic(pt, fixed)
    total += priors.shift.symbolic(pt, shift)
    total += priors.scale.symbolic(pt, pt.exp(log_scale)) + log_scale.sum()
    position = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for law, eta, covariance in laws:
        size = len(law.coefficients)
        here = slice(position, position + size)
        block = chol[here, here]
        diagonal = pt.diagonal(block)
        if covariance is not None:
            total += covariance.log_density(block, mean[here])
        elif eta is None:
            total += priors.sd[here].symbolic(pt, diagonal)
        else:
            sd = pt.sqrt((block**2).sum(axis=1))
            rank = np.arange(1, size + 1)
            power = size - rank + 2 * (eta - 1) + 1
            # U_11 is 1: its power does not matter.
            total += priors.sd[here].symbolic(pt, sd)
            free = free_below(problem)[here]
            total += (power * pt.log(diagonal / sd)).sum() - (free * pt.log(sd)).sum()
        position += size
    return total
