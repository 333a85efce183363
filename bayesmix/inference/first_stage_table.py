"""The first stage of a control function as people read it: coefficients, strength, residuals."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arguments import refused
from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import FIRST_STAGE
from bayesmix.bayes.read import attributes_of, is_own, posterior_draws
from bayesmix.classical.fit import Fit
from bayesmix.classical.instrument_strength import Strength, strength
from bayesmix.data.choices import ChoiceData
from bayesmix.data.display import Table, html, whole
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind, bind_sets
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.record import model_from_record
from bayesmix.specification.residuals import FirstStage

DIGITS = "{:.4f}"


@dataclass(frozen=True, eq=False, repr=False)
class FirstStageResult:
    """Least squares of an endogenous attribute on its instruments, by `first_stage`.

    Parameters
    ----------
    attribute
        The endogenous column.
    table
        By regressor: ``estimate``, ``std error`` and ``t`` by cluster, and whether it is a
        ``constant``, ``exogenous`` or an ``instrument``. Of a posterior mean and standard deviation
        of its draws, their ratio, and ``least squares`` of the attribute alone.
    strength
        F statistics of the instruments, by least squares.
    levels
        By the columns of levels: the ``observed`` attribute, ``fitted``, the ``residual``; and less
        what exogenous regressors explain, ``net`` and ``net fitted``, whose difference it is too.
    clusters, grouped_by
        Number of clusters, and their column; None where each level is one.
    left_out
        Columns of the utility that are no regressors, and why.
    draws
        Of the posterior that it is of; 0 of least squares.
    """

    attribute: str
    table: pd.DataFrame
    strength: Strength
    levels: pd.DataFrame
    clusters: int
    grouped_by: str | None
    left_out: tuple[str, ...]
    draws: int = 0

    def headline(self) -> str:
        """Sizes, strength and warnings in a few lines."""
        s = self.strength
        by = "level" if self.grouped_by is None else repr(self.grouped_by)
        number = "1 instrument" if s.instruments == 1 else f"{s.instruments} instruments"
        errors = f"standard errors by {by} ({self.clusters})"
        if self.draws:
            errors = (
                f"posterior means and standard deviations of {self.draws:,} draws, and least "
                f"squares, whose F is by {by} ({self.clusters})"
            )
        lines = [
            f"first stage of {self.attribute!r}: {len(self.levels)} levels, {errors}",
            f"{number}: F({s.instruments}, {s.df}) {s.f:.1f}, by cluster {s.f_clustered:.1f}, "
            f"effective F {s.effective_f:.1f} (critical value {s.critical:.1f}), partial R2 "
            f"{s.partial_r2:.3f}",
        ]
        lines += [s.warning] if s.weak else []
        lines += [f"not in it: {', '.join(self.left_out)}"] if self.left_out else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.table, DIGITS)}"

    def _repr_html_(self) -> str:
        words = "<br>".join(escape(self.headline(), quote=False).splitlines())
        return f"<p>{words}</p>{html(self.table, DIGITS)}"


def first_stage(
    result: Fit | MixedLogit | xr.DataTree, data: ChoiceData | None = None
) -> FirstStageResult:
    """The first stage of a model's control function: coefficients, strength, residuals.

    ``p_l = z_l' gamma + mu_l`` by least squares over levels ``l``, each once. ``F`` tests that the
    instruments' coefficients are 0; the effective F of Montiel Olea and Pflueger (2013) allows for
    clusters, and is compared with their critical value for a bias of at most 10 % of the worst
    case at a level of 5 %: that is known of linear models, and a guide here.

    Parameters
    ----------
    result
        A fit, or a model before it is fitted; or a posterior, in which choices tell of ``gamma``
        too: levels are at its mean, which is not least squares.
    data
        The data, for a model or a posterior, whose own they are; a fit has its own.

    Returns
    -------
    FirstStageResult

    Raises
    ------
    SpecificationError
        If there is no control function, a model or a posterior comes without data, or a fit with
        any.
    DataError
        As `bayesmix.ControlFunction` on these data, or if they are not the posterior's.

    References
    ----------
    Montiel Olea and Pflueger (2013).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> control = bm.ControlFunction("pf", instruments="cl", on=("chid", "alt"))
    >>> found = bm.first_stage(bm.MixedLogit("pf + loc", control=control), data)
    >>> found.table["role"].tolist()
    ['constant', 'exogenous', 'instrument']
    >>> residual = found.levels["observed"] - found.levels["fitted"]
    >>> bool((residual - found.levels["residual"]).abs().max() < 1e-12)
    True
    """
    if isinstance(result, xr.DataTree):
        return _of_draws(result, data)
    return _result(first_stage_record(result, data))


def _of_draws(posterior: xr.DataTree, data: ChoiceData | None) -> FirstStageResult:
    """The first stage as a posterior has it: draws of its coefficients."""
    if data is None:
        raise SpecificationError(
            "argument 'data': a posterior's first stage is on the levels of its data: give them, "
            "first_stage(posterior, data)"
        )
    model = model_from_record(json.loads(attributes_of(posterior)["model"]))
    first = first_stage_record(model, data)
    if not is_own(posterior, data):
        raise DataError("argument 'data': these are not the choices that the posterior is of")
    draws = posterior_draws(posterior)[FIRST_STAGE].sel(regressor=list(first.names))
    flat = draws.transpose("chain", "draw", "regressor").to_numpy().reshape(-1, len(first.names))
    found = _result(first, flat.mean(axis=0))
    sd = flat.std(axis=0, ddof=1) if len(flat) > 1 else np.full(len(first.names), np.nan)
    table = pd.DataFrame(found.table).assign(**{"std error": sd, "t": flat.mean(axis=0) / sd})
    table.insert(3, "least squares", first.gamma)
    return replace(found, table=Table(table), draws=len(flat))


def first_stage_record(result: Fit | MixedLogit, data: ChoiceData | None = None) -> FirstStage:
    """The first stage of a fit, or of a model on data."""
    if isinstance(result, Fit):
        if data is not None:
            raise refused("data", "left out with a fit, which has its own", data)
        residuals = result.problem.design.residuals
    elif isinstance(result, MixedLogit):
        if data is None:
            raise SpecificationError(
                "argument 'data': a model has a first stage on data alone: give them, "
                "first_stage(model, data), or a fit"
            )
        observed = isinstance(data, ChoiceData) and data.observed
        residuals = (bind if observed else bind_sets)(result, data).design.residuals
    else:
        raise refused("result", "a fit of bm.msle, a posterior, or a MixedLogit", result)
    if residuals is None:
        raise SpecificationError(
            "the model has no control function: MixedLogit(..., control=ControlFunction('price', "
            "instruments='cost', on=('market', 'alternative')))"
        )
    return residuals.first


def _result(first: FirstStage, gamma: Array | None = None) -> FirstStageResult:
    """By least squares, or with other coefficients (G,)."""
    gamma = first.gamma if gamma is None else gamma
    residual = first.residual_at(gamma)
    errors = np.sqrt(np.diag(first.covariance()))
    roles = ["instrument" if e else "exogenous" for e in first.excluded]
    roles[0] = "constant"
    table = pd.DataFrame(
        {
            "estimate": gamma,
            "std error": errors,
            "t": gamma / errors,
            "role": roles,
        },
        index=pd.Index(first.names, name="regressor"),
    )
    exogenous = first.x[:, ~first.excluded]
    exogenous = exogenous / np.sqrt((exogenous**2).mean(axis=0))
    net = first.price - exogenous @ np.linalg.lstsq(exogenous, first.price, rcond=None)[0]
    index = pd.MultiIndex.from_tuples(first.keys, names=first.control.on)
    levels = pd.DataFrame(
        {
            "observed": first.price,
            "fitted": first.price - residual,
            "residual": residual,
            "net": net,
            "net fitted": net - residual,
        },
        index=index,
    )
    return FirstStageResult(
        first.control.price,
        Table(table),
        strength(first),
        levels,
        first.n_clusters,
        first.grouped_by,
        first.left_out,
    )
