"""The generalised method of moments (Hansen 1982) for simulated moments of choices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import scipy
from scipy.optimize import least_squares

from bayesmix.arrays import Array
from bayesmix.classical.sequence_moments import Sequences
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.integration.grids import PopulationGrid
from bayesmix.likelihood.persons import OfRows, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.likelihood.share_slopes import share_step, shares_of
from bayesmix.optimise.maximise import GRADIENT_TOLERANCE, Optimum, Steps, maximise, whitening

LEAST_SQUARES = "least-squares"
ITERATIONS = 50
ARRIVED = 10 * GRADIENT_TOLERANCE
"""Standard errors from where the criterion's slope points, below which a search has arrived."""
REDUNDANT = 1e-10
"""Eigenvalue of moments' correlations, relative to the largest, below which one is redundant."""


@dataclass(frozen=True)
class Overidentification:
    """Hansen's (1982) test of the moments that are more than parameters.

    Parameters
    ----------
    statistic
        ``J = g' S^-1 g`` at the estimate that makes it least; chi-squared under the model.
    df
        Moments less parameters; with 0 there is nothing to test, and J is 0.
    """

    statistic: float
    df: int

    @property
    def p_value(self) -> float:
        """Probability of a larger J under the model; NaN without degrees of freedom."""
        return float(scipy.stats.chi2.sf(self.statistic, self.df)) if self.df else float("nan")

    def __str__(self) -> str:
        if not self.df:
            return "as many moments as parameters: J 0, 0 degrees of freedom, nothing to test"
        return (
            f"overidentifying restrictions (Hansen's J): {self.statistic:.2f} with {self.df} "
            f"degrees of freedom, p-value {self.p_value:.3f}"
        )


def overidentified(moments: Array, slopes: Array, spread: Array) -> Overidentification:
    """Hansen's J: the least ``(g - D d)' S^-1 (g - D d)`` of moments (M,) over changes d.

    NaN where clusters are too few for a covariance ``S`` of so many moments.
    """
    df = len(moments) - slopes.shape[1]
    if df <= 0:
        return Overidentification(0.0, 0)
    if not np.linalg.eigvalsh(spread)[0] > 0:
        return Overidentification(float("nan"), df)
    root = np.linalg.cholesky(spread)
    g, d = np.linalg.solve(root, moments), np.linalg.solve(root, slopes)
    rest = g - d @ np.linalg.lstsq(d, g, rcond=None)[0]
    return Overidentification(float(rest @ rest), df)


@dataclass(frozen=True, eq=False)
class SituationMoments:
    """Simulated moments ``g_i = sum_tj z_itj (y_itj - s_itj(theta))`` of persons.

    Parameters
    ----------
    problem, grid
        The model bound to data, and the nodes of the shares.
    instruments
        ``z`` (R, M), by row.
    """

    problem: Problem
    grid: PopulationGrid
    instruments: Array

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """Moments (I, M), and the derivatives (M, P) of their weighted sum."""
        problem = self.problem
        z, step = OfRows(problem.whole, self.instruments), share_step(problem, self.grid)
        blocks = over_persons(Point(problem, theta), self.grid, _moments, z, step=step)
        moments, slopes = zip(*blocks, strict=True)
        return np.concatenate(moments), reduce(np.add, slopes)

    def spread(self, moments: Array) -> Array:
        """Covariance (M, M) of the weighted sum of persons' moments (I, M).

        Persons are independent, and so are their draws: the simulation's noise is in it.
        """
        weighted = moments * self.problem.data.weights[:, None]
        return weighted.T @ weighted


def _moments(here: Point, grid: Grid, z: Array) -> tuple[Array, Array]:
    """Moments (n, M) of a block of persons, and the derivatives (M, P) of their weighted sum."""
    persons, panel = here.persons, here.persons.panel
    shares, slopes = shares_of(here, grid)
    chosen = np.zeros(len(shares))
    chosen[panel.chosen_row[panel.chosen_row >= 0]] = 1.0
    moments = np.add.reduceat(z * (chosen - shares)[:, None], persons.first_rows, axis=0)
    return moments, -(z * persons.weights[persons.row_person][:, None]).T @ slopes


def weight_root(spread: Array, parameters: int) -> Array:
    """Root ``C`` (M, r) of the weight matrix ``C C' = S^-1``, redundant moments left out.

    Raises
    ------
    ConvergenceError
        If the moments vary without bound: something overflows where they were taken.
    SpecificationError
        If fewer moments than parameters are left.
    """
    if not np.isfinite(spread).all():
        raise ConvergenceError(
            "moments are not finite where their weights are taken: utilities overflow there, or "
            "ratios of probabilities of sequences; use attributes of a smaller scale, or bm.msle"
        )
    scale = np.sqrt(np.diag(spread))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    kept = values > REDUNDANT * values[-1]
    if kept.sum() < parameters:
        raise SpecificationError(
            f"the instruments make {int(kept.sum())} different moments, but the model has "
            f"{parameters} parameters: give more instruments, or a model with fewer parameters"
        )
    return vectors[:, kept] / np.sqrt(values[kept]) / scale[:, None]


@dataclass(frozen=True, eq=False)
class Criterion:
    """``Q(theta) = g' W g`` of the weighted sums ``g`` of moments.

    Parameters
    ----------
    moments
        The moments.
    root
        ``C`` (M, r) with ``W = C C'``.
    """

    moments: SituationMoments | Sequences
    root: Array

    def parts(self, theta: Array) -> tuple[Array, Array]:
        """``C'g`` (r,) and its derivatives (r, P)."""
        values, slopes = self.moments.by_person(theta)
        if not self.moments.problem.keeps(theta):
            # Held correlations have signs, which the Cholesky factor may lose: a wall.
            values, slopes = np.full_like(values, np.nan), np.full_like(slopes, np.nan)
        return self.root.T @ (self.moments.problem.data.weights @ values), self.root.T @ slopes

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """``-Q / 2``, which is to be maximised, and its gradient (P,)."""
        residuals, slopes = self.parts(theta)
        return -0.5 * float(residuals @ residuals), -slopes.T @ residuals

    def whitening(self, slopes: Array) -> Array:
        """Root (P, P) of about ``(D' W D)^-1``: a unit is about one standard error.

        (P, Q) under constraints.
        """
        return whitening(
            slopes,
            np.ones(len(slopes)),
            natural_units(self.moments.problem),
            self.moments.problem.directions,
        )

    def minimise(self, start: Array, optimizer: str) -> Optimum:
        """The least Q from ``start``; the optimum's value is ``-Q / 2``."""
        _, slopes = self.parts(start)
        root = self.whitening(slopes)
        if optimizer == LEAST_SQUARES:
            found = self._least_squares(start, root)
            if found.converged:
                return found
            # Near a standard deviation of 0 slopes vanish, and only the curvature leads on.
            start, optimizer = found.theta, "bfgs"
        return maximise(self.value_and_gradient, start, root, steps=Steps(optimizer))

    def _least_squares(self, start: Array, root: Array) -> Optimum:
        """Levenberg and Marquardt's steps on ``C'g``."""
        last: dict[str, Any] = {}

        def parts(x: Array) -> tuple[Array, Array]:
            if not np.array_equal(last.get("x", np.nan), x):
                last.update(x=x.copy(), parts=self.parts(start + root @ x))
            return last["parts"]

        def residuals(x: Array) -> Array:
            # Where utilities overflow there are no shares: a wall, from which the search turns.
            return np.nan_to_num(parts(x)[0], nan=1e8)

        result = least_squares(
            residuals,
            np.zeros(root.shape[1]),
            jac=lambda x: np.nan_to_num(parts(x)[1]) @ root,
            xtol=1e-13,
            ftol=1e-14,
            gtol=1e-11,
            max_nfev=ITERATIONS,
        )
        theta = start + root @ result.x
        value, gradient = self.value_and_gradient(theta)
        whitened = self.whitening(self.parts(theta)[1]).T @ gradient
        size = float(np.linalg.norm(whitened))
        return Optimum(
            theta, value, gradient, size, int(result.nfev), size <= ARRIVED, str(result.message)
        )
