"""Latent classes in a fit: where searches start, how classes are numbered, and what is odd."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.maximise import Optimum

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
    return replace(optimum, theta=theta), grid.renumbered(order.tolist())


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
    """Class shares averaged over persons: ``class share[1]``, ...; none where none is estimated.

    They need the coefficients of the shares alone, whatever else is at a boundary.
    """
    space = problem.parameters
    gamma = params[list(space.share_names)].to_numpy(float)
    values = mean_shares(problem, np.append(np.zeros(space.n_within), gamma))
    told = space.class_shares
    return pd.Series(values[: len(told)], index=pd.Index(told, name="parameter"))


def mean_shares(problem: Problem, theta: Array) -> Array:
    """Class shares (C,), averaged over the persons of the data with their weights."""
    shares = np.exp(Point(problem, theta).log_shares)
    weights = np.ones(1) if len(shares) == 1 else problem.data.weights
    mean: Array = weights @ shares / weights.sum()
    return mean
