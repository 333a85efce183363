"""theta becomes coefficients here, and nowhere else: a model bound to data, at one free vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.kernels.integrals import coefficients_everywhere, node_log_probabilities
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import law_tables, with_fixed
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nested_integrals import nested_node_log_probabilities
from bayesmix.kernels.nests import Nests
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.ordered_sums import linear
from bayesmix.specification.values import Parameters

NOT_OF_NESTS = (
    "this does not know nests=: bm.msle estimates models with nests, and bm.shares, bm.predict, "
    "bm.elasticities, bm.diversion and bm.surplus tell their demand; leave nests= out of the model"
)
NO_NODES, NO_WEIGHTS = np.zeros((1, 0, 0)), np.zeros((1, 0))


class Persons(Protocol):
    """A problem, or a block of its persons."""

    @property
    def whole(self) -> Block: ...

    def block_at(self, theta: Array) -> Block: ...


@dataclass(frozen=True, eq=False)
class Point:
    """A model bound to data at the free vector ``theta`` (P,): what the kernels read.

    ``v_itj = c_t (x_itj' fixed + w_itj' beta_i) + offset_itj`` with ``beta_i = T(loc_i + L u_i)``,
    ``loc_i = mean + shift z_i``, and the scale ``c_t`` of the situation's source. How derivatives
    come back from there is in `bayesmix.likelihood.chain`.

    Parameters
    ----------
    problem
        The model bound to data, or to those of some persons.
    theta
        The free vector; behind it, where draws of a control function's first stage are joint with
        it, the coefficients of that (P + G,), at which residuals are taken.
    """

    problem: Persons
    theta: Array

    @cached_property
    def persons(self) -> Block:
        """The arrays of the persons."""
        return self.problem.block_at(self.theta)

    @property
    def own(self) -> Array:
        """The free vector alone (P,)."""
        return self.theta[: self.persons.parameters.size]

    def part(self, start: int, stop: int) -> Point:
        """Persons start .. stop - 1 alone, free of the others."""
        return Point(self.persons.part(start, stop), self.own)

    @cached_property
    def parameters(self) -> Parameters:
        """Means, Cholesky factor, fixed coefficients, shifts, scales: of a model of one class."""
        found: Parameters = self.persons.parameters.unpack(self.own)
        return found

    @cached_property
    def classes(self) -> tuple[Point, ...]:
        """The points of the C >= 1 classes: itself, where there is one."""
        return self.persons.points(self)

    @cached_property
    def log_shares(self) -> Array:
        """Logarithms (n, C) of the class shares of persons; (1, C) where they are everybody's."""
        persons = self.persons
        return normalised(persons.share_z @ persons.parameters.gamma(self.own).T)

    @cached_property
    def fixed(self) -> Array:
        """Fixed coefficients (F,)."""
        fixed: Array = self.classes[0].parameters.fixed
        return fixed[len(self.persons.parameters.points) :]

    @cached_property
    def locations(self) -> Array:
        """Means of the indices and shapes (n, K + E), or (1, K + E) where all have the same."""
        persons, at = self.persons, self.parameters
        mean: Array = at.mean[None, :]
        if not len(at.shift):
            return mean
        loc = np.repeat(mean, len(persons.z), axis=0)
        for m, k in enumerate(persons.parameters.shifted):
            loc[:, k] += at.shift[m] * persons.z[:, m]
        return loc

    @cached_property
    def scales(self) -> Array | None:
        """Scale (R,) of the source of each row; None where there are none."""
        persons = self.persons
        if persons.source is None:
            return None
        scales = np.exp(np.append(0.0, self.parameters.log_scale))
        return np.repeat(scales[persons.source], np.diff(persons.panel.situation_start))

    @cached_property
    def base(self) -> Array:
        """Utilities (R,) of what does not vary over nodes."""
        persons = self.persons
        utility = (
            np.zeros(len(persons.panel.x))
            if persons.price >= 0
            else linear(persons.x_fixed, self.fixed)
        )
        utility = utility if self.scales is None else utility * self.scales
        return utility if persons.offset is None else utility + persons.offset

    @property
    def panel(self) -> Panel:
        """The kernel's arrays, attributes times the sources' scales: of the logit.

        Raises
        ------
        SpecificationError
            If there are nests, for what asks for them here does not know any.
        """
        if self.persons.nests is not None:
            raise SpecificationError(NOT_OF_NESTS)
        return self.rows

    @cached_property
    def rows(self) -> Panel:
        """The same for what knows the nests."""
        panel, scales = self.persons.panel, self.scales
        return panel if scales is None else panel._replace(x=panel.x * scales[:, None])

    @cached_property
    def nests(self) -> Nests | None:
        """Nests of the rows, with their coefficients; None where there are none."""
        nests = self.persons.nests
        if nests is None:
            return None
        return nests._replace(coefficient=np.exp(self.parameters.log_scale))

    @cached_property
    def law(self) -> Mixture:
        """Where coefficients come from, without nodes."""
        persons, loc = self.persons, self.locations
        _, chol, fixed, *_ = self.parameters
        laws, known = persons.laws, persons.known
        ready(persons.functions)  # in this process, if not where the problem was made
        if persons.price >= 0:
            means, shapes = np.split(loc, [len(laws)], axis=1)
            loc = np.concatenate([means, np.tile(fixed, (len(loc), 1)), shapes], axis=1)
            chol = np.concatenate([chol, np.zeros((len(fixed), len(laws)))])
            laws = with_fixed(laws, len(fixed))
        tables = law_tables(laws, known, loc, chol)
        return Mixture(loc, chol, laws, NO_NODES, NO_WEIGHTS, persons.price, known, tables)

    def mixture(self, nodes: Array, weights: Array) -> Mixture:
        """The mixture of the persons' coefficients.

        Parameters
        ----------
        nodes, weights
            (1 or n, K, S) and (1 or n, S), as a grid's ``block`` returns them; (n, C, K, S) and
            (n, C, S) where each of C latent classes has nodes of its own.
        """
        return self.persons.mixture(self, nodes, weights)

    def coefficients(self, nodes: Array) -> Array:
        """Coefficients of the columns of ``panel.x``, (1 or n, ., S), at ``nodes`` (1 or n, K, S).

        ``beta = T(L u; loc, s)``, and in WTP space that times minus the price coefficient. With C
        latent classes (1 or n, ., C S), class by class.
        """
        return coefficients_everywhere(self.mixture(nodes, np.ones((1, nodes.shape[-1]))))

    def log_probabilities(self, mixture: Mixture) -> Array:
        """``log P(y_i | beta_is)`` (n, S) at the nodes of a mixture, before any weights."""
        if self.nests is not None:
            return nested_node_log_probabilities(self.rows, self.nests, self.base, mixture)
        return node_log_probabilities(self.panel, self.base, mixture)


def normalised(index: Array) -> Array:
    """``index (n, C)`` less its log-sum over classes."""
    top = index.max(axis=1, keepdims=True)
    return index - top - np.log(np.exp(index - top).sum(axis=1, keepdims=True))


def over_classes(
    point: Point, logp: Sequence[Array], scores: Sequence[Array]
) -> tuple[Array, Array]:
    """``log P_i`` (n,) and its scores (n, P) of the point's persons, from those of each class.

    The score in the class's own entries is that of the class times ``h_ic``, the probability of the
    class given the choices; in ``gamma_c`` it is ``(h_ic - pi_ic) z_i``.
    """
    space, prior = point.persons.parameters, point.log_shares
    total, posterior = posterior_classes(prior, np.stack(logp, axis=1))
    out = np.zeros((len(total), space.size))
    for c, own in enumerate(scores):
        out[:, space.select[c]] += posterior[:, [c]] * own
    z = point.persons.share_z
    change = (posterior - np.exp(prior))[:, 1:, None] * z[:, None, :]
    out[:, space.n_within :] = change.reshape(len(total), -1)
    return total, out


def posterior_classes(prior: Array, logp: Array) -> tuple[Array, Array]:
    """``log P_i`` (I,) and class probabilities given the choices (I, C).

    From log-shares (I or 1, C) and log-probabilities of the choices in each class (I, C).
    """
    joint = prior + logp
    top = joint.max(axis=1, keepdims=True)
    relative = np.exp(joint - top)
    total = relative.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], relative / total
