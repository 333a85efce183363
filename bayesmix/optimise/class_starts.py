"""Where searches begin: at the multinomial logit, and with several classes where EM ends."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.multinomial import Multinomial, starting_values
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.em import class_theta, random_classes

MOST_ORDERED = 5
"""Classes up to which all orders are tried."""


def search_start(problem: Problem, logit: Multinomial, rng: np.random.Generator) -> Array:
    """Where a search begins: where EM ends, and of one class at the multinomial logit."""
    if problem.parameters.classes == 1:
        return starting_values(problem, logit)
    return class_theta(problem, random_classes(problem, logit, rng))


def class_starts(
    problem: Problem, logit: Multinomial, number: int, rng: np.random.Generator
) -> list[Array]:
    """Free vectors to start from: where EM ends, each time from other random classes.

    Under constraints, its classes in the order that is nearest to keeping these. None of one class.

    Raises
    ------
    SpecificationError
        If persons are no more than parameters.
    """
    if problem.parameters.classes == 1:
        return []
    _check_persons(problem)
    found = [class_theta(problem, random_classes(problem, logit, rng)) for _ in range(number)]
    return [_kept(problem, theta) for theta in found]


def _kept(problem: Problem, theta: Array) -> Array:
    """The free vector, with its classes renumbered, that has least to move to keep constraints."""
    if problem.constraint is None:
        return theta
    number, units = problem.parameters.classes, natural_units(problem)
    orders = permutations(range(number)) if number <= MOST_ORDERED else [tuple(range(number))]
    renumbered = [problem.parameters.permuted(theta, order) for order in orders]
    moves = [np.linalg.norm((problem.canonical(t) - t) / units) for t in renumbered]
    return problem.canonical(renumbered[int(np.argmin(moves))])


def _check_persons(problem: Problem) -> None:
    """Refuse classes whose parameters are as many as persons."""
    space, size = problem.parameters, problem.free_size
    if problem.n_persons <= size:
        raise SpecificationError(
            f"{space.classes} latent classes have {size} parameters, which "
            f"{problem.n_persons} persons cannot tell apart: use fewer classes, or let them share "
            "coefficients"
        )
