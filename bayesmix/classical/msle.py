"""Maximum simulated likelihood (Train 2009, chapter 10)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.refine import DEFAULT_TOLERANCE, Tolerance, first_rule, posterior_rules
from bayesmix.accuracy.refine import next_rule as refined
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, check_grid
from bayesmix.classical.assemble import assemble, assemble_multinomial
from bayesmix.classical.bounds import within_bounds
from bayesmix.classical.clusters import person_groups, with_groups
from bayesmix.classical.ends import COMPARED, Ends, carried, compare_ends, ends_on_shared_grid
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, check_starts, with_given
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.information import CURVATURE_NODES, made_of_draws, root_information
from bayesmix.classical.latent_class import check_classes, class_starts
from bayesmix.classical.search import Search
from bayesmix.classical.starts import best_of, preference_start, scattered_starts
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, DrawRule, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import gauss_hermite
from bayesmix.kernels.first_use import FITS, prepare
from bayesmix.likelihood.class_grid import points_grid
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.likelihood.problem import Grid, bind, check_arguments, is_plain_logit
from bayesmix.optimise.climb import settle
from bayesmix.optimise.maximise import Optimum, check_optimizer
from bayesmix.optimise.newton import newton
from bayesmix.optimise.progress import progress_line
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit

MOST_STARTS = 10_000
GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str


def msle(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: GridChoice = "auto",
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int | Sequence[Start] = 4,
    optimizer: str = "bfgs",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    cluster: str | None = None,
    rng: Seed = None,
    progress: bool = False,
) -> Fit:
    """Maximise the simulated log-likelihood ``sum_i w_i log sum_s w_is P(y_i | beta_is)``.

    Parameters
    ----------
    model, data
        What to fit, on what.
    grid
        A rule such as ``sobol(2000)`` or ``centred(sobol(64))``, the grid of another fit, or
        ``"auto"``: the cheapest grid whose certificate meets ``tolerance``.
    fixed, equal
        Parameters that are held at a value, ``{"sd[x]": 0}``, and groups of parameters that are
        equal, ``[("fixed[a]", "fixed[b]")]``, by flat name, besides what the model's own
        `Constraints` hold, tie and bound. `lr_test` compares the fit with that of the free model.
    start
        The first of the starting values: by flat name, all or some; a fit, or a posterior, of
        the names that they have in common with the model.
    starts
        Number of starting values: the first from the multinomial logit, the others scattered
        around it; or a list of values as ``start`` takes them. An optimum with a standard
        deviation near 0 is left and tried again. With latent classes, each is where EM ends from
        the best of five random starts.
    optimizer
        ``"bfgs"``, ``"l-bfgs-b"``, ``"trust-region"``, or ``"bhhh"`` (Berndt, Hall, Hall and
        Hausman 1974), which is slow where a standard deviation is near 0.
    tolerance
        Integration error that ``grid="auto"`` may leave: in nats (of effective persons, where they
        have weights), in standard errors, and as a part of these.
    cluster
        A column whose values are the clusters of the standard errors, the same in all rows of a
        person: persons of a cluster need not be independent. Persons are clusters by default.
    rng
        Seed or Generator of scrambles and starts; the same seed gives the same numbers.
    progress
        Whether to show a progress line.

    Returns
    -------
    Fit
        With robust standard errors by person (by ``cluster``), and the certificate of its
        integration error.

    Raises
    ------
    ConvergenceError
        If no start converges, or the choices are separated.
    IntegrationError
        If the grid gives a person an integral that is not positive.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", random=[bm.Normal("cl")]), data, rng=1)
    >>> fit.loglik > fit.loglik_multinomial
    True
    """
    begun = time.perf_counter()
    check_optimizer(optimizer)
    number = check_starts(starts, MOST_STARTS)
    given_starts: list[Start | None] = [start]
    if isinstance(starts, list | tuple):
        if start is not None:
            raise SpecificationError("arguments 'start' and 'starts': give one list of starts")
        given_starts = list(starts)
    arguments.instance("tolerance", tolerance, Tolerance, "a record, bm.Tolerance(estimates=0.05)")
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    model = held_and_tied(model, fixed, equal)
    generator = np.random.default_rng(rng)
    settings = _Settings(grid, number, given_starts, optimizer, tolerance, progress)

    def estimate(model: MixedLogit) -> Fit:
        # Searches under bounds have the same nodes, and what is held at one is as if by fixed=.
        own = deepcopy(generator) if model.constraints.bounds else generator
        return _estimate(model, data, settings, own)

    check_arguments(model, data)
    groups = None if cluster is None else person_groups(data, cluster)
    fit = replace(within_bounds(model, estimate), seconds=time.perf_counter() - begun)
    return fit if groups is None else with_groups(fit, groups, str(cluster))


@dataclass(frozen=True, eq=False)
class _Settings:
    """How to search, as `msle` documents it; the first starts are given ones, where not None."""

    grid: GridChoice
    starts: int
    given: Sequence[Start | None]
    optimizer: str
    tolerance: Tolerance
    progress: bool


def _estimate(
    model: MixedLogit, data: ChoiceData, settings: _Settings, rng: np.random.Generator
) -> Fit:
    """The fit of a model, whatever its bounds."""
    begun, grid = time.perf_counter(), settings.grid
    given = bind(model, data)
    problem, unit = in_effective_persons(given)
    prepare(FITS)
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
    elif problem.parameters.n_random:
        check_grid(problem, grid)
    logit = multinomial(given)
    check_signs(given, logit)
    with progress_line(settings.progress, "MSLE", unit) as line:
        own = replace(logit, loglik=logit.loglik / unit)
        search = Search(problem, own, settings.optimizer, rng, line, begun, unit)
        return in_given_weights(_fit(search, settings), given, unit, logit.loglik)


def _fit(search: Search, settings: _Settings) -> Fit:
    problem, grid, starts = search.problem, settings.grid, settings.starts
    if is_plain_logit(problem):
        return assemble_multinomial(search)
    if problem.parameters.classes > 1:
        check_classes(problem)
        search.progress.phase("EM from random classes")
        origins = class_starts(problem, search.logit, starts, search.rng)
        if not problem.parameters.n_random:
            grid = points_grid(problem)
    elif not problem.model.random:
        # A product of scale and coefficients is not concave: the general search, from the logit.
        grid = population_grid(gauss_hermite(1), 0, problem.n_persons)
        origins = scattered_starts(problem, search.logit, len(settings.given), search.rng)
        ends = best_of(search, grid, with_given(problem, origins, settings.given))
        return assemble(search, ends.optimum, ends.grid, ends.optima)
    else:
        origins = scattered_starts(problem, search.logit, starts, search.rng)
    if problem.price >= 0 and problem.parameters.classes == 1 and settings.given[0] is None:
        search.progress.phase("start in preference space")
        preferred = preference_start(search)
        origins[0] = origins[0] if preferred is None else preferred
    origins = with_given(problem, origins, settings.given)
    if isinstance(grid, str):
        return _automatic(search, origins, settings.tolerance)
    ends = best_of(search, grid, origins)
    fit = assemble(search, ends.optimum, ends.grid, ends.optima)
    found = _compared(search, ends, ends.optimum, fit)
    if found.optimum is not ends.optimum:
        return assemble(search, found.optimum, found.grid, found.optima)
    return replace(fit, optima=found.optima)


def _compared(search: Search, ends: Ends, optimum: Optimum, fit: Fit) -> Ends:
    """The ends, compared on the fit's grid where that is not the one on which they were found."""
    root = fit.information.root()
    if root is not None and isinstance(fit.grid, PopulationGrid) and fit.grid is not ends.grid:
        return ends_on_shared_grid(search, ends, optimum, fit.grid, root)
    if root is None or not isinstance(fit.grid, PersonGrid):
        return replace(ends, optimum=optimum, grid=fit.grid)
    return compare_ends(search, ends, optimum, fit.grid, root)


def _automatic(search: Search, origins: Sequence[Array], tolerance: Tolerance) -> Fit:
    """Fit on a cheap grid, look at the certificate, and refine until it is met."""
    rule, why = first_rule(search.problem)
    ends = best_of(search, rule, origins)
    optimum, used, compared = ends.optimum, ends.grid, False
    found_root = _first_root(search, optimum.theta) if made_of_draws(used) else None
    if found_root is not None:
        optimum, used, why = found_root
        rule = used.rule
    noisy = False
    while True:
        draft = _coarse(used, noisy) and not optimum.held
        fit = assemble(search, optimum, used, ends.optima, draft=draft, tolerance=tolerance)
        finer, words = _finer(search, rule, fit, tolerance, why)
        if finer is None and draft:
            fit = assemble(search, optimum, used, ends.optima, tolerance=tolerance)
            finer, words = _finer(search, rule, fit, tolerance, why)
        if not compared and (finer is None or _comparable(used)):
            # Before the finest grid is climbed on; where it comes to another start's optimum, that
            # is certified in turn.
            found, compared = _compared(search, ends, optimum, fit), True
            again = found.optimum is not optimum
            ends, optimum, used = found, found.optimum, found.grid
            if again:
                continue
        if finer is None:
            return replace(fit, optima=carried(ends, fit), message=f"{fit.message}. {words}")
        rule, why, noisy = finer, words, bool(fit.information.words)
        search.progress.phase(f"refining: {rule}")
        optimum, used = _refine(search, rule, fit)


def _coarse(grid: Grid, noisy: bool) -> bool:
    """Whether a certificate comes first: a curvature that a grid does not give is dear."""
    return made_of_draws(grid) and (noisy or grid.size < CURVATURE_NODES)


def _comparable(grid: Grid) -> bool:
    """Whether a grid is fine enough to compare what several starts have reached."""
    return isinstance(grid, PersonGrid) and grid.size >= COMPARED


def _finer(
    search: Search, rule: Rule | Centred, fit: Fit, tolerance: Tolerance, why: str
) -> tuple[Rule | Centred | None, str]:
    """The rule to go on to, and why; without one, what to say of the grid as it is."""
    assert isinstance(fit.integration, Certificate)
    if tolerance.met_by(fit.integration):
        return None, f"Grid chosen: {why}"
    finer, reason = refined(search.problem, rule, fit.integration, tolerance)
    if finer is not None:
        return finer, reason
    return None, f"the integration error is above the tolerance {reason}: see fit.integration"


def _refine(search: Search, rule: Rule | Centred, fit: Fit) -> tuple[Optimum, Grid]:
    """The optimum on a finer grid, from the fit on a coarser."""
    if isinstance(rule, Rule):
        ends = best_of(search, rule, [fit.theta])
        return ends.optimum, ends.grid
    known = None if fit.information.words else fit.information.hessian[None]
    found = _root_of_scores(search, rule, fit.theta, known)
    if found is not None:
        return found
    return settle(
        search.problem,
        rule,
        fit.theta,
        search.rng,
        optimizer=search.optimizer,
        callback=search.progress.value,
        root=fit.information.root(),
    )


def _first_root(search: Search, theta: Array) -> tuple[Optimum, PersonGrid, str] | None:
    """The root of posteriors' scores near ``theta``, its grid, and why that; None without one."""
    rules, why = posterior_rules(search.problem)
    found, known = None, None
    for rule in rules:
        search.progress.phase(f"scores of posteriors: {rule}")
        finer = _root_of_scores(search, rule, theta, known)
        if finer is None:
            break
        found, theta = finer, finer[0].theta
        if rule is not rules[-1]:
            assert found[0].by_person is not None
            likelihood = Likelihood(search.problem, found[1])
            known = root_information(likelihood, theta, found[0].by_person.scores)[1]
    return None if found is None else (*found, why)


def _root_of_scores(
    search: Search, rule: Rule | Centred, theta: Array, curvatures: Array | None = None
) -> tuple[Optimum, PersonGrid] | None:
    """Where scores of posteriors vanish near ``theta``, and the grid anchored there.

    Their noise is a third to a seventh of that of a log-likelihood's slopes on fixed nodes, and so
    is that of the estimates. None where posteriors cannot be followed.
    """
    if not (isinstance(rule, Centred) and isinstance(rule.rule, DrawRule)):
        return None
    problem = search.problem
    base = population_grid(rule.rule, problem.parameters.n_random, problem.n_persons, search.rng)
    value = search.progress.value
    return newton(problem, rule, theta, base, callback=value, curvatures=curvatures)
