"""Predicted probabilities of what was chosen: known people by past choices, others by the law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.bayes.read import is_own
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import point_alone
from bayesmix.demand.known_and_new import answered, groups_of
from bayesmix.demand.options import CheckedOptions, Where
from bayesmix.demand.sample import Sample, enumerate_sample
from bayesmix.demand.shares import of_rows
from bayesmix.errors import DataError
from bayesmix.evaluation.scores import Predicted
from bayesmix.likelihood.bind import bind_like
from bayesmix.likelihood.problem import Problem

LEAK = (
    "choices that are known cannot be predicted: with people='known' give past choices as the data "
    "and others of the same people as predict=, or people='population'"
)


@dataclass(frozen=True, eq=False)
class PredictedChoices:
    """Probabilities of observed choices.

    ``known`` (I,) says who was taken as known, and ``in_sample`` (T,) which choices the parameters
    were estimated on, as far as the result knows.
    """

    data: ChoiceData
    found: Predicted
    known: Flags
    in_sample: Flags


def predicted_choices(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    sets: ChoiceData | None,
    how: CheckedOptions,
    people: str | None,
) -> PredictedChoices:
    """Predicted probabilities of the choices in ``sets``, or in ``data`` where there are none.

    Parameters
    ----------
    result, data, how
        As in `bayesmix.shares`.
    sets
        Held-out choices.
    people
        Whose coefficients; None: person by person, known where there are past choices in ``data``.

    Raises
    ------
    DataError
        If there are no choices, or they would be predicted from themselves.
    """
    there = data if sets is None else sets
    check_observed(there, "data" if sets is None else "predict")
    if people == "known" and sets is None:
        raise DataError(LEAK)
    if sets is None or people == "population":
        sample = enumerate_sample(result, data, Where(predict=sets), how, point_alone(result))
        groups = [(np.arange(sample.there.n_persons), False, sample)]
    else:
        if people == "known":  # names who is not
            enumerate_sample(result, data, Where(predict=sets), how, point_alone(result))
        found = groups_of(result, data, sets, how, None, "predict")
        groups = [(group.places, group.known, group.sample) for group in found]
    return _joined(result, there.first_choices(), groups)


def check_observed(data: object, argument: str) -> None:
    """Refuse what is no choice data, or has no choices."""
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument {argument!r} must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )
    if not data.observed:
        raise DataError(
            f"argument {argument!r} holds no choices, and predictions are judged by them: give "
            "chosen= where they are made"
        )


def _joined(
    result: Fit | xr.DataTree, data: ChoiceData, groups: list[tuple[Indices, bool, Sample]]
) -> PredictedChoices:
    """Probabilities of all groups, in the order of the persons."""
    sizes = np.diff(data.situation_start) + data.outside_option
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    of_row = np.repeat(person, sizes)
    probability, known = np.empty(sizes.sum()), np.zeros(data.n_persons, dtype=bool)
    for places, is_known, sample in groups:
        known[places] = is_known
        probability[np.isin(of_row, places)] = probabilities(sample)
    start = np.append(0, sizes.cumsum())
    own = np.where(data.chosen_row >= 0, data.chosen_row - data.situation_start[:-1], sizes - 1)
    weight = data.weights[person]
    found = Predicted(probability, start, start[:-1] + own, person, weight)
    return PredictedChoices(data, found, known, _in_sample(result, data, groups[0][2].there))


def probabilities(sample: Sample) -> Array:
    """Probability of every alternative, a situation's outside option after its rows.

    At a fit's estimates, or the mean over the draws of a posterior.
    """
    return sample.of(lambda theta: np.concatenate([*sample.over(theta, of_rows)]), "").estimate


def _in_sample(result: Fit | xr.DataTree, data: ChoiceData, there: Problem) -> Flags:
    """Situations (T,) that the parameters were estimated on: a posterior knows all or none."""
    if not isinstance(result, Fit):
        groups = {"observed_data", "constant_data"} <= set(result.children)
        own = groups and is_own(result, data)
        return np.full(data.n_situations, own)
    everybody = np.ones(data.n_persons, dtype=bool)
    return answered(result.problem, bind_like(result.problem, data), everybody)
