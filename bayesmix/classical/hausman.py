"""Hausman's test: an efficient estimator against a consistent one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesmix.classical.fit import Fit
from bayesmix.classical.hypotheses import RANK, HypothesisTest, chi_squared, outcome
from bayesmix.errors import SpecificationError


def hausman_test(
    efficient: Fit,
    consistent: Fit,
    *,
    params: Sequence[str] | None = None,
    kind: str | None = None,
) -> HypothesisTest:
    """Hausman's test: does an efficient estimator agree with one that needs weaker assumptions?

    ``H = d' (V_c - V_e)^+ d`` with ``d`` the difference of the estimates: under the null, where the
    efficient estimator is consistent and efficient, the variance of the difference is the
    difference of the variances. Degrees of freedom are its rank.

    Parameters
    ----------
    efficient
        Such as maximum simulated likelihood.
    consistent
        Such as simulated moments, or the same estimator on fewer persons.
    params
        Flat names to compare; those that both fits have, by default.
    kind
        Covariance of both, see `Fit.covariance`; each fit's own by default.

    Raises
    ------
    SpecificationError
        If the fits have no parameter with a standard error in common, or no direction of the
        difference has a positive variance.

    References
    ----------
    Hausman (1978).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf + cl")
    >>> half = bm.ChoiceData.from_long(
    ...     data.frame[data.frame["id"] < 180], person="id", situation="chid", alternative="alt",
    ...     chosen="choice")
    >>> bm.hausman_test(bm.msle(model, data), bm.msle(model, half)).df
    2
    """
    names = _common(efficient, consistent, params)
    one, other = efficient.covariance(kind), consistent.covariance(kind)
    errors = pd.DataFrame({k: pd.Series(np.diag(v), v.index) for k, v in enumerate((one, other))})
    known = [name for name in names if errors.loc[name].notna().all()]
    if not known:
        raise SpecificationError(
            "the fits have no parameter in common that has a standard error in both: "
            f"{efficient.message}; {consistent.message}"
        )
    notes = []
    if len(known) < len(names):
        left = [n for n in names if n not in known]
        notes.append(f"left out, without a standard error: {', '.join(left)}")
    gap = (efficient.params[known] - consistent.params[known]).to_numpy()
    spread = (other.loc[known, known] - one.loc[known, known]).to_numpy()
    scale = np.sqrt(np.diag(other.loc[known, known]))
    values, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    positive = values > RANK * np.abs(values).max()
    negative = int((values < -RANK * np.abs(values).max()).sum())
    if negative:
        notes.append(
            f"the difference of the covariances is not positive definite ({negative} of "
            f"{len(known)} directions are negative and left out): the first estimator is not the "
            "more efficient one, or the sample is small"
        )
    if not positive.any():
        raise SpecificationError(
            "the difference of the covariances has no positive direction: the first fit must be "
            "the efficient one, hausman_test(efficient, consistent)"
        )
    along = vectors[:, positive].T @ (gap / scale)
    statistic = float((along**2 / values[positive]).sum())
    null = f"{efficient.estimator} and {consistent.estimator} estimate the same {', '.join(known)}"
    return outcome("Hausman", null, statistic, chi_squared(int(positive.sum())), notes)


def _common(one: Fit, other: Fit, params: Sequence[str] | None) -> list[str]:
    shared = [name for name in one.space.names if name in other.space.names]
    if params is None:
        return shared
    strange = [name for name in params if name not in shared]
    if strange:
        raise SpecificationError(f"{strange[0]!r} is not in both fits, which share {shared}")
    return list(params)
