"""Correlations of a posterior as matrices, beside the flat names that summaries take."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from bayesmix.bayes.read import SAMPLE_DIMS, posterior_draws, posterior_group
from bayesmix.errors import SpecificationError
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.record import model_from_record

OTHER = "random_bis"
"""The second dimension of a matrix."""


def correlations(posterior: xr.DataTree) -> xr.DataArray:
    """Matrices of correlations between random coefficients, one a draw.

    Posteriors hold each correlation once, by its flat name, so that summaries have no constants and
    no number twice; matrices are made when they are asked for. They are of the normals that the
    laws are made of, as ``corr`` is: of a lognormal coefficient, of its logarithm.

    Parameters
    ----------
    posterior
        Of ``bm.sample``; or the tree of ``bm.prior_predictive``.

    Returns
    -------
    xarray.DataArray
        ``corr`` (chain, draw, random, random_bis): symmetric, 1 on the diagonal, and 0 between
        coefficients of different laws, which are independent.

    Raises
    ------
    SpecificationError
        If it is no posterior, the model has no random coefficients, or it has latent classes, whose
        matrices are several.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf + cl", random=bm.LKJNormal("pf", "cl"))
    >>> prior = bm.prior_predictive(model, data, draws=5, rng=1)
    >>> found = bm.correlations(prior)
    >>> dict(found.sizes)
    {'chain': 1, 'draw': 5, 'random': 2, 'random_bis': 2}
    >>> flat = prior["prior"]["corr"].sel(pair="pf, cl")
    >>> bool((found.sel(random="pf", random_bis="cl") == flat).all())
    True
    """
    draws = posterior_draws(posterior)
    if "sd" not in draws:
        raise SpecificationError(
            "argument 'posterior': the model has no random coefficients, and no correlations"
        )
    record = posterior_group(posterior).attrs.get("model")
    if record is not None:
        check_one_class(model_from_record(json.loads(record)).latent, "correlations")
    names = [str(name) for name in draws["random"].to_numpy()]
    shape = tuple(draws.sizes[dim] for dim in SAMPLE_DIMS)
    values = np.broadcast_to(np.eye(len(names)), (*shape, len(names), len(names))).copy()
    if "corr" in draws:
        flat = draws["corr"].transpose(*SAMPLE_DIMS, "pair").to_numpy()
        places = {str(name): n for n, name in enumerate(draws["pair"].to_numpy())}
        for j, first in enumerate(names):
            for k, second in enumerate(names):
                place = places.get(f"{first}, {second}")
                if place is not None:
                    values[..., j, k] = values[..., k, j] = flat[..., place]
    coords = {dim: draws[dim] for dim in SAMPLE_DIMS} | {"random": names, OTHER: names}
    return xr.DataArray(values, coords, (*SAMPLE_DIMS, "random", OTHER), name="corr")
