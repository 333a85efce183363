"""What a test of a hypothesis says, and Wald tests of linear restrictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.inference.chi_bar import ChiBar, ConeLaw
from bayesmix.inference.chi_sum import ChiSum
from bayesmix.specification.parameter import NEST, SD
from bayesmix.specification.restrictions import Restrictions, read_restrictions

Law = ChiBar | ConeLaw | ChiSum

RANK = 1e-8
"""Share of the largest eigenvalue below which another is 0."""


@dataclass(frozen=True, eq=False)
class HypothesisTest:
    """A test: its statistic, and how likely one as large is under the null.

    Parameters
    ----------
    name
        ``"Wald"``, ``"likelihood ratio"`` or ``"Hausman"``.
    null
        The hypothesis in words.
    statistic
        The test's statistic.
    df
        Degrees of freedom; None for mixtures and for sums of scaled laws.
    p_value
        Probability of a statistic at least as large under the null.
    law
        The statistic's law under the null.
    notes
        What should be known before the test is read.
    """

    name: str
    null: str
    statistic: float
    df: int | None
    p_value: float
    law: Law
    notes: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """The law under the null, in words."""
        return str(self.law)

    def __str__(self) -> str:
        lines = [
            f"{self.name} test of {self.null}",
            f"statistic {self.statistic:.4f}, {self.distribution}: p-value {self.p_value:.4g}",
            *self.notes,
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{'<br>'.join(escape(str(self), quote=False).splitlines())}</p>"


def outcome(
    name: str, null: str, statistic: float, law: Law, notes: Sequence[str]
) -> HypothesisTest:
    """The test with this statistic, whose law is ``law``."""
    df = law.dofs[0] if isinstance(law, ChiBar) and len(law.dofs) == 1 else None
    return HypothesisTest(name, null, statistic, df, law.sf(statistic), law, tuple(notes))


def chi_squared(df: int) -> ChiBar:
    """One chi-squared law."""
    return ChiBar((1.0,), (df,))


def wald_test(
    fit: Fit,
    restrictions: str | Sequence[str] | Array | pd.DataFrame,
    values: Array | float = 0.0,
    *,
    kind: str | None = None,
) -> HypothesisTest:
    """Wald test of linear restrictions ``R b = q`` on the estimates ``b``.

    ``W = (R b - q)' (R V R')^-1 (R b - q)`` is chi-squared with as many degrees of freedom as there
    are restrictions. It depends on the scale of nonlinear functions: see `Fit.delta` for these.

    Parameters
    ----------
    fit
        The fit.
    restrictions
        In words, such as ``"mean[a] = mean[b]"`` or ``"2 * mean[a] + fixed[c] = 1, mean[b] = 0"``;
        or the matrix ``R`` (n, P) in the order of ``fit.params`` (a DataFrame: by flat name).
    values
        ``q`` (n,) where a matrix is given.
    kind
        Covariance, see `Fit.covariance`.

    Returns
    -------
    HypothesisTest
        Statistic, degrees of freedom and p-value; it prints itself in words.

    Raises
    ------
    SpecificationError
        If restrictions cannot be read, contradict or repeat each other, set a standard deviation
        to 0 (a boundary: use `lr_test`), or concern a parameter without a standard error.

    References
    ----------
    Wald (1943); Train (2009), chapter 8.

    Examples
    --------
    >>> import bayesmix as bm
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), bm.examples.electricity())
    >>> test = bm.wald_test(fit, "fixed[cl] = 0")
    >>> z = fit.params["fixed[cl]"] / fit.std_errors["fixed[cl]"]
    >>> bool(abs(test.statistic - z**2) < 1e-9)
    True
    """
    arguments.instance("fit", fit, Fit, "a fit, as bm.msle returns it")
    found = read_restrictions(restrictions, values, fit.space.names)
    covariance = fit.covariance(kind)
    _check_testable(fit, found, covariance)
    used = found.matrix.any(axis=0)
    part = covariance.to_numpy()[np.ix_(used, used)]
    rows = found.matrix[:, used]
    gap = rows @ fit.params.to_numpy()[used] - found.values
    spread = rows @ part @ rows.T
    _check_moving(found, rows, part)
    scale = np.sqrt(np.diag(spread))
    if not (scale > 0).all() or np.linalg.cond(spread / np.outer(scale, scale)) > 1 / RANK:
        raise SpecificationError(
            f"the covariance of the {len(gap)} restrictions is singular: some follow from others, "
            "or there are fewer clusters than restrictions; leave some out"
        )
    statistic = float(gap @ np.linalg.solve(spread, gap))
    used_kind = fit.information.kind if kind is None else kind
    note = f"covariance: {used_kind}"
    return outcome("Wald", str(found), statistic, chi_squared(len(gap)), [note])


def _check_moving(found: Restrictions, rows: Array, covariance: Array) -> None:
    """Refuse restrictions of what the fit holds, or ties, itself."""
    size = (np.abs(rows) @ np.sqrt(np.diag(covariance))) ** 2
    still = np.einsum("ij,jk,ik->i", rows, covariance, rows) <= RANK**2 * size
    if still.any():
        one = Restrictions(found.matrix[still][:1], found.values[still][:1], found.names)
        raise SpecificationError(
            f"{one}: the fit itself holds or ties this (fixed=, equal=), so that there is nothing "
            "to test in it: fit the model without, and give wald_test that fit, or "
            "lr_test(this, that)"
        )


def _at_bound(fit: Fit, row: Array, value: float) -> bool:
    """Whether a restriction of one parameter is that it is at a bound."""
    place = int(np.flatnonzero(row)[0])
    bounds = {name: ends for name, *ends in fit.model.constraints.bounds}
    return value / row[place] in bounds.get(fit.space.names[place], [])


def _check_testable(fit: Fit, found: Restrictions, covariance: pd.DataFrame) -> None:
    for row, value in zip(found.matrix, found.values, strict=True):
        about = [fit.space.listed[p] for p in np.flatnonzero(row)]
        if value == 0 and len(about) == 1 and about[0].kind == SD:
            raise SpecificationError(
                f"{about[0]} = 0 is at the boundary, where the Wald statistic is not chi-squared: "
                "fit the model with a fixed coefficient and use lr_test(restricted, full)"
            )
        if len(about) == 1 and about[0].kind == NEST and _at_bound(fit, row, value):
            raise SpecificationError(
                f"{about[0]} = 1 is at its bound, where the Wald statistic is not chi-squared: "
                "lift the bound, nests=bm.Nests(..., bounded=False), or compare aic and bic"
            )
    unknown = np.isnan(np.diag(covariance)) & found.matrix.any(axis=0)
    if unknown.any():
        names = [fit.space.names[p] for p in np.flatnonzero(unknown)]
        raise SpecificationError(
            f"{', '.join(names)}: no standard error, for the estimate is at a boundary or the "
            f"curvature is not that of a maximum ({fit.message}); leave it out of the restrictions"
        )
