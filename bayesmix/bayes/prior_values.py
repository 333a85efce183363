"""Prior densities of many free vectors at once, whole: with their normalising constants.

The law is that of `bayesmix.bayes.prior_density`. Importance sampling weighs thousands of free
vectors, and a probability of the data needs a prior that integrates to 1.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from scipy.special import gammaln

from bayesmix.arrays import Array
from bayesmix.bayes.prior_density import free_below
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.parameter import FIXED, MEAN, SHAPE, SHIFT


def prior_values(problem: Problem, priors: Priors, thetas: Array) -> Array:
    """Log-densities (D,) of free vectors (D, P) with positive diagonals.

    What is held counts as if it were free, and adds a constant.
    """
    space = problem.parameters.within
    mean, chol, fixed, shift, log_scale = space.unpack(thetas)
    scale = np.exp(log_scale)
    parts = [
        priors.mean.log_density(mean[..., space.located]),
        priors.fixed.log_density(fixed),
        priors.shift.log_density(shift),
        priors.scale.log_density(scale) + log_scale,  # thetas have the logarithm
    ]
    total = sum((part.sum(axis=1) for part in parts), np.zeros(len(thetas)))
    position = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for law, eta, covariance in laws:
        here = slice(position, position + len(law.coefficients))
        block, own = chol[:, here, here], priors.sd[here]
        if covariance is not None:
            pairs = zip(block, mean[:, here], strict=True)
            found = [covariance.value_and_gradient(*pair)[0] for pair in pairs]
            total += np.array(found) + covariance.constant
        elif eta is None:
            diagonal = np.diagonal(block, axis1=1, axis2=2)
            total += own.log_density(diagonal).sum(axis=1)
        else:
            total += _lkj(block, eta, own, free_below(problem)[here])
        position = here.stop
    return total


def lkj_constant(size: int, eta: float) -> float:
    """Logarithm of the integral of ``det(R)^(eta - 1)`` over correlation matrices (size, size).

    Lewandowski, Kurowicka and Joe (2009).

    >>> round(float(np.exp(lkj_constant(2, 1.0))), 12)  # a correlation is between -1 and 1
    2.0
    """
    k = np.arange(1, size)
    terms = k / 2 * math.log(math.pi) + gammaln(eta + (size - 1 - k) / 2)
    return float((terms - gammaln(eta + (size - 1) / 2)).sum())


def _lkj(chol: Array, eta: float, laws: Laws, free: Array) -> Array:
    """Of blocks ``L`` (D, n, n); see `bayesmix.bayes.prior_density.prior_value_and_gradient`."""
    size = chol.shape[1]
    power = size - np.arange(1, size + 1) + 2 * (eta - 1) + 1
    sd, diagonal = np.sqrt((chol**2).sum(axis=2)), np.diagonal(chol, axis1=1, axis2=2)
    logs = np.log(sd)
    total = laws.log_density(sd).sum(axis=1) - lkj_constant(size, eta)
    found: Array = total + (power * (np.log(diagonal) - logs) - free * logs).sum(axis=1)
    return found


def is_whole(problem: Problem) -> bool:
    """Whether `prior_values` integrate to 1: not where parts of a covariance are held."""
    constraint = problem.constraint
    if constraint is None:
        return True
    kinds = {str(p): p.kind for p in problem.parameters.listed}
    located = (MEAN, SHAPE, FIXED, SHIFT)
    return all(kinds[name] in located for name, _ in problem.model.constraints.fixed)


def knows_constant(problem: Problem, priors: Priors) -> bool:
    """Whether the integral of `prior_values` over what is free is known, by `held_value`.

    It is the prior density of what is held where that is a factor of the whole: of means and the
    like, and of standard deviations of laws none of whose correlations is held.
    """
    if problem.constraint is None:
        return True
    position, factors = 0, set[str]()
    held = dict(problem.model.constraints.fixed)
    for law, covariance in zip(problem.model.laws, priors.covariances, strict=True):
        own = problem.parameters.within.random[position : position + len(law.coefficients)]
        position += len(own)
        correlations = [f"corr[{a}, {b}]" for a, b in combinations(own, 2)]
        if covariance is None and not any(name in held for name in correlations):
            factors |= {f"sd[{name}]" for name in own}
    kinds = {str(p): p.kind for p in problem.parameters.listed}
    return all(kinds[name] in (MEAN, SHAPE, FIXED, SHIFT) or name in factors for name in held)


def held_value(problem: Problem, priors: Priors) -> float:
    """What a density over whitened coordinates has of what is held, where it `knows_constant`.

    Priors, and the slopes of standard deviations in their logarithms. NaN where one has no prior of
    its own.
    """
    held = [(name, value) for name, value in problem.model.constraints.fixed if name in priors.laws]
    laws = Laws(tuple(priors.laws[name] for name, _ in held))
    if not laws.proper.all():  # a mean whose prior depends on a covariance has none of its own
        return math.nan
    slopes = sum(math.log(value) for name, value in held if name.startswith("sd["))
    return float(laws.log_density(np.array([value for _, value in held])).sum()) + slopes
