"""Fits on a cheap grid first, then on finer ones until their certificate is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.refine import Tolerance, first_rule, posterior_rules
from bayesmix.accuracy.refine import next_rule as refined
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.assemble import assemble
from bayesmix.classical.ends import COMPARED, Ends, carried, compare_ends, ends_on_shared_grid
from bayesmix.classical.fit import Fit
from bayesmix.classical.information import CURVATURE_NODES, made_of_draws
from bayesmix.classical.search import Search
from bayesmix.classical.starts import best_of
from bayesmix.integration.descriptions import Centred, DrawRule, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.likelihood.problem import Grid
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.broyden import broyden_root
from bayesmix.optimise.climb import settle
from bayesmix.optimise.maximise import Optimum, whitening
from bayesmix.optimise.newton import NEAR, ROOT, curvature_at, loosened, newton


def compared_on_its_grid(search: Search, ends: Ends, optimum: Optimum, fit: Fit) -> Ends:
    """The ends, compared on the fit's grid where that is not the one on which they were found."""
    root = fit.information.root()
    if root is not None and isinstance(fit.grid, PopulationGrid) and fit.grid is not ends.grid:
        return ends_on_shared_grid(search, ends, optimum, fit.grid, root)
    if root is None or not isinstance(fit.grid, PersonGrid):
        return replace(ends, optimum=optimum, grid=fit.grid)
    return compare_ends(search, ends, optimum, fit.grid, root)


def automatic(search: Search, origins: Sequence[Array], tolerance: Tolerance) -> Fit:
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
        draft = _coarse(used, noisy) and not optimum.frozen
        fit = assemble(search, optimum, used, ends.optima, draft=draft, tolerance=tolerance)
        finer, words = _finer(search, rule, fit, tolerance, why)
        if finer is None and draft:
            fit = assemble(search, optimum, used, ends.optima, tolerance=tolerance)
            finer, words = _finer(search, rule, fit, tolerance, why)
        if not compared and (finer is None or _comparable(used)):
            # Before the finest grid is climbed on; where it comes to another start's optimum, that
            # is certified in turn.
            found, compared = compared_on_its_grid(search, ends, optimum, fit), True
            again = found.optimum is not optimum
            ends, optimum, used = found, found.optimum, found.grid
            if again:
                if optimum.frozen:  # it was looked for on fewer nodes than the grid has
                    optimum, used = _root_of_scores(search, rule, optimum.theta) or (optimum, used)
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
    known = None if fit.information.words else fit.information.hessian
    start = _loose(search, fit.theta)
    found = _root_of_scores(search, rule, start, known) or _far_root(search, rule, fit)
    if found is not None:
        return found
    return settle(
        search.problem,
        rule,
        fit.theta,
        search.rng,
        steps=search.steps,
        root=fit.information.root(),
    )


def _far_root(search: Search, rule: Rule | Centred, fit: Fit) -> tuple[Optimum, PersonGrid] | None:
    """The root of scores where posteriors are far from normal; None elsewhere."""
    if not (isinstance(rule, Centred) and isinstance(rule.rule, DrawRule)):
        return None
    problem, root = search.problem, fit.information.root()
    if root is None:
        scores, units = fit.information.scores, natural_units(problem)
        root = whitening(scores, problem.data.weights, units, problem.directions)
    base = population_grid(rule.rule, problem.parameters.n_random, problem.n_persons, search.rng)
    return broyden_root(problem, rule, fit.theta, base, root=root, callback=search.progress.value)


def _first_root(search: Search, theta: Array) -> tuple[Optimum, PersonGrid, str] | None:
    """The root of posteriors' scores near ``theta``, its grid, and why that; None without one."""
    rules, why = posterior_rules(search.problem)
    found, known, theta = None, None, _loose(search, theta)
    for rule in rules:
        search.progress.phase(f"scores of posteriors: {rule}")
        last = rule is rules[-1]
        finer = _root_of_scores(search, rule, theta, known, ROOT if last else NEAR)
        if finer is None:
            break
        found, theta = finer, finer[0].theta
        if not last:
            assert found[0].by_person is not None
            known = curvature_at(search.problem, found[1], found[0].by_person.scores)
    return None if found is None else (*found, why)


def _loose(search: Search, theta: Array) -> Array:
    """Where a search for a root begins that has not been at one."""
    return loosened(search.problem, search.problem.canonical(theta))


def _root_of_scores(
    search: Search,
    rule: Rule | Centred,
    theta: Array,
    hessian: Array | None = None,
    near: float = ROOT,
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
    return newton(problem, rule, theta, base, callback=value, hessian=hessian, near=near)
