"""Moments of coefficients that a posterior's draws imply, where laws are of something else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.read import posterior_draws, posterior_group
from bayesmix.reporting.named_draws import flat_items
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.maps import at_zero_scale, mean_and_sd
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.record import model_from_record

DRAWS, SLOW_DRAWS = 1_000, 200
"""Draws at most: of laws whose moments are formulas, and of those that are integrated."""


def model_of(posterior: Any) -> MixedLogit | None:
    """The model of a posterior; None of what is none, or does not say it."""
    if not isinstance(posterior, xr.DataTree):
        return None
    record = posterior_group(posterior).attrs.get("model")
    return None if record is None else model_from_record(json.loads(record))


def coefficients_of(posterior: xr.DataTree) -> tuple[Coefficient, ...]:
    """The random coefficients of a posterior's model whose law is everybody's, where it is said."""
    model = model_of(posterior)
    if model is None:
        return ()
    return tuple(c for c in model.coefficients if c.term not in model.latent.terms)


def implied_draws(posterior: xr.DataTree) -> dict[str, Array]:
    """Draws of the mean and the sd of each coefficient whose law maps a logarithm or a position.

    A thousand at most, evenly spaced; 200 where moments have no formula. Coefficients whose means
    have covariates are left out: theirs are averages over people.

    Returns
    -------
    dict of arrays (D,)
        By name, ``"implied mean[price]"`` and ``"implied sd[price]"``, as in a fit's summary.
    """
    found: dict[str, Array] = {}
    mapped = [c for c in coefficients_of(posterior) if c.law.index and c.mean in ("0", "1")]
    if not mapped:
        return found
    flat = {name: d.to_numpy().ravel() for name, d in flat_items(posterior_draws(posterior))}
    for c in mapped:
        law = np.array([_mean_and_sd(*one) for one in _at_draws(c, flat)])
        found[f"implied mean[{c.term}]"], found[f"implied sd[{c.term}]"] = law.T
    return found


def _at_draws(c: Coefficient, flat: dict[str, Array]) -> list[tuple[Coefficient, float, float]]:
    """The coefficient with its shapes, its location and its scale, at some of the draws."""
    scale = flat[f"sd[{c.term}]"]
    most = DRAWS if c.law.formulas.mean_and_sd is not None else SLOW_DRAWS
    at = np.unique(np.linspace(0, len(scale) - 1, min(len(scale), most)).round().astype(int))
    loc = flat.get(f"mean[{c.term}]", np.zeros(len(scale)))
    shapes = np.reshape([flat[f"shape[{name}]"] for name in c.shape_labels], (-1, len(scale))).T
    return [(replace(c, shape=tuple(shapes[d])), float(loc[d]), float(scale[d])) for d in at]


def _mean_and_sd(c: Coefficient, loc: float, scale: float) -> tuple[float, float]:
    """Of the coefficient itself, its sign included."""
    at = np.array([loc])
    if scale == 0.0:
        return float(at_zero_scale(c, at)[0]), 0.0
    (mean,), (sd,) = mean_and_sd(c, at, scale)
    return float(c.sign * mean), float(sd)
