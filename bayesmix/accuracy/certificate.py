"""The certificate: how far a log-likelihood and its estimates are from exact integration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd

from bayesmix.likelihood.effective_weights import SAME

EXACT = "integration error 0: each class is a point, and the log-likelihood a sum over classes"
FEW_PERSONS = 1000
"""Effective persons up to whom tolerances of the log-likelihood are nats."""


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
        Of draws these are relative standard errors of means over independent scramblings.
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
        `nats`. What is not known, shifts where there are no standard errors and standard errors
        that were not looked at, is not within any finite tolerance.
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
        largest = np.inf  # of what is not known, for there are no standard errors to measure it in
        if not len(shift) or shift.notna().any():
            largest = np.nanmax(np.maximum(shift.to_numpy(), half.to_numpy()), initial=0.0)
        return bool(
            max(abs(self.error), (high - low) / 2) <= loglik * self.nats and largest <= estimates
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
