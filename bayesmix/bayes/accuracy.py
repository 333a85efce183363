"""How far a posterior on a grid is from the posterior under exact integration.

The exact posterior is the one on the grid, reweighted with ``exp(-e(theta))``, ``e`` the error of
the log-likelihood. To first order no posterior mean moves by more than the standard deviation of
``e`` over the posterior, in posterior standard deviations (Cauchy-Schwarz).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.centred import centre
from bayesmix.likelihood.certificate import SCRAMBLES, pooled
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem

Array = NDArray[np.float64]

DRAWS = 24
REFERENCE = 128


@dataclass(frozen=True)
class PosteriorAccuracy:
    """Integration error of the log-likelihood over a posterior, in nats.

    Parameters
    ----------
    mean, sd
        Mean and standard deviation over draws of (log-likelihood on the grid - exact). The mean is
        harmless; ``sd`` bounds the shift of every posterior mean, in posterior standard deviations.
    worst_person, worst_sd
        The person whose error varies most, and its standard deviation.
    """

    mean: float
    sd: float
    worst_person: Any
    worst_sd: float

    def __str__(self) -> str:
        return (
            f"integration error of the log-likelihood over the posterior: mean {self.mean:+.2f}, "
            f"sd {self.sd:.2f} nats; to first order it shifts no posterior mean by more than "
            f"{self.sd:.2f} posterior standard deviations (most of it: person {self.worst_person})"
        )


def posterior_accuracy(
    problem: Problem, thetas: Array, logp: Array, rng: np.random.Generator
) -> PosteriorAccuracy:
    """Compare ``log P_i`` on a sampler's grid with independent references at some draws.

    Parameters
    ----------
    problem
        The model bound to data.
    thetas
        Free vectors (D, P) of all draws.
    logp
        ``log P_i`` (D, I) on the sampler's grid.
    rng
        Source of draws' choice and of the references' scrambles.
    """
    chosen = rng.choice(len(thetas), size=min(DRAWS, len(thetas)), replace=False)
    errors, noise = [], []
    for d in chosen:
        exact, variance = _reference(problem, thetas[d], rng)
        errors.append(logp[d] - exact)
        noise.append(variance)
    error, weights = np.stack(errors), problem.data.weights
    totals = error @ weights
    # The references' own noise is known, and taken out.
    own = float((np.stack(noise) @ weights**2).mean())
    spread = float(np.sqrt(max(totals.var(ddof=1) - own, 0.0)))
    by_person = error.std(axis=0, ddof=1)
    worst = int(by_person.argmax())
    person = problem.data.persons[worst]
    return PosteriorAccuracy(float(totals.mean()), spread, person, float(by_person[worst]))


def _reference(problem: Problem, theta: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """``log P_i`` (I,) from pooled scramblings of a grid anchored at theta, and its variance."""
    first = centre(problem, centred(sobol(REFERENCE), moments=True), theta, rng)
    grids: list[Grid] = [first, *(first.renewed(rng) for _ in range(SCRAMBLES // 2 - 1))]
    logp = np.stack([Likelihood(problem, grid).by_person(theta)[0] for grid in grids])
    mean, variance = pooled(logp)
    return mean + variance / (2 * len(grids)), variance / len(grids)
