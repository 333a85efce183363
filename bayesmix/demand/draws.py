"""Parameters of any result: a classical fit or a posterior, through one door."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmix.bayes.pointwise import free_vectors
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem, bind
from bayesmix.specification.record import model_from_record

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """A model bound to data, with parameters.

    Parameters
    ----------
    problem
        The result's model on the data.
    thetas
        Free vectors (D, P): draws of a posterior, or the one estimate of a fit.
    """

    problem: Problem
    thetas: Array


def parameter_draws(result: Fit | xr.DataTree, data: ChoiceData, draws: int) -> ParameterDraws:
    """The estimate of a fit, or ``draws`` evenly spaced draws of a posterior.

    Raises
    ------
    SpecificationError
        If ``result`` is neither a fit nor a posterior made by ``bm.sample``.
    """
    if isinstance(result, Fit):
        return ParameterDraws(bind(result.model, data), result.theta[None, :])
    if not isinstance(result, xr.DataTree) or "model" not in result["posterior"].attrs:
        raise SpecificationError(
            f"expected a Fit or a DataTree of bm.sample, got {type(result).__name__}"
        )
    model = model_from_record(json.loads(result["posterior"].attrs["model"]))
    problem = bind(model, data)
    thetas = free_vectors(problem, result["posterior"].to_dataset())
    flat = thetas.reshape(-1, thetas.shape[-1])
    chosen = np.linspace(0, len(flat) - 1, min(draws, len(flat))).round().astype(int)
    return ParameterDraws(problem, flat[chosen])


def krinsky_robb(fit: Fit, draws: int, rng: np.random.Generator) -> Array:
    """Free vectors (D, P) drawn from the normal law of a fit's estimates (Krinsky and Robb 1986).

    With the robust covariance by person (by cluster where the fit has clusters). Entries at the
    boundary, which have no normal law, stay where they are.

    Raises
    ------
    SpecificationError
        If the fit has no covariance matrix.
    """
    covariance = fit.information.covariance()
    moving = ~fit.information.silent
    part = covariance[np.ix_(moving, moving)]
    if not np.isfinite(part).all():
        raise SpecificationError(
            "the fit has no covariance matrix, for its curvature is not that of a maximum: "
            f"{fit.message}"
        )
    thetas = np.repeat(fit.theta[None, :], draws, axis=0)
    thetas[:, moving] = rng.multivariate_normal(fit.theta[moving], part, size=draws)
    return thetas
