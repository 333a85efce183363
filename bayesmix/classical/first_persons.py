"""Many persons: where the search begins is the optimum of some that are drawn at random.

The log-likelihood of n of N persons has its maximum about ``sqrt(N / n)`` standard errors from that
of all, for ``n / N`` of the work: starts are compared there, and few evaluations of all persons are
left. How many it takes, the first of them say by their standard errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.refine import Tolerance
from bayesmix.classical.fit import Fit
from bayesmix.classical.search import Search
from bayesmix.data.subset import take_persons
from bayesmix.likelihood.bind import like
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units

MANY, FEW = 50_000, 5_000
"""Persons of whom more begin with some of them, and how many are drawn at first."""
MANY_OF_PANELS, LONG = 5_000, 4.0
"""The same where persons have so many situations each: fewer of them tell tastes apart."""
PART, LEAST = 10, 1_000
"""One of so many is drawn at most, and of panels so many persons at least."""
CLOSE = 0.05
"""Standard errors, in natural units of the parameters (about a util), which the optimum of some of
the persons has at most: from there the log-likelihood of all is as good as quadratic."""
LOOSE = Tolerance(estimates=0.5, loglik=2.0, std_errors=0.1)
"""How well the optimum of some of the persons has to be known: it is only a start."""


def are_many(problem: Problem) -> bool:
    """Whether a search begins with some of the persons.

    Not where residuals of a first stage are part of the model, which are those of all markets.
    """
    long = problem.data.n_situations >= LONG * problem.n_persons
    many = problem.n_persons > (min(MANY, MANY_OF_PANELS) if long else MANY)
    return many and problem.design.residuals is None


def some_persons(search: Search, number: int | None = None) -> Search:
    """The search on so many persons drawn at random; of panels on a part at first, or on `FEW`."""
    problem = search.problem
    if number is None:
        few = problem.n_persons <= MANY
        number = max(LEAST, problem.n_persons // PART) if few else FEW
    drawn = np.sort(search.rng.choice(problem.n_persons, size=number, replace=False))
    part = like(problem, take_persons(problem.data, drawn))
    search.progress.phase(f"{number:,} persons, drawn at random")
    return replace(search, problem=part, logit=multinomial(part))


def enough_persons(part: Fit, of: Problem, everybody: int) -> int:
    """Of how many persons standard errors are `CLOSE`, as those of ``part`` say, a fit ``of`` some.

    A `PART` of ``everybody`` at most, and where there are no standard errors.
    """
    root, most = part.information.root(), max(everybody // PART, part.n_persons)
    if root is None:
        return most
    errors = np.sqrt((root**2).sum(axis=1)) / natural_units(of)
    return int(min(most, np.ceil(part.n_persons * (errors.max() / CLOSE) ** 2)))


def words_of(parts: Sequence[Fit]) -> str:
    """Where starts were compared, and what they reached, in words: of fits of ever more persons."""
    first = parts[0]
    reached = ", ".join(first.optima["loglik"].dropna().map("{:.2f}".format))
    words = f"which the best of {len(first.optima)} starts reached ({reached})"
    for fewer in parts[:-1]:
        words = f"found from that of {fewer.n_persons:,}, {words}"
    last = parts[-1]
    found = last.integration
    met = isinstance(found, Certificate) and LOOSE.met_by(found)
    certified = "certified" if met else "whose integration error is above a start's tolerance"
    return (
        f"The search began at the optimum, {certified}, of {last.n_persons:,} persons drawn at "
        f"random, {words}"
    )
