"""Moments and simulated scores beside the likelihood: where to start, and what to say of the end.

Simulated moments see one situation at a time and can be weak where the likelihood is not: their
criterion has flat valleys and several minima. The likelihood's maximum on few nodes is a start
from which the right one is found, and something to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.accuracy.refine import FIRST_RULE
from bayesmix.arrays import Array, Indices
from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.classical.search import Search
from bayesmix.errors import ConvergenceError, IntegrationError
from bayesmix.identification.weakest_direction import free_names
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import starting_values
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.climb import climb
from bayesmix.optimise.leave_boundary import at_boundary

SEED = 0
"""Of the likelihood's nodes: the draws of the moments do not depend on them."""
FAR = 30.0
"""Natural units beyond which a likelihood has no maximum worth starting from."""
WEAK = 1.0
"""Natural units, about a util within situations: a standard error of more is told."""
NEAR = 0.02
"""Natural units below which the diagonal of a Cholesky factor is 0."""
APART = 3.5
"""Standard errors of a difference from the likelihood's estimates from which it is told."""


@dataclass(frozen=True, eq=False)
class Likeliest:
    """The likelihood's maximum (P,) on few person-centred nodes, and persons' scores (I, P)."""

    theta: Array
    scores: Array


def likeliest(search: Search) -> Likeliest | None:
    """The maximum from the multinomial logit; None where there is none, or nothing to integrate."""
    problem = search.problem
    if not problem.model.random:
        return None
    search.progress.phase("start from the likelihood")
    rng = np.random.default_rng(SEED)
    try:
        start = problem.canonical(starting_values(problem, search.logit))
        optimum, grid = climb(problem, FIRST_RULE, start, rng)
    except (ConvergenceError, IntegrationError, np.linalg.LinAlgError):
        return None
    theta = problem.canonical(optimum.theta)
    if not optimum.converged or (np.abs(theta) > FAR * natural_units(problem)).any():
        return None
    return Likeliest(theta, Likelihood(problem, grid).by_person(theta)[1])


def weak_words(problem: Problem, found: Information, theta: Array) -> str:
    """What is hardly determined at all, in natural units; "" where all is.

    ``found.hessian`` is ``J'J`` of whitened moments' (or scores') derivatives ``J``: the smallest
    singular value of ``J`` in natural units is one over the largest standard error.
    """
    kept, hessian = _inner(problem, theta), found.hessian
    if found.constraint is not None:
        inside = np.isin(found.constraint.free, kept)
        kept, hessian = found.constraint.free[inside], np.zeros_like(hessian)
        part = found.free(found.hessian)[np.ix_(inside, inside)]
        hessian[np.ix_(kept, kept)] = part
    units = natural_units(problem)[kept]
    information = hessian[np.ix_(kept, kept)] * np.outer(units, units)
    if not np.isfinite(information).all():
        return ""
    values, vectors = np.linalg.eigh(information)
    if values[0] > 1.0 / WEAK**2:
        return ""
    size = np.abs(vectors[:, 0])
    names = _names(problem, kept[size > 0.3 * size.max()])
    verb = "together have" if len(names) > 1 else "has"
    error = 1.0 / np.sqrt(values[0]) if values[0] > 0 else np.inf
    return (
        f"Weakly identified: {', '.join(names)} {verb} a standard error of {error:.2g} "
        f"utils (smallest singular value of the whitened derivatives {1 / error:.2g}): estimates "
        "may be far from the truth, and their intervals too short; compare with bm.msle, or use "
        "more persons, or fewer standard deviations"
    )


def apart_words(problem: Problem, found: Information, theta: Array, other: Likeliest | None) -> str:
    """Which estimates differ from the likelihood's by more than sampling explains; "" if none.

    As in Hausman's (1978) test, the standard error of a difference is that of the difference of
    what each person contributes to the two.
    """
    if other is None:
        return ""
    space, weights = problem.parameters, problem.data.weights
    bread = found.covariance("hessian")
    scores = other.scores
    if found.constraint is not None:
        scores = found.constraint.project(scores)
    outer = replace(found, scores=scores).covariance("opg")
    own = space.jacobian(theta) @ bread @ found.scores.T
    others = space.jacobian(other.theta) @ outer @ scores.T
    error = np.sqrt((((own - others) * weights) ** 2).sum(axis=1))
    known = np.isfinite(
        np.diag(natural_covariance(space, theta, bread, found.silent, found.constraint))
    )
    gap = space.natural(theta) - space.natural(other.theta)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(known & (error > 0), np.abs(gap) / error, 0.0)
    far = [p for p in np.argsort(-ratio) if ratio[p] > APART]
    if not far:
        return ""
    names = ", ".join(f"{space.names[p]} ({space.natural(other.theta)[p]:.4g})" for p in far[:4])
    return (
        f"Far from the likelihood's estimates: {names}, by up to {ratio[far[0]]:.1f} standard "
        "errors of the difference: too few persons for these moments, or a model that is not true; "
        "compare with bm.msle"
    )


def _names(problem: Problem, entries: Indices) -> list[str]:
    """Printed names of entries of the free vector: a Cholesky factor's are of deviations."""
    space, every = problem.parameters.within, free_names(problem.parameters)
    first = len(space.located)
    rows, columns = space.chol_index
    chol = {
        first + m: f"sd[{space.random[k]}]"
        if k == j
        else f"corr[{space.random[j]}, {space.random[k]}]"
        for m, (k, j) in enumerate(zip(rows, columns, strict=True))
    }
    return [chol.get(int(p), every[p]) for p in entries]


def _inner(problem: Problem, theta: Array) -> Indices:
    """Entries of the free vector, without those at a boundary, of which other words tell.

    These are standard deviations near 0, and of correlations near 1 the last of their diagonal.
    """
    space = problem.parameters.within
    rows, columns = space.chol_index
    first = len(space.located)
    size = np.abs(theta / natural_units(problem))[first : first + len(rows)]
    low = np.isin(rows, at_boundary(problem, theta)) | ((rows == columns) & (size < NEAR))
    out = np.zeros(len(theta), dtype=bool)
    out[first : first + len(low)] = low
    return np.flatnonzero(~out)
