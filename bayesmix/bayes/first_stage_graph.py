"""The price equation of a control function in PyMC models: residuals move with coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import FIRST_STAGE
from bayesmix.likelihood.problem import Problem

WHITE = "first_stage_white"
"""First-stage coefficients as the sampler has them: about standard normal, given the prices."""


def moving_columns(problem: Problem) -> Any:
    """Columns (R, F) with fixed coefficients, whose residuals move; None without residuals.

    In the model that is open, with the price equation: coefficients have a flat prior, and its
    variance s2 one of density 1 / s2, over which it is integrated.
    """
    design = problem.within.design
    residuals = design.residuals
    if residuals is None:
        return None
    first = residuals.first
    root = first.root * first.residual.std()
    white = pm.Flat(WHITE, shape=len(first.gamma), initval=np.zeros(len(first.gamma)))
    gamma = first.gamma + (pt.constant(root) * white[None, :]).sum(axis=1)
    pm.Deterministic(FIRST_STAGE, gamma, dims="regressor")
    mu = first.price - (pt.constant(first.x) * gamma[None, :]).sum(axis=1)
    pm.Potential("price_equation", -0.5 * len(first.price) * pt.log((mu**2).sum()))
    columns: Any = pt.constant(problem.within.x_fixed)
    for power, name in enumerate(residuals.names, start=1):
        place = np.zeros(len(design.fixed_names))
        place[design.fixed_names.index(name)] = 1.0
        moved = (mu**power - first.residual**power)[residuals.code]
        columns = columns + moved[:, None] * place[None, :]
    return columns


def white_start(problem: Problem, rng: np.random.Generator) -> dict[str, Array]:
    """Values of `WHITE` scattered as the prices have them; none without residuals."""
    residuals = problem.within.design.residuals
    if residuals is None:
        return {}
    return {WHITE: rng.standard_normal(len(residuals.first.gamma))}
