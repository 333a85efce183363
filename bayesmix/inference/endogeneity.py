"""Tests of a control function: whether it is needed, and whether its instruments are excluded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.carried import Carried
from bayesmix.classical.covariance import KINDS, Information
from bayesmix.classical.first_stage_errors import first_stage_slopes
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.inference.first_stage_table import first_stage_record
from bayesmix.inference.wald import HypothesisTest, chi_squared, outcome, wald_test
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.model_space import model_space
from bayesmix.specification.parameter import FIXED, MEAN
from bayesmix.specification.residuals import FirstStage

STEP = 1e-4
"""Step of differences in a coefficient, in units of one over its column's spread."""
FIT = "a fit, as bm.msle returns it"


def endogeneity_test(fit: Fit, *, kind: str | None = None) -> HypothesisTest:
    """Wald test that the residuals of a control function have no coefficient.

    Under the null the attribute has nothing to do with what the columns do not say of demand, and
    the model without the control function estimates the same, more exactly. The first stage
    matters to standard errors through these coefficients alone, so that under the null it does not.

    Parameters
    ----------
    fit
        A fit of a model with ``control=``.
    kind
        Covariance, see `Fit.covariance`.

    Returns
    -------
    HypothesisTest
        Of random coefficients that their means are 0: a standard deviation of 0 is at the boundary.

    Raises
    ------
    SpecificationError
        If there is no control function, its coefficients are held, or their law has one sign.

    References
    ----------
    Rivers and Vuong (1988); Petrin and Train (2010).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> control = bm.ControlFunction("pf", instruments="cl", on=("chid", "alt"))
    >>> fit = bm.msle(bm.MixedLogit("pf + loc", control=control), data)
    >>> bm.endogeneity_test(fit).df
    1
    """
    arguments.instance("fit", fit, Fit, FIT)
    control = first_stage_record(fit).control
    for c in fit.model.coefficients:
        if c.term in control.residuals and c.law.index:
            raise SpecificationError(
                f"the law of {c.term!r} has no mean of 0 that could be tested: give it a Normal"
            )
    held = fit.information.held
    names = [
        str(parameter)
        for place, parameter in enumerate(fit.space.listed)
        if parameter.kind in (FIXED, MEAN)
        and parameter.terms[0] in control.residuals
        and not (held is not None and held[place])
    ]
    if not names:
        raise SpecificationError(
            f"the coefficients of {', '.join(control.residuals)} are held, or have no mean: there "
            "is nothing to test"
        )
    rows = np.zeros((len(names), len(fit.space.names)))
    rows[np.arange(len(names)), [fit.space.names.index(name) for name in names]] = 1.0
    found = wald_test(fit, rows, 0.0, kind=kind)
    null = f"{control.price!r} is exogenous: {', '.join(f'{name} = 0' for name in names)}"
    return replace(found, name="endogeneity (Wald)", null=null)


def overidentification_test(fit: Fit, *, kind: str | None = None) -> HypothesisTest:
    """Score test that the instruments of a control function are excluded from the utility.

    With more instruments than the one attribute that they are for, all but one could stand in the
    utility as well. With ``g`` the scores of the coefficients that these would have, at the
    estimates, where they are 0, and ``V`` the covariance of ``g`` net of what estimates and first
    stage explain, ``LM = g' V^-1 g`` is chi-squared with as many degrees of freedom under the null:
    that all are excluded, if one is. Which one is left out makes no difference but in small samples
    (it is the one with the largest t ratio in the first stage).

    Parameters
    ----------
    fit
        A fit of a model with ``control=``, by maximum simulated likelihood.
    kind
        ``"robust"`` or ``"cluster"``; as `Fit.covariance` by default.

    Returns
    -------
    HypothesisTest
        Statistic, degrees of freedom and p-value; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no control function, one instrument alone, another estimator (`bayesmix.msm` has
        Hansen's J), or no covariance matrix.

    References
    ----------
    Boos (1992) for score tests with any covariance; Newey (1985) for two-step ones.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> control = bm.ControlFunction("pf", instruments="cl + wk", on=("chid", "alt"))
    >>> fit = bm.msle(bm.MixedLogit("pf + loc", control=control), data)
    >>> bm.overidentification_test(fit).df
    1
    """
    arguments.instance("fit", fit, Fit, FIT)
    first = first_stage_record(fit)
    if kind is not None:
        arguments.one_of("kind", kind, KINDS[:2])
    if fit.estimator == "MSM":
        raise SpecificationError(
            "overidentification_test is of likelihoods: simulated moments have Hansen's J, "
            "fit.overidentification"
        )
    names, columns = _further(first)
    if not names:
        raise SpecificationError(
            f"one instrument for one attribute, {first.control.price!r}, is not overidentified: "
            "there is nothing to test; name further instruments"
        )
    found, scores = _net(fit, names, columns)
    used = fit.information.kind if kind is None else kind
    size = len(names)
    meat = found.joint_meat(used)[:size, :size]
    units = np.sqrt(np.diag(meat))
    if not (np.isfinite(meat).all() and (units > 0).all()):
        raise SpecificationError(f"the fit has no covariance matrix: {fit.message}")
    gap, spread = scores / units, meat / np.outer(units, units)
    if np.linalg.cond(spread) > 1e10:
        raise SpecificationError(
            f"the covariance of {size} scores is singular: there are fewer clusters than "
            "instruments, or instruments that are combinations of what is in the utility"
        )
    value = float(gap @ np.linalg.solve(spread, gap))
    null = f"instruments are excluded from the utility: {', '.join(names)} beside one more"
    notes = [f"covariance: {used}, with the sampling of the first stage"]
    return outcome("overidentification (score)", null, value, chi_squared(size), notes)


def _further(first: FirstStage) -> tuple[tuple[str, ...], Array]:
    """Names and values (L, E) of all instruments but the strongest."""
    places = np.flatnonzero(first.excluded)
    t = np.abs(first.gamma) / np.sqrt(np.diag(first.covariance()))
    kept = [p for p in places if p != places[int(np.argmax(t[places]))]]
    return tuple(first.names[p] for p in kept), first.x[:, kept]


def _net(fit: Fit, names: tuple[str, ...], columns: Array) -> tuple[Information, Array]:
    """Persons' scores (I, E) of further coefficients, net of the estimates', and their sum (E,).

    ``s_e - H_et H^-1 s_t``, and the same of their derivatives in first-stage coefficients.
    """
    own, problem = fit.information, fit.problem
    wider, theta, spread = _with_columns(problem, fit, names, columns)
    listed = wider.parameters.free_listed
    new = np.array([p.kind == FIXED and p.terms[0] in names for p in listed], dtype=bool)

    def all_scores(at: Problem, theta: Array = theta) -> Array:
        return Likelihood(at, fit.grid, keep=False).value_and_gradient(theta)[1]

    scores = Likelihood(wider, fit.grid, keep=False).by_person(theta)[1][:, new]
    cross = np.empty((len(names), fit.space.size))
    for row, place in enumerate(np.flatnonzero(new)):
        step = np.zeros(len(theta))
        step[place] = STEP / spread[row]
        sides = [all_scores(wider, theta + sign * step)[~new] for sign in (1.0, -1.0)]
        cross[row] = -(sides[0] - sides[1]) / (2.0 * step[place])
    back = cross @ replace(own, first=None).covariance("hessian")
    assert own.first is not None
    slopes = first_stage_slopes(wider, all_scores)
    net = Carried(slopes[new] - back @ own.first.slopes, own.first.influence, own.first.groups)
    weighted = own.weights @ (scores - own.scores @ back.T)
    found = replace(own, scores=scores - own.scores @ back.T, first=net, constraint=None)
    return found, weighted


def _with_columns(
    problem: Problem, fit: Fit, names: tuple[str, ...], columns: Array
) -> tuple[Problem, Array, Array]:
    """The problem with further fixed columns of levels, its free vector, and their spreads."""
    design, residuals = problem.design, problem.design.residuals
    assert residuals is not None
    rows = columns[residuals.code]
    start = problem.data.situation_start[:-1]
    if not problem.data.outside_option:  # levels of situations cancel
        rows = rows - rows[start][problem.data.row_situation]
    fixed = (*design.fixed_names, *names)
    scales = () if design.sources is None else design.sources.scaled
    space = model_space(problem.model, fixed, design.persons, design.shares, scales)
    wider = replace(
        design,
        fixed=np.ascontiguousarray(np.column_stack([design.fixed, rows])),
        parameters=space,
        spread=np.append(design.spread, rows.std(axis=0)),
        levels=None,
    )
    values = dict(fit.params) | {n: 0.0 for n in space.names if n not in fit.space.names}
    return replace(problem, design=wider), space.theta(values), rows.std(axis=0)
