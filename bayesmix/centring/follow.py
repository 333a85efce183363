"""Person-centred nodes that follow each person's posterior as the parameters move.

Differences of scores between nearby parameters are what curvature, and standard errors, come from.
Where nodes stay behind, integrals are a little worse on either side than at the anchor, and so the
log-likelihood seems to bend more, or less: by a few per cent where the data say much of a person,
manyfold where they say little and the curvature is a small difference of large terms. On nodes that
follow the posterior the error stays what it is, and cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.anchors import Anchors
from bayesmix.centring.grids import PersonGrid, find_anchors
from bayesmix.likelihood.classes import ClassGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Problem


def followed(
    problem: Problem, grid: PersonGrid | ClassGrid, theta: Array
) -> PersonGrid | ClassGrid:
    """The grid with its draws about the modes at ``theta``, scaled by the curvature there.

    A component with a posterior's moments keeps its place relative to the mode. With latent
    classes, each class's grid follows its own.
    """
    thetas = problem.parameters.class_thetas(theta)
    return problem.together(
        [_followed(problem.within, grid.of_class(c), own) for c, own in enumerate(thetas)]
    )


def _followed(problem: Problem, grid: PersonGrid, theta: Array) -> PersonGrid:
    old = grid.anchors
    new = find_anchors(problem, theta, old.centres[:, 0])
    turn = new.roots[:, :1] @ np.linalg.inv(old.roots[:, :1])
    gaps = (old.centres - old.centres[:, :1])[..., None]
    centres = new.centres[:, :1] + (turn @ gaps)[..., 0]
    return replace(grid, anchors=Anchors(new.theta, centres, turn @ old.roots, old.normal))


def following_gradient(problem: Problem, grid: PersonGrid | ClassGrid) -> Callable[[Array], Array]:
    """Gradient (P,) of the weighted log-likelihood, a function of theta, on nodes that follow it.

    Not the gradient of any one simulated log-likelihood: each is that of its own grid.
    """

    def gradient(theta: Array) -> Array:
        here = Likelihood(problem, followed(problem, grid, theta), keep=False)
        return here.value_and_gradient(theta)[1]

    return gradient
