"""Predicted probabilities of every alternative in every situation, with their uncertainty."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.classical.predict import probability_table
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Sample, enumerate_sample
from bayesmix.demand.shares import of_rows


def predict(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    predict: ChoiceData | None = None,
    scenario: ChoiceData | None = None,
    **how: Unpack[Options],
) -> pd.DataFrame:
    """Predicted probability of every alternative in every situation, with intervals.

    ``E[P_itj(beta_i)]`` at a fit's estimates, or its mean over the draws of a posterior; the
    interval is that of the expectation, from what is not known of the parameters.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    data
        The data that it was fitted to, or other choice sets with the same columns: one is enough,
        and choices are not needed. A posterior's formula that has learnt from its data (centres,
        levels that are not all offered) wants these as ``data``, and others as ``predict``.
    predict
        Choice sets to predict for, where these are others than ``data``. With ``people="known"``
        what is known of each person are the choices in ``data``.
    scenario
        Made from these sets by ``with_attribute``, ``without`` or ``with_alternative``.
    **how
        As in `shares`.

    Returns
    -------
    pandas.DataFrame
        ``person``, ``situation``, ``alternative``, ``probability``, ``low`` and ``high``, as
        `Fit.predict` orders them.

    Raises
    ------
    DataError
        If sets and result do not belong together, or choices would be predicted from themselves.
    SpecificationError
        If ``result`` is of another kind, or a fit has no covariance matrix.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> found = bm.predict(fit, data, draws=20, rng=1)
    >>> bool((found["probability"] == fit.predict()["probability"]).all())
    True
    >>> bool((found["low"] < found["high"]).all())
    True
    """
    found = enumerate_sample(result, data, Where(scenario, predict=predict), settle(how))
    ends = found.of(lambda theta: _probabilities(found, theta), "probabilities")
    estimate, low, high = (_split(found, values) for values in ends)
    return probability_table(found.there, *estimate, low=low, high=high)


def _probabilities(found: Sample, theta: Array) -> Array:
    """Probabilities of all rows, each situation's outside option after its own."""
    return np.concatenate(list(found.over(theta, of_rows)))


def _split(found: Sample, values: Array) -> tuple[Array, Array]:
    """Values of the rows (R,), and of the outside option (T,) where there is one."""
    data = found.there.data
    if not data.outside_option:
        return values, values[:0]
    last = np.cumsum(np.diff(data.situation_start) + 1) - 1
    return np.delete(values, last), values[last]
