"""The log posterior of latent classes as a function of numbers: nothing is compiled for a model.

The law is that of `bayesmix.bayes.class_model`, with persons' classes and tastes integrated out:
integrals are the kernels', priors those of `prior_density`, class by class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.class_labels import Ordering
from bayesmix.bayes.class_priors import ClassPriors, class_priors
from bayesmix.bayes.coordinates import Coordinates, Row, coordinates_of
from bayesmix.bayes.posterior import Nodes, Total, by_person_on
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.halves import corrected
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.point import Point, over_classes
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import curvature, maximise, whitening

SMALL = 0.03
"""Natural units of the least standard deviation from which the mode is looked for."""


@dataclass(frozen=True, eq=False)
class OrderedCoordinates:
    """Coordinates ``q`` (P,) of the free vector, some of whose entries rise from class to class.

    Of these the first stands as it is, and the logarithm of each one's distance from the one before
    in its place. Everything else is in the coordinates of ``inner``.

    Parameters
    ----------
    inner
        Of rows of Cholesky factors.
    places
        Positions in the free vector of the entries that rise, from the smallest.
    """

    inner: Coordinates
    places: Indices

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of Cholesky factors."""
        return self.inner.rows

    def point(self, q: Array) -> tuple[Array, float, Array]:
        """`theta` at ``q`` (P,), ``log |d theta / d q|``, and the gradient (P,) of that."""
        theta, jacobian, slope = self.inner.point(self._risen(q))
        slope = slope.copy()
        slope[self.places[1:]] += 1.0
        return theta, jacobian + float(q[self.places[1:]].sum()), slope

    def gradient(self, q: Array, theta: Array, by_theta: Array) -> Array:
        """Derivatives (P,) by ``q`` of what has ``by_theta`` (P,) by the free vector there."""
        return self._fallen(q, self.inner.gradient(self._risen(q), theta, by_theta))

    def theta(self, q: Array) -> Array:
        """The free vectors (..., P) at ``q`` (..., P)."""
        return self.inner.theta(self._risen(q))

    def at(self, theta: Array) -> Array:
        """``q`` of free vectors (..., P) whose entries rise: the inverse of `theta`."""
        q = self.inner.at(theta)
        q[..., self.places[1:]] = np.log(np.diff(q[..., self.places], axis=-1))
        return q

    def slopes(self, q: Array, by_theta: Array) -> Array:
        """`gradient` of many functions (..., P) at once."""
        return self._fallen(q, self.inner.slopes(self._risen(q), by_theta))

    def _risen(self, q: Array) -> Array:
        found = q.copy()
        found[..., self.places[1:]] = np.exp(q[..., self.places[1:]])
        found[..., self.places] = np.cumsum(found[..., self.places], axis=-1)
        return found

    def _fallen(self, q: Array, slopes: Array) -> Array:
        found = slopes.copy()
        after = np.cumsum(slopes[..., self.places[::-1]], axis=-1)[..., ::-1]
        found[..., self.places[0]] = after[..., 0]
        found[..., self.places[1:]] = np.exp(q[self.places[1:]]) * after[..., 1:]
        return found


def class_coordinates_of(problem: Problem, order: Ordering) -> OrderedCoordinates:
    """The coordinates of a problem with several classes, in an order of theirs."""
    space, rows = problem.parameters, coordinates_of(problem.within).rows
    own = {
        int(select[row.diagonal]): Row(int(select[row.diagonal]), select[row.before])
        for select in space.select
        for row in rows
    }
    names = [str(parameter) for parameter in space.free_listed]
    places = np.array([names.index(name) for name in order.names], dtype=np.int64)
    return OrderedCoordinates(Coordinates(tuple(own.values())), places)


@dataclass(frozen=True, eq=False)
class ClassPosterior:
    """Log posterior and gradient as a function of coordinates.

    Parameters
    ----------
    problem, priors
        The model bound to data, and its priors.
    likelihood
        Of the choices, by the free vector.
    coordinates
        From ``q`` to the free vector.
    """

    problem: Problem
    priors: ClassPriors
    likelihood: Total
    coordinates: OrderedCoordinates

    @cached_property
    def _within(self) -> tuple[Priors, ...]:
        """Priors of the parameters of each class that no class before has."""
        laws, names = self.problem.within.model.laws, self.priors.names
        found: list[Priors] = []
        for c, own in enumerate(names):
            known = {flat for before in names[:c] for flat in before.values()}
            given = self.priors.of_class(c)
            etas = zip(laws, given.etas, strict=True)
            rest = given.with_laws(
                {n: Law("none") if own[n] in known else law for n, law in given.laws.items()}
            )
            kept = (None if own[f"sd[{law.terms[0]}]"] in known else eta for law, eta in etas)
            found.append(replace(rest, etas=tuple(kept)))
        return tuple(found)

    @cached_property
    def _shares(self) -> Laws:
        return self.priors.of(list(self.problem.parameters.share_names))

    def __call__(self, q: Array) -> tuple[float, Array]:
        """The value in nats, up to a constant, and its gradient (P,).

        NaN where the numbers do not reach, as `LogPosterior` has it.
        """
        try:
            with np.errstate(all="ignore"):
                theta, jacobian, d_jacobian = self.coordinates.point(q)
                logp, d_logp = self.likelihood(theta)
                prior, d_prior = self.prior(theta)
                slopes = self.coordinates.gradient(q, theta, d_logp + d_prior)
                return logp + prior + jacobian, slopes + d_jacobian
        except np.linalg.LinAlgError:
            return np.nan, np.full(len(q), np.nan)

    def prior(self, theta: Array) -> tuple[float, Array]:
        """Log-density of the priors, up to a constant, at the free vector (P,); its gradient."""
        space, within = self.problem.parameters, self.problem.within
        total, slopes = 0.0, np.zeros(space.size)
        of_classes = zip(self._within, space.select, space.class_thetas(theta), strict=True)
        for priors, places, own in of_classes:
            value, slope = prior_value_and_gradient(within, priors, own)
            total += value
            slopes[places] += slope
        value, slopes[space.n_within :] = self._shares.value_and_gradient(theta[space.n_within :])
        return total + value, slopes


@dataclass(frozen=True, eq=False)
class WhitenedClasses:
    """A `ClassPosterior` in coordinates ``x`` (P,), in which it is close to standard normal.

    Parameters
    ----------
    posterior
        As a function of ``q``.
    centre, root
        ``q = centre + root x``.
    """

    posterior: ClassPosterior
    centre: Array
    root: Array

    @property
    def size(self) -> int:
        return len(self.centre)

    @property
    def stand(self) -> tuple[Array, ...]:
        return self.centre, self.root

    @property
    def bent(self) -> bool:
        """No priors with poles are known of classes."""
        return False

    def theta(self, x: Array) -> Array:
        """The free vector (P,) at ``x``, or those (N, P) at many (N, P)."""
        # Not by BLAS, whose last bits depend on threads.
        q = self.centre + np.einsum("pq,...q->...p", self.root, x)
        return self.posterior.coordinates.theta(q)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient (P,); NaN where the numbers do not reach."""
        value, gradient = self.posterior(self.centre + self.root @ x)
        return value, self.root.T @ gradient


def serial_on_classes(problem: Problem, grid: Grid) -> Total:
    """The integrated likelihood on ``grid``, on one thread, which several may call at once."""
    parts = []
    for part in grid.halves or (grid,):
        grids = [part.of_class(c) for c in range(problem.parameters.classes)]
        made = {id(own): own.block(0, problem.n_persons) for own in grids}
        parts.append([made[id(own)] for own in grids])
    return partial(_serial, problem, parts)


def _serial(
    problem: Problem, parts: Sequence[Sequence[Nodes]], theta: Array
) -> tuple[float, Array]:
    here = Point(problem, theta)
    each = []
    for nodes in parts:
        own = [by_person_on(of, *at) for of, at in zip(here.classes, nodes, strict=True)]
        each.append(over_classes(here, *zip(*own, strict=True)))
    logp, by_person = each[0] if len(each) == 1 else corrected(*each)
    weights = problem.data.weights
    return float(weighted_sum(weights, logp)), weighted_sum(weights, by_person)


def whitened_classes(
    problem: Problem,
    grid: Grid,
    theta: Array,
    order: Ordering,
    priors: Mapping[str, PriorLike] | None = None,
) -> WhitenedClasses:
    """The log posterior around its mode near ``theta`` (P,), whose classes stand in ``order``."""
    within, chosen = class_coordinates_of(problem, order), class_priors(problem, priors)
    likelihood = Likelihood(problem, grid)
    function = ClassPosterior(problem, chosen, likelihood.value_and_gradient, within)
    theta, units = problem.canonical(theta), natural_units(problem)
    scales = np.array([row.diagonal for row in within.rows], dtype=np.int64)
    theta[scales] = np.maximum(theta[scales], SMALL * units[scales])
    start, (_, scores) = within.at(theta), likelihood.by_person(theta)
    for row in within.rows:
        units[[*row.before, row.diagonal]] = 1.0  # of logarithms, and of Fisher's z
    units[within.places[1:]] = 1.0
    root = whitening(within.slopes(start, scores), problem.data.weights, units)
    optimum = maximise(function, start, root)
    information = curvature(lambda at: function(at)[1], optimum.theta, root)
    # Where this is not a maximum in every direction, the scores' root still gives the scales.
    with suppress(np.linalg.LinAlgError):
        root = np.linalg.inv(np.linalg.cholesky(information)).T
    own = ClassPosterior(problem, chosen, serial_on_classes(problem, grid), within)
    return WhitenedClasses(own, optimum.theta, root)
