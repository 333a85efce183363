"""How far a posterior on a grid is from the posterior under exact integration.

The exact posterior is the one on the grid, reweighted with ``exp(-e(theta))``, ``e`` the error of
the log-likelihood. To first order no posterior mean moves by more than the standard deviation of
``e`` over the posterior, in posterior standard deviations (Cauchy-Schwarz).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.accuracy.certify import TAIL_NODES, tail_shapes
from bayesmix.accuracy.pareto import pareto_shape
from bayesmix.accuracy.pooling import SCRAMBLES, pooled
from bayesmix.arrays import Array
from bayesmix.centring.follow import followed
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freezable, frozen_at_anchor

DRAWS = 24
REFERENCE = 128
TAIL_DRAWS = 4
ERROR_SD = 0.4
"""Standard deviation (nats) of the integration error over the posterior that may remain."""
HEAVY = 0.7
"""Pareto shape of a person's weights above which they are not reliable (Vehtari et al. 2024)."""


@dataclass(frozen=True)
class PosteriorAccuracy:
    """Integration error of the log-likelihood over a posterior, in nats.

    Parameters
    ----------
    mean, sd
        Mean and standard deviation over draws of (log-likelihood on the grid - exact). The mean is
        harmless; ``sd`` bounds the shift of every posterior mean, in posterior standard deviations.
    pareto_k, worst_person
        Largest shape of the tail of a person's importance weights over the posterior, and whose;
        NaN and None on grids that are not person-centred.
    """

    mean: float
    sd: float
    pareto_k: float
    worst_person: Any

    @property
    def reliable(self) -> bool:
        """Whether the error's sd is small, and no anchor has lost its person."""
        return self.sd <= ERROR_SD and not self.pareto_k > HEAVY

    def notes(self) -> dict[str, Any]:
        """Attributes of a posterior."""
        return {
            "integration": str(self),
            "integration_error_mean": self.mean,
            "integration_error_sd": self.sd,
            "integration_pareto_k": self.pareto_k,
        }

    def __str__(self) -> str:
        text = (
            f"integration error of the log-likelihood over the posterior: mean {self.mean:+.2f}, "
            f"sd {self.sd:.2f} nats; to first order it shifts no posterior mean by more than "
            f"{self.sd:.2f} posterior standard deviations"
        )
        if np.isfinite(self.pareto_k):
            text += f"; largest Pareto k {self.pareto_k:.2f}, person {self.worst_person}"
        return text


def posterior_accuracy(
    problem: Problem, grid: Grid, thetas: Array, totals: Array, rng: np.random.Generator
) -> PosteriorAccuracy:
    """Compare a sampler's log-likelihood with independent references at some draws.

    Parameters
    ----------
    problem, grid
        The model bound to data, and the sampler's grid.
    thetas
        Free vectors (D, P) of all draws.
    totals
        The weighted log-likelihood (D,) that was sampled.
    rng
        Source of draws' choice and of the references' scrambles.
    """
    chosen = rng.choice(len(thetas), size=min(DRAWS, len(thetas)), replace=False)
    weights = problem.data.weights
    errors, noise = [], []
    rule = centred(sobol(REFERENCE), moments=True)
    moved, first = problem.split(thetas[chosen[0]])
    anchored = centre(moved, rule, first, rng)
    for d in chosen:
        moved, theta = problem.split(thetas[d])
        exact, variance = _reference(moved, anchored, theta, rng)
        errors.append(totals[d] - weights @ exact)
        noise.append(weights**2 @ variance)
    # The references' own noise is known, and taken out.
    spread = (
        float(np.sqrt(max(np.var(errors, ddof=1) - np.mean(noise), 0.0)))
        if len(errors) > 1
        else float("nan")  # one draw says nothing of a spread
    )
    shape, person = _heaviest(problem, grid, thetas[chosen[:TAIL_DRAWS]], rng)
    return PosteriorAccuracy(float(np.mean(errors)), spread, shape, person)


def _reference(
    problem: Problem, anchored: PersonGrid, theta: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """``log P_i`` (I,) and its variance, by scramblings of a grid that follows persons to theta."""
    here = followed(problem, anchored, theta)
    grids = [here.renewed(rng) for _ in range(SCRAMBLES // 2)]
    logp = np.stack([Likelihood(problem, grid).by_person(theta)[0] for grid in grids])
    mean, variance = pooled(logp)
    return mean + variance / (2 * len(grids)), variance / len(grids)


def _heaviest(
    problem: Problem, grid: Grid, thetas: Array, rng: np.random.Generator
) -> tuple[float, Any]:
    """The largest Pareto shape of a person, averaged over draws, on many nodes of these anchors."""
    if not isinstance(grid, PersonGrid):
        return float("nan"), None
    many = grid.resized(TAIL_NODES).renewed(rng)
    shapes = np.zeros(problem.n_persons)
    for theta in thetas:
        moved, own = problem.split(theta)
        shapes += _shapes(moved, many, own) / len(thetas)
    worst = int(shapes.argmax())
    return float(shapes[worst]), problem.data.persons[worst]


def _shapes(problem: Problem, grid: PersonGrid, theta: Array) -> Array:
    """Pareto shapes (I,) at ``theta``, in the space in which the sampler's nodes are fixed."""
    if problem.parameters.fixed or not freezable(problem, grid):
        return tail_shapes(problem, theta, [grid])
    blocks = over_persons(Point(problem, theta), grid, _frozen_shapes)
    (found,) = joined(blocks)
    return found


def _frozen_shapes(here: Point, grid: PersonGrid) -> tuple[Array]:
    """`_shapes` of a block whose nodes are fixed in coefficient space."""
    nodes = frozen_at_anchor(here.problem, grid)
    inverse = np.linalg.inv(here.parameters.chol)
    whitened = np.einsum("kj,ijs->iks", inverse, nodes.nodes - here.locations[:, :, None])
    # Logarithms (n, S) of the terms of each person's integral, up to a constant.
    return (pareto_shape(nodes.constants - 0.5 * (whitened**2).sum(axis=1)),)
