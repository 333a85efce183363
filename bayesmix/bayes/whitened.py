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
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.correction import Correction
from bayesmix.bayes.density import log_prior
from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    free_parameters,
    product,
)
from bayesmix.bayes.models import coordinates, marginal_log_probabilities, name_means
from bayesmix.bayes.posterior import LogPosterior, Whitened, serial_on, threaded_on
from bayesmix.bayes.priors import Prior, Priors, make_priors
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import coordinates as along
from bayesmix.optimise.maximise import curvature, maximise, whitening
from bayesmix.specification.values import Parameters


@dataclass(frozen=True, eq=False)
class Whitening:
    """Coordinates ``x`` around a posterior mode: ``theta_log = centre + root x``.

    Parameters
    ----------
    centre
        The mode (P,), with the logarithm of the Cholesky factor's diagonal.
    root
        Root (P, P) of the inverse curvature there; (P, Q) where parameters are held.
    diagonal
        Positions in the free vector of the Cholesky factor's diagonal.
    """

    centre: Array
    root: Array
    diagonal: Indices

    @property
    def theta(self) -> Array:
        """The mode as a free vector (P,)."""
        theta = self.centre.copy()
        theta[self.diagonal] = np.exp(theta[self.diagonal])
        return theta

    def coordinates(self, thetas: Array) -> Array:
        """``x`` (D, Q) of free vectors (D, P) with a positive diagonal."""
        logs = thetas.copy()
        logs[:, self.diagonal] = np.log(logs[:, self.diagonal])
        return along(self.root, (logs - self.centre).T).T


def whitened_model(
    problem: Problem,
    grid: Grid,
    at: Whitening,
    priors: Mapping[str, Prior] | None = None,
    *,
    correction: Correction | None = None,
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
    correction
        Of the grid's integration error.
    hierarchical
        Whether persons are sampled (standard normals ``z``), without a grid.
    """
    chosen = make_priors(problem, priors)
    space = problem.parameters
    with pm.Model(coords=coordinates(problem)) as pymc:
        size = at.root.shape[1]
        x = pm.Flat("x", shape=size, initval=np.zeros(size))
        theta_log = pt.constant(at.centre) + product(pt.constant(at.root), x)
        at_x = _parameters(problem, theta_log)
        mean, chol, fixed, shift, log_scale = at_x
        if hierarchical:
            z = pm.Normal("z", 0.0, 1.0, dims=("person", "random"))
            logp = conditional_log_probabilities(problem, product(z, chol.T), at_x)
        else:
            logp = marginal_log_probabilities(problem, grid, at_x)
        pm.Potential("log_posterior", _log_posterior(problem, logp, chosen, theta_log))
        if correction is not None:
            pm.Potential("correction", correction(x))
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


def whitened_posterior(
    problem: Problem,
    grid: Grid,
    at: Whitening,
    priors: Mapping[str, Prior] | None = None,
    *,
    correction: Correction | None = None,
) -> Whitened:
    """`whitened_model` of the marginal path as a function of numbers, for chains in threads."""
    function = LogPosterior(problem, make_priors(problem, priors), serial_on(problem, grid))
    return Whitened(function, at.centre, at.root, correction)


def posterior_mode(
    problem: Problem, grid: Grid, theta: Array, priors: Mapping[str, Prior] | None = None
) -> Whitening:
    """The posterior mode nearest to ``theta`` (P,), which has a positive diagonal."""
    theta = problem.canonical(theta)
    function = LogPosterior(problem, make_priors(problem, priors), threaded_on(problem, grid))
    diagonal = problem.parameters.diagonal()
    _, scores = Likelihood(problem, grid).by_person(theta)
    start, slope = theta.copy(), np.ones(len(theta))
    start[diagonal] = np.log(theta[diagonal])
    slope[diagonal] = theta[diagonal]
    units = natural_units(problem)
    units[diagonal] = 1.0  # of a logarithm
    root = whitening(scores * slope, problem.data.weights, units, problem.directions)
    optimum = maximise(function, start, root)
    information = curvature(lambda at: function(at)[1], optimum.theta, root)
    # Where this is not a maximum in every direction, the scores' root still gives the scales.
    with suppress(np.linalg.LinAlgError):
        root = _root(information, problem.directions)
    return Whitening(optimum.theta, root, diagonal)


def _root(information: Array, directions: Array | None) -> Array:
    """A root of the inverse curvature, (P, P), or (P, Q) along the directions that are free."""
    if directions is None:
        root: Array = np.linalg.inv(np.linalg.cholesky(information)).T
        return root
    return directions @ _root(directions.T @ information @ directions, None)


def correct(
    problem: Problem, few: Grid, many: Grid, at: Whitening, rng: np.random.Generator
) -> Correction:
    """The integration error of ``few`` nodes over the posterior, as ``many`` see it."""
    priors = make_priors(problem, None)
    ours, theirs = (
        LogPosterior(problem, priors, threaded_on(problem, grid)) for grid in (few, many)
    )
    size = at.root.shape[1]
    half = rng.standard_normal((2 * size, size))
    points = np.concatenate([half, -half])
    slopes = []
    for x in points:
        theta_log = at.centre + at.root @ x
        slopes.append(at.root.T @ (theirs(theta_log)[1] - ours(theta_log)[1]))
    return Correction.fitted(points, np.array(slopes))


def _parameters(problem: Problem, theta_log: Any) -> Parameters:
    diagonal = problem.parameters.diagonal()
    theta = theta_log
    if len(diagonal):
        theta = theta_log[diagonal].set(pt.exp(theta_log[diagonal]))
    return free_parameters(theta, problem.parameters)


def _log_posterior(problem: Problem, logp: Any, priors: Priors, theta_log: Any) -> Any:
    parameters = _parameters(problem, theta_log)
    weights = pytensor.shared(problem.data.weights, name="person_weights")
    jacobian = theta_log[problem.parameters.diagonal()].sum()
    return (weights * logp).sum() + log_prior(problem, priors, parameters) + jacobian
