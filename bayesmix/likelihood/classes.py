"""Several latent classes: blocks of their persons, and their grids.

``P_i = sum_c pi_ic P_i(theta_c)``, ``pi_ic = exp(gamma_c'z_i) / sum_d exp(gamma_d'z_i)``. Every
class is an ordinary problem, ``problem.within``, at a selection ``theta_c`` of the free vector, and
has nodes where a person's choices put them in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from bayesmix.arrays import Array
from bayesmix.integration.grids import Seed
from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood.block import Block


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassBlock(Block):
    """Consecutive persons who are of C classes.

    Parameters
    ----------
    inner
        The same persons within a class.
    """

    inner: Block

    @classmethod
    def of(cls, persons: Block, inner: Block) -> ClassBlock:
        """Persons with their ``inner`` block within a class."""
        return cls(**{f.name: getattr(persons, f.name) for f in fields(persons)}, inner=inner)

    def part(self, start: int, stop: int) -> Self:
        """Persons start .. stop - 1 of these."""
        own = super().part(start, stop)
        return own if own is self else replace(own, inner=self.inner.part(start, stop))

    def points(self, point: Any) -> tuple[Any, ...]:
        """The point of each class."""
        thetas = self.parameters.class_thetas(point.own)
        return tuple(replace(point, problem=self.inner, theta=theta) for theta in thetas)

    def mixture(self, point: Any, nodes: Array, weights: Array) -> Mixture:
        """A mixture whose nodes are the coefficients themselves, those of all classes in turn.

        Weights are those of the nodes times the class shares, so that no kernel need know of
        classes. Nodes (n, C, K, S) and weights (n, C, S) are a class's own; all share (n, K, S).
        """
        shares = np.exp(point.log_shares)
        points = len(self.parameters.points)
        values, shared = [], []
        for c, own in enumerate(point.classes):
            u, w = (nodes, weights) if nodes.ndim == 3 else (nodes[:, c], weights[:, c])
            beta = own.coefficients(np.ascontiguousarray(u))
            if self.price < 0:
                sizes = (len(beta), points, beta.shape[2])
                own_points = np.broadcast_to(own.fixed[:points, None], sizes)
                beta = np.concatenate([beta, own_points], axis=1)
            values.append(beta)
            shared.append(shares[:, [c]] * w)
        size = values[0].shape[1]
        return Mixture(
            np.zeros((1, size)),
            np.eye(size),
            no_laws(size),
            np.concatenate(values, axis=2),
            np.concatenate(shared, axis=1),
        )


@dataclass(frozen=True, eq=False)
class ClassGrid:
    """A person-centred grid for each of C latent classes; made by `bayesmix.centring.grids.centre`.

    A person's choices say different things of tastes in each class, and the integral of every class
    has nodes where its own integrand is.
    """

    by_class: tuple[Any, ...]  # of `PersonGrid`, which stands above

    shared = False

    @property
    def rule(self) -> Any:
        return self.by_class[0].rule

    @property
    def size(self) -> int:
        """Nodes a person and class, S."""
        return int(self.by_class[0].size)

    @property
    def dimension(self) -> int:
        return int(self.by_class[0].dimension)

    @property
    def modes(self) -> Array:
        """Where the grids are centred, (C, I, K)."""
        return np.stack([part.modes for part in self.by_class])

    @property
    def halves(self) -> tuple[ClassGrid, ...]:
        """The grids of the first halves of all classes' nodes, and of the second, if they have."""
        return tuple(map(ClassGrid, zip(*(part.halves for part in self.by_class), strict=True)))

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, C, K, S) and weights (n, C, S) of persons start .. stop - 1."""
        nodes, weights = zip(*(part.block(start, stop) for part in self.by_class), strict=True)
        return np.stack(nodes, axis=1), np.stack(weights, axis=1)

    def part(self, start: int, stop: int) -> ClassGrid:
        """The grid of persons start .. stop - 1 alone."""
        return ClassGrid(tuple(part.part(start, stop) for part in self.by_class))

    def of_class(self, c: int) -> Any:
        """The grid of class c."""
        return self.by_class[c]

    def renumbered(self, order: Sequence[int]) -> ClassGrid:
        """The grid of the same classes in another order: class c is what was ``order[c]``."""
        return ClassGrid(tuple(self.by_class[c] for c in order))

    @property
    def record(self) -> dict[str, Any]:
        """What it is made of, for JSON."""
        return {"classes": [part.record for part in self.by_class]}

    def renewed(self, rng: Seed) -> ClassGrid:
        """The same centres with fresh nodes."""
        generator = np.random.default_rng(rng)
        return ClassGrid(tuple(part.renewed(generator) for part in self.by_class))

    def resized(self, nodes: int) -> ClassGrid:
        """The same centres and keys with another number of nodes a person and class."""
        return ClassGrid(tuple(part.resized(nodes) for part in self.by_class))

    def __str__(self) -> str:
        return str(self.rule)
