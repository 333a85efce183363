"""A person-centred grid frozen in coefficient space, for evaluations near its anchor."""

from __future__ import annotations

import numpy as np

from bayesmix.centring.grids import PersonGrid
from bayesmix.kernels.coefficient_space import CoefficientNodes
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Persons, Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import at_boundary
from bayesmix.optimise.maximise import whitening

UNCERTAIN = 0.25
"""Standard error of the logarithm of a standard deviation (given the coefficients before it)."""
GLANCE = 128
"""Nodes a person of a first look at the scores."""


def freeze(problem: Problem, grid: PersonGrid) -> tuple[CoefficientNodes, ...]:
    """The nodes of all persons at the anchor of ``grid``, fixed in coefficient space.

    Of each of its halves, where it has halves. At the anchor the integrals are those of ``grid``.
    None at all where nodes cannot be `freezable`.
    """
    if not freezable(problem, grid):
        return ()
    return tuple(frozen_at_anchor(problem, part) for part in grid.halves or (grid,))


def freezable(problem: Problem, grid: PersonGrid) -> bool:
    """Whether nodes fixed in coefficient space are good near their anchor.

    Not where a standard deviation is near 0 at the anchor: the nodes would crowd around the mean,
    and larger ones find none. Not where the data leave a standard deviation so uncertain that a
    much smaller or larger one is plausible: nodes that do not move with it would miss its
    integrals. Not for laws that are not links of an index, where sources have scales, and with
    nests: there choice probabilities at an index move with the parameters.
    """
    if problem.moving:
        return False
    theta = grid.anchors.theta
    chol = problem.parameters.within.unpack(theta).chol
    diagonal = np.abs(np.diag(chol))
    if problem.design.sources is not None or problem.design.nests is not None:
        return False
    if (diagonal < 1e-6 * np.abs(chol).sum(axis=1).max(initial=0.0)).any():
        return False
    return not at_boundary(problem, theta) and not _uncertain(problem, grid)


def frozen_at_anchor(persons: Persons, grid: PersonGrid) -> CoefficientNodes:
    """The nodes of persons at the anchor, whatever may become of them.

    For laws that are links of an index whose standard deviations are not 0 at the anchor.
    """
    here = Point(persons, grid.anchors.theta)
    chol = here.parameters.chol
    diagonal = np.abs(np.diag(chol))
    nodes, weights = grid.block(0, persons.whole.n_persons)
    mixture = here.mixture(nodes, weights)
    logp = here.log_probabilities(mixture)
    indices = mixture.loc[:, :, None] + np.einsum("kj,ijs->iks", chol, nodes)
    # w = phi(z) / (S q(z)); in coefficient space both densities are divided by |L|.
    log_density = -0.5 * (nodes**2).sum(axis=1) - 0.5 * len(chol) * np.log(2 * np.pi)
    log_density -= np.log(diagonal).sum()
    constants = logp + np.log(weights) - log_density
    return CoefficientNodes(np.ascontiguousarray(indices), constants)


def _uncertain(problem: Problem, grid: PersonGrid) -> bool:
    """Whether some diagonal entry of the Cholesky factor is poorly known at the anchor."""
    theta, diagonal = grid.anchors.theta, problem.parameters.within.diagonal()
    few = grid.resized(min(grid.size, GLANCE))
    _, scores = Likelihood(problem, few, keep=False).by_person(theta)
    root = whitening(scores, problem.data.weights, natural_units(problem), problem.directions)
    errors = np.sqrt((root**2).sum(axis=1))[diagonal]
    return bool((errors > UNCERTAIN * np.abs(theta[diagonal])).any())
