"""Diversion ratios: where people go who leave an alternative, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import names, shown
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.close_names import close_name
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.column_arguments import PRICE, check_column
from bayesmix.demand.interventions import (
    Intervention,
    attribute_change,
    attribute_size,
    quality,
    removal,
)
from bayesmix.demand.moves import Arguments, Moves, by_row, log_leaving, moves, refuse_vanished
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Here, Sample, dataset, enumerate_sample, squeezed
from bayesmix.demand.shares import of_rows
from bayesmix.errors import SpecificationError
from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.substitution import QUALITY, REMOVAL, Change, Size, marginal
from bayesmix.kernels.vanishing_shares import VANISHED, log_row_shares
from bayesmix.likelihood.persons import OfRows
from bayesmix.likelihood.problem import Problem

KINDS = ("removal", "quality", "finite")
"""Interventions that are not named by the column that changes."""

ALIKE = Mixture(
    np.zeros((1, 0)),
    np.zeros((0, 0)),
    no_laws(0),
    np.zeros((1, 0, 1)),
    np.ones((1, 1)),
)
"""One node and no random coefficient: people who are all alike."""


def diversion(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    kind: str = "removal",
    *,
    attribute: str | None = None,
    change: Any = None,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    products: str | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Of those who leave an alternative, the share that goes to each other one.

    ``D_jk = sum_i w_i s_ik / (1 - s_ij) / sum_i w_i`` over people (situations and nodes), and the
    intervention says who leaves (Conlon and Mortimer 2021):

    - ``"removal"``: ``w = s_ij``, all who chose it;
    - ``"price"``: ``w = |alpha_i| s_ij (1 - s_ij)``, a small change of the price;
    - ``"quality"``: ``w = s_ij (1 - s_ij)``, a small change of everybody's utility;
    - a column of the data: ``w = |beta_i| s_ij (1 - s_ij)``, with ``beta_i`` the derivative of
      utility in it;
    - with ``change``, a finite change of the attribute: ``-(S_k' - S_k) / (S_j' - S_j)``.

    Where a coefficient has both signs over people (a normal law), the weights ``|beta_i|`` count
    those whom a rise drives away and those whom a fall does alike: everybody who would leave if the
    attribute became a little worse *for them*. The ratio of the derivatives of shares would let the
    two groups cancel; it is ``elasticities(..., kind="marginal")``, row by row over its diagonal.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to.
    kind
        ``"removal"``, ``"quality"``, ``"price"``, another column of the data, or ``"finite"``.
    attribute
        The column that ``kind="price"`` or ``"finite"`` is about; ``"price"`` by default.
    change
        Value, or function of the rows, that the attribute changes to, as in ``with_attribute``:
        ``lambda rows: 2 * rows["price"]``.
    scenario, predict, by, products, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``origin`` and ``destination`` (with the outside
        option) and, with ``by``, ``segment``. The diagonal is 0 and rows of the estimate sum to 1;
        a row is NaN where nobody leaves. ``logit`` is the benchmark without differences between
        people, ``s_tk / (1 - s_tj)`` with the situation's own shares ``s_t``, averaged with weights
        ``s_tj`` for a removal and ``s_tj (1 - s_tj)`` else: a multinomial logit's diversion.

    Raises
    ------
    DataError, SpecificationError
        If the intervention is not described, or utilities do not depend on the attribute.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> found = bm.diversion(fit, data, draws=20, rng=1)
    >>> found["estimate"].sum("destination").to_numpy().round(12).tolist()
    [1.0, 1.0, 1.0, 1.0]
    >>> float(abs(found["estimate"] - found["logit"]).max().round(12))
    0.0
    """
    asked = settle(how, diversion)
    found = enumerate_sample(result, data, Where(scenario, by, products, predict), asked)
    what = intervention(found.there, kind, attribute, change)
    found.check_moved(what.by, attribute or (PRICE if kind == "finite" else kind))

    def quantity(theta: Array) -> Array:
        logit = _logit(found, REMOVAL if what.kind == REMOVAL else QUALITY, theta)
        return np.stack([ratios(by_row(moves(found, what, theta))), logit], axis=-1)

    values = found.of(quantity, "diversion")
    coords = {"origin": found.inside, "destination": found.labels}
    own = type(values)(*(v[..., 0] for v in values))
    out = dataset(found, own, list(coords), coords)
    out["logit"] = (("segment", *coords), values.estimate[..., 1])
    out.attrs |= {"quantity": "diversion", "kind": kind if change is None else "finite"}
    if kind not in ("removal", "quality"):
        out.attrs["attribute"] = attribute or (PRICE if kind == "finite" else kind)
    return squeezed(out, by)


def marginal_consumers(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    kind: str = "removal",
    *,
    covariates: Sequence[str] = (),
    attribute: str | None = None,
    change: Any = None,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    products: str | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Who leaves an alternative: averages of coefficients and of columns of the data.

    ``sum_i w_i z_i / sum_i w_i`` over people (situations and nodes), with the weights ``w`` of the
    intervention as in `diversion`; ``kind="removal"`` gives all who choose the alternative.

    Parameters
    ----------
    covariates
        Columns of the data, of numbers; where one varies within situations, the values of the
        alternative that is left.
    result, data, kind, attribute, change, scenario, predict, by, products, **how
        As in `diversion`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``origin`` and ``characteristic``: the random
        coefficients, then the covariates, ``"x (column)"`` where a coefficient is called ``x``.
        NaN where nobody leaves.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> paid = bm.marginal_consumers(fit, data, covariates=["pf"], draws=2, rng=1)["estimate"]
    >>> shares = bm.shares(fit, data, draws=2, rng=1)["estimate"].to_numpy()
    >>> chosen = data.frame.loc[data.frame["choice"] == 1, "pf"].mean()
    >>> predicted = shares @ paid.sel(characteristic="pf").to_numpy()
    >>> bool(abs(predicted - chosen) < 1e-6)  # as at the maximum of any logit likelihood
    True
    """
    asked = settle(how, marginal_consumers)
    found = enumerate_sample(result, data, Where(scenario, by, products, predict), asked)
    what = intervention(found.there, kind, attribute, change)
    found.check_moved(what.by, attribute or (PRICE if kind == "finite" else kind))
    covariates = names("covariates", covariates, "a list of columns of the data")
    for name in covariates:
        check_column(found.there.data, "covariates", name)
    columns = [found.there.data.attribute(name) for name in covariates]
    z = np.column_stack([*columns, np.empty((found.there.data.n_rows, 0))])
    random = found.there.parameters.random
    own = [f"{name} (column)" if name in random else name for name in covariates]
    values = found.of(lambda theta: _averages(found, what, z, theta), "marginal consumers")
    coords = {"origin": found.inside, "characteristic": [*random, *own]}
    return squeezed(dataset(found, values, list(coords), coords), by)


def intervention(problem: Problem, kind: str, attribute: str | None, change: Any) -> Intervention:
    """The intervention that these words describe."""
    _check_kind(problem, kind, attribute)
    if kind in ("removal", "quality"):
        if attribute is not None or change is not None:
            raise SpecificationError(
                f"kind={kind!r} changes no attribute: leave 'attribute' and 'change' out, or write "
                "kind='price'"
            )
        return removal() if kind == "removal" else quality()
    name = attribute or (PRICE if kind == "finite" else kind)
    check_column(problem.data, "attribute", name)
    if change is not None:
        return attribute_change(problem, name, change)
    if kind == "finite":
        raise SpecificationError(
            "kind='finite' needs the values that the attribute changes to: such as "
            "change=lambda rows: 2 * rows['price']"
        )
    return attribute_size(problem, name)


def _check_kind(problem: Problem, kind: str, attribute: str | None) -> None:
    """Refuse a kind that is neither one of the words nor a column."""
    words, columns = (*KINDS, PRICE), list(problem.data.frame.columns)
    if isinstance(kind, str) and (kind in words or kind in columns or attribute is not None):
        return
    near = close_name(kind, [*words, *columns])
    hint = f": did you mean {near!r}?" if near else ""
    raise SpecificationError(
        f"argument 'kind' must be one of {', '.join(map(repr, words))} or another column of the "
        f"data, got {shown(kind)}{hint}"
    )


def ratios(effect: Array) -> Array:
    """Diversion (G, J, A) of effects, the diagonal 0; NaN where nobody leaves."""
    own = np.arange(effect.shape[1])
    leaving = effect[:, own, own]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(leaving[..., None] != 0.0, -effect / leaving[..., None], np.nan)
    found[:, own, own] = np.where(leaving != 0.0, 0.0, np.nan)
    return found


def _logit(found: Sample, kind: int, theta: Array) -> Array:
    """Diversion of multinomial logits with the shares of each situation."""
    return ratios(by_row(Moves(found, theta, partial(_logit_arguments, kind))))


def _logit_arguments(kind: int, here: Here) -> Arguments:
    """What kernels read where the shares' logarithms are the utilities."""
    utility = _log_shares(here)
    panel = here.piece.panel._replace(x=np.zeros((len(utility), 0)))
    change = Change(kind, panel.x, np.zeros(len(utility)))
    return Arguments(panel, here.sets, utility, change, ALIKE)


def _log_shares(here: Here) -> Array:
    """Logarithms of the shares of the rows of a piece."""
    shares = of_rows(here)
    if (shares > VANISHED).all():
        return np.log(shares)
    refuse_vanished(here.nests)
    return log_row_shares(here.panel, here.sets, here.base, here.mixture)


def _averages(found: Sample, what: Intervention, z: Array, theta: Array) -> Array:
    """Averages (G, J, K + Z) over those who leave each alternative."""
    leaving = moves(found, what, theta)
    work = partial(_leavers, scale=log_leaving(leaving), size=found.size)
    sums = list(leaving.over(work, OfRows(found.there.whole, z)))
    total = np.sum(sums, axis=0)[:, : found.size.changed]
    with np.errstate(invalid="ignore", divide="ignore"):
        return total[..., 1:] / total[..., :1]


def _leavers(here: Here, arguments: Arguments, z: Array, *, scale: Array, size: Size) -> Array:
    """Sums (G, A, 1 + K + Z) over those who leave, of 1, coefficients and columns."""
    piece = here.piece
    own, beta = marginal(
        *arguments.of_logit("marginal consumers"),
        scale[piece.sets.group[piece.situation], piece.sets.alternative],
    )
    return piece.add_up(np.hstack([own[:, None], beta, own[:, None] * piece.place(z)]), size)
