"""Newton's method with the outer product of scores (Berndt, Hall, Hall and Hausman 1974)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.journal import Later, remembered
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
    here, evaluations, message = _scored(likelihood, start), 1, "iterations are used up"
    distance = np.inf
    for _ in range(steps.iterations):
        if not here.finite:
            message = "the log-likelihood is not finite"
            break
        if steps.callback is not None:
            steps.callback(here.value)
        root = _root(likelihood.problem, here)
        whitened = root.T @ here.gradient
        distance = float(np.linalg.norm(whitened))
        if distance <= steps.looser * GRADIENT_TOLERANCE:
            message = "the gradient is small"
            break
        found = _rise(likelihood, here, root @ whitened, distance**2)
        evaluations += HALVINGS if found is None else found[1]
        if found is None:
            message = "no step raises the log-likelihood"
            break
        here = found[0]
    # Halving gives up where rounding hides the last digits: that is convergence too.
    converged = here.finite and distance <= 10 * steps.looser * GRADIENT_TOLERANCE
    return Optimum(
        here.theta,
        here.value,
        here.gradient,
        distance,
        evaluations,
        converged,
        message,
        here.by_person.made if here.by_person.known else None,
    )


@dataclass(frozen=True, eq=False)
class _Scored:
    """A log-likelihood at a point, its gradient (P,), and of what these are sums."""

    theta: Array
    value: float
    gradient: Array
    finite: bool
    by_person: Later[ByPerson]


def _scored(likelihood: ByPersons, theta: Array) -> _Scored:
    def evaluate() -> tuple[float, Array, float]:
        _, logp, scores = by_person.made
        weights = likelihood.problem.data.weights
        value, gradient = float(weighted_sum(weights, logp)), weighted_sum(weights, scores)
        return value, gradient, float(np.isfinite(value) and np.isfinite(scores).all())

    by_person = Later(lambda: ByPerson(theta, *likelihood.by_person(theta)))
    value, gradient, finite = remembered("scored", theta, evaluate)
    return _Scored(theta, value, gradient, bool(finite), by_person)


def _root(problem: Problem, here: _Scored) -> Array:
    """A root (P, Q) of ``B^-1``."""

    def evaluate() -> tuple[Array]:
        weights, units = problem.data.weights, natural_units(problem)
        return (whitening(here.by_person.made.scores, weights, units, problem.directions),)

    (root,) = remembered("outer product", here.theta, evaluate)
    return np.asarray(root)


def _rise(
    likelihood: ByPersons, here: _Scored, direction: Array, slope: float
) -> tuple[_Scored, int] | None:
    """The first of a step, its half, its quarter, ... that raises the log-likelihood enough."""
    for halving in range(HALVINGS):
        scale = 0.5**halving
        trial = here.theta + scale * direction
        if not likelihood.problem.keeps(trial):
            continue
        there = _scored(likelihood, trial)
        if there.finite and there.value >= here.value + ARMIJO * scale * slope:
            return there, halving + 1
    return None
