"""Sums of shares and effects that are too small for floating point, by logarithms and signs.

A share of 1e-400 is nothing, yet how it responds to a price is a number, and so is where those go
who leave an alternative that all but nobody would leave. Each sum is kept relative to its largest
term: ``sum = total exp(top)``. Slower than `bayesmix.kernels.substitution`, and asked only where
that finds nothing to divide by.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.certain_choices import Change, log_moved, utilities
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.logit import BLOCK, Panel
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.substitution import Offer, Sets, Size

VANISHED = 1e-290
"""Sums of probabilities below it are not accurate where they are sums of products."""


class Sums(NamedTuple):
    """``total exp(top)``, arrays of one shape; ``top`` is -inf where there is nothing to sum."""

    top: Array
    total: Array

    def relative(self, top: Array) -> Array:
        """The sums in units of ``exp(top)``; 0 where that is nothing."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(top), self.total * np.exp(self.top - top), 0.0)

    def plus(self, other: Sums) -> Sums:
        """Sums of two parts of the persons."""
        top = np.maximum(self.top, other.top)
        return Sums(top, self.relative(top) + other.relative(top))


def log_substitution(
    panel: Panel, sets: Sets, base: Array, change: Change, mixture: Mixture, size: Size
) -> tuple[Sums, Sums]:
    """As `substitution`: effects (G, J, A), each alternative's own minus its others, and shares."""
    empty = [
        Sums(np.full(shape, -np.inf), np.zeros(shape))
        for shape in (
            (size.groups, size.changed, size.alternatives),
            (size.groups, size.alternatives),
        )
    ]
    effect, share = empty
    _add_up(Offer(panel, sets, base), change, mixture, effect, share)
    top = effect.top.max(axis=2)
    own = np.arange(size.changed)
    effect.total[:, own, own] = -effect.relative(top[..., None]).sum(axis=2)
    effect.top[:, own, own] = top
    return effect, share


@compiled(error_model="numpy")
def _add_up(  # pragma: no cover - compiled
    offer: Offer, change: Change, mixture: Mixture, effect: Sums, share: Sums
) -> None:
    panel, sets, base = offer.panel, offer.sets, offer.base
    situations, codes = panel.situation_start, sets.alternative
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    width = min(BLOCK, n_nodes)
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    changed = effect.top.shape[1]
    for i in range(sets.person_start.shape[0] - 1):
        w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            coefficients(mixture, i, first, n, beta, slope)
            for t in range(sets.person_start[i], sets.person_start[i + 1]):
                row, last, g = situations[t], situations[t + 1], sets.group[t]
                m = last - row
                v, d = np.empty(m), np.empty(m)
                for s in range(n):
                    if not w[first + s] * sets.weight[t] > 0.0:
                        continue
                    weight = math.log(w[first + s]) + math.log(sets.weight[t])
                    utilities(panel.x[row:last], base[row:last], beta, s, v)
                    utilities(change.x[row:last], change.base[row:last], beta, s, d)
                    whole = _log_sum_all(v)
                    for j in range(m):
                        code = codes[row + j]
                        add(share.top[g], share.total[g], code, weight + v[j] - whole, 1.0)
                        if code >= changed:
                            continue
                        size, sign, others = log_moved(change.kind, codes[row:last], j, v, d)
                        top, total = effect.top[g, code], effect.total[g, code]
                        for k in range(m):
                            if codes[row + k] != code:
                                each = weight + size + v[k] - others
                                add(top, total, codes[row + k], each, -sign)


@part(error_model="numpy")
def _log_sum_all(v: Array) -> float:  # pragma: no cover - compiled
    top, total = v.max(), 0.0
    for k in range(v.shape[0]):
        total += math.exp(v[k] - top)
    return top + math.log(total)


@part(error_model="numpy")
def add(  # pragma: no cover - compiled
    top: Array, total: Array, place: int, log_size: float, sign: float
) -> None:
    """Add ``sign exp(log_size)`` to the sum at a place."""
    if log_size == -np.inf:
        return
    if log_size > top[place]:
        total[place] *= math.exp(top[place] - log_size)
        top[place] = log_size
    total[place] += sign * math.exp(log_size - top[place])


@compiled(error_model="numpy")
def log_row_shares(  # pragma: no cover - compiled
    panel: Panel, sets: Sets, base: Array, mixture: Mixture
) -> Array:
    """Logarithms (R,) of the shares of the rows of a panel of situations."""
    situations = panel.situation_start
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    width = min(BLOCK, n_nodes)
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    top, total = np.full(base.shape[0], -np.inf), np.zeros(base.shape[0])
    for i in range(sets.person_start.shape[0] - 1):
        w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            coefficients(mixture, i, first, n, beta, slope)
            for t in range(sets.person_start[i], sets.person_start[i + 1]):
                row, last = situations[t], situations[t + 1]
                m = last - row
                v = np.empty(m)
                for s in range(n):
                    if not w[first + s] > 0.0:
                        continue
                    utilities(panel.x[row:last], base[row:last], beta, s, v)
                    whole = math.log(w[first + s]) - _log_sum_all(v)
                    for j in range(m):
                        add(top, total, row + j, whole + v[j], 1.0)
    return top + np.log(total)
