"""Curvature of the log-likelihood from the posterior of each person's index (Louis 1982).

With ``f_i(b) = P(y_i | b) phi(b; loc_i, L L')`` the log-integral of f_i has the second derivatives
``E[d2 log f] + E[(d log f)(d log f)'] - E[d log f] E[d log f]'`` over the person's posterior. Where
b stays as the parameters move, utilities stay too, and derivatives are polynomials of the
standardised index. Where nodes move with the parameters, coefficients in the hundreds, as lognormal
laws have them, turn choices at single nodes around within a thousandth of a standard error: the
differences of such a gradient are noise, in which no number of nodes helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.centring.moments import posterior_weights
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.chain import law_entries, law_factors, normal_scores, with_one
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import at_boundary
from bayesmix.optimise.maximise import whitening

NODES, DRAFT_NODES = 4096, 1024
"""Person-centred nodes of a scrambling, with 500 persons; fewer with more persons."""
LEAST_NODES, PERSONS = 512, 500
SCRAMBLES, MORE = 4, 4
"""Scramblings, and times as many nodes where these are too few."""
PLAUSIBLE = (-0.3, 4.0)
"""Eigenvalues of curvature relative to the scores' outer product, which are near 1 where the model
is right, and not below 0 at a maximum. Outside of these a curvature is looked at again."""
AGREE = (0.4, 2.5)
"""Eigenvalues of one curvature relative to another that pass for the same."""
NOISE = 0.4
"""Standard error of the curvature, relative to itself in any direction, that is small enough."""
STEP = 1e-3
"""Step of differences in fixed coefficients, in units of the whitening root."""
WORK = 2**21
"""Numbers in a work array."""


class Part(NamedTuple):
    """The posteriors of some persons, on S nodes each.

    Parameters
    ----------
    nodes, share
        Standard-normal nodes (n, K, S), and their parts (n, S) of their person's integral.
    factors
        What a parameter's effect on its index is multiplied by (n, Q): covariates of shifts.
    scores
        ``d log phi(b; loc_i, L) / d theta`` (n, Q, S).
    weights
        Person weights (n,).
    """

    nodes: Array
    share: Array
    factors: Array
    scores: Array
    weights: Array

    @property
    def mean(self) -> Array:
        """Posterior means (n, Q) of the scores."""
        return (self.scores @ self.share[:, :, None])[:, :, 0]


def plausible(hessian: Array, root: Array) -> bool:
    """Whether ``hessian`` (P, P) can be that of a maximum with the scores' ``root`` (P, P)."""
    whitened = root.T @ hessian @ root
    if not np.isfinite(whitened).all():
        return False
    values = np.linalg.eigvalsh((whitened + whitened.T) / 2)
    return not len(values) or bool(values[0] > PLAUSIBLE[0] and values[-1] < PLAUSIBLE[1])


class Checked(NamedTuple):
    """A curvature that has been looked at, the scores that belong to it, and words.

    Parameters
    ----------
    hessian
        Minus the second derivatives (P, P).
    scores
        Scores (I, P) of persons from the same posteriors; None where the curvature is as it was.
    words
        Where it comes from, or that it is not known; "" where there is nothing to say.
    """

    hessian: Array
    scores: Array | None = None
    words: str = ""


def checked(
    problem: Problem,
    theta: Array,
    hessian: Array,
    root: Array,
    attempts: Sequence[int] = (NODES, MORE * NODES),
) -> Checked:
    """``hessian`` (P, P), or Louis's in its place where nodes that move had made it noise.

    Louis's is the mean of some scramblings. It takes the place of a curvature that is not plausible
    if it is so itself, and known by the scramblings' differences: where choices say nothing of a
    direction it is noise, too, and what is not identified should not seem to be.

    Parameters
    ----------
    problem, theta
        The model bound to data, and the free vector (P,) of a maximum.
    hessian
        Minus the second derivatives by differences.
    root
        Root of the inverse outer product of scores there.
    attempts
        Person-centred nodes of a scrambling of 500 persons, and how many there are after these.
    """
    free = problem.constraint is None
    if plausible(hessian, root) or not (free and applicable(problem, theta)):
        return Checked(hessian)
    weights, units = problem.data.weights, natural_units(problem)
    for wanted in attempts:
        number = max(LEAST_NODES, min(wanted, wanted * PERSONS // problem.n_persons))
        # A seed of its own: a curvature is a function of theta, whatever was drawn before.
        grid = centre(problem, centred(sobol(number), population=0.5, moments=True), theta, 0)
        grids = [grid, *(grid.renewed(seed) for seed in range(1, SCRAMBLES))]
        found = [louis(problem, g, theta, root) for g in grids]
        each = [curvature for curvature, _ in found]
        mean, scores = np.mean(each, axis=0), np.mean([own for _, own in found], axis=0)
        if not (noise(each) < NOISE and plausible(mean, whitening(scores, weights, units))):
            continue
        if agree(mean, hessian):
            break
        words = (
            f"curvature and scores from {SCRAMBLES * number} nodes of each person's posterior "
            "(Louis 1982), for differences of scores are noise"
        )
        return Checked(mean, scores, words)
    else:
        words = (
            f"the curvature is noise, also on {SCRAMBLES * number} nodes of each person's "
            "posterior: what choices say little of and what they say nothing of look alike"
        )
        return Checked(hessian, None, words)
    return Checked(hessian)


def noise(each: Sequence[Array]) -> float:
    """Largest standard error of a mean of curvatures (P, P), relative to it in its direction.

    Infinite where the mean is not that of a maximum.
    """
    mean = np.mean(each, axis=0)
    total = np.zeros_like(mean)
    try:
        own = np.linalg.inv(np.linalg.cholesky(mean))
    except np.linalg.LinAlgError:
        return np.inf
    for curvature in each:
        relative = own @ (curvature - mean) @ own.T
        total = total + relative @ relative
    number = len(each)
    return float(np.sqrt(np.linalg.eigvalsh(total / (number * (number - 1)))[-1]))


def agree(one: Array, other: Array) -> bool:
    """Whether two curvatures (P, P) are those of maxima, and the same within `AGREE`."""
    try:
        own = np.linalg.inv(np.linalg.cholesky(one))
    except np.linalg.LinAlgError:
        return False
    relative = own @ other @ own.T
    if not np.isfinite(relative).all():
        return False
    values = np.linalg.eigvalsh((relative + relative.T) / 2)
    return bool(AGREE[0] < values[0] and values[-1] < AGREE[1])


def posteriors_tell(problem: Problem) -> bool:
    """Whether the posterior of the index says it all, where indices vary.

    Not with latent classes, scales of sources or nests, for laws that are no links of an index, and
    where columns do not identify variances.
    """
    if not problem.one_index or problem.unidentified:
        return False
    return problem.parameters.n_random > 0 and not problem.moving


def applicable(problem: Problem, theta: Array) -> bool:
    """`posteriors_tell`, and no index stands still or varies with others alone."""
    if not posteriors_tell(problem):
        return False
    chol = problem.parameters.within.unpack(theta).chol
    least = 1e-3 * np.sqrt((chol**2).sum(axis=1))
    return not at_boundary(problem, theta) and bool((np.abs(np.diag(chol)) > least).all())


def louis(problem: Problem, grid: PersonGrid, theta: Array, root: Array) -> tuple[Array, Array]:
    """Minus the second derivatives (P, P) of the weighted log-likelihood, and scores (I, P).

    Of parameters of the laws from moments of each person's posterior on ``grid``; of fixed
    coefficients, with which utilities move, by differences with steps from ``root`` (P, P).
    """
    space = problem.parameters.within
    fixed = len(space.located) + len(space.chol_index[0]) + np.arange(len(space.fixed))
    laws = np.setdiff1d(np.arange(len(theta)), fixed)
    found = np.zeros((len(theta), len(theta)))
    scores = np.zeros((problem.n_persons, len(theta)))
    second, scores[:, laws] = _second_derivatives(problem, grid, theta)
    found[np.ix_(laws, laws)] = -second
    likelihood = Likelihood(problem, grid)
    if len(fixed):
        scores[:, fixed] = likelihood.by_person(theta)[1][:, fixed]
    for p in fixed:
        step = STEP * np.linalg.norm(root[p])
        up, down = theta.copy(), theta.copy()
        up[p] += step
        down[p] -= step
        # Nodes do not move with a fixed coefficient: its own score is that of the likelihood.
        own = likelihood.value_and_gradient(up)[1] - likelihood.value_and_gradient(down)[1]
        found[fixed, p] = -own[fixed] / (2 * step)
        cross = law_scores(problem, grid, up) - law_scores(problem, grid, down)
        found[laws, p] = found[p, laws] = -cross / (2 * step)
    return (found + found.T) / 2, scores


def law_scores(problem: Problem, grid: PersonGrid, theta: Array) -> Array:
    """Gradient (Q,) of the weighted log-likelihood in the parameters of the laws.

    ``E[d log phi(b; loc_i, L) / d theta]`` over each person's posterior (Fisher's identity):
    means, the entries of ``L``, and shifts, in the order of the free vector.
    """
    parts = _posteriors(problem, grid, theta)
    return np.sum([part.weights @ part.mean for part in parts], axis=0)


def _second_derivatives(problem: Problem, grid: PersonGrid, theta: Array) -> tuple[Array, Array]:
    """The second derivatives (Q, Q) in the parameters of the laws, and scores (I, Q) in them."""
    space = problem.parameters.within
    inverse = np.linalg.inv(space.unpack(theta).chol)
    row, column = law_entries(space)
    chol = np.flatnonzero(column < space.n_random)
    gram = (inverse.T @ inverse)[np.ix_(row, row)]
    diagonal = np.zeros(len(row))
    own = chol[row[chol] == column[chol]]
    diagonal[own] = inverse[row[own], row[own]] ** 2
    total, means = np.zeros((len(row), len(row))), []
    for part in _posteriors(problem, grid, theta):
        # d2 log phi = - y_a'y_c - z'X_a y_c - z'X_c y_a + X_a,jj X_c,jj, with X = L^-1 dL and
        # y = X z + L^-1 dloc: of second degree in (z, 1).
        weights, longer, mean = part.weights, with_one(part.nodes), part.mean
        moments = (longer * part.share[:, None, :]) @ longer.swapaxes(1, 2)
        by = part.factors * weights[:, None]
        pairs = np.einsum("ia,ic,iac->ac", by, part.factors, moments[:, column][:, :, column])
        lines = np.einsum("ic,ijc->jc", by, moments[:, :-1][:, :, column])
        cross = np.zeros_like(total)
        cross[chol] = (inverse.T @ lines)[row[chol]] * inverse[np.ix_(column[chol], row)]
        total += np.diag(diagonal * weights.sum()) - gram * pairs - cross - cross.T
        shares = (part.share * weights[:, None])[:, None, :]
        spread = (part.scores * shares) @ part.scores.swapaxes(1, 2)
        total += spread.sum(axis=0) - (mean * weights[:, None]).T @ mean
        means.append(mean)
    return total, np.concatenate(means)


def _posteriors(problem: Problem, grid: PersonGrid, theta: Array) -> Iterator[Part]:
    """Persons some at a time, as their scores fit into `WORK` numbers."""
    step = max(1, WORK // (len(law_entries(problem.parameters.within)[0]) * grid.size))
    return over_persons(Point(problem, theta), grid, _posterior, step=step)


def _posterior(here: Point, grid: PersonGrid) -> Part:
    """The posteriors of a block of persons."""
    nodes, node_weights = grid.block(0, here.persons.n_persons)
    logp = here.log_probabilities(here.mixture(nodes, node_weights))
    share, scores = posterior_weights(logp, node_weights), normal_scores(here, nodes)
    return Part(nodes, share, law_factors(here), scores, here.persons.weights)
