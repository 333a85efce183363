"""The joint prior density of the population parameters and its gradient, as numbers.

The law is that of `bayesmix.bayes.one_class_model`, whose variables PyMC's samplers move; here it
costs microseconds and compiles nothing.
"""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.likelihood.problem import Problem


def prior_value_and_gradient(problem: Problem, priors: Priors, theta: Array) -> tuple[float, Array]:
    """Log-density, up to a constant, at the free vector (P,), and its gradient (P,).

    With ``L_k = sd_k U_k`` and ``U`` the Cholesky factor of the correlations of a law with n terms,
    ``p(L) = prod_k p(sd_k) U_kk^(n - k + 2 (eta - 1)) U_kk / sd_k^(k - 1)``, k = 1 .. n: the LKJ
    density of U (Lewandowski, Kurowicka and Joe 2009) and the Jacobian of polar coordinates.
    """
    space = problem.parameters.within
    mean, chol, fixed, shift, log_scale = space.unpack(theta)
    d_mean, d_chol = np.zeros_like(mean), np.zeros_like(chol)
    total, d_located = priors.mean.value_and_gradient(mean[space.located])
    d_mean[space.located] = d_located
    position = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for law, eta, covariance in laws:
        here = slice(position, position + len(law.coefficients))
        block = chol[here, here]
        if covariance is not None:
            value, d_block, d_here = covariance.value_and_gradient(block, mean[here])
            d_mean[here] += d_here
        elif eta is None:
            value, d_diagonal = priors.sd[here].value_and_gradient(np.diag(block))
            d_block = np.diag(d_diagonal)
        else:
            free = free_below(problem)[here]
            value, d_block = _lkj(block, eta, priors.sd[here], free)
        total += value
        d_chol[here, here] = d_block
        position = here.stop
    scale = np.exp(log_scale)
    parts = [
        priors.fixed.value_and_gradient(fixed),
        priors.shift.value_and_gradient(shift),
        priors.scale.value_and_gradient(scale),
    ]
    total += log_scale.sum()  # theta has the logarithm
    parts[2] = parts[2][0], parts[2][1] * scale + 1.0
    total += sum(value for value, _ in parts)
    return total, space.pack(d_mean, d_chol, *(slopes for _, slopes in parts))


def free_below(problem: Problem) -> Array:
    """Number (K,) of free entries below the diagonal in each row of ``L``.

    An entry that is held, at 0, is none of the coordinates in which a row has its density. Found
    once: samplers ask for it at every step.
    """
    if "free below" not in problem.memory:
        problem.memory["free below"] = _free_below(problem)
    found: Array = problem.memory["free below"]
    return found


def _free_below(problem: Problem) -> Array:
    space, constraint = problem.parameters.within, problem.constraint
    rows, columns = space.chol_index
    entries = len(space.located) + np.arange(len(rows))
    kept = entries if constraint is None else constraint.free
    below = rows[np.isin(entries, kept) & (columns < rows)]
    return np.bincount(below, minlength=space.n_random).astype(float)


def _lkj(chol: Array, eta: float, laws: Laws, free: Array) -> tuple[float, Array]:
    """Of a block ``L`` (n, n): standard deviations with laws of their own, and LKJ correlations.

    ``free`` (n,) are the numbers of free entries below the diagonal: k - 1 where none is held.
    """
    size = len(chol)
    rank = np.arange(1, size + 1)
    power = size - rank + 2 * (eta - 1) + 1
    sd, diagonal = np.sqrt((chol**2).sum(axis=1)), np.diag(chol)
    value, slope = laws.value_and_gradient(sd)
    value += (power * np.log(diagonal / sd)).sum() - (free * np.log(sd)).sum()
    slope = slope - (power + free) / sd
    return float(value), (slope / sd)[:, None] * chol + np.diag(power / diagonal)
