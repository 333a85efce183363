"""The joint posterior of population and persons as a function of numbers: nothing is compiled.

The sampler moves the population's whitened coordinates (`bayesmix.bayes.whitened`) and a vector
``z_i`` a person, which is nearly standard normal whatever the population's parameters are: each
person is centred by the information of the own choices, none where they say nothing, wholly where
they say all (partial centring: Gorinova, Moore and Hoffman 2020, here by a matrix a person and with
the likelihood's curvature in place of learnt weights). `bayesmix.kernels.partial_centring` has the
formulas. The law is that of `bayesmix.bayes.one_class_model`, exactly; with a control function
that of choices and prices, whose first stage stands behind the population's parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.warped import without
from bayesmix.bayes.whitened import SMALL, Whitening
from bayesmix.centring.grids import find_anchors
from bayesmix.kernels.partial_centring import centred_normals, centred_slopes
from bayesmix.likelihood.chain import summed_in_theta
from bayesmix.likelihood.given_normals import given_normals
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.likelihood.with_first_stage import by_first_stage, price_equation, row_slopes


@dataclass(frozen=True, eq=False)
class Information:
    """What each person's choices say of the index b, as ``exp(h'b - b'H b / 2)``.

    Parameters
    ----------
    matrix
        ``H`` (I, K, K), none with a direction of negative curvature.
    pull
        ``h`` (I, K).
    """

    matrix: Array
    pull: Array


def no_information(problem: Problem) -> Information:
    """Nothing known of anybody: the non-centred form."""
    n, size = problem.n_persons, problem.parameters.n_random
    return Information(np.zeros((n, size, size)), np.zeros((n, size)))


def information_at(problem: Problem, theta: Array) -> Information:
    """From the modes and curvatures of persons' posteriors at the free vector ``theta`` (P,).

    In the space of standard normals, with mode u and precision ``I + J``: ``H = L^-T J L^-1`` and
    ``h = H loc + L^-T (I + J) u``, so that the normal law has the same mode.
    """
    problem, theta = problem.split(theta)
    space = problem.parameters.within
    raised, units = theta.copy(), natural_units(problem)
    rows, columns = space.chol_index
    diagonal = len(space.located) + np.flatnonzero(rows == columns)
    # Of a coefficient that does not vary there, the choices' information is taken nearby.
    raised[diagonal] = np.maximum(raised[diagonal], SMALL * units[diagonal])
    anchors = find_anchors(problem, raised)
    roots, modes = anchors.roots[:, 0], anchors.centres[:, 0]
    inverse = np.linalg.inv(roots)
    values, vectors = np.linalg.eigh(inverse.swapaxes(1, 2) @ inverse)
    known = np.maximum(values - 1.0, 0.0)
    own = (vectors * known[:, None, :]) @ vectors.swapaxes(1, 2)
    here = Point(problem, raised)
    back = np.linalg.inv(here.parameters.chol)
    matrix = back.T @ own @ back
    loc = np.broadcast_to(here.locations[:, : space.n_random], modes.shape)
    pull = np.einsum("nkj,nj->nk", matrix, loc)
    pull += (modes + np.einsum("nkj,nj->nk", own, modes)) @ back
    return Information((matrix + matrix.swapaxes(1, 2)) / 2, pull)


@dataclass(frozen=True, eq=False)
class Hierarchical:
    """The log posterior of ``x`` (Q,), the population's coordinates, and ``z`` (I, K) behind it.

    Parameters
    ----------
    problem, priors
        The model bound to data, of one class, and its priors.
    at
        The population's coordinates.
    information
        By which persons are centred.
    """

    problem: Problem
    priors: Priors
    at: Whitening
    information: Information

    @property
    def population(self) -> int:
        """Coordinates of the population, Q."""
        return int(self.at.root.shape[1])

    @property
    def size(self) -> int:
        """Coordinates in all."""
        return self.population + self.information.pull.size

    @property
    def stand(self) -> tuple[Array, ...]:
        """What the coordinates depend on."""
        return self.at.centre, self.at.root, self.information.matrix, self.information.pull

    @property
    def bent(self) -> bool:
        """Whether it is far from normal whatever the data are: of priors with poles."""
        return bool(self.at.within.warped)

    @cached_property
    def _plain(self) -> Priors:
        """The priors that the coordinates know nothing of."""
        return without(self.problem, self.priors, self.at.within.warped)

    def theta(self, x: Array) -> Array:
        """The free vector (P,) at a point (Q + I K,)."""
        return self.at.within.theta(self._q(x))

    def normals(self, x: Array) -> Array:
        """The persons' standard normals (I, K) at a point."""
        here = Point(self.problem, self.theta(x))
        return self._normals(here, x)[1]

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value in nats, up to a constant, and gradient; NaN where the numbers do not reach."""
        try:
            with np.errstate(all="ignore"):
                return self._at(x)
        except np.linalg.LinAlgError:
            return np.nan, np.full(len(x), np.nan)

    def _q(self, x: Array) -> Array:
        return self.at.centre + np.einsum("pq,q->p", self.at.root, x[: self.population])

    def _normals(self, here: Point, x: Array) -> tuple[float, Array, Array]:
        own, z = self.information, x[self.population :].reshape(self.information.pull.shape)
        found: tuple[float, Array, Array] = centred_normals(
            own.matrix, own.pull, here.locations, here.parameters.chol, z
        )
        return found

    def _at(self, x: Array) -> tuple[float, Array]:
        within, space, q = self.at.within, self.problem.parameters.within, self._q(x)
        theta, jacobian, d_jacobian = within.point(q)
        here, weights = Point(self.problem, theta), self.problem.data.weights
        of_persons, u, factor = self._normals(here, x)
        given = given_normals(here, u)
        size = self.problem.parameters.size
        prior, d_prior = prior_value_and_gradient(self.problem, self._plain, theta[:size])
        fixed = (self.information.matrix, self.information.pull, here.locations)
        by_z, by_loc, by_chol = centred_slopes(
            (*fixed, here.parameters.chol), u, factor, weights[:, None] * given.by_deviation
        )
        by_theta = weighted_sum(weights, given.scores) + d_prior
        by_theta += summed_in_theta(space, np.ones(len(u)), by_loc, by_chol, self.problem.z)
        prices, by_gamma = self._prices(here, given.by_row)
        slopes = within.gradient(q, theta, np.concatenate([by_theta, by_gamma])) + d_jacobian
        value = float(weighted_sum(weights, given.logp)) + of_persons + prior + jacobian + prices
        by_x = np.einsum("pq,p->q", self.at.root, slopes)
        return value, np.concatenate([by_x, by_z.ravel()])

    def _prices(self, here: Point, by_row: Array) -> tuple[float, Array]:
        """Log-likelihood of a control function's prices, and all slopes (G,) by its first stage."""
        residuals = self.problem.design.residuals
        gamma = here.theta[len(here.own) :]
        if residuals is None:
            return 0.0, gamma
        value, by_gamma = price_equation(residuals.first, gamma)
        rows = row_slopes(self.problem, gamma, here.fixed)
        scores = by_first_stage(here, by_row, rows)
        found: Array = by_gamma + weighted_sum(self.problem.data.weights, scores)
        return value, found
