"""Choice-based samples: weights that give each choice its share of the population."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.columns import first_few, show
from bayesmix.data.reserved import OUTSIDE
from bayesmix.data.table import ChoiceTable
from bayesmix.errors import DataError

SUM = 1e-6
"""Distance from 1 of a sum of shares, which are often rounded."""


def with_population_shares[Table: ChoiceTable](data: Table, shares: Any) -> Table:
    """`ChoiceData.with_population_shares`."""
    _check(data)
    labels = [*data.alternatives, *([OUTSIDE] if data.outside_option else [])]
    population = _checked(labels, shares)
    chosen = np.where(
        data.chosen_row >= 0, data.alternative_code[data.chosen_row], len(data.alternatives)
    )
    sample = np.bincount(chosen, data.weights, len(labels))
    empty = np.flatnonzero(sample == 0)
    if len(empty):
        never = first_few([labels[a] for a in empty])
        raise DataError(
            f"argument 'shares': nobody in the sample chose {never}, "
            "and no weights can stand for those who did: leave these alternatives out of the sets "
            "and of the shares, or sample such choices"
        )
    ratio = population / (sample / sample.sum())
    return replace(data, weights=data.weights * ratio[chosen])


def _check(data: ChoiceTable) -> None:
    """Refuse data whose persons cannot be weighted by their choices."""
    if not data.observed:
        raise DataError("population shares weight choices, and the data hold none")
    if data.stage is not None:
        raise DataError(
            "population shares weight persons by their one choice, and the data hold rankings: "
            "take data.first_choices() first, or leave the weights out"
        )
    many = np.flatnonzero(np.diff(data.person_start) > 1)
    if len(many):
        raise DataError(
            f"{len(many)} persons have several situations ({first_few(data.persons[many])}), and a "
            "person sampled by one of several choices has no weight that is right for all: give "
            "person=None where situations were sampled by their choices, and the person's column "
            "as cluster=; where persons were sampled by something else, its weights, weights="
        )


def _checked(labels: list[Hashable], shares: Any) -> Array:
    if not isinstance(shares, Mapping):
        raise DataError(
            "argument 'shares' must be shares by alternative, such as {'bus': 0.2, 'car': 0.8}, "
            f"got {type(shares).__name__}"
        )
    unknown = [label for label in shares if label not in labels]
    missing = [label for label in labels if label not in shares]
    if unknown or missing:
        words = (
            f"names {show(unknown[0])}, which is no alternative"
            if unknown
            else f"has no share of {first_few(missing)}"
        )
        raise DataError(
            f"argument 'shares' {words}: give one for each of {first_few(labels)}, "
            "in the population"
        )
    for label, share in shares.items():
        number = isinstance(share, Real) and not isinstance(share, bool | np.bool_)
        if not number or not isfinite(share) or not 0 < share <= 1:
            raise DataError(
                f"argument 'shares': {show(label)} has {share!r}; expected a share of the "
                "population, above 0 and at most 1"
            )
    values = np.array([float(shares[label]) for label in labels])
    if abs(values.sum() - 1.0) > SUM:
        raise DataError(
            f"argument 'shares' sums to {values.sum():.6g}: give shares of the whole population, "
            "which sum to 1"
        )
    return values
