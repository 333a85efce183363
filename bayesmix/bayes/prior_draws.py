"""Draws of the priors, by the names that a posterior has them by.

Correlation matrices of LKJ's law are drawn by their Cholesky factor, row by row: a row's direction
is uniform, its squared length before the diagonal beta (Lewandowski, Kurowicka and Joe 2009).
Covariances with an inverse-Wishart prior are drawn by Bartlett's decomposition (1933).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.class_labels import Ordering
from bayesmix.bayes.class_model import dimension
from bayesmix.bayes.class_priors import class_priors
from bayesmix.bayes.held import check_holdable
from bayesmix.bayes.inverse_wishart import Covariance
from bayesmix.bayes.marginal_sampling import printed_values
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem

MOST, AT_ONCE = 100, 1_000
"""Rounds in which draws in order are looked for, and draws of a round, at least."""


def prior_draws(
    problem: Problem,
    priors: Mapping[str, PriorLike] | None,
    draws: int,
    rng: np.random.Generator,
    order: Ordering | None = None,
) -> xr.Dataset:
    """Independent draws of the prior: variables of the posterior, dimensions ``chain``, ``draw``.

    What is held stands at its value.

    Parameters
    ----------
    problem
        The model bound to data.
    priors
        Replacements of default priors.
    draws
        Their number, in one chain.
    rng
        Source of randomness.
    order
        Of latent classes, as the posterior has it: the prior is that of values in this order.

    Raises
    ------
    SpecificationError
        If parts of a covariance with an inverse-Wishart prior are held, or the order hardly occurs.
    """
    check_holdable(problem)
    space, chosen, within = problem.parameters, class_priors(problem, priors), problem.within
    found = np.full((draws, space.size), np.nan)
    for c in reversed(range(space.classes)):  # what classes share is that of the first
        thetas = free_draws(within, chosen.of_class(c), draws, rng)
        values = printed_values(within.parameters.within, thetas).values()
        found[:, space.select_printed[c]] = np.concatenate(list(values), axis=1)
    shares = [space.names.index(name) for name in space.share_names]
    found[:, shares] = chosen.of(list(space.share_names)).draw(draws, rng)
    if order is not None:
        places = [space.names.index(name) for name in order.names]
        found[:, places] = _in_order(chosen.of(list(order.names)), draws, rng)
    return _by_kind(problem, found)


def _by_kind(problem: Problem, values: Array) -> xr.Dataset:
    """Printed parameters (D, P) as variables of one chain."""
    space = problem.parameters
    kinds = np.array([parameter.kind.name for parameter in space.listed], dtype=str)
    kept: dict[str, Any] = {}
    coords: dict[str, Any] = {"chain": np.arange(1), "draw": np.arange(len(values))}
    for kind, labels in space.labels.items():
        dim = dimension(problem, kind)
        kept[kind] = (("chain", "draw", dim), values[None][..., kinds == kind])
        coords[dim] = labels
    return xr.Dataset(kept, coords=coords)


def free_draws(problem: Problem, priors: Priors, draws: int, rng: np.random.Generator) -> Array:
    """Free vectors (D, P) drawn from the prior, of a model with one class."""
    space, held = problem.parameters.within, dict(problem.model.constraints.fixed)
    mean = np.zeros((draws, space.n_random + len(space.shapes)))
    mean[:, space.located] = priors.mean.draw(draws, rng)
    chol = np.zeros((draws, space.n_random, space.n_random))
    sds = priors.sd.draw(draws, rng)
    for k, name in enumerate(space.random):
        if f"sd[{name}]" in held:
            sds[:, k] = held[f"sd[{name}]"]
    start = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for law, eta, covariance in laws:
        here = slice(start, start + len(law.coefficients))
        start = here.stop
        if covariance is not None:
            _refuse_held(problem, law.terms)
            factor = _wishart(covariance, draws, rng)
            if covariance.mean_precision is not None:
                z = rng.standard_normal((draws, len(law.terms)))
                moved = np.einsum("dkj,dj->dk", factor, z) / np.sqrt(covariance.mean_precision)
                mean[:, here] = covariance.mean_location + moved
        elif eta is None:
            factor = np.eye(len(law.terms)) * sds[:, None, here]
        else:
            below = _below(problem, here)
            factor = sds[:, here, None] * _lkj(below, eta, draws, rng)
        chol[:, here, here] = factor
    parts = (priors.fixed, priors.shift, priors.scale)
    fixed, shift, scale = (part.draw(draws, rng) for part in parts)
    thetas = np.stack(
        [space.pack(*row) for row in zip(mean, chol, fixed, shift, np.log(scale), strict=True)]
    )
    return _held_at(problem, thetas)


def _below(problem: Problem, here: slice) -> Array:
    """Which entries (n, n) of a block of ``L`` are free, below its diagonal."""
    space, constraint = problem.parameters.within, problem.constraint
    rows, columns = space.chol_index
    places = len(space.located) + np.arange(len(rows))
    kept = places if constraint is None else constraint.free
    free = np.zeros((space.n_random, space.n_random), dtype=bool)
    free[rows, columns] = np.isin(places, kept)
    return np.tril(free, -1)[here, here]


def _held_at(problem: Problem, thetas: Array) -> Array:
    """Free vectors with what is held at its value."""
    constraint = problem.constraint
    if constraint is None:
        return thetas
    found = np.tile(constraint.offset, (len(thetas), 1))
    found[:, constraint.free] = thetas[:, constraint.free]
    return found


def _lkj(below: Array, eta: float, draws: int, rng: np.random.Generator) -> Array:
    """Cholesky factors (D, n, n) of correlation matrices, whose entries not ``below`` are 0.

    Row k = 1 .. n has, over its M free entries, the density ``(1 - r^2)^((n - k)/2 + eta - 1)``.
    """
    size = len(below)
    factor = np.zeros((draws, size, size))
    for k in range(size):
        own = np.flatnonzero(below[k])
        square = np.zeros(draws)
        if len(own):
            square = rng.beta(len(own) / 2, (size - k - 1) / 2 + eta, draws)
            z = rng.standard_normal((draws, len(own)))
            length = np.sqrt(square / (z**2).sum(axis=1))
            factor[:, k, own] = z * length[:, None]
        factor[:, k, k] = np.sqrt(1 - square)
    return factor


def _wishart(prior: Covariance, draws: int, rng: np.random.Generator) -> Array:
    """Cholesky factors (D, K, K) of covariances with an inverse-Wishart prior."""
    size = len(prior.root)
    whole = np.tril(rng.standard_normal((draws, size, size)), -1)
    places = np.arange(size)
    degrees = prior.df - size + 1 + places
    whole[:, places, places] = np.sqrt(rng.chisquare(degrees, (draws, size)))
    found: Array = prior.root @ np.linalg.inv(whole)
    return found


def _refuse_held(problem: Problem, terms: tuple[str, ...]) -> None:
    own = {f"{kind}[{term}]" for term in terms for kind in ("mean", "sd")}
    pairs = {f"corr[{a}, {b}]" for a in terms for b in terms}
    for name, _ in problem.model.constraints.fixed:
        if name in own | pairs:
            raise SpecificationError(
                f"{name!r} is held, and its law's covariance has an inverse-Wishart prior, whose "
                "draws given that are not known here: give LKJ and half-normal priors"
            )


def _in_order(laws: Laws, draws: int, rng: np.random.Generator) -> Array:
    """Draws (D, C) of independent values given that they rise.

    Raises
    ------
    SpecificationError
        If that hardly ever happens.
    """
    if len(set(laws.each)) == 1:
        return np.sort(laws.draw(draws, rng), axis=1)
    kept = np.zeros((0, len(laws)))
    for _ in range(MOST):
        tried = laws.draw(max(draws, AT_ONCE), rng)
        kept = np.concatenate([kept, tried[(np.diff(tried, axis=1) > 0).all(axis=1)]])
        if len(kept) >= draws:
            return kept[:draws]
    raise SpecificationError(
        "priors of single classes put their coefficients in another order than the posterior has "
        "them: exchange their names"
    )
