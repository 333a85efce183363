"""What simulation adds to the variances of estimates that are unbiased with any number of draws."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.specification.layout import Layout

UNBIASED = {
    "MSM": "simulated moments are unbiased with any number of draws",
    "MSS": "simulated scores are unbiased with any number of draws",
}
NO_CERTIFICATE = "the log-likelihood, which estimates do not come from, has no certificate"


@dataclass(frozen=True, eq=False)
class SimulationError:
    """The part of estimates' variances that comes from simulation, where it makes no bias.

    Simulated moments and scores are linear in what is simulated. Integration does not shift their
    estimates, as it does a simulated likelihood's, whose `Certificate` says how far: they vary
    more, and standard errors, which are made of the simulated moments themselves, know it.

    Parameters
    ----------
    estimator
        ``"MSM"`` or ``"MSS"``.
    share
        For each parameter (by flat name) the variance due to simulation over the robust one, up to
        its own noise; NaN where there is no standard error, or no random element in the grid.
    draws
        Draws or nodes a person; the most, where they differ.
    """

    estimator: str
    share: pd.Series
    draws: int

    @property
    def worst(self) -> str:
        """The parameter to which simulation adds most; "" where nothing is known."""
        known = self.share.dropna()
        return str(known.idxmax()) if len(known) else ""

    def __str__(self) -> str:
        if not self.worst:
            return (
                f"simulation error unknown: the {self.draws} nodes are not random, or there are no "
                "standard errors; refit with more nodes, or on a random rule such as sobol(512), "
                f"and compare; {NO_CERTIFICATE}"
            )
        return (
            f"{UNBIASED[self.estimator]}; with {self.draws} a person simulation makes up to "
            f"{100 * self.share[self.worst]:.1f} % of a variance ({self.worst}), which standard "
            f"errors include; {NO_CERTIFICATE}"
        )

    def _repr_html_(self) -> str:
        table = self.share.to_frame().to_html(float_format="{:.4f}".format)
        return f"<p>{escape(str(self), quote=False)}</p>{table}"


def simulation_error(
    estimator: str,
    draws: int,
    space: Layout,
    theta: Array,
    parts: tuple[Array, Information],
) -> SimulationError:
    """Shares from ``parts``: theta's covariance (P, P) due to simulation, and the whole one."""
    noise, found = parts
    variances = [
        np.diag(natural_covariance(space, theta, covariance, found.silent, found.constraint))
        for covariance in (noise, found.covariance("robust"))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = variances[0] / variances[1]
    return SimulationError(estimator, space.series(share).rename("share"), draws)
