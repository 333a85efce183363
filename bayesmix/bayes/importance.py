"""Adaptive importance sampling of a density in whitened coordinates.

Draws of a Student law at the mode are weighed; the next proposal has their weighted moments, or is
a mixture where one component is not enough; and so on, until as many draws as are asked for would
know no more. All draws of all stages stay, weighed by the mixture of all proposals (Veach and
Guibas 1995; Cornuet, Marin, Mira and Robert 2012), and the largest weights are smoothed by the
generalised Pareto law that fits them, whose shape k says whether averages can be relied upon
(Vehtari, Simpson, Gelman, Yao and Gabry 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats

from bayesmix.arrays import Array
from bayesmix.bayes.student_mixture import StudentMixture, effective_size, fitted

Values = Callable[[Array], Array]
"""Points (N, Q) -> log-densities (N,), up to a constant; NaN and -inf where there is none."""

FIRST_DF = 8.0
"""Degrees of freedom of the first proposal: its tails are heavier than those of most posteriors."""
DFS = (4.0, 8.0, 16.0, 32.0, 64.0)
COMPONENTS = (2, 4)
"""Components of mixtures that are tried where one is not enough."""
LITTLE = 0.4
"""Effective draws out of one from which one component is enough."""
FIRST, LEAST = 1000, 250
"""Draws of the first stage, and of any."""
KNOWN = 4
"""Effective draws a dimension of which moments are taken; weights are flattened until they are."""
HEAVY = 0.7
"""Pareto shape above which averages are not reliable, however many draws there are."""
ENOUGH = 400
"""Effective draws below which nothing is summarised, unless fewer were asked for."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """Weighted draws of a density.

    Parameters
    ----------
    x, log_density
        Draws (N, Q) and the target's log-densities (N,) there.
    weights
        Smoothed weights (N,), which sum to 1.
    pareto_k
        Shape of the tail of the weights.
    log_total
        Logarithm of the integral of the target.
    stages
        Proposals that the draws are of.
    wanted
        Effective draws that were asked for.
    """

    x: Array
    log_density: Array
    weights: Array
    pareto_k: float
    log_total: float
    stages: int
    wanted: float

    @property
    def ess(self) -> float:
        """Effective number of draws, ``1 / sum w^2``."""
        return effective_size(self.weights)

    @property
    def reliable(self) -> bool:
        """Whether averages of the draws can be relied upon."""
        return self.pareto_k <= HEAVY and self.ess >= min(ENOUGH, self.wanted)

    def __str__(self) -> str:
        return (
            f"{len(self.x):,} evaluations in {self.stages} stages, worth {self.ess:,.0f} "
            f"independent draws, Pareto k {self.pareto_k:.2f}"
        )

    def resampled(self, n: int, rng: np.random.Generator) -> Array:
        """Numbers (n,) of draws, each as often as its weight says, in random order.

        Systematic resampling: no draw is taken more than once more, or less, than ``n w``.
        """
        places = (rng.random() + np.arange(n)) / n
        found = np.searchsorted(np.cumsum(self.weights)[:-1], places, side="right")
        return rng.permutation(found)


def weigh(
    values: Values,
    levels: Array,
    *,
    wanted: float,
    most: int,
    rng: np.random.Generator,
    report: Callable[[Weighted], None] | None = None,
) -> Weighted:
    """Weighted draws of the density whose logarithm is ``values``, near 0 and of unit scale.

    Parameters
    ----------
    values
        The log-density of many points at once.
    levels
        Logarithms of scales as linear functions (n, Q) of a point: their lower tails, where a scale
        may be 0, are heavier than those of a Student law in the middle.
    wanted
        Effective draws after which to stop.
    most
        Evaluations after which to stop anyway.
    rng
        Source of randomness.
    report
        Called after every stage.
    """
    size = levels.shape[1]
    proposals = [StudentMixture.standard(size, FIRST_DF).with_tails(levels)]
    x, logs, counts = np.empty((0, size)), np.empty(0), np.empty(0)
    n = min(max(FIRST, 20 * size), most)
    while True:
        own = proposals[-1].draw(n, rng)
        x, logs = np.concatenate([x, own]), np.concatenate([logs, values(own)])
        logs[~np.isfinite(logs)] = -np.inf
        counts = np.append(counts, n)
        found = _weighted(x, logs, _mixture(proposals, counts, x), len(proposals), wanted)
        if report is not None:
            report(found)
        good = found.pareto_k <= HEAVY and found.ess >= wanted
        if (good and len(proposals) > 1) or len(x) >= most or not np.isfinite(found.log_total):
            return found
        proposal, efficiency = _next(found, rng)
        proposals.append(proposal.with_tails(levels))
        missing = 1.05 * (wanted - found.ess) / efficiency
        n = int(min(max(missing, LEAST), 2 * len(x), max(most - len(x), 1)))


def _mixture(proposals: list[StudentMixture], counts: Array, x: Array) -> Array:
    """Log-densities (N,) of all proposals together, by their numbers of draws."""
    logs = np.stack([proposal.log_density(x) for proposal in proposals])
    found: Array = np.logaddexp.reduce(logs + np.log(counts / counts.sum())[:, None], axis=0)
    return found


def _weighted(x: Array, logs: Array, log_q: Array, stages: int, wanted: float) -> Weighted:
    raw = logs - log_q
    if not np.isfinite(raw).any():  # nothing is where the proposal is
        return Weighted(x, logs, np.full(len(x), 1 / len(x)), np.inf, -np.inf, stages, wanted)
    log_total = float(np.logaddexp.reduce(raw) - np.log(len(raw)))
    smooth, shape = raw - np.logaddexp.reduce(raw), np.inf
    if np.isfinite(raw).sum() > len(raw) / 2 and np.ptp(raw[np.isfinite(raw)]) > 0:
        low = np.maximum(raw, raw[np.isfinite(raw)].min() - 700.0)  # the fit takes no infinities
        smooth, shape = array_stats.psislw(-low)
    weights = np.exp(smooth)
    return Weighted(x, logs, weights / weights.sum(), float(shape), log_total, stages, wanted)


def _next(found: Weighted, rng: np.random.Generator) -> tuple[StudentMixture, float]:
    """The best proposal of those that the weighted draws suggest, and its effective share."""
    weights = _flattened(found.weights, KNOWN * found.x.shape[1])
    tried = [StudentMixture.matched(found.x, weights, df) for df in DFS]
    shares = [_effective_share(found, proposal) for proposal in tried]
    if max(shares) < LITTLE:
        for components in COMPONENTS:
            tried.append(fitted(found.x, weights, components, FIRST_DF, rng))
            shares.append(_effective_share(found, tried[-1]))
    best = int(np.argmax(shares))
    return tried[best], max(shares[best], 0.01)


def _effective_share(found: Weighted, proposal: StudentMixture) -> float:
    """``Z / E[p / q]``: what effective draws a draw of the proposal would be."""
    ratio = found.log_density - proposal.log_density(found.x)
    with np.errstate(divide="ignore"):
        log_mean = np.logaddexp.reduce(np.log(found.weights) + ratio)
    return float(np.exp(min(found.log_total - log_mean, 0.0)))


def _flattened(weights: Array, least: float) -> Array:
    """Weights to the highest power up to 1 at which ``least`` of them are effective."""
    least = min(least, len(weights) / 2)
    low, high = 0.0, 1.0
    logs = np.log(np.maximum(weights, 1e-300))
    power = 1.0
    for _ in range(30):
        own = np.exp(power * (logs - logs.max()))
        own /= own.sum()
        enough = effective_size(own) >= least
        if enough and power == 1.0:
            break
        low, high = (power, high) if enough else (low, power)
        power = (low + high) / 2
    return own
