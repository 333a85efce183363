"""The multinomial logit of a problem: starting values, scales, and a look at the signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.parts import Rows
from bayesmix.errors import ConvergenceError, Fault, SpecificationError
from bayesmix.likelihood.effective_weights import in_effective_persons, person_unit
from bayesmix.likelihood.logit_sums import ScaledColumns, logit_derivatives
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.means import constant_shifts

ITERATIONS = 100
DECREMENT = 1e-12
"""Squared length of the last step, in standard errors: no share of the log-likelihood, for a few
separated choices among many must be noticed."""
SEPARATED = 1e-8
"""Share of the first information left in some direction, below which choices are separated. An
alternative chosen once in a million times leaves 1e-6."""
UNINFORMED = 1e-14
"""Share of the largest information at equal coefficients, below which rounding alone is left."""
CLEAR = 3.0
"""A t ratio beyond which the sign of a multinomial logit's coefficient is beyond doubt."""


@dataclass(frozen=True, eq=False)
class Multinomial:
    """Maximum of the multinomial logit's log-likelihood.

    Parameters
    ----------
    coefficients, std_errors
        Of all columns (K + F,), those with random coefficients first; 0 and NaN for columns whose
        coefficients cannot have the same mean for everybody, such as error components. A weight
        is so many persons for these standard errors.
    loglik
        Weighted log-likelihood, nats.
    """

    coefficients: Array
    std_errors: Array
    loglik: float


def multinomial(problem: Problem) -> Multinomial:
    """Newton's method on the concave log-likelihood (McFadden 1974), with halved steps if needed.

    Coefficients are the same for everybody, and 0 where a law cannot have such a mean: a model of
    normal laws has it for a special case.

    Raises
    ------
    ConvergenceError
        If the likelihood has no maximum: some combination of columns predicts every choice.
    """
    given = problem.data.weights
    problem, unit = in_effective_persons(problem)
    design = problem.design
    kept = np.flatnonzero(~design.meanless)
    names = (*design.random_names, *design.fixed_names)
    x = ScaledColumns(design.attributes, design.spread, kept)
    theta = np.zeros(len(kept))
    value, gradient, information = _derivatives(problem, x, theta)
    at_zero = information
    if problem.offset is not None and not _informative(at_zero):
        raise ConvergenceError(
            "the known part of utilities, an offset, decides choices alone: beside it nothing is "
            "left to estimate; look at its size and units, in utils"
        )
    for _ in range(ITERATIONS):
        step = np.linalg.solve(information, gradient)
        if gradient @ step < DECREMENT:
            break
        for _ in range(30):
            trial = _derivatives(problem, x, theta + step)
            if trial[0] > value:
                break
            step = step / 2
        else:
            break
        theta = theta + step
        value, gradient, information = trial
        _check_separation([names[m] for m in kept], theta, information, at_zero)
    if problem.data.weights is not given:
        # One more step squares what is left: many persons alike may take it, one with a weight not.
        theta = theta + np.linalg.solve(information, gradient)
        _, _, information = _derivatives(problem, x, theta)
        value = _derivatives(problem, x, theta, given)[0]
    coefficients, std_errors = np.zeros(len(design.spread)), np.full(len(design.spread), np.nan)
    coefficients[kept] = theta / design.spread[kept]
    std_errors[kept] = np.sqrt(np.diag(np.linalg.inv(information)) / unit) / design.spread[kept]
    return Multinomial(coefficients, std_errors, value)


def _informative(information: Array) -> bool:
    """Whether choices say something of every combination of columns."""
    if not np.isfinite(information).all():
        return False
    values = np.linalg.eigvalsh(information)
    return bool(not len(values) or values[0] > UNINFORMED * values[-1])


def _check_separation(
    names: Sequence[str], theta: Array, information: Array, at_zero: Array
) -> None:
    """Refuse choices that some direction predicts perfectly: its information vanishes."""
    root = np.linalg.cholesky(at_zero)
    relative = np.linalg.solve(root, np.linalg.solve(root, information).T)
    shares, vectors = np.linalg.eigh((relative + relative.T) / 2)
    if shares[0] > SEPARATED:
        return
    size = np.abs(theta * np.linalg.solve(root.T, vectors[:, 0]))
    heavy = [m for m in np.argsort(-size)[:3] if size[m] > 0.1 * size.max()]
    columns = tuple(names[m] for m in heavy)
    raise ConvergenceError(
        Fault(
            "the multinomial logit has no maximum: its coefficients grow without bound, most of "
            f"all {', '.join(columns)}. Some combination of these columns predicts choices "
            "perfectly (separation)",
            "leave one out, or sample bm.pymc_model, whose priors bound them",
            columns,
        )
    )


def _derivatives(
    problem: Problem, x: Rows, theta: Array, weights: Array | None = None
) -> tuple[float, Array, Array]:
    data = problem.data
    weights = np.repeat(data.weights if weights is None else weights, np.diff(data.person_start))
    logp, gradient, information = logit_derivatives(data, x, theta, weights, problem.offset)
    return float(weighted_sum(weights, logp)), gradient, information


def check_signs(problem: Problem, logit: Multinomial) -> None:
    """Refuse a law on one side of 0 whose sign the data contradict.

    Raises
    ------
    SpecificationError
        If the multinomial logit's coefficient has the other sign, beyond doubt; or at all where the
        law has a scale alone, for which that of least error is then 0.
    """
    for fault in sign_faults(problem, logit):
        raise SpecificationError(fault)


def sign_faults(problem: Problem, logit: Multinomial) -> Iterator[Fault]:
    """All that `check_signs` refuses, the first of which it raises."""
    for k, c in enumerate(problem.design.coefficients):
        if problem.price >= 0 and k != problem.price:
            continue  # A ratio's sign is that of two coefficients.
        # Of effective persons: how sure the data are does not depend on the scale of weights.
        error = logit.std_errors[k] * np.sqrt(person_unit(problem.data.weights))
        ratio = logit.coefficients[k] / error
        if not c.law.located and c.side * ratio < 0.0:
            given, other = _sign_words(c)
            yield Fault(
                f"{given}, whose best scale is 0: the multinomial logit's coefficient has the "
                f"other sign, {logit.coefficients[k]:.4g} (standard error "
                f"{error:.2g})",
                f"use {other}, or Normal({c.term!r}), or leave the term out",
                (c.term,),
            )
        elif c.side * ratio < -CLEAR:
            given, other = _sign_words(c)
            yield Fault(
                f"{given}, but the data say the other sign; the "
                f"multinomial logit's coefficient is {logit.coefficients[k]:.4g} (standard error "
                f"{error:.2g})",
                f"use {other}, or Normal({c.term!r})",
                (c.term,),
            )


def _sign_words(c: Coefficient) -> tuple[str, str]:
    """A law on one side of 0, and what puts it on the other."""
    if c.bounds == (None, None):
        return f"{c.law.make.__name__}({c.term!r}, sign={c.sign})", f"sign={-c.sign}"
    return f"the {c.law.words} law of {c}", "other bounds"


def starting_values(problem: Problem, logit: Multinomial) -> Array:
    """Free vector (P,) to start from: the multinomial logit's means, moderate heterogeneity.

    A normal coefficient starts with a standard deviation that moves the utility by about half a
    util within situations; an index without units (a lognormal's) with one of 0.5. In WTP space
    coefficients are divided by minus that of the price.
    """
    space, unit = problem.parameters.within, 1 / problem.design.spread
    values = logit.coefficients.copy()
    k = space.n_random
    if problem.price >= 0:
        others = np.arange(len(values)) != problem.price
        price = values[problem.price]
        values[others] /= -price
        unit[others] /= max(abs(price), 0.1 * unit[problem.price])
    mean, sd = values[:k].copy(), np.empty(k)
    for m, c in enumerate(problem.design.coefficients):
        mean[m], sd[m] = _first_law(c, mean[m], unit[m])
    shapes = [start for c in problem.design.coefficients for start in c.shapes]
    first = np.concatenate([mean, shapes])
    return space.pack(first, np.diag(sd), values[k:], _first_shifts(problem, mean))


def _first_shifts(problem: Problem, mean: Array) -> Array:
    """Shifts (M,) that give everybody the location where a law has no mean but by groups."""
    persons, shifts = problem.design.persons, np.zeros(len(problem.parameters.within.shifts))
    if persons is None:
        return shifts
    for k in persons.centred:
        constant = constant_shifts(persons, k)
        if constant is not None:
            columns = [m for m, (position, _) in enumerate(persons.shifts) if position == k]
            shifts[columns] = mean[k] * constant
    return shifts


def _first_law(c: Coefficient, value: float, unit: float) -> tuple[float, float]:
    """Location and scale of a law around the multinomial logit's coefficient."""
    # On the right side of 0 even where the logit is unsure of the sign: a tenth of a util.
    size = max(c.sign * value, 0.1 * unit)
    if not c.law.located:
        return 0.0, size
    if not c.law.index:
        return value, 0.5 * unit
    if c.law.unit == "logarithm":
        return float(np.log(size)), 0.5
    low, high = c.limits
    share = min(max((value - low) / (high - low), 0.05), 0.95)
    return float(np.log(share / (1.0 - share))), 0.5
