"""Many persons: where the search begins is the optimum of some that are drawn at random.

The log-likelihood of a tenth of them has its maximum about ``sqrt(10)`` standard errors from that
of all, for a tenth of the work: starts are compared there, and few evaluations of all persons are
left. Where the tenth are many themselves, they begin with a tenth of theirs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.accuracy.refine import Tolerance
from bayesmix.classical.fit import Fit
from bayesmix.classical.search import Search
from bayesmix.data.subset import take_persons
from bayesmix.likelihood.bind import like
from bayesmix.likelihood.multinomial import multinomial

MANY = 50_000
"""Persons of whom more begin with some of them."""
PART = 10
"""One of so many is drawn."""
LOOSE = Tolerance(estimates=0.5, loglik=2.0, std_errors=0.1)
"""How well the optimum of some of the persons has to be known: it is only a start."""

BEGAN = "The search began at the optimum of"


def some_persons(search: Search) -> Search | None:
    """The search on persons drawn at random; None where there are not so many.

    Neither where residuals of a first stage are part of the model, which are those of all markets.
    """
    problem = search.problem
    if problem.n_persons <= MANY or problem.design.residuals is not None:
        return None
    number = problem.n_persons // PART
    drawn = np.sort(search.rng.choice(problem.n_persons, size=number, replace=False))
    part = like(problem, take_persons(problem.data, drawn))
    search.progress.phase(f"{number:,} persons, drawn at random")
    return replace(search, problem=part, logit=multinomial(part))


def words_of(part: Fit) -> str:
    """Where starts were compared, and what they reached, in words."""
    here = f"{BEGAN} {part.n_persons:,} persons drawn at random"
    _, began, before = part.message.partition(BEGAN)
    if began:
        return f"{here}; theirs at that of{before}"
    reached = part.optima["loglik"].dropna().map("{:.2f}".format)
    return f"{here}, which the best of {len(part.optima)} starts reached ({', '.join(reached)})"
