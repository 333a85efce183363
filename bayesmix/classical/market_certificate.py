"""The certificate of a likelihood with constants concentrated out: other draws of the population.

Each of R independent scramblings finds constants of its own, at which its own shares are the given
ones, so that what nodes do to constants is in the differences of scramblings, too.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.certify import exact
from bayesmix.accuracy.pooling import SCRAMBLES, pooled
from bayesmix.arrays import Array
from bayesmix.classical.covariance import Information, shift_units
from bayesmix.integration.descriptions import DrawRule, Rule
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.effective_weights import person_unit
from bayesmix.optimise.market_likelihood import Evaluation, MarketLikelihood

LEAST_REFERENCE = 128
"""Nodes a person of a scrambling, where those of the grid itself are fewer, or are no draws."""


def market_certificate(
    own: MarketLikelihood,
    theta: Array,
    there: Evaluation,
    found: Information,
    rng: np.random.Generator,
) -> Certificate:
    """How far the concentrated likelihood at ``theta`` (P,) is from exact integration.

    ``there`` is its evaluation on its own grid, and ``found`` the curvature and scores.
    """
    problem, begun = own.problem, time.perf_counter()
    space, rule = problem.parameters, own.grid.rule
    if not space.n_random:
        return exact(problem)
    draws = isinstance(rule, DrawRule) and rule.random
    nodes = max(own.grid.size, LEAST_REFERENCE)
    others = _others(own, theta, rule if draws and nodes == own.grid.size else sobol(nodes), rng)
    logp, scores = np.stack([o.logp for o in others]), np.stack([o.scores for o in others])
    weights = problem.data.weights
    whole, variance = pooled(logp)
    loglik = float(weights @ (whole + variance / (2 * SCRAMBLES)))
    error = float(weights @ there.logp) - loglik
    left_out, score = _left_out(logp, scores, weights)
    to_shift = -space.jacobian(theta) @ found.covariance("hessian")
    to_shift = to_shift / shift_units(space, theta, found)[:, None]
    # Constants are the market's, and so persons of a scrambling are not independent: spreads are
    # those of totals.
    spread = _spread(np.column_stack([left_out[0], left_out[1] @ to_shift.T]))
    half = stdtrit(SCRAMBLES - 1, 0.975) * spread
    shift = to_shift @ (score - weights @ there.scores)
    constraint = problem.constraint
    if constraint is not None:
        still = constraint.held & ~constraint.undefined
        shift[still] = half[1:][still] = 0.0
    known = rule if draws else None
    index = pd.Index(space.names, name="parameter")
    parts = {"estimate": shift, "low": shift - half[1:], "high": shift + half[1:]}
    return Certificate(
        error=error,
        error_interval=(error - float(half[0]), error + float(half[0])),
        bias=np.nan if known is None else float(-0.5 * weights @ variance),
        sd=np.nan if known is None else float((logp @ weights).std(ddof=1)),
        shift=pd.DataFrame(parts, index=index),
        pareto_k=pd.Series([], index=problem.data.persons[:0], name="pareto k", dtype=float),
        nodes=own.grid.size,
        reference_nodes=nodes,
        evaluations=SCRAMBLES,
        seconds=time.perf_counter() - begun,
        noise=pd.Series(spread[1:] * np.sqrt(SCRAMBLES), index=index),
        unit=person_unit(weights),
        persons=float(weights.sum() / person_unit(weights)),
    )


def _others(
    own: MarketLikelihood, theta: Array, rule: Rule, rng: np.random.Generator
) -> list[Evaluation]:
    """The same likelihood on independent draws of the population, one after the other."""
    problem = own.problem
    last = own.constants(theta)
    found = []
    for _ in range(SCRAMBLES):
        grid = population_grid(rule, problem.parameters.n_random, problem.n_persons, rng)
        known = {} if last is None else {"constants": last}
        found.append(replace(own, grid=grid, _last=known).at(theta))
    return found


def _left_out(logp: Array, scores: Array, weights: Array) -> tuple[tuple[Array, Array], Array]:
    """Log-likelihoods (R,) and scores (R, P) of all scramblings but one, and the score (P,) of all.

    Persons' integrals are pooled, and the score's bias is taken out (Quenouille 1956).
    """
    top = logp.max(axis=0)
    relative = np.exp(logp - top)
    total, sums = relative.sum(axis=0), np.einsum("ri,rip->ip", relative, scores)
    values = [weights @ (top + np.log((total - each) / (SCRAMBLES - 1))) for each in relative]
    parts = np.stack(
        [
            weights @ ((sums - each[:, None] * own) / (total - each)[:, None])
            for each, own in zip(relative, scores, strict=True)
        ]
    )
    whole = weights @ (sums / total[:, None])
    score = SCRAMBLES * whole - (SCRAMBLES - 1) * parts.mean(axis=0)
    return (np.array(values), parts), score


def _spread(left_out: Array) -> Array:
    """Standard errors (Q,) of what is pooled, from values (R, Q) without each scrambling."""
    deviations = left_out - left_out.mean(axis=0)
    found: Array = np.sqrt((deviations**2).sum(axis=0) * (SCRAMBLES - 1) / SCRAMBLES)
    return found
