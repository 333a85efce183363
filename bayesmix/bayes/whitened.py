"""The posterior in whitened coordinates: NUTS at its easiest.

With persons integrated out, the posterior of the P parameters is close to normal. Sampled in ``x``
with ``q = q_0 + C x``, ``C C'`` the inverse curvature at the mode, it is close to
*standard* normal: short trajectories, and little to adapt. The hierarchical path samples the same
coordinates beside the persons' ``z``: correlated means no longer slow it down. Standard deviations
and correlations stand in those of `bayesmix.bayes.coordinates`. The law is that of
`bayesmix.bayes.one_class_model`, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg

from bayesmix.arrays import Array
from bayesmix.bayes.coordinates import Coordinates
from bayesmix.bayes.correction import Correction, Features
from bayesmix.bayes.posterior import LogPosterior, Whitened, serial_on, threaded_on
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import coordinates as along
from bayesmix.optimise.maximise import curvature, maximise, whitening
from bayesmix.specification.residuals import FirstStage

SMALL = 0.03
"""Natural units of the least standard deviation from which the mode is looked for."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """Coordinates ``x`` around a posterior mode: ``q = centre + root x``.

    Parameters
    ----------
    centre
        The mode (P,), in the coordinates of `within`.
    root
        Root (P, P) of the inverse curvature there; (P, Q) where parameters are held.
    within
        From ``q`` to the free vector.
    """

    centre: Array
    root: Array
    within: Coordinates

    @property
    def theta(self) -> Array:
        """The mode as a free vector (P,)."""
        return self.within.theta(self.centre)

    def coordinates(self, thetas: Array) -> Array:
        """``x`` (D, Q) of free vectors (D, P) with a positive diagonal."""
        return along(self.root, (self.within.at(thetas) - self.centre).T).T


def whitened_posterior(
    problem: Problem,
    grid: Grid,
    at: Whitening,
    priors: Mapping[str, PriorLike] | None = None,
    *,
    correction: Correction | None = None,
) -> Whitened:
    """The marginal log posterior in whitened coordinates, for chains in threads."""
    function = LogPosterior(problem, make_priors(problem, priors), serial_on(problem, grid))
    return Whitened(function, at.centre, at.root, correction)


class PersonLikelihood(Protocol):
    """A log-likelihood of the free vector that is no integral alone."""

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Nats, and the gradient (P,)."""

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,), and scores (I, P)."""


def posterior_mode(
    problem: Problem,
    grid: Grid,
    theta: Array,
    priors: Mapping[str, PriorLike] | None = None,
    likelihood: PersonLikelihood | None = None,
) -> Whitening:
    """The posterior mode nearest to ``theta`` (P,), which has a positive diagonal.

    With a control function first-stage coefficients stand behind it, at the mode in any case.
    """
    there, own = problem.split(theta)
    theta = problem.canonical(own)
    total = likelihood.value_and_gradient if likelihood else threaded_on(problem, grid)
    function = LogPosterior(problem, make_priors(problem, priors), total)
    within, units = function.coordinates, natural_units(problem)
    scale = [row.diagonal for row in within.rows]
    moved = scale if problem.constraint is None else np.intersect1d(scale, problem.constraint.free)
    # A row of length 0 has no direction.
    theta[moved] = np.maximum(theta[moved], SMALL * units[moved])
    start = within.at(theta)
    _, scores = (likelihood or Likelihood(there, grid)).by_person(theta)
    for row in within.rows:
        units[[*row.before, row.diagonal]] = 1.0  # of logarithms, and of Fisher's z
    by_person, weights = within.slopes(start, scores), problem.data.weights
    for one in within.warped:  # of which choices may tell nothing, and the prior is known
        units[one.places] = 1.0
        by_person = np.concatenate([by_person, np.eye(len(start))[one.places]])
        weights = np.concatenate([weights, np.ones(len(one.places))])
    root = whitening(by_person, weights, units, problem.directions)
    residuals = there.design.residuals
    if residuals is not None:
        root = with_first_stage(root, residuals.first)
        start = np.concatenate([start, residuals.first.gamma])
    optimum = maximise(function, start, root)
    information = curvature(lambda at: function(at)[1], optimum.theta, root)
    # Where this is not a maximum in every direction, the scores' root still gives the scales.
    with suppress(np.linalg.LinAlgError):
        root = _root(information, _directions(problem, len(start)))
    return Whitening(optimum.theta, root, within)


def with_first_stage(root: Array, first: FirstStage) -> Array:
    """A root (P, Q) and, behind it, that of the first stage's coefficients by prices alone."""
    found: Array = scipy.linalg.block_diag(root, first.root * first.residual.std())
    return found


def _directions(problem: Problem, size: int) -> Array | None:
    """Directions that are free of a vector of ``size``: first-stage coefficients all are."""
    own = problem.directions
    if own is None:
        return None
    found: Array = scipy.linalg.block_diag(own, np.eye(size - len(own)))
    return found


def _root(information: Array, directions: Array | None) -> Array:
    """A root of the inverse curvature, (P, P), or (P, Q) along the directions that are free."""
    if directions is None:
        root: Array = np.linalg.inv(np.linalg.cholesky(information)).T
        return root
    return directions @ _root(directions.T @ information @ directions, None)


def correct(
    problem: Problem,
    grids: tuple[Grid, Grid],
    at: Whitening,
    given: Mapping[str, PriorLike] | None,
    rng: np.random.Generator,
) -> Correction:
    """The integration error of the first grid over the posterior, as the second, finer, sees it."""
    priors = make_priors(problem, given)
    ours, theirs = (LogPosterior(problem, priors, threaded_on(problem, grid)) for grid in grids)
    size = at.root.shape[1]
    half = rng.standard_normal((2 * size, size))
    points = np.concatenate([half, -half])
    slopes = []
    for x in points:
        q = at.centre + at.root @ x
        slopes.append(at.root.T @ (theirs(q)[1] - ours(q)[1]))
    features = Features.around(at.within, at.centre, at.root)
    return Correction.fitted(features, points, np.array(slopes))
