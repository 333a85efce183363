"""Modes of the marginal posterior in the parameters that people read.

A mode depends on the coordinates: this one is of means, standard deviations and correlations
themselves, in which priors are given. Under priors that are flat in them it is the maximum of the
likelihood.
"""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.inverse_wishart import Covariance
from bayesmix.bayes.posterior import threaded_on
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import curvature, maximise, whitening

ROUNDS = 8
NEAR = 1e-5
"""Length of the last Newton step, in standard errors."""
FAR = 1e-3
"""Length of a last step that is no maximum's."""


def printed_mode(problem: Problem, grid: Grid, theta: Array, priors: Priors | None) -> Array:
    """The free vector (P,) of the mode nearest to ``theta``; of the likelihood without priors.

    Raises
    ------
    ConvergenceError
        If the search does not end at a maximum.
    """
    likelihood = threaded_on(problem, grid)

    def function(at: Array) -> tuple[float, Array]:
        value, slope = likelihood(at)
        if priors is not None:
            own, d_own = printed_prior(problem, priors, at)
            value, slope = value + own, slope + d_own
        return value, slope

    _, scores = Likelihood(problem, grid).by_person(theta)
    weights, units = problem.data.weights, natural_units(problem)
    root = whitening(scores, weights, units, problem.directions)
    found = maximise(function, theta, root).theta
    step = np.inf
    for _ in range(ROUNDS):  # a line search ends where values are equal, Newton where slopes are 0
        information = curvature(lambda at: function(at)[1], found, root)
        free = root.T @ information @ root
        try:
            x = np.linalg.solve(np.linalg.cholesky(free), root.T @ function(found)[1])
            move = root @ np.linalg.solve(free, root.T @ function(found)[1])
        except np.linalg.LinAlgError:
            break
        found, step = found + move, float(np.linalg.norm(x))
        if step < NEAR:
            break
    if not step < FAR:
        raise ConvergenceError(
            "the mode of the marginal posterior was not found from the fit's estimates: the last "
            f"step was of {step:.2g} standard errors; start from a fit that has converged"
        )
    return problem.canonical(found)


def printed_prior(problem: Problem, priors: Priors, theta: Array) -> tuple[float, Array]:
    """Log-density, up to a constant, of the printed parameters at the free vector; its gradient.

    That of `bayesmix.bayes.prior_density` without the Jacobian of the free vector:
    ``p(sd) det(R)^(eta - 1)`` of a law with correlations R.
    """
    space = problem.parameters.within
    mean, chol, fixed, shift, log_scale = space.unpack(theta)
    d_mean, d_chol = np.zeros_like(mean), np.zeros_like(chol)
    total, d_mean[space.located] = priors.mean.value_and_gradient(mean[space.located])
    position = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for law, eta, covariance in laws:
        here = slice(position, position + len(law.coefficients))
        position, block = here.stop, chol[here, here]
        if covariance is not None:
            value, d_block, d_here = _covariance(covariance, block, mean[here])
            d_mean[here] += d_here
        else:
            value, d_block = _block(block, 1.0 if eta is None else eta, priors.sd[here])
        total += value
        d_chol[here, here] = d_block
    scale = np.exp(log_scale)
    parts = [
        priors.fixed.value_and_gradient(fixed),
        priors.shift.value_and_gradient(shift),
        priors.scale.value_and_gradient(scale),
    ]
    total += sum(value for value, _ in parts)
    slopes = [parts[0][1], parts[1][1], parts[2][1] * scale]
    return total, space.pack(d_mean, d_chol, *slopes)


def _block(chol: Array, eta: float, laws: Laws) -> tuple[float, Array]:
    """``sum log p(sd_k) + 2 (eta - 1) log(L_kk / sd_k)`` and its derivatives (n, n)."""
    sd, diagonal = np.sqrt((chol**2).sum(axis=1)), np.diag(chol)
    value, slope = laws.value_and_gradient(sd)
    power = 2.0 * (eta - 1.0)
    d_chol = ((slope - power / sd) / sd)[:, None] * chol
    if power == 0.0:
        return value, d_chol
    return value + power * float(np.log(np.abs(diagonal) / sd).sum()), d_chol + np.diag(
        power / diagonal
    )


def _covariance(prior: Covariance, chol: Array, mean: Array) -> tuple[float, Array, Array]:
    """That of ``L`` without ``dSigma/dL``, times ``dSigma/d(sd, R)``, in proportion prod sd^K."""
    value, d_chol, d_mean = prior.value_and_gradient(chol, mean)
    size = len(chol)
    power, diagonal = np.arange(size, 0, -1), np.diag(chol)
    square = (chol**2).sum(axis=1)
    value += float(0.5 * size * np.log(square).sum() - (power * np.log(diagonal)).sum())
    d_chol = d_chol + size * chol / square[:, None] - np.diag(power / diagonal)
    return value, d_chol, d_mean
