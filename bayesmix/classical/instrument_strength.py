"""How strong the instruments of a first stage are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.specification.residuals import FirstStage

BIAS, LEVEL = 0.10, 0.05
"""Bias, relative to the worst case, beyond which instruments are weak; the level of that test."""


@dataclass(frozen=True)
class Strength:
    """What the instruments say of the endogenous attribute, given the exogenous ones.

    Parameters
    ----------
    f, f_clustered
        The test that all instruments' coefficients are 0: with one variance for all residuals, and
        by cluster (Wald's, over their number); NaN of fewer clusters than instruments.
    effective_f
        Montiel Olea and Pflueger's (2013), from the same covariance by cluster.
    critical
        What it is to exceed: their value for a bias of `BIAS` at the level `LEVEL`.
    partial_r2
        Share of the attribute's variation that instruments explain beside exogenous attributes.
    instruments, df
        Number of instruments, and levels less coefficients.
    """

    f: float
    f_clustered: float
    effective_f: float
    critical: float
    partial_r2: float
    instruments: int
    df: int

    @property
    def weak(self) -> bool:
        """Whether the effective F is no larger than its critical value."""
        return not self.effective_f > self.critical

    @property
    def warning(self) -> str:
        """What weak instruments mean, in words; "" of others."""
        if not self.weak:
            return ""
        return (
            f"instruments are weak: effective F {self.effective_f:.1f}, and above "
            f"{self.critical:.1f} their bias is below {BIAS:.0%} of the worst at a level of "
            f"{LEVEL:.0%}: estimates lean to those without the control function, and their "
            "standard errors are too small; look for instruments that move the attribute more"
        )


def strength(first: FirstStage) -> Strength:
    """The strength of a first stage's instruments, see `strength_of`."""
    return strength_of(first.x, first.excluded, first.price, first.residual, first.clusters)


def strength_of(
    x: Array, excluded: Flags, price: Array, residual: Array, clusters: Indices
) -> Strength:
    """The strength of instruments, the ``excluded`` columns of regressors ``x`` (L, G).

    With exogenous regressors partialled out and instruments made orthonormal, ``Q``: with
    ``a = Q'p`` and ``W`` the covariance of ``Q'mu`` by cluster, ``F_eff = a'a / tr W``. The
    critical value is the simplified one, of ``K_eff = tr(W)^2 (1 + 2 t) / (tr(W'W) + 2 t tr(W)
    max eig W)`` degrees of freedom and noncentrality ``t K_eff``, with ``t = 1 / BIAS``.
    """
    exogenous, given = x[:, ~excluded], x[:, excluded]
    basis = np.linalg.qr(exogenous / np.sqrt((exogenous**2).mean(axis=0)))[0]
    q = np.linalg.qr(_without(given / np.sqrt((given**2).mean(axis=0)), basis))[0]
    df = len(price) - x.shape[1]
    price = _without(price, basis)
    a = q.T @ price
    n, k = int(clusters.max()) + 1, q.shape[1]
    sums = np.zeros((n, k))
    np.add.at(sums, clusters, q * residual[:, None])
    w = n / (n - 1) * sums.T @ sums
    trace, t = float(np.trace(w)), 1.0 / BIAS
    top = float(np.linalg.eigvalsh(w)[-1])
    k_eff = trace**2 * (1 + 2 * t) / (float((w * w).sum()) + 2 * t * trace * top)
    return Strength(
        f=float(a @ a / k / (residual @ residual / df)),
        f_clustered=float(a @ np.linalg.solve(w, a) / k) if n > k else float("nan"),
        effective_f=float(a @ a / trace),
        critical=float(scipy.stats.ncx2.ppf(1 - LEVEL, k_eff, t * k_eff) / k_eff),
        partial_r2=float(a @ a / (price @ price)),
        instruments=k,
        df=df,
    )


def _without(values: Array, basis: Array) -> Array:
    """What an orthonormal basis leaves of columns, taken away twice for rounding."""
    for _ in range(2):
        values = values - basis @ (basis.T @ values)
    return values


def control_words(first: FirstStage) -> str:
    """A first stage in a line of a fit's headline."""
    found = strength(first)
    by = "level" if first.grouped_by is None else repr(first.grouped_by)
    words = (
        f"control function: {', '.join(first.control.residuals)} from {len(first.price)} levels; "
        f"standard errors carry the first stage, by {by} ({first.n_clusters}); effective F "
        f"{found.effective_f:.1f}"
    )
    return f"{words}; {found.warning}" if found.weak else words
