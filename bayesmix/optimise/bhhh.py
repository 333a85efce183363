"""Newton's method with the outer product of scores (Berndt, Hall, Hall and Hausman 1974)."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import (
    GRADIENT_TOLERANCE,
    STEPS,
    ByPerson,
    Optimum,
    Steps,
    maximise,
    whitening,
)

ARMIJO = 1e-4
"""Share of the promised gain that a step must keep."""
HALVINGS = 30
KINKED = 0.05
"""Standard errors from the maximum, about, that are near enough where kinks hide it."""


class ByPersons(Protocol):
    """A log-likelihood that is a sum over persons."""

    @property
    def problem(self) -> Problem: ...

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,) and their scores (I, P), unweighted."""


def maximise_likelihood(
    likelihood: ByPersons,
    start: Array,
    root: Array,
    *,
    steps: Steps = STEPS,
    known: tuple[float, Array] | None = None,
) -> Optimum:
    """Maximum of an integrated likelihood from ``start`` by any optimiser; see `maximise`.

    Where coefficients are censored the sum over nodes has a kink wherever a node reaches a bound:
    its gradient jumps by small steps, and need not vanish at the maximum.
    """
    if steps.optimizer == "bhhh":
        optimum = bhhh(likelihood, start, steps)
    else:
        weights, best, best_value = likelihood.problem.data.weights, None, -np.inf

        def function(theta: Array) -> tuple[float, Array]:
            nonlocal best, best_value
            if not likelihood.problem.keeps(theta):
                # Held correlations have signs, which the Cholesky factor may lose: a wall.
                return np.nan, np.full_like(theta, np.nan)
            logp, scores = likelihood.by_person(theta)
            value = float(weighted_sum(weights, logp))
            if value > best_value:
                best, best_value = ByPerson(theta, logp, scores), value
            return value, weighted_sum(weights, scores)

        optimum = maximise(function, start, root, steps=steps, known=known)
        if best is not None and best.theta is optimum.theta:
            optimum = replace(optimum, by_person=best)
    if optimum.converged or not likelihood.problem.kinked:
        return optimum
    if optimum.decrement <= KINKED:
        return replace(optimum, converged=True)
    few = "a sum over few nodes has kinks where coefficients are censored: use more nodes"
    return replace(optimum, message=f"{optimum.message}; {few}")


def bhhh(likelihood: ByPersons, start: Array, steps: Steps = STEPS) -> Optimum:
    """Steps ``B^-1 g`` with ``B = sum_i w_i s_i s_i'``, halved until the log-likelihood rises.

    At the maximum of a model that is right, ``B`` is the curvature. It stops where
    ``(g' B^-1 g)^(1/2)``, the distance in standard errors, is small.
    """
    weights = likelihood.problem.data.weights
    units = natural_units(likelihood.problem)
    theta, evaluations, message = start, 1, "iterations are used up"
    logp, scores = likelihood.by_person(theta)
    value, gradient, distance = (
        float(weighted_sum(weights, logp)),
        weighted_sum(weights, scores),
        np.inf,
    )
    for _ in range(steps.iterations):
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            message = "the log-likelihood is not finite"
            break
        if steps.callback is not None:
            steps.callback(value)
        root = whitening(scores, weights, units, likelihood.problem.directions)
        whitened = root.T @ gradient
        distance = float(np.linalg.norm(whitened))
        if distance <= GRADIENT_TOLERANCE:
            message = "the gradient is small"
            break
        found = _rise(likelihood, theta, value, (root @ whitened, distance**2))
        evaluations += HALVINGS if found is None else found[4]
        if found is None:
            message = "no step raises the log-likelihood"
            break
        theta, value, logp, scores = found[:4]
        gradient = weighted_sum(weights, scores)
    # Halving gives up where rounding hides the last digits: that is convergence too.
    converged = bool(np.isfinite(value)) and distance <= 10 * GRADIENT_TOLERANCE
    by_person = ByPerson(theta, logp, scores)
    return Optimum(theta, value, gradient, distance, evaluations, converged, message, by_person)


def _rise(
    likelihood: ByPersons, theta: Array, value: float, step: tuple[Array, float]
) -> tuple[Array, float, Array, Array, int] | None:
    """The first of a step, its half, its quarter, ... that raises the log-likelihood enough."""
    direction, slope = step
    weights = likelihood.problem.data.weights
    for halving in range(HALVINGS):
        scale = 0.5**halving
        trial = theta + scale * direction
        if not likelihood.problem.keeps(trial):
            continue
        logp, scores = likelihood.by_person(trial)
        total = float(weighted_sum(weights, logp))
        if total >= value + ARMIJO * scale * slope and np.isfinite(scores).all():
            return trial, total, logp, scores, halving + 1
    return None
