"""What the data tell, at a null of no variation, about the variances that it sets to 0.

The score of a variance at 0 is half a second derivative: of ``log P_i`` with respect to the spread
of the coefficient. With the scores of everything else it gives the covariance of the estimates, and
so the shape of the cone that a likelihood ratio is projected on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.centring.grids import centre
from bayesmix.classical.fit import Fit
from bayesmix.inference.nesting import Nesting, last_in_their_laws, null_params
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import CORRELATION

NODES = 256
SEED = 7
STEP = 0.005
"""Standard deviation of the differences, in utils (or of an index without units)."""


def boundary_covariance(restricted: Fit, full: Fit, nested: Nesting) -> Array | None:
    """Covariance (d, d) of the estimates of variances and covariances that are 0 under the null.

    Up to a factor, in the order of `boundary_law`; None where the data say nothing on some of them,
    or parameters are held or tied.
    """
    if full.model.constraints:
        return None
    problem = bind(last_in_their_laws(full.model, nested.fixed), full.problem.data)
    theta = problem.parameters.theta(_renamed(problem.parameters, null_params(restricted, full)))
    grid = centre(problem, centred(sobol(NODES), moments=True), theta, SEED)
    likelihood = Likelihood(problem, grid)
    value, scores = likelihood.by_person(theta)
    bounded = _bounded_entries(problem, nested.fixed)
    of_variances = _variance_scores(likelihood, theta, value, nested)
    every = np.concatenate([of_variances, scores[:, ~bounded]], axis=1)
    return _covariance(every * np.sqrt(problem.data.weights)[:, None], of_variances.shape[1])


def _renamed(space: Layout, values: dict[str, float]) -> dict[str, float]:
    """Values by the names that parameters have where coefficients stand in another order."""
    turned = {
        str(p): str(replace(p, label=", ".join(reversed(p.terms))))
        for p in space.listed
        if p.kind == CORRELATION
    }
    return {n: values[n if n in values else turned[n]] for n in space.names}


def _covariance(scores: Array, size: int) -> Array | None:
    outer = scores.T @ scores
    scale = np.sqrt(np.diag(outer))
    known = scale > 1e-8 * scale.max()  # a nuisance that is itself at a boundary has no scores
    if not known[:size].all():
        return None
    outer = (outer / np.outer(scale, scale))[np.ix_(known, known)]
    if np.linalg.cond(outer) > 1e10:
        return None
    inverse = np.linalg.inv(outer)[:size, :size]
    return inverse / np.outer(scale[:size], scale[:size])


def _bounded_entries(problem: Problem, terms: tuple[str, ...]) -> Flags:
    """Entries (P,) of the free vector that belong to the covariance matrices at 0."""
    space = problem.parameters.within
    still = np.isin(space.random, terms)
    rows, columns = space.chol_index
    own = np.zeros(space.size, dtype=bool)
    own[len(space.located) : len(space.located) + len(rows)] = still[rows] & still[columns]
    found = np.zeros(problem.parameters.size, dtype=bool)
    found[problem.parameters.select[:, own]] = True
    return found


def _variance_scores(likelihood: Likelihood, theta: Array, value: Array, nested: Nesting) -> Array:
    """Scores (I, d) of the elements of the covariance matrices at 0."""
    problem, layout = likelihood.problem, likelihood.problem.parameters
    space = layout.within
    unit = np.where(problem.within.index, STEP, STEP / problem.design.spread[: space.n_random])

    def along(j: int, k: int, sign: float) -> Array:
        """Second difference along ``e_j + sign e_k`` of the indices' spread (k = j: along e_j)."""
        total = -2.0 * value
        for side in (1.0, -1.0):
            moved = []
            for own in layout.class_thetas(theta):
                at = space.unpack(own)
                at.chol[k, j] = side * sign * unit[k]
                at.chol[j, j] = side * unit[j]
                moved.append(space.pack(*at))
            there = layout.join(np.array(moved), layout.gamma(theta))
            total = total + likelihood.by_person(there)[0]
        return total / 2.0

    columns = []
    for block in nested.blocks:
        places = sorted(space.random.index(term) for term in block)
        for row, k in enumerate(places):
            for j in places[: row + 1]:
                if j == k:
                    columns.append(along(k, k, 1.0) / unit[k] ** 2)
                else:
                    both = along(j, k, 1.0) - along(j, k, -1.0)
                    columns.append(both / 2.0 / (unit[j] * unit[k]))
    return np.stack(columns, axis=1)
