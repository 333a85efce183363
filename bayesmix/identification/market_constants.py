"""What constants of markets that match known shares leave to be told by choices."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.identification.weakest_direction import free_names
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.market_likelihood import MarketLikelihood

UNMOVED = 1e-7
"""Length of persons' scores, in natural units and over the root of their number, that is none."""
COLLINEAR = 1e-10
"""Eigenvalue of scores' correlations, over the largest, below which they are combinations."""


def check_moving(own: MarketLikelihood, theta: Array) -> None:
    """Refuse parameters that constants of markets take up.

    Raises
    ------
    ConvergenceError
        If shares are out of reach.
    SpecificationError
        Naming the parameters, and the remedy.
    """
    problem, found = own.problem, own.at(theta)
    if not np.isfinite(found.logp).all():
        raise ConvergenceError(
            "no constants were found with which shares are those of market_shares=: shares may be "
            "out of reach, for alternatives that few situations offer together"
        )
    scores = found.scores * natural_units(problem)
    free = np.arange(len(theta)) if problem.constraint is None else problem.constraint.free
    names = free_names(problem.parameters)
    least = UNMOVED * np.sqrt(problem.n_persons)
    still = [int(p) for p in free if np.linalg.norm(scores[:, p]) <= least]
    if still:
        held = ", ".join(f"{names[p]!r}: 0" for p in still)
        raise SpecificationError(
            f"{', '.join(names[p] for p in still)}: what is the same for everybody in a market is "
            "a part of its constants, and choices say nothing of it beside them: hold it, "
            f"fixed={{{held}}}, and estimate it from the constants of the fit, "
            "bm.mean_utilities(fit, 'price + quality', instruments='cost')"
        )
    own_scores = problem.free_columns(found.scores)
    own_scores = own_scores / np.sqrt((own_scores**2).sum(axis=0))
    values, vectors = np.linalg.eigh(own_scores.T @ own_scores)
    if len(values) and values[0] <= COLLINEAR * values[-1]:
        heavy = [names[free[p]] for p in np.argsort(-np.abs(vectors[:, 0]))[:3]]
        raise SpecificationError(
            f"a combination of {', '.join(heavy)} is the same for everybody in a market, and so a "
            "part of its constants: hold one of them, fixed="
        )
