"""The identification report: what stands in the way of estimates, before a fit."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import centre
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.formulas.formula import evaluate
from bayesmix.identification.findings import CheckReport, Finding, of_error, of_fault, report
from bayesmix.identification.habits import choice_findings
from bayesmix.identification.sizes import size_findings
from bayesmix.identification.utility_columns import column_findings, empty_findings
from bayesmix.identification.weakest_direction import (
    Weakest,
    free_names,
    weakest_direction,
    weakest_of,
)
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import Multinomial, multinomial, sign_faults
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.class_starts import search_start
from bayesmix.specification.covariates import covariates
from bayesmix.specification.means import Terms
from bayesmix.specification.model import MixedLogit

NODES, SEED = 64, 0
"""Of the grid on which curvature is looked at."""


def check(model: MixedLogit, data: ChoiceData) -> CheckReport:
    """Say what stands in the way of estimates, before a fit.

    Nothing is raised for what is found: what a fit would refuse is a finding of severity
    ``"error"``, in the fit's words.

    Parameters
    ----------
    model, data
        As for `bayesmix.msle`.

    Returns
    -------
    CheckReport
        ``findings``, ``table`` (a DataFrame), ``ok``, ``condition``, ``weakest``; prints itself.

    Raises
    ------
    SpecificationError, DataError
        If ``model`` is not a model, or ``data`` not choice data.

    Notes
    -----
    Errors: columns that do not vary within situations, or are collinear there (constants of all
    alternatives among them, and interactions that shift a mean already; not columns of error
    components, which have no mean); choices that some combination of columns predicts perfectly; a
    lognormal law of the wrong sign; standard deviations of dummies on alternatives that fail the
    rank condition (Walker, Ben-Akiva and Bolduc 2007), also where a likelihood that is normal and
    logistic would tell them by its form alone.

    Warnings: alternatives that are never chosen, or always; more than half of the persons with
    several situations always choosing the same alternative, or meeting a random term with the same
    values; no more persons than parameters (persons are counted as ``(sum w)^2 / sum w^2``);
    correlations where most persons choose once; a condition number above 1e4 of ``sum_i w_i s_i
    s_i'``, ``s_i`` the scores of persons at the starting values, on 64 person-centred nodes.

    Notes are of scales (a factor of 1,000), alternatives without a constant (none, where there
    is an outside option), or offered in less
    than 5 % of the situations, situations of a single alternative, a tenth of the persons always
    choosing the same alternative (and half as many again as by chance), fewer than 10 persons a
    parameter, standard deviations from persons who choose once, and more random terms than the
    median person has choices. Counts of persons and situations are without weights;
    scores have theirs.

    References
    ----------
    Walker, J. L., Ben-Akiva, M. and Bolduc, D. (2007), Identification of parameters in normal error
    component logit-mixture (NECLM) models, Journal of Applied Econometrics 22.

    Examples
    --------
    >>> from bayesmix import MixedLogit, Normal, check, examples
    >>> found = check(MixedLogit("pf + cl + loc", random=Normal("loc")), examples.electricity())
    >>> found.ok, found.table["severity"].tolist()
    (True, [])
    """
    check_arguments(model, data)
    try:
        problem, _ = in_effective_persons(bind(model, data))
    except (DataError, SpecificationError) as error:
        return report([*_refused(model, data, error), *choice_findings(data)])
    design = problem.design.written(data)
    values = design.attributes
    names = (*design.random_names, *design.fixed_names)
    findings = [
        *column_findings(
            Terms(values, names, model.varying, design.persons), problem.moving_laws, data
        ),
        *empty_findings(design.empty),
        *choice_findings(data),
        *size_findings(problem.parameters, data, problem.free_size),
    ]
    found, weakest = _estimable(problem)
    findings += found
    if weakest is None:
        return report(findings)
    return report(findings, weakest.condition, weakest.names)


def _refused(model: MixedLogit, data: ChoiceData, error: ValueError) -> list[Finding]:
    """Findings on columns that make no design; the error that says so is among them once."""
    if model.control is not None:  # its residuals are columns too, which there may not be
        return [of_error(error)]
    try:
        columns = evaluate(model.formula, data, trust=model.trust)
    except (DataError, SpecificationError):
        return [of_error(error)]
    try:
        persons = covariates(model.coefficients, data, trust=model.trust)
    except (DataError, SpecificationError):
        persons = None
    terms = Terms(columns.values, columns.names, model.varying, persons)
    findings = list(column_findings(terms, model.laws, data))
    known = {finding.what for finding in findings}
    return findings if of_error(error).what in known else [of_error(error), *findings]


def _estimable(problem: Problem) -> tuple[list[Finding], Weakest | None]:
    """Separation, signs, and the curvature at the starting values."""
    try:
        logit = multinomial(problem)
    except ConvergenceError as error:
        return [of_error(error)], None
    findings = [of_fault("error", fault) for fault in sign_faults(problem, logit)]
    if findings or problem.n_persons <= problem.free_size:
        return findings, None
    try:
        weakest = _weakest(problem, logit)
    except IntegrationError as error:
        return [of_error(error)], None
    if weakest is not None and weakest.hardly:
        findings.append(of_fault("warning", weakest.fault()))
    return findings, weakest


def _weakest(problem: Problem, logit: Multinomial) -> Weakest | None:
    """The weakest direction of the outer product of scores at the starting values."""
    theta = problem.canonical(search_start(problem, logit, np.random.default_rng(SEED)))
    likelihood = Likelihood(problem, _grid(problem, theta))
    likelihood.check(theta)
    _, scores = likelihood.by_person(theta)
    if problem.constraint is not None:
        scores = problem.free_columns(scores)
    outer = (scores * problem.data.weights[:, None]).T @ scores
    if problem.constraint is None:
        return weakest_direction(outer, problem.parameters, theta)
    names = free_names(problem.parameters)
    return weakest_of(outer, tuple(names[p] for p in problem.constraint.free))


def _grid(problem: Problem, theta: Array) -> Grid:
    if not problem.parameters.n_random:
        return points_grid(problem)
    return centre(problem, centred(sobol(NODES)), theta, SEED)
