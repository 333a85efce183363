"""Predicted probabilities of every alternative in every situation, with their uncertainty."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arrays import Array, Indices
from bayesmix.classical.fit import Fit
from bayesmix.classical.predict import probability_table
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.known_and_new import groups_of
from bayesmix.demand.options import CheckedOptions, Options, Where, settle
from bayesmix.demand.sample import Sample, enumerate_sample
from bayesmix.demand.shares import of_rows
from bayesmix.errors import SpecificationError


def predict(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    new: ChoiceData | None = None,
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
    new
        Choice sets to predict for, person by person: who has made choices in ``data`` (found by the
        label) is known by them, so that their coefficients have their law given these; over anybody
        else's the population's is integrated, at their own covariates. Sets are made by
        ``ChoiceData.from_long``, without ``chosen=``, or by `market`; alternatives may be others
        than those of the data, as long as the model's columns describe them.
    predict
        Choice sets to predict for, where these are others than ``data`` and everybody is treated as
        ``people`` says. With ``people="known"`` what is known of each person are the choices in
        ``data``.
    scenario
        Made from these sets by ``with_attribute``, ``without`` or ``with_alternative``.
    **how
        As in `shares`.

    Returns
    -------
    pandas.DataFrame
        ``person``, ``situation``, ``alternative``, ``probability``, ``low`` and ``high``, as
        `Fit.predict` orders them; of ``new`` sets also ``known``, whether the person was taken as
        known by past choices.

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

    The first seven tasks of a person speak for the later ones; person 1 is unknown.

    >>> tasks = data.frame.groupby("id")["chid"].rank("dense")
    >>> role = {"person": "id", "situation": "chid", "alternative": "alt"}
    >>> past = data.frame[(tasks <= 7) & (data.frame["id"] != 1)]
    >>> past = bm.ChoiceData.from_long(past, chosen="choice", **role)
    >>> later = bm.ChoiceData.from_long(data.frame[tasks > 7], **role)
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", bm.Normal("cl")), past, rng=1)
    >>> found = bm.predict(fit, past, new=later, draws=20, rng=1)
    >>> found.groupby("known")["person"].nunique().to_dict()
    {False: 1, True: 360}
    """
    asked = _checked(how)
    if new is not None and predict is not None:
        raise SpecificationError(
            "arguments 'new' and 'predict' are two ways to give the sets to predict for: give one"
        )
    if new is None or "people" in how:
        there = predict if new is None else new
        found = enumerate_sample(result, data, Where(scenario, predict=there), asked)
        table = _table(found)
        return table if new is None else table.assign(known=asked.people == "known")
    groups = groups_of(result, data, new, asked, scenario)
    tables = [_table(group.sample).assign(known=group.known) for group in groups]
    place = np.concatenate([group.places[_persons(group.sample)] for group in groups])
    return pd.concat(tables).iloc[np.argsort(place, kind="stable")]


def _checked(how: Options) -> CheckedOptions:
    """The options; an argument of `predict` has its name."""
    return settle(how, predict)


def _table(found: Sample) -> pd.DataFrame:
    """Probabilities with their intervals."""
    ends = found.of(lambda theta: _probabilities(found, theta), "probabilities")
    estimate, low, high = (_split(found, values) for values in ends)
    return probability_table(found.there, *estimate, low=low, high=high)


def _persons(found: Sample) -> Indices:
    """Person of each row of the table."""
    data = found.there.data
    sizes = np.diff(data.situation_start) + data.outside_option
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    return np.repeat(person, sizes)


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
