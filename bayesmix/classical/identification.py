"""In words, what the data hardly identify at an estimate."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.classical.covariance import Information
from bayesmix.identification.weakest_direction import (
    HARDLY,
    free_names,
    weakest_direction,
    weakest_of,
)
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.layout import Layout


def diagnosis(found: Information, space: Layout, theta: Array) -> str:
    """What is not identified, or hardly, in a sentence; "" where all is well."""
    if not found.size:
        return ""
    nothing = found.unidentified_direction(space)
    if nothing and _told_by_scores(found):
        return (
            f"On these nodes the curvature is not that of a maximum, in the direction {nothing}, "
            "of which persons' scores tell: ask for more nodes, or for a better start"
        )
    if nothing:
        return f"Not identified: the direction {nothing}"
    if found.constraint is None:
        weakest = weakest_direction(found.hessian, space, theta)
    else:
        names = tuple(free_names(space)[p] for p in found.constraint.free)
        weakest = weakest_of(found.free(found.hessian), names)
    if weakest is None or not (weakest.hardly and weakest.smallest > 0):
        return ""
    return str(weakest.fault())


def _told_by_scores(found: Information) -> bool:
    """Whether a curvature bends upwards where persons' scores differ in every direction.

    Steep integrands do that on few nodes; of what is not identified there are no scores either.
    """
    smallest = []
    for matrix in (found.free(found.hessian), found.free(found.opg)):
        scale = np.sqrt(np.abs(np.diag(matrix)))
        if not (scale > 0).all():
            return False
        values = np.linalg.eigvalsh(matrix / np.outer(scale, scale))
        smallest.append(values[0] / values[-1])
    return bool(smallest[0] < -HARDLY and smallest[1] > HARDLY)


def component_words(problem: Problem) -> str:
    """Which variances of error components the choice sets do not tell; "" where they tell all.

    A likelihood that is normal and logistic may have a curvature there, by its form alone.
    """
    found = [str(fault) for fault in problem.unidentified]
    return ". ".join(words[0].upper() + words[1:] for words in found)
