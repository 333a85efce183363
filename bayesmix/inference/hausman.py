"""Hausman's test: an efficient estimator against a consistent one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.linalg import eigh

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.arrays import Array
from bayesmix.classical.covariance import KINDS, shift_units
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.inference.meaning import meanings
from bayesmix.inference.one_curvature import at_one_curvature
from bayesmix.inference.wald import RANK, HypothesisTest, chi_squared, outcome
from bayesmix.integration.grids import PopulationGrid

JOINT = "joint"
NOTED = 0.1
"""Standard errors of a bias of draws beyond which a note says so."""


def hausman_test(
    efficient: Fit,
    consistent: Fit,
    *,
    params: Sequence[str] | None = None,
    kind: str | None = None,
) -> HypothesisTest:
    """Hausman's test: whether an efficient estimator agrees with one of weaker assumptions.

    ``H = d' V^+ d`` with ``d`` the difference of the estimates and ``V`` its covariance, whose rank
    is the number of degrees of freedom. Of two fits to the same choices persons tell it, for the
    estimates are sums over the same persons of what each contributes to them:
    ``V = sum_i w_i^2 (H_e^-1 s_ei - H_c^-1 s_ci) (.)'``, with curvature and scores (or what moments
    have in their place) of either fit. It is never negative, and asks nobody to be efficient.
    Hausman's own is ``V_c - V_e``: right in large samples where the first estimator is efficient,
    and often not positive definite in those that one has.

    Estimates also differ by integration, of which scores on better nodes than those of the search
    know nothing. Squares of the certificates' errors of estimates (of ``fit.integration``: the
    shift, or its interval's half-width where that is more) are added to ``V``, and directions in
    which it is smaller than these are left out. Draws of the population are in the scores already,
    as the simulation noise of moments is: of these a bias alone remains, and a note where it is
    large.

    Of fits by one likelihood of which one holds and ties more, curvature and scores are those of
    the freer one: there are as many degrees of freedom as further constraints. Parameters that both
    fits hold are left out.

    Parameters
    ----------
    efficient
        Such as maximum simulated likelihood.
    consistent
        Such as simulated moments, or the same estimator on fewer persons.
    params
        Flat names to compare; by default those that both fits have, and that mean the same in both:
        parameters of coefficients with another law, sign, bounds or formula of the mean, in other
        units (willingness-to-pay space, or the errors of another source), against another base
        level, or of other latent classes are left out, with a note.
    kind
        ``"joint"``: from persons, the default where both fits are of the same choices. One of the
        kinds of `Fit.covariance`: the difference of these; of each fit's own, elsewhere the
        default.

    Returns
    -------
    HypothesisTest
        Statistic, degrees of freedom and p-value; it prints itself in words.

    Raises
    ------
    SpecificationError
        If the fits have no parameter with a standard error in common, ``params`` mean something
        else in each, no direction of the difference has a positive variance, larger than that of
        integration, or ``kind="joint"`` for fits of other choices or clusters.

    References
    ----------
    Hausman (1978); White (1982) for the joint covariance.

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
    meaning = "a fit, as bm.msle and bm.msm return it"
    arguments.instance("efficient", efficient, Fit, meaning)
    arguments.instance("consistent", consistent, Fit, meaning)
    if kind is not None:
        arguments.one_of("kind", kind, (JOINT, *KINDS))
    if params is not None:
        meaning = "a list of flat names, such as ['mean[price]'], one at least"
        if not arguments.names("params", params, meaning):
            raise arguments.refused("params", meaning, params)
    names, notes = _common(efficient, consistent, params)
    joint = _joint(efficient, consistent, kind)
    each = None if joint else kind
    early, late = at_one_curvature(efficient, consistent)
    one, other = early.covariance(each), late.covariance(each)
    names = _free(names, one, other, notes)
    errors = pd.DataFrame({k: pd.Series(np.diag(v), v.index) for k, v in enumerate((one, other))})
    known = [name for name in names if errors.loc[name].notna().all()]
    if not known:
        raise SpecificationError(
            "argument 'params': no parameter of both fits has a standard error in both: "
            f"{efficient.message}; {consistent.message}"
        )
    if len(known) < len(names):
        left = [n for n in names if n not in known]
        notes.append(f"left out, without a standard error: {', '.join(left)}")
    gap = (efficient.params[known] - consistent.params[known]).to_numpy()
    spread = (other.loc[known, known] - one.loc[known, known]).to_numpy()
    if joint:
        spread = _spread(early, late, known)
        by = efficient.information.grouped_by or consistent.information.grouped_by
        unit = "person" if by is None else repr(by)
        notes.append(f"covariance of the difference: from both fits' scores, by {unit}")
    units = np.diag(other.loc[known, known])
    scale = np.sqrt(np.where(units > 0.0, units, np.diag(one.loc[known, known])))
    noise = sum(integration_variances(fit, known) for fit in (efficient, consistent)) / scale**2
    notes += _bias(efficient, known, "first") + _bias(consistent, known, "second")
    statistic, df, note = _quadratic(gap / scale, spread / np.outer(scale, scale), noise)
    null = f"{efficient.estimator} and {consistent.estimator} estimate the same {', '.join(known)}"
    return outcome("Hausman", null, statistic, chi_squared(df), [*notes, *note])


def _free(names: list[str], one: pd.DataFrame, other: pd.DataFrame, notes: list[str]) -> list[str]:
    """The names of parameters that one fit at least estimates, and a note on the others."""
    held = [n for n in names if one.loc[n, n] == 0.0 and other.loc[n, n] == 0.0]
    if not held:
        return names
    notes.append(f"left out, held in both fits: {', '.join(held)}")
    return [name for name in names if name not in held]


def _joint(efficient: Fit, consistent: Fit, kind: str | None) -> bool:
    """Whether the covariance comes from persons, whom both fits must have in common."""
    same = bool(efficient.fingerprint) and efficient.fingerprint == consistent.fingerprint
    groups = [fit.information.groups for fit in (efficient, consistent)]
    grouped = [g for g in groups if g is not None]
    alike = len(grouped) < 2 or np.array_equal(grouped[0], grouped[1])
    both = [fit.model.control is not None for fit in (efficient, consistent)]
    if any(both) and kind in (None, JOINT):
        raise SpecificationError(
            "the covariance of the difference from persons does not know of the first stage of a "
            "control function: write endogeneity_test(fit) for whether it is needed, or give "
            "kind='robust' for the difference of the fits' own covariances, which carry it"
        )
    if kind == JOINT and not (same and alike):
        raise SpecificationError(
            f"kind='joint' needs two fits of the same choices{'' if alike else ' and clusters'}: "
            "fit both to the same data, or leave 'kind' out"
        )
    return kind == JOINT or (kind is None and same and alike)


def _spread(efficient: Fit, consistent: Fit, names: list[str]) -> Array:
    """Covariance of the difference, from what each person or cluster contributes to it."""
    parts = _contributions(efficient, names) - _contributions(consistent, names)
    groups = [fit.information.groups for fit in (efficient, consistent)]
    group = next((g for g in groups if g is not None), None)
    if group is None:
        return parts.T @ parts
    n = int(group.max()) + 1
    sums = np.zeros((n, len(names)))
    np.add.at(sums, group, parts)
    return n / (n - 1) * sums.T @ sums


def _contributions(fit: Fit, names: list[str]) -> Array:
    """``w_i J H^-1 s_i`` (I, .): how far each person moves the printed parameters."""
    found = fit.information
    rows = fit.space.jacobian(fit.theta)[[fit.space.names.index(name) for name in names]]
    weighted = found.scores * found.weights[:, None]
    return weighted @ (rows @ found.covariance("hessian")).T


def integration_variances(fit: Fit, names: list[str]) -> Array:
    """Squared integration errors of printed parameters that a fit's scores know nothing of.

    Of nodes of which each person has draws of his own the scores are the very sums whose maximum
    was sought: their noise is in them. Quadratures are the same for all, and scores on nodes that
    follow persons are of more of them than the search had.
    """
    found = fit.integration
    if not isinstance(found, Certificate) or _drawn(fit):
        return np.zeros(len(names))
    shift, low, high = (found.shift[c].to_numpy(dtype=float) for c in ("estimate", "low", "high"))
    units = shift_units(fit.space, fit.theta, fit.information)
    error = np.fmax(np.abs(shift), (high - low) / 2) * units
    where = [fit.space.names.index(name) for name in names]
    return np.asarray(np.nan_to_num(error[where]) ** 2)


def _drawn(fit: Fit) -> bool:
    """Whether nodes are those of the population, drawn anew for each person."""
    return isinstance(fit.grid, PopulationGrid) and not fit.grid.shared


def _bias(fit: Fit, names: list[str], which: str) -> list[str]:
    """A note on the shifts that the test takes for differences."""
    if not isinstance(fit.integration, Certificate) or not _drawn(fit):
        return []
    shift = fit.integration.shift["estimate"][names]
    if not shift.abs().max() > NOTED:
        return []
    worst = str(shift.abs().idxmax())
    return [
        f"integration shifts {worst} of the {which} fit by {shift[worst]:+.2f} standard errors, a "
        "bias of its draws that the test may find: fit with more, or centred(sobol(64))"
    ]


def _quadratic(gap: Array, spread: Array, noise: Array) -> tuple[float, int, list[str]]:
    """``d' (V + N)^-1 d`` over directions where V is larger than N, their number, and notes.

    All are in units of standard errors. N is the diagonal of ``noise``, the variances of
    integration, and of optimisers' `RANK`: these end a ten-thousandth of an error from where they
    should.
    """
    least = RANK * max(1.0, np.abs(np.linalg.eigvalsh(spread)).max())
    # Directions w with w' N w = 1, so that values are multiples of the noise.
    values, vectors = eigh(spread, np.diag(noise + least))
    positive, negative = values > 1.0, int((values < -1.0).sum())
    # Of tied parameters some directions have no variance at all, and no noise of integration.
    none = int((np.abs(np.linalg.eigvalsh(spread)) <= least).sum())
    left = max(0, len(gap) - negative - int(positive.sum()) - none)
    notes = []
    if negative:
        notes.append(
            f"the difference of the covariances is not positive definite ({negative} of "
            f"{len(gap)} directions are negative and left out): the first estimator is not the "
            "more efficient one, or the sample is small; kind='joint', of fits to the same "
            "choices, has no such directions"
        )
    if left and noise.any():
        notes.append(
            f"{left} of {len(gap)} directions of the difference are left out: integration moves "
            "the estimates more there than the data do"
        )
    if not positive.any():
        raise SpecificationError(
            "the difference of the estimates has no direction of positive variance, beyond that of "
            "integration: either both fits are one estimator here, or the first is not the "
            "efficient one, hausman_test(efficient, consistent), or integration is too coarse to "
            "tell (fit.integration)"
        )
    along = vectors[:, positive].T @ gap
    statistic = float((along**2 / (values[positive] + 1.0)).sum())
    return statistic, int(positive.sum()), notes


def _common(one: Fit, other: Fit, params: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Names to compare, and a note on those that mean something else in each fit."""
    shared = [name for name in one.space.names if name in other.space.names]
    names = shared if params is None else list(params)
    strange = [name for name in names if name not in shared]
    if strange:
        raise SpecificationError(f"{strange[0]!r} is not in both fits, which share {shared}")
    mine, theirs = meanings(one), meanings(other)
    why: dict[str, list[str]] = {}
    for name in names:
        words = mine[name].differs(theirs[name])
        if words:
            why.setdefault(words, []).append(name)
    if not why:
        return names, []
    words = "; ".join(f"{', '.join(left)} ({reason})" for reason, left in why.items())
    same = [name for name in names if not mine[name].differs(theirs[name])]
    if params is not None or not same:
        raise SpecificationError(
            f"the fits' parameters of one name are not one quantity: {words}; fit both with the "
            "same laws, in the same space and classes, against the same base, or leave these out "
            "of 'params'"
        )
    return same, [f"left out, another quantity in each fit: {words}"]
