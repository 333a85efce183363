"""The certificate: how far a log-likelihood and its estimates are from exact integration.

The reference is a person-centred grid anchored at theta, in R independent scramblings. Their
differences tell how well the reference itself is known, so that every figure comes with an
interval; pooled, they have R times the nodes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bayesmix.accuracy.pareto import pareto_shape
from bayesmix.accuracy.pooling import SCRAMBLES, pool, pooled_interval
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.integration.descriptions import Centred, DrawRule, Rule
from bayesmix.integration.grids import Seed
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.effective_weights import SAME, person_unit
from bayesmix.likelihood.evaluate import Likelihood, log_integrals
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.anchored_scores import anchored_integrals
from bayesmix.optimise.louis import checked
from bayesmix.optimise.maximise import curvature, whitening

LEAST_REFERENCE, MOST_REFERENCE = 64, 512
"""Nodes a person of one scrambling of the reference: as many as the grid's, within these bounds,
or a quarter of the grid's: all scramblings together have twice the grid's at least."""
ROOT_REFERENCE = 128
"""The least for roots of posteriors' scores, with a quarter of the grid's nodes."""
QUADRATURE_REFERENCE, MOST_OF_QUADRATURE = 256, 2048
"""The same for quadratures, a quarter of their nodes within these bounds: a few points may be exact
to many digits, which takes nodes to see."""
EXACT = "integration error 0: each class is a point, and the log-likelihood a sum over classes"
FEW_PERSONS = 1000
"""Effective persons up to whom tolerances of the log-likelihood are nats."""
TAIL_NODES = 512
"""Nodes a person whose weights are looked at for heavy tails: the dearest part if all were."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """Integration error of a grid at one theta.

    Parameters
    ----------
    error, error_interval
        Log-likelihood on the grid minus the exact one, nats, and its 95 % interval.
    bias, sd
        Expected error, ``-1/2 sum_i var(log P_i)``, and standard deviation over scramblings of such
        a grid, nats; NaN for rules without a random element. Halves take the bias out, to first
        order: it is 0 there.
    shift
        For each parameter (by flat name) the estimate on the grid minus the exact estimate, in
        standard errors: ``estimate``, ``low``, ``high`` (95 % interval).
    pareto_k
        Shape of the tail of the importance weights by person, largest first.
    nodes, reference_nodes
        Nodes a person of the grid, and of each scrambling of the reference.
    evaluations, seconds
        Evaluations of the log-likelihood and its scores that the certificate took, without those of
        a curvature that had to be looked at again, and its time.
    noise
        Standard deviation (in standard errors) of the estimates over scramblings of the reference.
    unit
        Nats of the weighted log-likelihood that are one of an effective person's,
        ``sum w^2 / sum w``; 1 without weights.
    persons
        Effective persons, ``(sum w)^2 / sum w^2``.
    std_errors
        For each parameter its standard error on the grid over that of a finer or an independent
        integration, less 1: columns ``robust`` and ``hessian``; NaN where it was not looked at.
    std_errors_by
        What they were compared with, in words; "" where they were not.
    """

    error: float
    error_interval: tuple[float, float]
    bias: float
    sd: float
    shift: pd.DataFrame
    pareto_k: pd.Series
    nodes: int
    reference_nodes: int
    evaluations: int
    seconds: float
    noise: pd.Series
    unit: float = 1.0
    persons: float = 0.0
    std_errors: pd.DataFrame | None = None
    std_errors_by: str = ""

    def within(self, loglik: float, estimates: float, std_errors: float = np.inf) -> bool:
        """Whether errors are within tolerances: nats, standard errors, and parts of these.

        Both the errors and the half-widths of their intervals must be. Nats are in the units of
        `nats`. Standard errors that were not looked at are not within
        any finite tolerance.
        """
        return self._within(loglik, estimates) and (
            np.isinf(std_errors) or not self.reference_nodes or self.std_error <= std_errors
        )

    @property
    def nats(self) -> float:
        """Nats of the weighted log-likelihood that are one of `bayesmix.Tolerance`.

        One of an effective person's, with up to `FEW_PERSONS` of them; with more, as many as the
        standard deviation of a log-likelihood, which is a sum over persons, is larger.
        """
        return self.unit * max(1.0, self.persons / FEW_PERSONS) ** 0.5

    @property
    def std_error(self) -> float:
        """The largest error of a standard error, relative to it; NaN where none is known."""
        if self.std_errors is None or not self.std_errors.notna().to_numpy().any():
            return np.nan
        return float(np.nanmax(self.std_errors.abs().to_numpy()))

    def _within(self, loglik: float, estimates: float) -> bool:
        low, high = self.error_interval
        shift = self.shift["estimate"].abs()
        half = (self.shift["high"] - self.shift["low"]) / 2
        return bool(
            max(abs(self.error), (high - low) / 2) <= loglik * self.nats
            and np.nanmax(np.maximum(shift.to_numpy(), half.to_numpy()), initial=0.0) <= estimates
        )

    def scaled(self, factor: float) -> Certificate:
        """The certificate of the log-likelihood times ``factor``: all weights times that."""
        low, high = self.error_interval
        return replace(
            self,
            error=self.error * factor,
            error_interval=(low * factor, high * factor),
            bias=self.bias * factor,
            sd=self.sd * factor,
            unit=self.unit * factor,
        )

    @property
    def worst(self) -> str:
        """The parameter that integration shifts most; "" where no shift is known."""
        known = self.shift["estimate"].abs().dropna()
        return str(known.idxmax()) if len(known) else ""

    def __str__(self) -> str:
        if not self.reference_nodes:
            return EXACT
        text = f"{self._error_words()}; largest shift of an estimate: "
        if self.worst:
            shift = self.shift.loc[self.worst]
            text += (
                f"{self.worst} by {shift['estimate']:+.3f} standard errors "
                f"({shift['low']:+.3f} to {shift['high']:+.3f})"
            )
        else:
            text += "unknown, for there are no standard errors"
        text += f"; {self._std_error_words()}"
        if len(self.pareto_k):
            k, person = self.pareto_k.iloc[0], self.pareto_k.index[0]
            text += f"; largest Pareto k {k:.2f}, person {person}"
        return text

    def _error_words(self) -> str:
        low, high = self.error_interval
        if abs(self.unit - 1.0) <= SAME:
            return (
                f"integration error of the log-likelihood {self.error:+.2f} nats "
                f"(95 % interval {low:+.2f} to {high:+.2f})"
            )
        own, low, high = (value / self.unit for value in (self.error, low, high))
        return (
            f"integration error of the weighted log-likelihood {self.error:+.3g} nats; with "
            f"weights that sum to the effective persons {own:+.2f} (95 % interval {low:+.2f} to "
            f"{high:+.2f})"
        )

    def _std_error_words(self) -> str:
        """How far standard errors are off, and by what that is known."""
        if self.std_errors is None or np.isnan(self.std_error):
            return "standard errors were not checked"
        values = self.std_errors.to_numpy()
        row, column = divmod(int(np.nanargmax(np.abs(values))), values.shape[1])
        return (
            f"largest error of a standard error: {self.std_errors.index[row]}, "
            f"{self.std_errors.columns[column]}, by {100 * values[row, column]:+.1f} % "
            f"({self.std_errors_by})"
        )

    def _repr_html_(self) -> str:
        table = self.shift.to_html(float_format="{:+.3f}".format)
        return f"<p>{escape(str(self), quote=False)}</p>{table}"


def certify(
    problem: Problem,
    theta: Array,
    grid: Grid,
    covariance: Array | None,
    std_errors: Array,
    rng: Seed,
    *,
    own: tuple[Array, Array] | None = None,
    frozen: bool = False,
) -> Certificate:
    """The certificate of ``grid`` at ``theta``.

    Parameters
    ----------
    problem, theta, grid
        The model bound to data, the free vector (P,), and the grid to judge.
    covariance
        Inverse curvature (P, P) of the log-likelihood at theta, which turns scores into shifts;
        None takes the reference's own (a coarse grid's curvature can be as wrong as its scores).
    std_errors
        Standard errors (P,) of the printed parameters.
    rng
        Source of the reference's scramblings.
    own
        Log-integrals (I,) and scores (I, P) on ``grid`` itself, where they are known.
    frozen
        Whether scores are those of nodes frozen in coefficient space: see
        `bayesmix.optimise.anchored_scores`.
    """
    begun = time.perf_counter()
    generator = np.random.default_rng(rng)
    weights = problem.data.weights
    first = _reference(problem, theta, grid, frozen, generator)
    scrambles = [first, *(first.renewed(generator) for _ in range(SCRAMBLES - 1))]
    if own is None:
        own_logp, own_scores = Likelihood(problem, grid, keep=False).by_person(theta)
    else:
        own_logp, own_scores = own

    extra = 0
    if covariance is None:
        extra = len(theta) + 2
        covariance = _inverse_curvature(Likelihood(problem, first), theta)
    jacobian = problem.parameters.jacobian(theta)
    to_shift = -(jacobian @ covariance) / std_errors[:, None]
    integrals = anchored_integrals if frozen else log_integrals
    found = pool(Point(problem, theta), scrambles, integrals, to_shift)
    half = pooled_interval(found.variance, weights)
    exact = float(weighted_sum(weights, found.logp + found.variance / (2 * SCRAMBLES)))
    error = float(weighted_sum(weights, own_logp)) - exact
    noise = found.variance / SCRAMBLES
    own_variance = _own_variance(grid, own_logp, found.logp + noise / 2, noise)
    spread = weighted_sum(weights, own_variance)
    shift = to_shift @ (found.score - weighted_sum(weights, own_scores))
    shift_half = stdtrit(found.degrees, 0.975) * np.sqrt(found.shift_variance)
    index = pd.Index(problem.parameters.names, name="parameter")
    shapes = tail_shapes(problem, theta, scrambles[: -(-TAIL_NODES // first.size)])
    return Certificate(
        error=error,
        error_interval=(error - half, error + half),
        bias=0.0 if grid.halves else float(-0.5 * np.maximum(spread, 0.0)),
        sd=float(np.sqrt(np.maximum(weighted_sum(weights**2, own_variance), 0.0))),
        shift=pd.DataFrame(
            {"estimate": shift, "low": shift - shift_half, "high": shift + shift_half},
            index=index,
        ),
        pareto_k=pd.Series(shapes, index=problem.data.persons, name="pareto k").sort_values(
            ascending=False
        ),
        nodes=grid.size,
        reference_nodes=first.size,
        evaluations=SCRAMBLES + (own is None) + extra,
        seconds=time.perf_counter() - begun,
        noise=pd.Series(np.sqrt(found.shift_variance * SCRAMBLES), index=index),
        unit=person_unit(weights),
        persons=float(weights.sum() / person_unit(weights)),
    )


def exact(problem: Problem) -> Certificate:
    """The certificate of a log-likelihood without an integral: all errors are 0."""
    index = pd.Index(problem.parameters.names, name="parameter")
    columns = ["estimate", "low", "high"]
    return Certificate(
        error=0.0,
        error_interval=(0.0, 0.0),
        bias=0.0,
        sd=0.0,
        shift=pd.DataFrame(0.0, index=index, columns=columns),
        pareto_k=pd.Series([], index=problem.data.persons[:0], name="pareto k", dtype=float),
        nodes=1,
        reference_nodes=0,
        evaluations=0,
        seconds=0.0,
        noise=pd.Series(0.0, index=index),
    )


def _reference(
    problem: Problem, theta: Array, grid: Grid, frozen: bool, rng: np.random.Generator
) -> PersonGrid:
    nodes = min(max(grid.size, LEAST_REFERENCE), max(MOST_REFERENCE, grid.size // 4))
    if frozen:
        nodes = min(max(grid.size // 4, ROOT_REFERENCE), MOST_REFERENCE)
    if not isinstance(_draws(grid), DrawRule):
        nodes = min(max(grid.size // 4, QUADRATURE_REFERENCE), MOST_OF_QUADRATURE)
    return centre(problem, centred(sobol(nodes), moments=True), theta, rng)


def _inverse_curvature(likelihood: Likelihood, theta: Array) -> Array:
    """Inverse of the curvature (P, P), or of the scores' outer product where that is no maximum."""
    problem = likelihood.problem
    root = whitening(
        likelihood.by_person(theta)[1],
        problem.data.weights,
        natural_units(problem),
        problem.directions,
    )
    hessian = curvature(lambda at: likelihood.value_and_gradient(at)[1], theta, root)
    hessian = checked(problem, theta, hessian, root).hessian
    whitened = root.T @ hessian @ root
    if not (np.linalg.eigvalsh((whitened + whitened.T) / 2) > 0.0).all():
        return root @ root.T
    return root @ np.linalg.inv(whitened) @ root.T


def _draws(grid: Any) -> Rule:
    """The rule of a grid, and of a person-centred one what it is made of."""
    rule = grid.rule
    return rule.rule if isinstance(rule, Centred) else rule


def _own_variance(grid: Any, own: Array, exact: Array, noise: Array) -> Array:
    """Variance (I,) of log P_i over scramblings of the grid; NaN for rules that are not random.

    Of one scrambling a person the square of its error is an estimate, once the reference's own
    variance is taken out. It is rough for a person, and good for their sum.
    """
    if not _draws(grid).random:
        return np.full_like(own, np.nan)
    return (own - exact) ** 2 - noise


def tail_shapes(problem: Problem, theta: Array, grids: Sequence[PersonGrid]) -> Array:
    """Pareto shapes (I,) of the importance weights, over the nodes of some scramblings."""
    (found,) = joined(over_persons(Point(problem, theta), grids[0], _shapes, *grids[1:]))
    return found


def _shapes(here: Point, *grids: PersonGrid) -> tuple[Array]:
    """`tail_shapes` of a block."""
    logs = []
    for grid in grids:
        mixture = here.mixture(*grid.block(0, here.persons.n_persons))
        logs.append(here.log_probabilities(mixture) + np.log(mixture.weights))
    return (pareto_shape(np.concatenate(logs, axis=1)),)
