"""PyMC models of latent classes: the class of a person is always summed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bayesmix.arrays import Array
from bayesmix.bayes.class_labels import OrderedEntries, numbered_classes, ordering
from bayesmix.bayes.class_priors import ClassPriors, class_priors
from bayesmix.bayes.first_stage_graph import moving_columns
from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    log_integrals,
    on_halves,
    product,
    shared_chunk,
)
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_variables import add_difference, prior_distribution, prior_variable
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.specification.parameter import CORRELATION, SD
from bayesmix.specification.values import Parameters

DIMENSIONS = {
    "mean": "located", "shape": "shaped", "sd": "random", "corr": "pair", "fixed": "term",
    "shift": "shifted", "share": "membership", "scale": "source",
}  # fmt: skip


def class_model(
    problem: Problem,
    grid: Grid | None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
    start: Array | None = None,
) -> pm.Model:
    """The model of latent classes: integrated over ``grid``, or with a ``z`` a person without one.

    ``log P_i = log sum_c pi_ic P_i(theta_c)``; in the hierarchical model ``P_i(theta_c)`` is that
    of the coefficients ``link(loc_c + L_c z_i)``, the ``z_i`` the same for all classes. Classes are
    in the order of ``start``, a free vector (P,), and chains start there: EM's end by default.

    Raises
    ------
    SpecificationError
        If a centred hierarchical model is asked for: a person's index has no one law to be drawn
        from.
    """
    if grid is None and problem.parameters.n_random and not noncentred:
        raise SpecificationError(
            "noncentred=False: with latent classes a person's index has a law in each class; leave "
            "noncentred=True, or take likelihood='marginal'"
        )
    if start is None:
        start = numbered_classes(problem)
    chosen = class_priors(problem, priors)
    with pm.Model(coords=class_coordinates(problem)) as pymc:
        parameters = _parameters(problem, chosen, start)
        columns = moving_columns(problem)
        logp = class_log_probabilities(problem, grid, *parameters, columns)
        weights = pytensor.shared(problem.data.weights, name="person_weights")
        pm.Potential("log_likelihood", (weights * logp).sum())
    return pymc


def dimension(problem: Problem, kind: str) -> str:
    """Dimension of the parameters of a kind, the same name as without classes."""
    labels = problem.parameters.labels
    same = kind == "mean" and labels["mean"] == labels.get("sd")
    return "random" if same else DIMENSIONS[kind]


def class_coordinates(problem: Problem) -> dict[str, Any]:
    """Names along the dimensions of the model's variables."""
    own = {dimension(problem, kind): labels for kind, labels in problem.parameters.labels.items()}
    residuals = problem.design.residuals
    first = {} if residuals is None else {"regressor": list(residuals.first.names)}
    return {"person": problem.data.person_labels, **own, **first}


def _parameters(
    problem: Problem, priors: ClassPriors, start: Array
) -> tuple[list[Parameters], Any]:
    """Means, Cholesky factor, fixed coefficients and shifts of each class; ``gamma`` (C, Q)."""
    space, within = problem.parameters, problem.within
    inner, order = within.parameters.within, ordering(problem, start)
    values = space.series(space.natural(start))
    vectors: dict[str, Any] = {}
    for kind in ("mean", "shape", "fixed", "shift", "share"):
        if kind not in space.labels:
            continue
        names = [f"{kind}[{label}]" for label in space.labels[kind]]
        ordered = kind == order.kind
        how: dict[str, Any] = (
            {"transform": OrderedEntries(order.positions(problem))} if ordered else {}
        )
        how |= {"dims": dimension(problem, kind), "initval": values[names].to_numpy()}
        vectors[kind] = prior_variable(priors.of(names), kind, **how)
    factors = _factors(problem, priors)
    first = {kind: space.names.index(f"{kind}[{ls[0]}]") for kind, ls in space.labels.items()}
    kinds = np.array([parameter.kind.name for parameter in inner.listed], dtype=str)
    classes = []
    for c, places in enumerate(space.select_printed):
        found = {
            kind: vector[places[kinds == kind] - first[kind]]
            for kind, vector in vectors.items()
            if kind != "share"
        }
        mean: Any = pt.zeros(inner.n_random + len(inner.shapes))
        if "mean" in found:
            mean = mean[inner.located[: inner.n_means]].set(found["mean"])
        if "shape" in found:
            mean = mean[inner.n_random :].set(found["shape"])
        fixed, shift = (found.get(kind, pt.zeros(0)) for kind in ("fixed", "shift"))
        classes.append(Parameters(mean, factors[c], fixed, shift))
    size = problem.share_z.shape[1]
    rest = vectors["share"].reshape((space.classes - 1, size)) if size else None
    none = pt.zeros((space.classes if rest is None else 1, size))
    return classes, none if rest is None else pt.concatenate([none, rest])


def _factors(problem: Problem, priors: ClassPriors) -> list[Any]:
    """A Cholesky factor (K, K) for each class, with ``sd`` and ``corr`` by name."""
    space, within = problem.parameters, problem.within
    inner, number = within.parameters.within, space.classes
    if not inner.n_random:
        return [pt.zeros((0, 0))] * number
    sd_names = [f"sd[{label}]" for label in space.labels["sd"]]
    laws = priors.of(sd_names)
    places = space.select_printed[:, inner.of_kind(SD)] - space.names.index(sd_names[0])
    if not inner.pairs:
        sd = prior_variable(laws, "sd", dims="random")
        return [pt.diag(sd[p]) for p in places]
    factors: list[Any] = [pt.zeros((inner.n_random,) * 2) for _ in range(number)]
    start = 0
    for law_number, law in enumerate(within.model.laws, start=1):
        here = slice(start, start + len(law.terms))
        start = here.stop
        for c in range(number if law.terms[0] in space.own else 1):
            name = f"{law_number}_{c + 1}"
            own = Laws(tuple(laws.each[place] for place in places[c, here]))
            block = _block(name, priors.etas[law_number - 1], own)
            same = [c] if law.terms[0] in space.own else range(number)
            for d in same:
                factors[d] = factors[d][here, here].set(block)
    _correlated(problem, factors, places)
    return factors


def _block(name: str, eta: float | None, laws: Laws) -> Any:
    size = len(laws)
    if eta is None:
        return pt.diag(prior_variable(laws, f"sd_{name}", shape=size))
    deviations = prior_distribution(laws)
    factor, _, sd = pm.LKJCholeskyCov(
        f"chol_{name}", n=size, eta=eta, sd_dist=deviations, store_in_trace=False
    )
    add_difference(laws, sd, f"sd_{name}")
    return factor


def _correlated(problem: Problem, factors: list[Any], places: Any) -> None:
    """``sd`` and ``corr`` of all classes as variables with names."""
    space, within = problem.parameters, problem.within
    inner = within.parameters.within
    pairs = space.select_printed[:, inner.of_kind(CORRELATION)]
    pairs = pairs - pairs.min()
    sds = pt.zeros(len(space.labels["sd"]))
    corrs = pt.zeros(len(space.labels["corr"]))
    first, second = np.array(inner.pairs).T
    for c, factor in enumerate(factors):
        sd = pt.sqrt((factor**2).sum(axis=1))
        sds = sds[places[c]].set(sd)
        products = (factor[first] * factor[second]).sum(axis=1)
        corrs = corrs[pairs[c]].set(products / (sd[first] * sd[second]))
    pm.Deterministic("sd", sds, dims="random")
    pm.Deterministic("corr", corrs, dims="pair")


def class_log_probabilities(
    problem: Problem, grid: Grid | None, classes: list[Parameters], gamma: Any, columns: Any = None
) -> Any:
    """Log-probability (I,) of each person's choices, summed over classes.

    ``columns`` (R, F), with fixed coefficients, are variables where a first stage moves them.
    """
    within = problem.within
    size = within.parameters.n_random
    if grid is not None and grid.halves:
        halves = grid.halves
        return on_halves(
            [class_log_probabilities(problem, half, classes, gamma, columns) for half in halves]
        )
    z: Any = pt.zeros((problem.n_persons, 0))
    if size and grid is None:
        # Coordinates by the terms, which are not the labels of class parameters.
        z = pm.Normal("z", 0.0, 1.0, shape=(problem.n_persons, size))
    each = []
    for c, own in enumerate(classes):
        if size and grid is not None:
            chunk = shared_chunk(within.chunk(grid.of_class(c), 0, problem.n_persons))
            chunk = chunk if columns is None else chunk._replace(x_fixed=columns)
            each.append(log_integrals(within, chunk, own))
        else:
            deviations = product(z, own.chol.T)
            each.append(conditional_log_probabilities(within, deviations, own, columns))
    index = product(pt.constant(problem.share_z), gamma.T)
    prior = index - pt.logsumexp(index, axis=1, keepdims=True)
    return pt.logsumexp(prior + pt.stack(each, axis=1), axis=1)
