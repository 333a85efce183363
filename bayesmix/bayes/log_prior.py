"""The group ``log_prior`` of a posterior: what each prior says of each draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.class_priors import class_priors
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_values import lkj_constant
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.likelihood.problem import Problem

SAMPLE = ("chain", "draw")
Part = tuple[str, tuple[str, list[str]], Array]
"""Name of a variable, its dimension and labels, and log-densities (chains, draws, .)."""


def log_prior_group(
    problem: Problem, given: Mapping[str, PriorLike] | None, posterior: xr.Dataset
) -> xr.Dataset:
    """Log-densities, nats, of the parameters by the names that they have in ``posterior``.

    Of ``mean``, ``sd`` and the others one a parameter; of ``corr`` one a correlated law, of the
    whole matrix; of ``cov`` one a law with an inverse-Wishart prior, of its covariance and, given
    it, of its means. What is held has no prior. Of latent classes up to a constant: their order is
    a condition of the posterior.
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
    problem: Problem, given: Mapping[str, PriorLike] | None, posterior: xr.Dataset
) -> Iterator[Part]:
    """Of the parameters that have priors of their own."""
    laws = class_priors(problem, given).laws
    held = {name for name, _ in problem.model.constraints.fixed}
    for kind in KINDS:
        if kind not in posterior:
            continue
        dim = str(posterior[kind].dims[-1])
        labels = [str(label) for label in posterior[dim].to_numpy()]
        listed = [laws[f"{kind}[{label}]"] for label in labels]
        own = Laws(tuple(listed)).proper & [f"{kind}[{label}]" not in held for label in labels]
        if own.any():
            kept = Laws(tuple(law for law, one in zip(listed, own, strict=True) if one))
            values = posterior[kind].to_numpy()[..., own]
            yield kind, (dim, list(np.array(labels)[own])), kept.log_density(values)


def _of_laws(
    problem: Problem, given: Mapping[str, PriorLike] | None, posterior: xr.Dataset
) -> Iterator[Part]:
    """Of matrices of correlations, and of covariances."""
    space, chosen = problem.parameters, class_priors(problem, given)
    thetas = space.class_thetas(free_vectors(problem, posterior))
    found: dict[str, dict[str, Array]] = {"corr": {}, "cov": {}}
    held = {name for name, _ in problem.model.constraints.fixed}
    for c, names in enumerate(chosen.names):
        mean, chol, *_ = space.within.unpack(thetas[..., c, :])
        position, priors = 0, chosen.within
        laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
        for law, eta, covariance in laws:
            here = slice(position, position + len(law.coefficients))
            position = here.stop
            block, words = chol[..., here, here], ", ".join(law.terms)
            first = f"sd[{law.terms[0]}]"
            if names[first] != first:  # a law of the class's own
                words = f"{words}, {c + 1}"
            if covariance is not None:
                found["cov"][words] = covariance.covariance_log_density(block, mean[..., here])
            elif eta is not None and not _pairs(law.terms) <= held:
                found["corr"][words] = _correlations(block, eta)
    for name, own in found.items():
        if own:
            yield name, (f"{name}_law", list(own)), np.stack(list(own.values()), axis=-1)


def _pairs(terms: Sequence[str]) -> set[str]:
    """Flat names of the correlations of a law: held, all of them, they have no prior."""
    return {f"corr[{', '.join(pair)}]" for pair in combinations(terms, 2)}


def _correlations(chol: Array, eta: float) -> Array:
    """Of LKJ's law at correlation matrices of blocks ``L`` (..., n, n)."""
    sd, diagonal = np.sqrt((chol**2).sum(axis=-1)), np.diagonal(chol, axis1=-2, axis2=-1)
    log_det = 2 * np.log(diagonal / sd).sum(axis=-1)
    found: Array = (eta - 1) * log_det - lkj_constant(chol.shape[-1], eta)
    return found


KINDS = ("mean", "shape", "sd", "fixed", "shift", "scale", "share")
