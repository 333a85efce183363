"""Types of people and their shares: the nonparametric maximum likelihood of the mixing law."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.bootstrap import MOST_REPLICATIONS
from bayesmix.classical.types import Types
from bayesmix.classical.types_fit import TypesFit
from bayesmix.classical.types_result import ClassLogitOf, bootstrap_of
from bayesmix.classical.types_words import LEAST_SHARE, kept, types_words
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.optimise.mixing_weights import slopes_at
from bayesmix.optimise.type_likelihood import TypeLikelihood
from bayesmix.optimise.type_search import WeightedPoints, added, solved
from bayesmix.progress import Progress, progress_line
from bayesmix.specification.laws.normal import Normal
from bayesmix.specification.model import MixedLogit

METHODS = ("newton", "em", "least-squares")


def nonparametric(
    model: MixedLogit,
    data: ChoiceData,
    types: Types,
    *,
    method: str = "newton",
    adding: bool | None = None,
    replications: int = 0,
    tolerance: float = 1e-3,
    rng: Seed = None,
    progress: bool | None = None,
) -> TypesFit:
    r"""Types of people and their shares, whatever the law of the coefficients is.

    ``max sum_i w_i log sum_m pi_m P(y_i | b_m, delta)`` over the shares ``pi`` of points ``b_m``,
    with ``adding`` over the points too, and over fixed coefficients ``delta`` in turns with these.
    With ``d(b) = sum_i w_i P(y_i | b) / P_i - sum_i w_i``, the directional derivative towards a
    point, shares are the best of all where ``d`` is nowhere above 0, and nowhere is the
    log-likelihood higher by more than its largest value (Lindsay 1983).

    Parameters
    ----------
    model
        The utility, without random coefficients of its own: those of the terms of ``types`` vary
        over people, others are fixed.
    data
        The choices.
    types
        Where types may be.
    method
        How shares are found: ``"newton"``, constrained Newton steps (Wang 2007), ``"em"``, squared
        EM (Train 2008; Varadhan and Roland 2008), which comes to the same shares more slowly, or
        ``"least-squares"``, of choices on their probabilities (Fox, Kim, Ryan and Bajari 2011),
        whose log-likelihood is lower.
    adding
        Whether points are added where the directional derivative is largest, inside the box of
        ``types``, until none is above the tolerance; with likelihoods, by default. False keeps to
        the points given.
    replications
        Bootstrap samples of persons, for intervals: weights are estimated again on all points that
        were tried, fixed coefficients too.
    tolerance
        Largest directional derivative that may be left, in nats (of effective persons, where they
        have weights).
    rng
        Seed or Generator of searches and samples.
    progress
        Whether to show a progress line; not said, after three seconds, in terminals and notebooks.

    Returns
    -------
    TypesFit
        Types with their shares, moments, and ``fit``, a latent class logit for all demand.

    Raises
    ------
    ConvergenceError
        If directional derivatives stay above the tolerance, or choices are separated.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    Notes
    -----
    With ``adding`` the search begins at all types, at ten of the other points and at ten random
    ones, and finds what it finds: the certificate over points tried is exact, that over the box is
    a search's. A type at the end of the box would go on: nobody's choices say how far. Types are
    few, of 300 people often ten, though people differ in a thousand ways: read shares of ranges,
    not single types.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model, data = bm.MixedLogit("pf + cl"), bm.examples.electricity()
    >>> grid = bm.Types({"pf": (-2, 0), "cl": (-2, 1)}, points=200, rng=1)
    >>> found = bm.nonparametric(model, data, grid, adding=False, replications=20, rng=1)
    >>> found.gap < 1e-3
    True
    >>> float(bm.shares(found.fit, data, uncertainty=found.bootstrap)["estimate"].sum().round(9))
    1.0
    """
    begun = time.perf_counter()
    adds = _check(model, types, method, adding)
    check_arguments(model, data)
    arguments.whole("replications", replications, least=0, most=MOST_REPLICATIONS)
    arguments.real("tolerance", tolerance, above=0)
    arguments.seed("rng", rng)
    arguments.flag_or_none("progress", progress)
    generator = np.random.default_rng(rng)
    normal = MixedLogit(model.formula, [Normal(*types.terms)], trust=model.trust)
    given = bind(normal, data)
    problem, unit = in_effective_persons(given)
    work = TypeLikelihood(problem)
    logit = multinomial(given)
    check_signs(given, logit)
    with progress_line(progress, "types", unit) as line:
        at = _found(work, types, (method, tolerance, adds), logit.coefficients, generator, line)
        drawn = _replicated(work, at, (method, tolerance), replications, generator, line)
    types_left, dropped = kept(at)
    mixtures = [own for own in drawn.values() if own is not None]
    size = max(2, *(int((own.weights >= LEAST_SHARE).sum()) for own in [types_left, *mixtures]))
    words = types_words(at, types, method, dropped, unit)
    fit = ClassLogitOf(model, data, types, size).fit(types_left, words, logit.loglik, begun)
    return TypesFit(
        fit=fit,
        terms=types.terms,
        gap=at.gap * unit,
        largest=at.largest * unit,
        starts=at.starts,
        tried=len(at.points),
        dropped=dropped,
        method=method,
        bootstrap=bootstrap_of(fit, drawn, size) if replications else None,
    )


def _check(model: MixedLogit, types: Types, method: str, adding: bool | None) -> bool:
    """Whether points are added; refuses what types do not go with."""
    check_utility(model)
    arguments.instance("types", types, Types, "points, such as bm.Types({'price': [-2, -1, 0]})")
    arguments.one_of("method", method, METHODS)
    likelihood = method != "least-squares"
    adds = likelihood if adding is None else arguments.flag("adding", adding)
    if adds and not likelihood:
        raise SpecificationError(
            "adding=True goes by the likelihood's directional derivative: with "
            "method='least-squares' leave it out"
        )
    return adds


def check_utility(model: MixedLogit) -> None:
    """Refuse what types do not go with.

    Raises
    ------
    SpecificationError
        If the model has more than a utility.
    """
    if isinstance(model, MixedLogit):
        for has, what in (
            (model.random, "random coefficients of its own"),
            (model.wtp, "wtp="),
            (model.scale, "scale="),
            (model.control, "control="),
            (model.nests, "nests="),
            (model.constraints, "constraints"),
        ):
            if has:
                raise SpecificationError(
                    f"argument 'model' has {what}, and types are all that varies over people here: "
                    "give the utility alone, bm.MixedLogit(formula)"
                )


def _found(
    work: TypeLikelihood,
    types: Types,
    how: tuple[str, float, bool],
    logit: Array,
    rng: np.random.Generator,
    line: Progress,
) -> WeightedPoints:
    method, tolerance, adds = how
    fixed, number = logit[work.dimension :], len(types.values)
    line.phase(f"weights of {number} points")
    if method == "least-squares":
        if work.n_fixed:
            names = ", ".join(work.problem.parameters.fixed)
            raise SpecificationError(
                "method='least-squares' is for models whose coefficients all differ between "
                f"types, and {names} are fixed: name them in the types, or use method='newton'"
            )
        weights = work.least_squares(types.values)
        logs = work.log_probabilities(types.values, fixed)
        top = logs.max(axis=1)
        slopes, loglik = slopes_at(np.exp(logs - top[:, None]), work.persons, weights)
        loglik += float(work.persons @ top)
        return WeightedPoints(types.values, logs, weights, fixed, loglik, float(slopes.max()))
    at = WeightedPoints(
        types.values,
        work.log_probabilities(types.values, fixed),
        np.full(number, 1.0 / number),
        fixed,
    )
    if adds:
        return added(work, at, (method, tolerance, types.bounds), rng, line)
    return solved(work, at, method, tolerance)


def _replicated(
    work: TypeLikelihood,
    at: WeightedPoints,
    how: tuple[str, float],
    number: int,
    rng: np.random.Generator,
    line: Progress,
) -> dict[int, WeightedPoints | None]:
    """Mixtures of samples of persons; None of those that do not converge."""
    seed = int(rng.integers(2**63))
    found: dict[int, WeightedPoints | None] = {}
    n, (method, tolerance) = len(work.persons), how
    for replication in range(number):
        line.phase(f"bootstrap, {replication + 1} of {number}")
        drawn = np.random.default_rng([seed, replication]).integers(n, size=n)
        persons = np.bincount(drawn, minlength=n) * work.persons
        try:
            own = _reweighted(work, at, method, tolerance, persons)
            found[replication] = kept(own)[0]
        except ConvergenceError:
            found[replication] = None
    return found


def _reweighted(
    work: TypeLikelihood, at: WeightedPoints, method: str, tolerance: float, persons: Array
) -> WeightedPoints:
    if method != "least-squares":
        return solved(work, at, method, tolerance, persons)
    problem = replace(work.problem, data=replace(work.problem.data, weights=persons))
    return replace(at, weights=TypeLikelihood(problem).least_squares(at.points))
