"""Maximisation of a smooth function, in coordinates in which it is well scaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.journal import remembered

Function = Callable[[Array], tuple[float, Array]]

OPTIMIZERS = {"bfgs": "BFGS", "l-bfgs-b": "L-BFGS-B", "trust-region": "trust-constr"}
BY_SCORES = ("bhhh",)
"""Optimisers that need scores of persons, and not the gradient alone: see `maximise_likelihood`."""

GRADIENT_TOLERANCE = 1e-4
"""In whitened coordinates, where a unit is about one standard error: some 1e-8 nats."""

STEP = 1e-4
"""Step of the differenced gradient, in whitened coordinates."""
WIDE_STEP, WIDE_UTILS = 0.5, 0.25
"""The same of a gradient that moves by jumps, which average out over such a step; but no parameter
is moved by more than this many of its natural units, over which a log-likelihood bends anew."""


class ByPerson(NamedTuple):
    """Log-integrals (I,) and scores (I, P) of persons at a point ``theta`` (P,)."""

    theta: Array
    logp: Array
    scores: Array


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where an optimiser stopped.

    Parameters
    ----------
    theta, value, gradient
        The point (P,), the log-likelihood there, its gradient (P,).
    decrement
        ``sqrt(g' V g)`` with V the inverse curvature of the start: distance in standard errors.
    evaluations
        Number of evaluations.
    converged
        Whether the gradient is as small as asked for.
    message
        The optimiser's word.
    by_person
        What the optimum's value is the weighted sum of, where it is one and is kept.
    frozen
        ``"newton"`` where it is a root of posteriors' scores (`bayesmix.optimise.newton`); "" where
        it is a maximum on its grid.
    """

    theta: Array
    value: float
    gradient: Array
    decrement: float
    evaluations: int
    converged: bool
    message: str
    by_person: ByPerson | None = None
    frozen: str = ""


@dataclass(frozen=True, eq=False)
class Steps:
    """How an optimiser goes.

    Parameters
    ----------
    optimizer
        A name that `check_optimizer` knows.
    iterations
        At most.
    callback
        Told of every better value.
    looser
        Times `GRADIENT_TOLERANCE` at which a gradient is small.
    """

    optimizer: str = "bfgs"
    iterations: int = 500
    callback: Callable[[float], None] | None = None
    looser: float = 1.0


STEPS = Steps()


def whitening(
    scores: Array,
    weights: Array,
    units: Array | None = None,
    directions: Array | None = None,
) -> Array:
    """Root ``C`` (P, P) of the inverse of the outer product of scores: ``C C' = (S' W S)^-1``.

    A ridge of a millionth of the diagonal keeps it finite where persons are fewer than parameters.
    ``units`` (P,) bound the scale: no entry is larger than ten of its units. A standard deviation
    near 0 needs that, for its scores vanish there while the log-likelihood's curvature does not.
    Where only ``directions`` (P, Q) are free it is (P, Q), and its columns are among these.
    """
    if directions is not None:
        if units is not None:
            units = 1.0 / np.sqrt(((directions / units[:, None]) ** 2).sum(axis=0))
        return directions @ whitening(scores @ directions, weights, units)
    outer = (scores * weights[:, None]).T @ scores
    diagonal = np.diag(outer).copy()
    if units is None:
        floor = np.full_like(diagonal, 1e-10 * max(diagonal.max(initial=0.0), 1e-300))
    else:
        floor = 0.01 * weights.mean() / units**2
    outer[np.diag_indices_from(outer)] += 1e-6 * diagonal + floor
    return np.linalg.inv(np.linalg.cholesky(outer)).T


def coordinates(root: Array, step: Array) -> Array:
    """Coordinates ``x`` of a step ``C x`` along a root (P, P), or (P, Q) under constraints."""
    if root.shape[0] == root.shape[1]:
        return np.linalg.solve(root, step)
    if not root.shape[1]:
        return np.zeros(0)
    return np.linalg.lstsq(root, step, rcond=None)[0]


def curvature(
    gradient: Callable[[Array], Array], theta: Array, root: Array, units: Array | None = None
) -> Array:
    """Minus the second derivatives (P, P), by differences of an analytic gradient (P,).

    Of gradients (G, P) of several functions all those of each (G, P, P).

    Differences are taken along the columns of a whitening ``root`` (P, P), where a unit is about
    one standard error: forward ones, for with so small a step their error is some 1e-4 of a
    derivative, at half the evaluations of central ones. With natural ``units`` (P,) they are
    central, over half a standard error to either side or less: of a gradient that moves by jumps.
    """
    if not root.shape[1]:
        return np.zeros((*gradient(theta).shape[:-1], *(2 * root.shape[:1])))  # all is held

    def slope_at(at: Array) -> Array:
        (found,) = remembered("slope", at, lambda: (gradient(at),))
        return np.asarray(found)

    slopes: list[Array] = []
    step, here = STEP, None
    if units is None:
        here = slope_at(theta)
    else:
        # A column of any length is as good a direction. Near a standard deviation of 0, whose
        # scores vanish, whitening's are as long as ten units.
        step = WIDE_STEP
        reach = step * np.abs(root / units[:, None]).max(axis=0)
        root = root * np.minimum(1.0, WIDE_UTILS / reach)
    for p in range(root.shape[1]):
        move = step * root[:, p]
        if here is None:
            slope = (slope_at(theta + move) - slope_at(theta - move)) / (2.0 * step)
        else:
            slope = (slope_at(theta + move) - here) / step
        slopes.append(slope @ root)
    back = np.linalg.inv(root) if root.shape[0] == root.shape[1] else np.linalg.pinv(root)
    whitened = np.stack(slopes, axis=-2)
    return -back.T @ (whitened + np.swapaxes(whitened, -1, -2)) / 2 @ back


def check_optimizer(optimizer: str) -> str:
    """SciPy's name of an optimiser; its own where it is none of SciPy's.

    Raises
    ------
    SpecificationError
        If it is unknown.
    """
    arguments.one_of("optimizer", optimizer, sorted([*OPTIMIZERS, *BY_SCORES]))
    return OPTIMIZERS.get(optimizer, optimizer)


def maximise(
    function: Function,
    start: Array,
    root: Array,
    *,
    steps: Steps = STEPS,
    known: tuple[float, Array] | None = None,
) -> Optimum:
    """Maximum of ``function`` from ``start`` in the coordinates ``x``: ``theta = start + C x``.

    ``known`` are value and gradient at ``start``, where the caller has them already. Where the
    function does not exist (NaN), the optimiser meets a wall and turns back.
    """
    method, callback = check_optimizer(steps.optimizer), steps.callback
    if not root.shape[1]:
        return nothing_to_move(function, start, known)
    evaluations, first = 0, known
    best_value, best_theta, best_gradient = -np.inf, start, np.zeros_like(start)
    wall = 1e6

    def evaluated(theta: Array) -> tuple[float, Array]:
        value, gradient = remembered("value and gradient", theta, lambda: function(theta))
        return value, gradient

    def negative(x: Array) -> tuple[float, Array]:
        nonlocal evaluations, first, best_value, best_theta, best_gradient, wall
        evaluations += 1
        theta = start + root @ x
        # Every optimiser begins with the start itself.
        value, gradient = evaluated(theta) if first is None or x.any() else first
        first = None
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return wall, np.zeros_like(x)
        if evaluations == 1:
            wall = abs(value) * 10 + 1e6
        if value > best_value:
            best_value, best_theta, best_gradient = value, theta, gradient
            if callback is not None:
                callback(value)
        return -value, -(root.T @ gradient)

    options = {"maxiter": steps.iterations, "gtol": steps.looser * GRADIENT_TOLERANCE}
    if method == "trust-constr":
        options["xtol"] = 1e-10
    result: OptimizeResult = minimize(
        negative, np.zeros(root.shape[1]), jac=True, method=method, options=options
    )
    whitened = root.T @ best_gradient
    size = float(np.abs(whitened).max(initial=0.0))
    # Line searches give up where rounding hides the last digits: that is convergence too.
    converged = bool(np.isfinite(best_value)) and size <= 10 * steps.looser * GRADIENT_TOLERANCE
    return Optimum(
        best_theta,
        float(best_value),
        best_gradient,
        float(np.linalg.norm(whitened)),
        evaluations,
        converged,
        str(result.message),
    )


def nothing_to_move(
    function: Function, start: Array, known: tuple[float, Array] | None = None
) -> Optimum:
    """The start itself, where all parameters are held."""
    value, gradient = function(start) if known is None else known
    found = bool(np.isfinite(value))
    return Optimum(start, float(value), gradient, 0.0, 1, found, "all parameters are held")
