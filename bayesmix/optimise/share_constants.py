"""Constants of alternatives, market by market, at which shares are the given ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.optimise.fixed_point import solved_rows, squarem

TOLERANCE = 1e-13
"""How far logarithms of predicted shares may be from those of given ones."""
NEWTON_MOST = 2**25
"""Derivatives of shares in constants, of all markets, up to which Newton's steps are taken."""
MOST_STEPS, MOST_EVALUATIONS = 100, 3000


class ShareFunction(Protocol):
    """Shares of A alternatives in G markets, as functions of constants (G, J)."""

    def shares(self, xi: Array) -> Array:
        """Shares (G, A)."""

    def slopes(self, xi: Array) -> tuple[Array, Array]:
        """Shares, and their derivatives (G, J, A) in the constants."""


class MatchingConstants(NamedTuple):
    """Constants (G, J), and the shares (G, A) there.

    ``error`` (G,) is the largest of their logarithms, ``evaluations`` how often they were computed.
    """

    constants: Array
    shares: Array
    error: Array
    evaluations: int


@dataclass(frozen=True, eq=False)
class SharesToMatch:
    """Logarithms (G, A) of the shares to match, where there are any, and (G,) whose constant is 0.

    ``inside`` alternatives come first; the outside option is the last.
    """

    logs: Array
    here: Flags
    base: Indices
    inside: int

    @property
    def free(self) -> Flags:
        """Constants (G, J) that are looked for."""
        places = np.arange(self.inside)
        return self.here[:, : self.inside] & (places != self.base[:, None])

    @property
    def start(self) -> Array:
        """Constants (G, J) of a logit in which alternatives do not differ otherwise."""
        return self.less_base(self.logs)

    def step(self, shares: Array) -> Array:
        """How much higher logarithms (G, A) are to be."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.here, self.logs - np.log(shares), 0.0)

    def less_base(self, values: Array) -> Array:
        """Values (G, J) of free constants, less what the base's is."""
        rows = np.arange(len(values))
        return np.where(self.free, values[:, : self.inside] - values[rows, self.base][:, None], 0.0)

    def plain(self, step: Array) -> Array:
        """The contraction's step (G, J), which leaves the outside option's constant as it is."""
        if self.base.min() >= self.inside:
            return np.where(self.free, step[:, : self.inside], 0.0)
        return self.less_base(step)

    def blocks(self, effect: Array) -> Array:
        """Derivatives (G, J, J) of free constants' shares in them; 1 on what is not free."""
        free, inside = self.free, self.inside
        both = free[:, :, None] & free[:, None, :]
        return np.where(both, effect[:, :, :inside], np.eye(inside))


def wanted_of(target: Array, inside: int) -> SharesToMatch:
    """What constants of ``inside`` alternatives are to give shares (G, A), 0 where not offered."""
    here = target > 0
    logs = np.log(np.where(here, target, 1.0))
    outside = target.shape[1] > inside
    base = np.full(len(target), target.shape[1] - 1) if outside else here.argmax(axis=1)
    return SharesToMatch(logs, here, base, inside)


def solve_constants(
    predicted: ShareFunction, wanted: SharesToMatch, start: Array | None = None
) -> MatchingConstants:
    """Constants with which shares are those wanted: by Newton, of very many by contraction.

    The first alternative's constant is 0 where there is no outside option.
    """
    method = _newton if wanted.logs.size * wanted.inside <= NEWTON_MOST else _contraction
    return method(predicted, wanted, wanted.start if start is None else start)


def _contraction(
    predicted: ShareFunction, wanted: SharesToMatch, start: Array
) -> MatchingConstants:
    def function(xi: Array) -> Array:
        return xi + wanted.plain(wanted.step(predicted.shares(xi)))

    at = squarem(function, start, tolerance=TOLERANCE, most=MOST_EVALUATIONS)
    shares = predicted.shares(at.value)
    error = np.abs(wanted.step(shares)).max(axis=1)
    return MatchingConstants(at.value, shares, error, at.evaluations + 1)


def _newton(predicted: ShareFunction, wanted: SharesToMatch, start: Array) -> MatchingConstants:
    """Newton's steps on logarithms, market by market; others' where one leads away.

    First the contraction's less what the base is off by, which for a logit is all of the way
    however small its share is; then the contraction's own, which is slow where that is small.
    """
    xi, count, free = start, 1, wanted.free
    shares, effect = predicted.slopes(xi)
    while True:
        step = wanted.step(shares)
        error = np.abs(step).max(axis=1)
        going = ~(error <= TOLERANCE)
        if not going.any() or count >= MOST_STEPS:
            return MatchingConstants(xi, shares, error, count)
        own = np.where(wanted.here, shares, 1.0)[:, : wanted.inside, None]
        matrix = np.where(
            free[:, :, None] & free[:, None, :],
            effect[:, :, : wanted.inside] / own,
            np.eye(wanted.inside),
        )
        jump, fine = solved_rows(matrix, np.where(free, step[:, : wanted.inside], 0.0))
        plain = xi + np.where(going[:, None], wanted.plain(step), 0.0)
        trial = np.where((going & fine)[:, None], xi + jump, plain)
        then, slopes = predicted.slopes(trial)
        worse = going & ~(np.abs(wanted.step(then)).max(axis=1) < error)
        count += 1
        for other in (xi + wanted.less_base(step), plain):
            if not worse.any():
                break
            trial = np.where(worse[:, None], other, trial)
            then, slopes = predicted.slopes(trial)
            worse = going & ~(np.abs(wanted.step(then)).max(axis=1) < error)
            count += 1
        xi, shares, effect = trial, then, slopes
