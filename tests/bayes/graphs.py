"""PyTensor's graphs of posteriors: what samplers' functions of numbers are held against.

The same laws as those of `bayesmix.bayes.one_class_model`, each written as one expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bayesmix.bayes.coordinates import Coordinates
from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    free_parameters,
    product,
)
from bayesmix.bayes.one_class_model import coordinates, marginal_log_probabilities, name_means
from bayesmix.bayes.prior_density import free_below
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import Priors, make_priors
from bayesmix.bayes.whitened import Whitening
from bayesmix.likelihood.problem import Grid, Problem
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


def symbolic(coordinates: Coordinates, q: Any) -> tuple[Any, Any]:
    """`Coordinates.theta` and `log_jacobian` of a symbolic ``q``."""
    theta, total = q, pt.zeros(())
    for row in coordinates.rows:
        y, m = [q[int(p)] for p in row.before], len(row.before)
        sd, product = pt.exp(q[row.diagonal]), pt.ones(())
        total = total + (m + 1) * q[row.diagonal]
        for a, (place, one) in enumerate(zip(row.before, y, strict=True)):
            theta = theta[int(place)].set(sd * pt.tanh(one) * product)
            product = product / pt.cosh(one)
            total = total - (m - a) * pt.log(pt.cosh(one))
        theta = theta[row.diagonal].set(sd * product)
    return theta, total


def whitened_model(
    problem: Problem,
    grid: Grid,
    at: Whitening,
    priors: Mapping[str, PriorLike] | None = None,
    *,
    hierarchical: bool = False,
) -> pm.Model:
    """The model in whitened coordinates.

    Parameters
    ----------
    problem, grid
        The model bound to data, and the grid.
    at
        The coordinates, as `posterior_mode` finds them.
    priors
        Replacements of default priors by flat name.
    hierarchical
        Whether persons are sampled (standard normals ``z``), without a grid.
    """
    chosen = make_priors(problem, priors)
    space = problem.parameters.within
    with pm.Model(coords=coordinates(problem)) as pymc:
        size = at.root.shape[1]
        x = pm.Flat("x", shape=size, initval=np.zeros(size))
        q = pt.constant(at.centre) + product(pt.constant(at.root), x)
        theta, jacobian = symbolic(at.within, q)
        at_x = free_parameters(theta, space)
        mean, chol, fixed, shift, log_scale = at_x
        if hierarchical:
            z = pm.Normal("z", 0.0, 1.0, dims=("person", "random"))
            logp = conditional_log_probabilities(problem, product(z, chol.T), at_x)
        else:
            logp = marginal_log_probabilities(problem, grid, at_x)
        weights = pytensor.shared(problem.data.weights, name="person_weights")
        prior = log_prior(problem, chosen, at_x)
        pm.Potential("log_posterior", (weights * logp).sum() + prior + jacobian)
        if space.n_random:
            name_means(problem, mean)
            sd = pm.Deterministic("sd", pt.sqrt((chol**2).sum(axis=1)), dims="random")
            if space.pairs:
                first, second = np.array(space.pairs).T
                products = (chol[first] * chol[second]).sum(axis=1)
                pm.Deterministic("corr", products / (sd[first] * sd[second]), dims="pair")
        if space.fixed:
            pm.Deterministic("fixed", fixed, dims="term")
        if space.shifts:
            pm.Deterministic("shift", shift, dims="shifted")
        if space.scales:
            pm.Deterministic("scale", pt.exp(log_scale), dims="source")
    return pymc
