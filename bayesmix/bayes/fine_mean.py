"""A posterior mean by importance sampling, with all that it is uncertain by.

Draws are weighed on one grid of person-centred nodes; what these miss of it is found at some of the
draws, on independent scramblings of further nodes. Weights of such draws are common to all
scramblings, so that the correction has hardly any noise but its own nodes'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmix.accuracy.pooling import pooled
from bayesmix.arrays import Array
from bayesmix.bayes.importance import Weighted, weigh
from bayesmix.bayes.marginal_sampling import printed_values
from bayesmix.bayes.pointwise import integrated_log_likelihood
from bayesmix.bayes.posterior import Whitened
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.whitened import posterior_mode, whitened_posterior
from bayesmix.centring.grids import centre
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.ordered_sums import linear
from bayesmix.likelihood.persons import ranges
from bayesmix.likelihood.problem import Grid, Problem

MOST, LEAST = 10, 4000
"""Evaluations for each effective draw that is asked for, at most; or so many."""
SCRAMBLES, NODES = 4, 512
"""Independent grids that the mean is corrected by, and nodes a person of each."""
CORRECTED = 2000
"""Draws at which it is, at most."""
NUMBERS = 2**24
"""Log-integrals held at once."""


@dataclass(frozen=True, eq=False)
class FineMean:
    """Posterior means of the printed parameters.

    Parameters
    ----------
    values, std_errors
        Means (P,), and their standard errors (P,): of the draws, and of the nodes.
    pareto_k
        Of the weights, above 0.7 where means are not to be relied upon.
    """

    values: Array
    std_errors: Array
    pareto_k: float


def fine_mean(
    problem: Problem,
    grid: Grid,
    mode: Array,
    priors: Mapping[str, PriorLike] | None,
    wanted: int,
    rng: np.random.Generator,
) -> FineMean:
    """Means from ``wanted`` effective draws on ``grid``, which is anchored at ``mode`` (P,)."""
    at = posterior_mode(problem, grid, mode, priors)
    law = whitened_posterior(problem, grid, at, priors)
    most = max(MOST * wanted, LEAST)
    found = weigh(law.values, law.log_scales, wanted=wanted, most=most, rng=rng)
    kept = found.weights > 0
    weights, values = found.weights[kept], _printed(problem, law.theta(found.x[kept]))
    mean = weights @ values
    variance = weights**2 @ (values - mean) ** 2
    missed, missed_variance = _missed(problem, grid, law, found, (wanted, rng))
    return FineMean(mean + missed, np.sqrt(variance + missed_variance), found.pareto_k)


def _printed(problem: Problem, thetas: Array) -> Array:
    """Printed parameters (D, P) at free vectors (D, P)."""
    found = printed_values(problem.parameters.within, thetas)
    return np.concatenate(list(found.values()), axis=1)


def _missed(
    problem: Problem,
    grid: Grid,
    law: Whitened,
    found: Weighted,
    how: tuple[int, np.random.Generator],
) -> tuple[Array, Array]:
    """What integration on ``grid`` misses of the means (P,), and the variance (P,) of that."""
    wanted, rng = how
    thetas = law.theta(found.x[found.resampled(min(wanted, CORRECTED), rng)])
    rule = centred(sobol(NODES), moments=True)
    middle = problem.canonical(thetas.mean(axis=0))
    others = [centre(problem, rule, middle, rng) for _ in range(SCRAMBLES)]
    rows = max(1, NUMBERS // (SCRAMBLES * problem.n_persons))
    parts = [thetas[a:b] for a, b in ranges(0, len(thetas), rows)]
    errors = np.concatenate([_errors(problem, grid, others, part) for part in parts], axis=1)
    weights = np.exp(errors - errors.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    values = _printed(problem, thetas)
    shifts = weights @ values - values.mean(axis=0)
    left_out = shifts[1:]
    of_nodes = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0) * (SCRAMBLES - 1) / SCRAMBLES
    # The weights' own sampling noise: none where all are equal.
    apart = (weights[0] - 1 / len(values)) ** 2
    of_draws = apart @ (values - values.mean(axis=0) - shifts[0]) ** 2
    return shifts[0], of_nodes + of_draws


def _errors(problem: Problem, grid: Grid, others: list[Grid], thetas: Array) -> Array:
    """Log-likelihoods (1 + R, D) on other grids less that on ``grid``: of all, and without each."""
    own = linear(integrated_log_likelihood(problem, grid, thetas), problem.data.weights)
    each = np.stack([integrated_log_likelihood(problem, one, thetas) for one in others])
    kept = [each, *(np.delete(each, r, axis=0) for r in range(len(others)))]
    found: Array = np.stack([_together(problem, logp) for logp in kept]) - own
    return found


def _together(problem: Problem, logp: Array) -> Array:
    """The log-likelihood (D,) that scramblings (R, D, I) tell together, without their bias."""
    mean, variance = pooled(logp)
    return linear(mean + variance / (2 * len(logp)), problem.data.weights)
