"""Derivatives of a multinomial logit's log-likelihood, summed over parts of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.pages import release
from bayesmix.data.parts import Part, Rows, parts
from bayesmix.likelihood.ordered_sums import cross, linear, weighted_sum


@dataclass(frozen=True, eq=False)
class ScaledColumns:
    """Some columns (R, M) over their spread."""

    values: Array
    spread: Array
    kept: Indices

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.values), len(self.kept)

    def __getitem__(self, rows: slice) -> Array:
        found = np.ascontiguousarray((self.values[rows] / self.spread)[:, self.kept])
        release(self.values[rows])
        return found


def logit_derivatives(
    data: ChoiceData, x: Rows, theta: Array, weights: Array, offset: Array | None = None
) -> tuple[Array, Array, Array]:
    """Log-probabilities (T,) of the choices at coefficients of the columns ``x`` (R, M).

    Besides the gradient (M,) and the information (M, M) of their sum with weights (T,); ``offset``
    (R,) is what is known of the utilities.
    """
    logp = np.empty(data.n_situations)
    gradient, information = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
    for part in parts(data):
        own = x[part.rows]
        v = linear(own, theta)
        v = v if offset is None else v + offset[part.rows]
        logp[part.situations], g, h = _of_part(
            part, part.chosen(data), own, v, weights[part.situations]
        )
        gradient, information = gradient + g, information + h
    return logp, gradient, information


def _of_part(
    part: Part, chosen_row: Indices, x: Array, v: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """`logit_derivatives` of some situations, at utilities ``v`` (r,)."""
    start, outside = part.situation_start[:-1], part.outside_option
    sizes = np.diff(part.situation_start)
    top = np.maximum.reduceat(v, start)
    if outside:
        top = np.maximum(top, 0.0)
    q = np.exp(v - np.repeat(top, sizes))
    total = np.add.reduceat(q, start) + (np.exp(-top) if outside else 0.0)
    p = q / np.repeat(total, sizes)
    inside = chosen_row >= 0
    chosen = chosen_row[inside]
    v_chosen = np.zeros(len(start))
    v_chosen[inside] = v[chosen]
    mean = np.add.reduceat(x * p[:, None], start)
    gradient = weighted_sum(weights[inside], x[chosen]) - weighted_sum(weights, mean)
    row_weights = np.repeat(weights, sizes) * p
    information = cross(x, row_weights) - cross(mean, weights)
    return v_chosen - top - np.log(total), gradient, information
