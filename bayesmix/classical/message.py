"""What there is to know of an optimum: boundaries, and what is not identified."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.classical.covariance import (
    Information,
    whole_correlations,
)
from bayesmix.classical.identification import component_words, diagnosis
from bayesmix.classical.latent_class import class_words
from bayesmix.identification.utility_columns import without_constant
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.broyden import NEAR
from bayesmix.optimise.leave_boundary import boundary_words
from bayesmix.optimise.maximise import Optimum


def message_of(optimum: Optimum, found: Information, problem: Problem, theta: Array) -> str:
    """What there is to know of an optimum: boundaries, and what is not identified."""
    words = [f"converged (gradient {optimum.decrement:.1g} standard errors)"]
    if optimum.frozen == "broyden" and optimum.decrement > NEAR:
        words = [
            f"ended {optimum.decrement:.1g} standard errors from where scores vanish, as near as "
            "noise lets it: posteriors are far from normal"
        ]
    if not found.size:
        words = ["all parameters are held: nothing was estimated"]
    space = problem.parameters
    words += boundary_words(problem, theta)
    whole = np.array(space.names)[whole_correlations(space, theta)]
    if len(whole):
        words.append(f"{', '.join(whole)} at the boundary: the covariance matrix is singular")
    words.append(weaknesses(found, problem, theta))
    return ". ".join(w for w in words if w)


def weaknesses(found: Information, problem: Problem, theta: Array) -> str:
    """What is not identified, and which latent classes are odd."""
    words = [found.words, diagnosis(found, problem.parameters, theta), component_words(problem)]
    design = problem.design
    columns = design.attributes
    words.append(without_constant(columns, problem.data))
    words = [w[:1].upper() + w[1:] for w in words]
    words.append(class_words(problem, theta))
    return ". ".join(w for w in words if w)
