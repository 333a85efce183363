"""The EM algorithm for latent classes of logits (Dempster, Laird and Rubin 1977; Train 2008).

Continuous laws are points here, a coefficient in each class where they belong to classes: this is
the whole model where there are none, and starting values where there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.likelihood.logit_sums import logit_derivatives
from bayesmix.likelihood.multinomial import Multinomial, starting_values
from bayesmix.likelihood.point import normalised, posterior_classes
from bayesmix.likelihood.problem import Problem

CANDIDATES, SHORT = 5, 5
"""Random starts that are tried, so many iterations each; the best goes on."""
ITERATIONS, TOLERANCE = 200, 1e-3
"""Iterations at most, and the gain in nats that ends them: a quasi-Newton method goes on."""
SPREAD = 1.0
"""Standard deviation of random starts, in utils a typical difference of an attribute."""
LONGEST = 3.0
"""Longest Newton step of a coefficient, in the same units."""
HALVINGS = 20


@dataclass(frozen=True, eq=False)
class ClassPoints:
    """Latent classes of multinomial logits at one point.

    Parameters
    ----------
    coefficients
        (C, M) of all columns, those of the design's ``random`` first.
    gamma
        (C, Q) of the shares, the first row 0.
    logliks
        Weighted log-likelihood before each iteration and after the last, nats.
    """

    coefficients: Array
    gamma: Array
    logliks: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class ClassLogits:
    """Columns in units of their spread, and which of them have a coefficient in each class."""

    problem: Problem
    x: Array
    places: Indices
    """Positions (C, M) of each class's coefficients among all that are estimated."""

    @property
    def number(self) -> int:
        return self.problem.parameters.classes

    def by_person(self, values: Array) -> Array:
        """Sums over the situations of each person."""
        return np.add.reduceat(values, self.problem.data.person_start[:-1])


def random_classes(
    problem: Problem, logit: Multinomial, rng: np.random.Generator, tries: int = CANDIDATES
) -> ClassPoints:
    """Where EM ends from the best of several random starts around the multinomial logit.

    Classes are in the order of their shares, the largest first.
    """
    work = class_logits(problem)
    tried = (
        expectation_maximisation(work, _scattered(work, logit, rng), SHORT, 0.0)
        for _ in range(tries)
    )
    best = max(tried, key=lambda found: found.logliks[-1])
    return _ordered(work, expectation_maximisation(work, best, ITERATIONS, TOLERANCE))


def class_theta(problem: Problem, found: ClassPoints) -> Array:
    """The free vector (P,) that starts from these classes; laws start as in a multinomial logit."""
    within = problem.within
    none = np.full(found.coefficients.shape[1], np.nan)
    thetas = [starting_values(within, Multinomial(b, none, np.nan)) for b in found.coefficients]
    return problem.parameters.join(np.array(thetas), found.gamma)


def class_logits(problem: Problem) -> ClassLogits:
    """The logits of the classes of ``problem``."""
    design, space = problem.design, problem.parameters
    names = (*design.random_names, *design.fixed_names)
    specific = np.isin(names, space.points + space.own)
    counts = np.where(specific, space.classes, 1)
    places = np.cumsum(counts) - counts + np.arange(space.classes)[:, None] * specific
    # An error component stays at its mean of 0: a law's spread is not what EM looks for.
    x = design.attributes / design.spread * ~design.meanless
    return ClassLogits(problem, x, places)


def _scattered(work: ClassLogits, logit: Multinomial, rng: np.random.Generator) -> ClassPoints:
    spread = work.problem.design.spread
    flat = np.zeros(work.places.max() + 1)
    for places in work.places:
        flat[places] = logit.coefficients * spread
    specific = np.isin(np.arange(len(flat)), work.places[:, (np.ptp(work.places, axis=0) > 0)])
    flat[specific] += SPREAD * rng.standard_normal(int(specific.sum()))
    gamma = np.zeros((work.number, work.problem.share_z.shape[1]))
    return ClassPoints(flat[work.places] / spread, gamma)


def expectation_maximisation(
    work: ClassLogits, start: ClassPoints, iterations: int, tolerance: float
) -> ClassPoints:
    """Iterations of EM from ``start``, until the log-likelihood gains less than ``tolerance``.

    Each finds the probabilities ``h_ic`` of the classes given the choices, and then coefficients
    that raise ``sum_ic w_i h_ic (log pi_ic + log P_i(theta_c))``: shares in closed form where they
    have no covariates, Newton steps for the rest. The log-likelihood never falls.
    """
    problem, spread = work.problem, work.problem.design.spread
    weights = problem.data.weights
    flat = np.zeros(work.places.max() + 1)
    for places, b in zip(work.places, start.coefficients, strict=True):
        flat[places] = b * spread
    gamma, logliks = start.gamma, list(start.logliks[:-1])
    for iteration in range(iterations + 1):
        prior = normalised(problem.share_z @ gamma.T)
        total, posterior = posterior_classes(prior, _log_probabilities(work, flat))
        logliks.append(float(weights @ total))
        settled = iteration > 0 and logliks[-1] - logliks[-2] < tolerance
        if iteration == iterations or settled:
            break
        gamma = _best_shares(problem.share_z, gamma, posterior, weights)
        flat = _best_coefficients(work, flat, posterior * weights[:, None])
    return ClassPoints(flat[work.places] / spread, gamma, tuple(logliks))


def _log_probabilities(work: ClassLogits, flat: Array) -> Array:
    """``log P_ic`` (I, C)."""
    data, none = work.problem.data, np.zeros(work.problem.data.n_situations)
    each = [
        logit_derivatives(data, work.x, flat[p], none, work.problem.offset)[0] for p in work.places
    ]
    return np.stack([work.by_person(logp) for logp in each], axis=1)


def _best_coefficients(work: ClassLogits, flat: Array, weights: Array) -> Array:
    """A Newton step of all classes' coefficients, halved until it raises what EM maximises."""
    value, gradient, information = _expected(work, flat, weights)
    # A class of few persons may leave a direction without information.
    information[np.diag_indices_from(information)] += 1e-8 * (1.0 + np.diag(information))
    step = np.linalg.solve(information, gradient)
    step *= min(1.0, LONGEST / np.abs(step).max(initial=1e-300))
    for halving in range(HALVINGS):
        trial = flat + step / 2**halving
        if _expected(work, trial, weights)[0] >= value:
            return trial
    return flat


def _expected(work: ClassLogits, flat: Array, weights: Array) -> tuple[float, Array, Array]:
    """``sum_ic weights_ic log P_i(theta_c)`` with its gradient and information."""
    data, counts = work.problem.data, np.diff(work.problem.data.person_start)
    value, gradient = 0.0, np.zeros(len(flat))
    information = np.zeros((len(flat), len(flat)))
    for places, own in zip(work.places, weights.T, strict=True):
        situation = np.repeat(own, counts)
        logp, g, h = logit_derivatives(data, work.x, flat[places], situation, work.problem.offset)
        value += float(situation @ logp)
        gradient[places] += g
        information[np.ix_(places, places)] += h
    return value, gradient, information


def _best_shares(z: Array, gamma: Array, posterior: Array, weights: Array) -> Array:
    """Coefficients (C, Q) of the shares that raise ``sum_ic w_i h_ic log pi_ic``."""
    if not z.shape[1]:
        return gamma
    if len(z) == 1:
        logs = np.log(np.maximum(weights @ posterior, np.finfo(float).tiny))
        return (logs - logs[0])[:, None]
    counts = posterior * weights[:, None]
    value = (counts * normalised(z @ gamma.T)).sum()
    pi = np.exp(normalised(z @ gamma.T))[:, 1:]
    gradient = (counts[:, 1:] - weights[:, None] * pi).T @ z
    classes, size = gradient.shape
    # Block (c, d) of the information: sum_i w_i pi_ic (1{c = d} - pi_id) z_i z_i'.
    middle = np.einsum("ic,cd->icd", pi, np.eye(classes)) - pi[:, :, None] * pi[:, None, :]
    blocks = np.einsum("i,icd,ip,iq->cpdq", weights, middle, z, z, optimize=True)
    information = blocks.reshape(classes * size, classes * size)
    information[np.diag_indices_from(information)] *= 1.0 + 1e-8
    step = np.linalg.solve(information, gradient.ravel()).reshape(classes, size)
    for halving in range(HALVINGS):
        trial = gamma.copy()
        trial[1:] += step / 2**halving
        if (counts * normalised(z @ trial.T)).sum() >= value:
            return trial
    return gamma


def _ordered(work: ClassLogits, found: ClassPoints) -> ClassPoints:
    shares = np.exp(normalised(work.problem.share_z @ found.gamma.T))
    weights = np.broadcast_to(work.problem.data.weights[: len(shares)], len(shares))
    order = np.argsort(-(weights @ shares), kind="stable")
    gamma = found.gamma[order]
    return ClassPoints(found.coefficients[order], gamma - gamma[0], found.logliks)
