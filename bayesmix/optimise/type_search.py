"""The nonparametric maximum likelihood: weights of points, fixed coefficients, and new points.

Points are added where the directional derivative of the log-likelihood is largest, until no search
finds any above the tolerance (Lindsay 1983; Wang 2007).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from bayesmix.arrays import Array
from bayesmix.errors import ConvergenceError
from bayesmix.optimise.mixing_weights import em_weights, newton_weights
from bayesmix.optimise.type_likelihood import FIXED_TOLERANCE, TypeLikelihood
from bayesmix.progress import Progress

ROUNDS, ALTERNATIONS = 200, 500
BEST, ANYWHERE = 10, 2_048
"""Searches of new points begin at all that have weight, at the best of the others, and at the best
of so many random points of the box, new ones in each round."""
MOVES = 300
"""Steps at most of points that have weight, between rounds."""
ONE_PLACE = 1e-3
"""Distance, as a part of the box, below which two points are one."""
EARLY = 0.1
"""Early rounds solve for weights up to this part of the last largest derivative."""


@dataclass(frozen=True, eq=False)
class WeightedPoints:
    """Points with weights.

    Parameters
    ----------
    points
        (M, K), those of the grid first.
    logs
        ``log P(y_i | b_m)`` (I, M), at ``fixed``.
    weights
        (M,).
    fixed
        Fixed coefficients (F,).
    loglik
        Weighted log-likelihood, nats.
    gap
        Largest directional derivative over the points, nats.
    largest
        The same over all that searches of single points found; NaN where there was none.
    starts
        Number of starts of the last search.
    """

    points: Array
    logs: Array
    weights: Array
    fixed: Array
    loglik: float = np.nan
    gap: float = np.nan
    largest: float = np.nan
    starts: int = 0


def solved(
    work: TypeLikelihood,
    at: WeightedPoints,
    method: str,
    tolerance: float,
    persons: Array | None = None,
) -> WeightedPoints:
    """The best weights of the points, and fixed coefficients, one after the other in turns.

    ``persons`` (I,) are weights other than the data's, such as a bootstrap's.

    Raises
    ------
    ConvergenceError
        If they do not settle.
    """
    own = work.persons if persons is None else persons
    if persons is not None:
        data = replace(work.problem.data, weights=persons)
        work = TypeLikelihood(replace(work.problem, data=data))
    drawn = own > 0
    for _ in range(ALTERNATIONS):
        top = at.logs.max(axis=1)
        likelihoods = np.exp(at.logs - top[:, None])
        find = em_weights if method == "em" else newton_weights
        start = at.weights if method == "newton" else np.maximum(at.weights, 1e-6)
        found = find(likelihoods[drawn], own[drawn], start, tolerance)
        at = replace(
            at, weights=found.weights, loglik=found.loglik + float(own @ top), gap=found.gap
        )
        used = np.flatnonzero(at.weights)
        if work.distance(at.points[used], at.weights[used], at.fixed) <= FIXED_TOLERANCE:
            return at
        fixed = work.best_fixed(at.points[used], at.weights[used], at.fixed)
        at = replace(at, fixed=fixed, logs=work.log_probabilities(at.points, fixed))
    raise ConvergenceError(
        f"fixed coefficients and weights of types have not settled in {ALTERNATIONS} rounds: the "
        "types may hold what the fixed coefficients say; let these vary over types too"
    )


def added(
    work: TypeLikelihood,
    at: WeightedPoints,
    settings: tuple[str, float, Array],
    rng: np.random.Generator,
    progress: Progress,
) -> WeightedPoints:
    """The mixture with points added inside the box, until none can raise the log-likelihood.

    Parameters
    ----------
    settings
        Method of the weights, tolerance in nats, and the box (2, K).

    Raises
    ------
    ConvergenceError
        If points of larger derivatives are found after all rounds.
    """
    method, tolerance, box = settings
    n_grid, asked = len(at.points), tolerance
    for _ in range(ROUNDS):
        at = moved(work, solved(work, at, method, asked), box)
        progress.value(at.loglik)
        found, slopes, starts = searched(work, at, box, rng)
        largest = max(float(slopes.max()), at.gap)
        if largest <= tolerance:
            return replace(at, largest=largest, starts=starts)
        asked = max(tolerance, min(EARLY * largest, asked if asked > tolerance else np.inf))
        new = found[slopes > 0.5 * tolerance]
        if not len(new):
            asked = tolerance
            continue
        keep = (np.arange(len(at.points)) < n_grid) | (at.weights > 0)
        at = replace(
            at,
            points=np.vstack([at.points[keep], new]),
            logs=np.hstack([at.logs[:, keep], work.log_probabilities(new, at.fixed)]),
            weights=np.append(at.weights[keep], np.zeros(len(new))),
        )
    raise ConvergenceError(
        f"points of types are still found, with a directional derivative of {largest:.2g} nats, "
        f"after {ROUNDS} rounds: ask for a larger tolerance=, narrow the box of the points, or "
        "leave the points as they are with adding=False"
    )


def moved(work: TypeLikelihood, at: WeightedPoints, box: Array) -> WeightedPoints:
    """The mixture with the points that have weight where they are best, inside the box.

    Their weights move with them; points that come to stand in one place are one. The others stay.
    """
    used = np.flatnonzero(at.weights)
    low, width = box[0], box[1] - box[0]
    size, k = len(used), len(low)
    persons = work.persons
    # Curvature in a point's place and in the logarithm of its weight grows with the weight.
    root = np.sqrt(persons.sum() * at.weights[used])
    unit = np.append(np.repeat(root, k), root)

    def loss(scaled: Array) -> tuple[float, Array]:
        free = scaled / unit
        points, gamma = low + free[: size * k].reshape(size, k) * width, free[size * k :]
        each = [work.at(point, at.fixed) for point in points]
        shares = np.exp(gamma - gamma.max())
        shares /= shares.sum()
        logs = np.stack([logp for logp, _ in each], axis=1)
        top = logs.max(axis=1)
        joint = np.exp(logs - top[:, None]) * shares
        mixed = joint.sum(axis=1)
        posterior = joint / mixed[:, None] * persons[:, None]
        slopes = [posterior[:, m] @ scores for m, (_, scores) in enumerate(each)]
        slopes_gamma = posterior.sum(axis=0) - persons.sum() * shares
        value = float(persons @ (top + np.log(mixed))) - at.loglik
        slope = np.append((np.array(slopes) * width).ravel(), slopes_gamma)
        return -value, -slope / unit

    unit_box = np.where(width > 0, width, 1.0)  # where the box has one place, points stay there
    begin = np.append(((at.points[used] - low) / unit_box).ravel(), np.log(at.weights[used]))
    bounds = [(0.0, 1.0 * u) for u in unit[: size * k]] + [(None, None)] * size
    options = {"maxiter": MOVES, "ftol": 1e-12, "gtol": 1e-6, "maxcor": 30}
    found = minimize(
        loss, begin * unit, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    if not found.fun < 0.0:
        return at
    free = found.x / unit
    points = low + free[: size * k].reshape(size, k) * width
    weights = np.exp(free[size * k :] - free[size * k :].max())
    points, weights = merged(points, weights / weights.sum(), unit_box)
    return replace(
        at,
        points=np.vstack([at.points, points]),
        logs=np.hstack([at.logs, work.log_probabilities(points, at.fixed)]),
        weights=np.append(np.zeros(len(at.points)), weights),
        loglik=at.loglik - float(found.fun),
    )


def merged(points: Array, weights: Array, width: Array) -> tuple[Array, Array]:
    """Points in one place, to `ONE_PLACE` of the box, as one at their weighted mean."""
    left, out, shares = np.argsort(-weights, kind="stable"), [], []
    while len(left):
        near = np.abs((points[left] - points[left[0]]) / width).max(axis=1) < ONE_PLACE
        own = left[near]
        total = weights[own].sum()
        out.append(weights[own] @ points[own] / total)
        shares.append(total)
        left = left[~near]
    return np.array(out), np.array(shares)


def searched(
    work: TypeLikelihood, at: WeightedPoints, box: Array, rng: np.random.Generator
) -> tuple[Array, Array, int]:
    """Local maxima (N, K) in the box of the directional derivative, these (N,), and the starts."""
    persons, used = work.persons, at.weights > 0
    top = at.logs[:, used].max(axis=1)
    mixed = top + np.log(np.exp(at.logs[:, used] - top[:, None]) @ at.weights[used])
    low, width = box[0], box[1] - box[0]
    anywhere = low + width * rng.random((ANYWHERE, len(low)))
    logs = np.log(persons) - mixed
    others = at.points[~used]
    best = [
        points[np.argsort(-_slopes(own, logs))[:BEST]]
        for points, own in (
            (others, at.logs[:, ~used]),
            (anywhere, work.log_probabilities(anywhere, at.fixed)),
        )
    ]
    starts = np.vstack([at.points[used], *best])

    def loss(u: Array) -> tuple[float, Array]:
        logp, scores = work.at(low + u * width, at.fixed)
        terms = logs + logp
        high = terms.max()
        parts = np.exp(terms - high)
        total = parts.sum()
        return -float(high + np.log(total)), -(parts @ scores) / total * width

    total = float(persons.sum())
    points, values = [], []
    for start in starts:
        u = np.clip((start - low) / np.where(width > 0, width, 1.0), 0.0, 1.0)
        found = minimize(
            loss, u, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(low),
            options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 200},
        )  # fmt: skip
        points.append(low + found.x * width)
        values.append(np.exp(-found.fun) - total)
    return *_distinct(np.array(points), np.array(values), width), len(starts)


def _slopes(own: Array, logs: Array) -> Array:
    """Directional derivatives (N,) and the sum of weights, of ``log P(y_i | b)`` (I, N)."""
    return np.asarray(np.exp(own + logs[:, None]).sum(axis=0))


def _distinct(points: Array, values: Array, width: Array) -> tuple[Array, Array]:
    """The points without those that are another's to a millionth of the box, the best first."""
    order = np.argsort(-values, kind="stable")
    points, values = points[order], values[order]
    unit = np.where(width > 0, width, 1.0)
    kept: list[int] = []
    for m in range(len(points)):
        near = [np.abs((points[m] - points[j]) / unit).max() < 1e-6 for j in kept]
        if not any(near):
            kept.append(m)
    return points[kept], values[kept]
