"""The logit-mixed logit: shares of many types that are a logit of their coefficients."""

from __future__ import annotations

import time

import numpy as np
from scipy.linalg import eigh

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.bootstrap import MOST_REPLICATIONS
from bayesmix.classical.logit_mixed_search import Work, best, solved
from bayesmix.classical.nonparametric import check_utility
from bayesmix.classical.types_fit import TypesFit
from bayesmix.classical.types_result import ClassLogitOf, bootstrap_of
from bayesmix.classical.types_words import LEAST_SHARE, kept
from bayesmix.classical.weight_basis import LogitWeights
from bayesmix.classical.weight_estimates import WeightEstimates
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.optimise.type_likelihood import TypeLikelihood
from bayesmix.optimise.type_search import WeightedPoints
from bayesmix.optimise.weight_logit import WeightLogit
from bayesmix.progress import Progress, progress_line
from bayesmix.specification.laws.normal import Normal
from bayesmix.specification.model import MixedLogit

STEP = 1e-4
"""Of differences by fixed coefficients, in units of a typical attribute."""
LEAST_KNOWN = 1e-6
"""Least curvature of a direction of weights: a standard error of 1,000 of their logarithms."""


def logit_mixed(
    model: MixedLogit,
    data: ChoiceData,
    weights: LogitWeights,
    *,
    replications: int = 0,
    rng: Seed = None,
    progress: bool | None = None,
) -> TypesFit:
    r"""The logit-mixed logit: a flexible law of coefficients on given points.

    ``max sum_i w_i log sum_m pi_m(alpha) P(y_i | b_m, delta)`` with ``pi_m = exp(alpha'z(b_m)) /
    sum_n exp(alpha'z(b_n))``, over ``alpha`` and over fixed coefficients ``delta`` in turns with
    these: Newton's method, with the analytic gradient and curvature. It is smooth where
    `nonparametric` has few types, and has standard errors (Train 2016).

    Parameters
    ----------
    model
        The utility, without random coefficients of its own: those of the terms of ``weights`` vary
        over people, others are fixed.
    data
        The choices.
    weights
        The points, and what their weights are functions of.
    replications
        Bootstrap samples of persons, for intervals of moments and of demand.
    rng
        Seed or Generator of the samples.
    progress
        Whether to show a progress line; not said, after three seconds, in terminals and notebooks.

    Returns
    -------
    TypesFit
        Points with their shares, moments, and ``fit``, a latent class logit for all demand.
        ``logit`` has the coefficients with their standard errors, ``aic`` and ``bic``; ``gap`` is
        what other weights of these points could raise the log-likelihood by, at most.

    Raises
    ------
    ConvergenceError
        If coefficients do not settle, or choices are separated.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model, data = bm.MixedLogit("pf + cl"), bm.examples.electricity()
    >>> types = bm.Types({"pf": (-2, 0), "cl": (-2, 1)}, points=100, rng=1)
    >>> found = bm.logit_mixed(model, data, bm.LogitWeights(types))
    >>> found.logit.params.index[:2].tolist()
    ['weight[pf, 1]', 'weight[pf, 2]']
    >>> found.loglik < bm.nonparametric(model, data, types, adding=False).loglik
    True
    """
    begun = time.perf_counter()
    check_utility(model)
    check_arguments(model, data)
    arguments.instance("weights", weights, LogitWeights, "bm.LogitWeights(bm.Types(...))")
    arguments.whole("replications", replications, least=0, most=MOST_REPLICATIONS)
    arguments.seed("rng", rng)
    arguments.flag_or_none("progress", progress)
    terms = weights.types.terms
    given = bind(MixedLogit(model.formula, [Normal(*terms)], trust=model.trust), data)
    problem, unit = in_effective_persons(given)
    work = Work(TypeLikelihood(problem), weights)
    logit = multinomial(given)
    check_signs(given, logit)
    with progress_line(progress, "shares", unit) as line:
        at, found = best(work, logit.coefficients[work.likelihood.dimension :], line)
        matrix = _covariance(work, found, at.fixed)
        drawn = _replicated(work, found, at, replications, rng, line)
    own, dropped = kept(at)
    mixtures = [one for one in drawn.values() if one is not None]
    size = max(2, *(len(one.weights) for one in [own, *mixtures]))
    words = _words(weights, at, unit, dropped, bool(np.isnan(matrix).any()))
    fit = ClassLogitOf(model, data, weights.types, size, "LML").fit(own, words, logit.loglik, begun)
    names = (*weights.names, *(f"fixed[{name}]" for name in given.parameters.fixed))
    values = np.concatenate([found.alpha, at.fixed])
    return TypesFit(
        fit=fit,
        terms=terms,
        gap=at.gap * unit,
        largest=np.nan,
        starts=0,
        tried=len(at.points),
        dropped=dropped,
        method="logit",
        bootstrap=bootstrap_of(fit, drawn, size) if replications else None,
        logit=WeightEstimates(names, values, matrix, at.loglik * unit, data.n_persons),
    )


def _covariance(work: Work, found: WeightLogit, fixed: Array) -> Array:
    """Robust covariance (Q + F, Q + F); NaN where coefficients have no end.

    That is where the curvature is not that of a maximum, and where a direction of the logarithms of
    weights, their standard deviation over the points 1, has hardly any: what is left are digits.
    """
    likelihood, q = work.likelihood, len(found.alpha)
    persons, f = likelihood.persons, len(fixed)
    scores = found.scores
    curvature = np.zeros((q + f, q + f))
    curvature[:q, :q] = found.curvature
    if f:
        own = likelihood.fixed_scores(work.points, found.weights, fixed)[1]
        scores = np.hstack([scores, own])
        steps = STEP / likelihood.problem.design.spread[likelihood.dimension :]
        for j, step in enumerate(steps):
            ends = [_gradient(work, found, fixed + side * step * np.eye(f)[j]) for side in (1, -1)]
            curvature[:, q + j] = -(ends[0] - ends[1]) / (2.0 * step)
        curvature[q:, :q] = curvature[:q, q:].T
        curvature[q:, q:] = 0.5 * (curvature[q:, q:] + curvature[q:, q:].T)
    unit = np.eye(q + f)
    unit[:q, :q] = np.cov(work.basis.T, bias=True).reshape(q, q)
    if f:
        unit[range(q, q + f), range(q, q + f)] = np.abs(np.diag(curvature)[q:])
    if not np.isfinite(curvature).all() or eigh(curvature, unit)[0].min() <= LEAST_KNOWN:
        return np.full((q + f, q + f), np.nan)
    bread = np.linalg.inv(curvature)
    weighted = scores * persons[:, None]
    covariance: Array = bread @ (weighted.T @ weighted) @ bread
    return covariance


def _gradient(work: Work, found: WeightLogit, fixed: Array) -> Array:
    """Slopes (Q + F,) of the log-likelihood at these weights and other fixed coefficients."""
    persons = work.likelihood.persons
    logs = work.likelihood.log_probabilities(work.points, fixed)
    joint = np.exp(logs - logs.max(axis=1, keepdims=True)) * found.weights
    posterior = joint / joint.sum(axis=1, keepdims=True)
    alpha = (persons @ posterior - persons.sum() * found.weights) @ work.basis
    own = work.likelihood.fixed_scores(work.points, found.weights, fixed)[1]
    return np.concatenate([alpha, persons @ own])


def _replicated(
    work: Work, found: WeightLogit, at: WeightedPoints, number: int, rng: Seed, line: Progress
) -> dict[int, WeightedPoints | None]:
    """Mixtures of samples of persons; None of those that do not converge."""
    seed = int(np.random.default_rng(rng).integers(2**63))
    drawn: dict[int, WeightedPoints | None] = {}
    weights = work.likelihood.persons
    for replication in range(number):
        line.phase(f"bootstrap, {replication + 1} of {number}")
        generator = np.random.default_rng([seed, replication])
        sample = generator.integers(len(weights), size=len(weights))
        persons = np.bincount(sample, minlength=len(weights)) * weights
        try:
            drawn[replication] = kept(solved(work, found.alpha, at.fixed, persons)[0])[0]
        except ConvergenceError:
            drawn[replication] = None
    return drawn


def _words(
    weights: LogitWeights,
    at: WeightedPoints,
    unit: float,
    dropped: tuple[int, float],
    endless: bool,
) -> str:
    words = [
        f"shares are {weights}, {len(weights.names)} coefficients",
        f"no shares of these points have a log-likelihood higher by more than {at.gap * unit:.1f} "
        "nats",
    ]
    if endless:
        words.append(
            "coefficients have no standard errors, for the curvature is not that of a maximum: "
            "where shares fall to 0 coefficients have no end, and other coefficients may have a "
            "higher log-likelihood; ask for a smaller size="
        )
    if dropped[0]:
        words.append(
            f"{dropped[0]} points with shares below {LEAST_SHARE:g}, {dropped[1]:.1e} together, "
            "are left out"
        )
    return ". ".join(words)
