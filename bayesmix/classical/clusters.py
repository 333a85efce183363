"""Clusters of persons, from a column of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Indices
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.first_stage_errors import shared_clusters
from bayesmix.data.attributes import check_complete
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import show
from bayesmix.data.varying import kind_of_person, varies_within_persons
from bayesmix.errors import DataError


def person_groups(data: ChoiceData, column: str) -> Indices:
    """The cluster (I,) of each person: the values of ``column``, numbered from 0.

    Raises
    ------
    DataError
        If the column is missing or has missing values, varies within persons, or is the same for
        everybody.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> groups = person_groups(data, "id")
    >>> bool((groups == range(data.n_persons)).all())
    True
    """
    arguments.text("cluster", column, "the name of a column")
    codes, names = pd.factorize(check_complete(data, column, of_persons=True))
    first = codes[data.situation_start[data.person_start[:-1]]]
    other = codes != first[data.row_person]
    if other.any():
        raise DataError(
            f"column {show(column)} {varies_within_persons(data, other)}: clusters are made of "
            f"whole {kind_of_person(data)}s; take a coarser column"
        )
    if len(names) < 2:
        raise DataError(
            f"column {show(column)} is {show(names[0])} for everybody: standard errors by cluster "
            "need two clusters, and are good with some tens"
        )
    return first.astype(np.int64)


def with_groups[Kind: Estimates](fit: Kind, groups: Indices, column: str) -> Kind:
    """The fit with these clusters."""
    found, first = fit.information, fit.information.first
    if first is not None:
        first = replace(first, groups=shared_clusters(fit.problem, groups))
    return replace(fit, information=replace(found, groups=groups, grouped_by=column, first=first))


def clustered[Kind: Estimates](fit: Kind, data: ChoiceData, column: str) -> Kind:
    """`Fit.clustered`.

    Raises
    ------
    DataError
        As `person_groups`, or if the data have other persons than the fit.
    """
    if data.n_persons != fit.n_persons:
        raise DataError(
            f"the data have {data.n_persons} persons, the fit {fit.n_persons}: pass its data"
        )
    return with_groups(fit, person_groups(data, column), column)
