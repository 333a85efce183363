"""The group ``log_prior`` of a posterior: what each prior says of each draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.prior_values import half_normal, lkj_constant, normal
from bayesmix.bayes.priors import Prior, make_priors
from bayesmix.likelihood.problem import Problem

SAMPLE = ("chain", "draw")
Part = tuple[str, tuple[str, list[str]], Array]
"""Name of a variable, its dimension and labels, and log-densities (chains, draws, .)."""


def log_prior_group(
    problem: Problem, given: Mapping[str, Prior] | None, posterior: xr.Dataset
) -> xr.Dataset:
    """Log-densities, nats, of the parameters by the names that they have in ``posterior``.

    Of ``mean``, ``sd`` and the others one a parameter; of ``corr`` one a correlated law, of the
    whole matrix; of ``cov`` one a law with an inverse-Wishart prior, of its covariance and, given
    it, of its means. What is held has no prior.
    """
    kept: dict[str, Any] = {}
    coords: dict[str, Any] = {dim: posterior[dim] for dim in SAMPLE}
    parts = [*_of_parameters(problem, given, posterior), *_of_laws(problem, given, posterior)]
    for name, (dim, labels), values in parts:
        known = list(posterior.indexes[dim]) if dim in posterior.indexes else labels
        own = dim if known == labels else f"{name}_{dim}"
        kept[name] = ((*SAMPLE, own), values)
        coords[own] = labels
    return xr.Dataset(kept, coords=coords)


def _of_parameters(
    problem: Problem, given: Mapping[str, Prior] | None, posterior: xr.Dataset
) -> Iterator[Part]:
    """Of the parameters that have priors of their own."""
    table = make_priors(problem, given).table
    held = {name for name, _ in problem.model.constraints.fixed}
    for kind in KINDS:
        if kind not in posterior:
            continue
        dim = str(posterior[kind].dims[-1])
        labels = [str(label) for label in posterior[dim].to_numpy()]
        names = [f"{kind}[{label}]" for label in labels]
        own = [n in table.index and table.loc[n, "law"] in LAWS and n not in held for n in names]
        if any(own):
            rows = table.loc[np.array(names)[own]]
            law = LAWS[str(rows["law"].iloc[0])]
            values = posterior[kind].to_numpy()[..., own]
            found = law(values, rows["location"].to_numpy(float), rows["scale"].to_numpy(float))
            yield kind, (dim, list(np.array(labels)[own])), found


def _of_laws(
    problem: Problem, given: Mapping[str, Prior] | None, posterior: xr.Dataset
) -> Iterator[Part]:
    """Of matrices of correlations, and of covariances."""
    mean, chol, *_ = problem.parameters.within.unpack(free_vectors(problem, posterior))
    found: dict[str, dict[str, Array]] = {"corr": {}, "cov": {}}
    position = 0
    covariances = make_priors(problem, given).covariances
    for law, covariance in zip(problem.model.laws, covariances, strict=True):
        here = slice(position, position + len(law.coefficients))
        block, words = chol[..., here, here], ", ".join(law.terms)
        if covariance is not None:
            found["cov"][words] = covariance.covariance_log_density(block, mean[..., here])
        elif law.eta is not None:
            found["corr"][words] = _correlations(block, law.eta)
        position = here.stop
    for name, laws in found.items():
        if laws:
            yield name, (f"{name}_law", list(laws)), np.stack(list(laws.values()), axis=-1)


def _lognormal(values: Array, location: Array, scale: Array) -> Array:
    logs = np.log(values)
    found: Array = normal(logs, location, scale) - logs
    return found


def _correlations(chol: Array, eta: float) -> Array:
    """Of LKJ's law at correlation matrices of blocks ``L`` (..., n, n)."""
    sd, diagonal = np.sqrt((chol**2).sum(axis=-1)), np.diagonal(chol, axis1=-2, axis2=-1)
    log_det = 2 * np.log(diagonal / sd).sum(axis=-1)
    found: Array = (eta - 1) * log_det - lkj_constant(chol.shape[-1], eta)
    return found


KINDS = ("mean", "shape", "sd", "fixed", "shift", "scale")
LAWS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "normal": normal,
    "half-normal": lambda values, _, scale: half_normal(values, scale),
    "lognormal": _lognormal,
}
