"""Elasticities of shares in attributes, by sample enumeration (Train 2009, chapters 2 and 3)."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import one_of, real, refused
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.column_arguments import check_column
from bayesmix.demand.interventions import Intervention, attribute_change, attribute_slope
from bayesmix.demand.moves import by_column, effects, moves
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Sample, dataset, enumerate_sample, squeezed
from bayesmix.errors import SpecificationError

KINDS = ("elasticity", "semi", "marginal")


def elasticities(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    attribute: str = "price",
    *,
    kind: str | None = None,
    arc: float | None = None,
    change: Any = None,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    products: str | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """How shares respond when an attribute of one alternative changes.

    Shares are of the people of the data, ``S_k = sum_t w_t P_tk / sum_t w_t``, and the attribute of
    the changed alternative moves in all situations that offer it:

    - ``"elasticity"``: ``E_jk = (dS_k / dx_j) (x_j / S_k)``, by the same proportion everywhere, so
      that ``E_jk = sum_t w_t x_tj dP_tk/dx_tj / sum_t w_t P_tk``;
    - ``"semi"``: ``dS_k/dx_j / S_k``, by the same amount everywhere;
    - ``"marginal"``: ``dS_k/dx_j``, probability by unit of the attribute.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to.
    attribute
        A column of the data, of numbers; derivatives go through the formula.
    kind
        One of the three; the elasticity by default, ``"marginal"`` with ``change``.
    arc
        A finite relative change, 0.1 for 10 % more: the arc elasticity, relative to midpoints
        (Allen 1934), ``(S_k' - S_k) / mean(S_k', S_k)`` over ``arc / (1 + arc / 2)``.
    change
        Value (or function of the rows, as in ``with_attribute``) that the attribute changes to,
        such as 1 for a dummy: the effect on shares, ``S_k' - S_k``, or with ``kind="semi"``
        relative to ``S_k``.
    scenario, predict, by, products, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``changed`` and ``responding`` alternative (the
        outside option responds) and, with ``by``, ``segment``. NaN for an alternative whose share
        is 0.

    Raises
    ------
    DataError, SpecificationError
        If the utility does not depend on the attribute, or has no derivative in it.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> found = bm.elasticities(fit, data, "pf", kind="marginal", draws=20, rng=1)
    >>> float(abs(found["estimate"].sum("responding")).max().round(12))
    0.0
    """
    kind = _kind(kind, arc, change)
    asked = settle(how, elasticities)
    found = enumerate_sample(result, data, Where(scenario, by, products, predict), asked)
    what = _intervention(found, attribute, kind, arc, change)
    found.check_moved(what.by, attribute, ratio=False)

    def quantity(theta: Array) -> Array:
        changes = moves(found, what, theta)
        if kind == "marginal":
            return effects(changes)[0] / found.mass[:, None, None]
        effect, share = by_column(changes)
        with np.errstate(invalid="ignore", divide="ignore"):
            if arc is None:
                return effect / share[:, None, :]
            return effect / (share[:, None, :] + effect / 2) * (1 + arc / 2) / arc

    values = found.of(quantity, "elasticities")
    coords = {"changed": found.inside, "responding": found.labels}
    out = dataset(found, values, list(coords), coords)
    out.attrs |= {"quantity": "elasticities", "kind": kind, "attribute": attribute}
    return squeezed(out, by)


def _kind(kind: str | None, arc: float | None, change: Any) -> str:
    """The kind, its default filled in, checked against the other arguments."""
    if kind is not None:
        one_of("kind", kind, KINDS)
    if arc is not None and change is not None:
        raise SpecificationError(
            "arguments 'arc' and 'change' both say how far the attribute moves: give one"
        )
    if arc is not None and real("arc", arc, above=-1) == 0:
        raise refused("arc", "a relative change other than 0, such as 0.1 for 10 % more", arc)
    if arc is not None and kind not in (None, "elasticity"):
        raise SpecificationError(
            f"argument 'arc' is a relative change above -1 and other than 0, for an elasticity; "
            f"got {arc!r} with kind={kind!r}: leave out one of the two"
        )
    if change is not None and kind == "elasticity":
        raise SpecificationError(
            "argument 'change' gives the effect on shares, kind='marginal' or 'semi': for an "
            "elasticity give a relative change, arc=0.1"
        )
    return kind or ("elasticity" if change is None else "marginal")


def _intervention(
    found: Sample, attribute: str, kind: str, arc: float | None, change: Any
) -> Intervention:
    there = found.there
    check_column(there.data, "attribute", attribute)
    if change is not None:
        return attribute_change(there, attribute, change)
    values = there.data.attribute(attribute)
    if arc is not None:
        return attribute_change(there, attribute, (1 + arc) * values)
    return attribute_slope(there, attribute, values if kind == "elasticity" else None)
