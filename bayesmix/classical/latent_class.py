"""Latent classes in a fit: where searches start, how classes are numbered, and what is odd."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.likelihood.classes import mean_shares, permuted
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import Optimum
from bayesmix.specification.parameter import CLASS_SHARE, Parameter

GONE = 1.0
"""Persons in a class below which it has died out."""
EQUAL = 1e-2
"""Classes whose parameters differ by less than this, in natural units, are one."""


FAR = 50.0
"""Size of parameters, in natural units, that no person's choices can ask for."""


def numbered(problem: Problem, optimum: Optimum, grid: Grid) -> tuple[Optimum, Grid]:
    """The optimum and its grid with classes in the order of their shares, the largest first.

    As they are where a constraint tells them apart.
    """
    if problem.constraint is not None:
        return optimum, grid
    order = np.argsort(-mean_shares(problem, optimum.theta), kind="stable")
    theta = problem.parameters.permuted(optimum.theta, order.tolist())
    return replace(optimum, theta=theta), permuted(grid, order.tolist())


def class_words(problem: Problem, theta: Array) -> str:
    """In words, which classes have died out, are the same or diverge; "" where all are well.

    Of what differs between classes: nothing, of one class.
    """
    space, words, fewer = problem.parameters, [], problem.model.latent.fewer
    persons = mean_shares(problem, theta) * problem.n_persons
    gone = np.flatnonzero(persons < GONE)
    for c in gone:
        share = persons[c] / problem.n_persons
        words.append(f"class {c + 1} has died out (a share of {share:.1g}): {fewer}")
    units = natural_units(problem)[space.select[0]]
    thetas = (space.class_thetas(theta) / units)[:, ~space.shared]
    for c, d in combinations(np.setdiff1d(np.arange(space.classes), gone), 2):
        if np.abs(thetas[c] - thetas[d]).max(initial=0.0) < EQUAL:
            words.append(f"classes {c + 1} and {d + 1} are the same: {fewer}")
    for c in np.setdiff1d(np.flatnonzero(np.abs(thetas).max(axis=1, initial=0.0) > FAR), gone):
        words.append(
            f"coefficients of class {c + 1} are beyond all bounds, for they predict the choices of "
            f"its few persons perfectly: {fewer}, or sample, with priors"
        )
    return ". ".join(words)


def share_table(problem: Problem, params: pd.Series) -> pd.Series:
    """Class shares averaged over persons: ``class share[1]``, ...

    They need the coefficients of the shares alone, whatever else is at a boundary.
    """
    space = problem.parameters
    gamma = params[list(space.share_names)].to_numpy(float)
    values = mean_shares(problem, np.append(np.zeros(space.n_within), gamma))
    shares = [Parameter(CLASS_SHARE, f"{c}") for c in range(1, len(values) + 1)]
    return pd.Series(values, index=pd.Index(shares, name="parameter"))
