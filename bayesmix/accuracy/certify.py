"""Certificates are made here, by integrating once more.

The reference is a person-centred grid anchored at theta, in R independent scramblings. Their
differences tell how well the reference itself is known, so that every figure comes with an
interval; pooled, they have R times the nodes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.pareto import pareto_shape
from bayesmix.accuracy.pooling import SCRAMBLES, Pooled, pool, pooled_interval
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.integration.descriptions import Centred, DrawRule, Rule
from bayesmix.integration.grids import Seed
from bayesmix.integration.rules import centred, sobol
from bayesmix.journal import remembered
from bayesmix.likelihood.effective_weights import person_unit
from bayesmix.likelihood.evaluate import Likelihood, log_integrals
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.anchored_scores import anchored_integrals
from bayesmix.optimise.louis import checked
from bayesmix.optimise.maximise import curvature, whitening

LEAST_REFERENCE, MOST_REFERENCE = 64, 512
"""Nodes a person of one scrambling of the reference: as many as the grid's, within these bounds,
or a quarter of the grid's: all scramblings together have twice the grid's at least."""
ROOT_REFERENCE = 128
"""The least for roots of posteriors' scores, with a quarter of the grid's nodes."""
QUADRATURE_REFERENCE, MOST_OF_QUADRATURE = 256, 2048
"""The same for quadratures, a quarter of their nodes within these bounds: a few points may be exact
to many digits, which takes nodes to see."""
TAIL_NODES = 512
"""Nodes a person whose weights are looked at for heavy tails: the dearest part if all were."""


def certify(
    problem: Problem,
    theta: Array,
    grid: Grid,
    covariance: Array | None,
    std_errors: Array,
    rng: Seed,
    *,
    own: tuple[Array, Array] | None = None,
    frozen: bool = False,
) -> Certificate:
    """The certificate of ``grid`` at ``theta``.

    Parameters
    ----------
    problem, theta, grid
        The model bound to data, the free vector (P,), and the grid to judge.
    covariance
        Inverse curvature (P, P) of the log-likelihood at theta, which turns scores into shifts;
        None takes the reference's own (a coarse grid's curvature can be as wrong as its scores).
    std_errors
        Standard errors (P,) of the printed parameters.
    rng
        Source of the reference's scramblings.
    own
        Log-integrals (I,) and scores (I, P) on ``grid`` itself, where they are known.
    frozen
        Whether scores are those of nodes frozen in coefficient space: see
        `bayesmix.optimise.anchored_scores`.
    """
    begun = time.perf_counter()
    generator = np.random.default_rng(rng)
    weights = problem.data.weights
    first = _reference(problem, theta, grid, frozen, generator)
    scrambles = [first, *(first.renewed(generator) for _ in range(SCRAMBLES - 1))]
    if own is None:
        own_logp, own_scores = Likelihood(problem, grid, keep=False).by_person(theta)
    else:
        own_logp, own_scores = own

    extra = 0
    if covariance is None:
        extra = len(theta) + 2
        covariance = _inverse_curvature(Likelihood(problem, first), theta)
    jacobian = problem.parameters.jacobian(theta)
    to_shift = -(jacobian @ covariance) / std_errors[:, None]
    integrals = anchored_integrals if frozen else log_integrals
    point = Point(problem, theta)
    found = Pooled(
        *remembered("certificate", theta, lambda: pool(point, scrambles, integrals, to_shift))
    )
    half = pooled_interval(found.variance, weights)
    exact = float(weighted_sum(weights, found.logp + found.variance / (2 * SCRAMBLES)))
    error = float(weighted_sum(weights, own_logp)) - exact
    noise = found.variance / SCRAMBLES
    own_variance = _own_variance(grid, own_logp, found.logp + noise / 2, noise)
    spread = weighted_sum(weights, own_variance)
    shift = to_shift @ (found.score - weighted_sum(weights, own_scores))
    shift_half = stdtrit(found.degrees, 0.975) * np.sqrt(found.shift_variance)
    if problem.constraint is not None and problem.constraint.held.all():
        shift, shift_half = np.zeros((2, len(std_errors)))  # constants all: nothing is shifted
    index = pd.Index(problem.parameters.names, name="parameter")
    seen = scrambles[: -(-TAIL_NODES // first.size)]
    (shapes,) = remembered("tails", theta, lambda: (tail_shapes(problem, theta, seen),))
    return Certificate(
        error=error,
        error_interval=(error - half, error + half),
        bias=0.0 if grid.halves else float(-0.5 * np.maximum(spread, 0.0)),
        sd=float(np.sqrt(np.maximum(weighted_sum(weights**2, own_variance), 0.0))),
        shift=pd.DataFrame(
            {"estimate": shift, "low": shift - shift_half, "high": shift + shift_half},
            index=index,
        ),
        pareto_k=pd.Series(shapes, index=problem.data.persons, name="pareto k").sort_values(
            ascending=False
        ),
        nodes=grid.size,
        reference_nodes=first.size,
        evaluations=SCRAMBLES + (own is None) + extra,
        seconds=time.perf_counter() - begun,
        noise=pd.Series(np.sqrt(found.shift_variance * SCRAMBLES), index=index),
        unit=person_unit(weights),
        persons=float(weights.sum() / person_unit(weights)),
    )


def exact(problem: Problem) -> Certificate:
    """The certificate of a log-likelihood without an integral: all errors are 0."""
    index = pd.Index(problem.parameters.names, name="parameter")
    columns = ["estimate", "low", "high"]
    return Certificate(
        error=0.0,
        error_interval=(0.0, 0.0),
        bias=0.0,
        sd=0.0,
        shift=pd.DataFrame(0.0, index=index, columns=columns),
        pareto_k=pd.Series([], index=problem.data.persons[:0], name="pareto k", dtype=float),
        nodes=1,
        reference_nodes=0,
        evaluations=0,
        seconds=0.0,
        noise=pd.Series(0.0, index=index),
    )


def _reference(
    problem: Problem, theta: Array, grid: Grid, frozen: bool, rng: np.random.Generator
) -> PersonGrid:
    nodes = min(max(grid.size, LEAST_REFERENCE), max(MOST_REFERENCE, grid.size // 4))
    if frozen:
        nodes = min(max(grid.size // 4, ROOT_REFERENCE), MOST_REFERENCE)
    if not isinstance(_draws(grid), DrawRule):
        nodes = min(max(grid.size // 4, QUADRATURE_REFERENCE), MOST_OF_QUADRATURE)
    return centre(problem, centred(sobol(nodes), moments=True), theta, rng)


def _inverse_curvature(likelihood: Likelihood, theta: Array) -> Array:
    """Inverse of the curvature (P, P), or of the scores' outer product where that is no maximum."""
    problem = likelihood.problem
    root = whitening(
        likelihood.by_person(theta)[1],
        problem.data.weights,
        natural_units(problem),
        problem.directions,
    )
    hessian = curvature(lambda at: likelihood.value_and_gradient(at)[1], theta, root)
    hessian = checked(problem, theta, hessian, root).hessian
    whitened = root.T @ hessian @ root
    if not (np.linalg.eigvalsh((whitened + whitened.T) / 2) > 0.0).all():
        return root @ root.T
    return root @ np.linalg.inv(whitened) @ root.T


def _draws(grid: Any) -> Rule:
    """The rule of a grid, and of a person-centred one what it is made of."""
    rule = grid.rule
    return rule.rule if isinstance(rule, Centred) else rule


def _own_variance(grid: Any, own: Array, exact: Array, noise: Array) -> Array:
    """Variance (I,) of log P_i over scramblings of the grid; NaN for rules that are not random.

    Of one scrambling a person the square of its error is an estimate, once the reference's own
    variance is taken out. It is rough for a person, and good for their sum.
    """
    if not _draws(grid).random:
        return np.full_like(own, np.nan)
    return (own - exact) ** 2 - noise


def tail_shapes(problem: Problem, theta: Array, grids: Sequence[PersonGrid]) -> Array:
    """Pareto shapes (I,) of the importance weights, over the nodes of some scramblings."""
    (found,) = joined(over_persons(Point(problem, theta), grids[0], _shapes, *grids[1:]))
    return found


def _shapes(here: Point, *grids: PersonGrid) -> tuple[Array]:
    """`tail_shapes` of a block."""
    logs = []
    for grid in grids:
        mixture = here.mixture(*grid.block(0, here.persons.n_persons))
        logs.append(here.log_probabilities(mixture) + np.log(mixture.weights))
    return (pareto_shape(np.concatenate(logs, axis=1)),)
