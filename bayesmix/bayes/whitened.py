"""The posterior in whitened coordinates: NUTS at its easiest.

With persons integrated out, the posterior of the P parameters is close to normal. Sampled in ``x``
with ``theta = theta_0 + C x``, ``C C'`` the inverse curvature at the mode, it is close to
*standard* normal: short trajectories, and little to adapt. The hierarchical path samples the same
coordinates beside the persons' ``z``: correlated means no longer slow it down. In ``theta`` the
diagonal of the Cholesky factor stands on the log scale. The law is that of
`bayesmix.bayes.models.build`, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayesmix.bayes.density import log_prior
from bayesmix.bayes.models import coordinates, marginal_log_probabilities
from bayesmix.bayes.priors import Prior, Priors, make_priors
from bayesmix.likelihood.evaluate import INTERPRETED, Likelihood
from bayesmix.likelihood.graph import conditional_log_probabilities, free_parameters
from bayesmix.likelihood.maximise import curvature, maximise, whitening
from bayesmix.likelihood.problem import Grid, Problem

Array = NDArray[np.float64]


def whitened_model(
    problem: Problem,
    grid: Grid,
    theta: Array,
    priors: Mapping[str, Prior] | None = None,
    *,
    hierarchical: bool = False,
) -> pm.Model:
    """The model in whitened coordinates around the posterior mode nearest to ``theta``.

    Parameters
    ----------
    problem, grid
        The model bound to data, and the grid.
    theta
        Free vector (P,) to start the search for the mode from, with a positive diagonal.
    priors
        Replacements of default priors by flat name.
    hierarchical
        Whether persons are sampled (standard normals ``z``), and the grid is for the mode alone.
    """
    chosen = make_priors(problem, priors)
    centre, root = _mode(problem, grid, theta, chosen)
    space = problem.parameters
    with pm.Model(coords=coordinates(problem)) as pymc:
        x = pm.Flat("x", shape=space.size, initval=np.zeros(space.size))
        theta_log = pt.constant(centre) + pt.constant(root) @ x
        mean, chol, fixed = _parameters(problem, theta_log)
        if hierarchical:
            z = pm.Normal("z", 0.0, 1.0, dims=("person", "random"))
            logp = conditional_log_probabilities(problem, mean[None, :] + z @ chol.T, fixed)
        else:
            logp = marginal_log_probabilities(problem, grid, mean, chol, fixed)
        pm.Potential("log_posterior", _log_posterior(problem, logp, chosen, theta_log))
        if space.n_random:
            pm.Deterministic("mean", mean, dims="random")
            sd = pm.Deterministic("sd", pt.sqrt((chol**2).sum(axis=1)), dims="random")
            if space.pairs:
                first, second = np.array(space.pairs).T
                products = (chol[first] * chol[second]).sum(axis=1)
                pm.Deterministic("corr", products / (sd[first] * sd[second]), dims="pair")
        if space.fixed:
            pm.Deterministic("fixed", fixed, dims="term")
    return pymc


def posterior_mode(
    problem: Problem, grid: Grid, theta: Array, priors: Mapping[str, Prior] | None = None
) -> Array:
    """Free vector (P,) of the posterior mode nearest to ``theta``, for nodes to be anchored at."""
    mode, _ = _mode(problem, grid, theta, make_priors(problem, priors))
    diagonal = problem.parameters.diagonal()
    mode[diagonal] = np.exp(mode[diagonal])
    return mode


def _parameters(problem: Problem, theta_log: Any) -> tuple[Any, Any, Any]:
    diagonal = problem.parameters.diagonal()
    theta = theta_log
    if len(diagonal):
        theta = theta_log[diagonal].set(pt.exp(theta_log[diagonal]))
    return free_parameters(theta, problem.parameters)


def _log_posterior(problem: Problem, logp: Any, priors: Priors, theta_log: Any) -> Any:
    mean, chol, fixed = _parameters(problem, theta_log)
    weights = pytensor.shared(problem.data.weights, name="person_weights")
    jacobian = theta_log[problem.parameters.diagonal()].sum()
    return (weights * logp).sum() + log_prior(problem, priors, mean, chol, fixed) + jacobian


def _mode(problem: Problem, grid: Grid, theta: Array, priors: Priors) -> tuple[Array, Array]:
    """Posterior mode (P,) on the log scale, and a root (P, P) of the inverse curvature there."""
    variable = pt.dvector("theta_log")
    logp = marginal_log_probabilities(problem, grid, *_parameters(problem, variable))
    value = _log_posterior(problem, logp, priors, variable)
    function = pytensor.function(
        [variable], [value, pytensor.grad(value, variable)], mode=INTERPRETED
    )

    def evaluate(at: Array) -> tuple[float, Array]:
        result, gradient = function(at)
        return float(result), gradient

    diagonal = problem.parameters.diagonal()
    _, scores = Likelihood(problem, grid).by_person(theta)
    start, slope = theta.copy(), np.ones(len(theta))
    start[diagonal] = np.log(theta[diagonal])
    slope[diagonal] = theta[diagonal]
    root = whitening(scores * slope, problem.data.weights)
    optimum = maximise(evaluate, start, root)
    information = curvature(lambda at: evaluate(at)[1], optimum.theta, root)
    # Where this is not a maximum in every direction, the scores' root still gives the scales.
    with suppress(np.linalg.LinAlgError):
        root = np.linalg.inv(np.linalg.cholesky(information)).T
    return optimum.theta, root
