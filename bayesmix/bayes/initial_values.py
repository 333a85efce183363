"""Where chains of PyMC's models start: the values of their variables at a free vector."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.priors import Priors, make_priors
from bayesmix.likelihood.problem import Problem


def initial_values(
    problem: Problem, theta: Array, priors: Priors | None = None
) -> dict[str, Array]:
    """Values of the variables of `bayesmix.bayes.one_class_model` at a free vector (P,)."""
    priors = make_priors(problem) if priors is None else priors
    space = problem.parameters.within
    mean, chol, fixed, shift, log_scale = space.unpack(theta)
    values = {
        "mean": mean[space.located[: space.n_means]],
        "shape": mean[space.n_random :],
        "mean_own": mean[space.located][priors.mean.proper],
        "sd": np.sqrt((chol**2).sum(axis=1)),
        "fixed": fixed,
        "shift": shift,
        "scale": np.exp(log_scale),
    }
    position = 0
    for number, (law, prior) in enumerate(
        zip(problem.model.laws, priors.covariances, strict=True), start=1
    ):
        here = slice(position, position + len(law.coefficients))
        block = chol[here, here]
        values[f"sd_{number}"] = np.sqrt((block**2).sum(axis=1))
        values[f"chol_{number}"] = block[np.tril_indices(len(block))]
        if prior is not None:
            values |= prior.initial(str(number), block, mean[here])
        position = here.stop
    return values
