"""Grids of two halves: independent nodes, whose difference tells the bias of a log-integral.

The logarithm of an average of S draws is too low by half their relative variance (Train 2009,
chapter 10). For every person alike: the sum over persons outgrows its noise, and any tolerance, as
persons are added. With averages ``P_a`` and ``P_b`` over two independent halves of the nodes and
``d = log P_a - log P_b``, half the relative variance of their mean is estimated without bias, to
the first order, by ``((P_a - P_b) / (P_a + P_b))^2 / 2 = tanh(d / 2)^2 / 2``, and

    log P_i = log((P_a + P_b) / 2) + tanh(d / 2)^2 / 2,

the jackknife of two groups (Quenouille 1956) but for terms of the fourth order in d, which leave it
bounded: no search can climb on a half that has lost its person. Scores are this value's
derivatives, and so unbiased to the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.integration.grids import OneGrid


class Half(Protocol):
    """One of the two: nodes and weights of persons."""

    @property
    def size(self) -> int: ...

    def block(self, start: int, stop: int) -> tuple[Array, Array]: ...

    def part(self, start: int, stop: int) -> Any: ...


@dataclass(frozen=True, eq=False)
class Halved(OneGrid):
    """Two halves as one grid."""

    halves: tuple[Half, Half]

    shared = False

    @property
    def size(self) -> int:
        return sum(half.size for half in self.halves)

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, K, S) and weights (n, S) of persons start .. stop - 1."""
        return both(*(half.block(start, stop) for half in self.halves))

    def part(self, start: int, stop: int) -> Halved:
        """The halves of persons start .. stop - 1 alone."""
        first, second = self.halves
        return Halved((first.part(start, stop), second.part(start, stop)))


def both(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Nodes (n, K, S) and weights (n, S) of two halves, one after the other."""
    nodes, weights = (np.concatenate(parts, axis=-1) for parts in zip(first, second, strict=True))
    return nodes, weights / 2


def corrected(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """``log P_i`` (n,) and scores (n, P) of persons, from those on each half."""
    (logp, scores), (other, other_scores) = first, second
    share = first_share(logp, other)[:, None]
    return without_bias(logp, other), share * scores + (1.0 - share) * other_scores


def without_bias(first: Array, second: Array) -> Array:
    """``log P_i`` from those on each half, of any shape."""
    value: Array = np.logaddexp(first, second) - np.log(2.0)
    return value + np.tanh((first - second) / 2) ** 2 / 2


def first_share(first: Array, second: Array) -> Array:
    """Derivative of `without_bias` by its first argument; that by the second is 1 less this.

    With t = tanh(d / 2) the first half has the share (1 + t) / 2, and dt / dd = (1 - t^2) / 2.
    """
    tangent = np.tanh((first - second) / 2)
    found: Array = 0.5 + tangent * (2.0 - tangent**2) / 2
    return found
