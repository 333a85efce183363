"""People some of whom have made choices before: these are known by them, the others are new."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arguments import instance
from bayesmix.arrays import Flags, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.labels import as_text, check_same_kind
from bayesmix.data.row_order import name_situation
from bayesmix.data.subset import take_persons
from bayesmix.demand.draws import parameter_draws, point_alone
from bayesmix.demand.options import CheckedOptions, Where
from bayesmix.demand.sample import Sample, enumerate_sample
from bayesmix.errors import DataError
from bayesmix.likelihood.bind import bind_like, check_scenario
from bayesmix.likelihood.problem import Problem


@dataclass(frozen=True, eq=False)
class Group:
    """Persons of a set who are all known, or all new.

    ``places`` (n,) are theirs in the set.
    """

    places: Indices
    known: bool
    sample: Sample


def groups_of(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    new: ChoiceData,
    how: CheckedOptions,
    scenario: ChoiceData | None,
    argument: str = "new",
) -> list[Group]:
    """The known and the new persons of ``new``, ready for sums at the same points of parameters.

    ``argument`` is the name of what ``new`` are given as. Held-out choices, given as "predict",
    are predicted at a fit's estimates alone.

    Raises
    ------
    DataError
        If ``new`` are no choice data, or hold answers that are among those in ``data``.
    """
    instance(argument, new, ChoiceData, "ChoiceData, made with ChoiceData.from_long or from_wide")
    new = new.first_choices()
    if scenario is not None:
        check_scenario(new, scenario)
    parameters = parameter_draws(result, data, 1)
    there = bind_like(parameters.problem, new, argument)
    known = known_persons(data, new, argument)
    refuse_answered(parameters.problem, there, known, argument)
    found: list[Group] = []
    points = None if argument == "new" else point_alone(result)
    for is_known in (True, False):
        places = np.flatnonzero(known == is_known)
        if not len(places):
            continue
        people = "known" if is_known else "population"
        of = _some(new, places)
        changed = None if scenario is None else _some(scenario, places)
        where = Where(changed, predict=of)
        sample = enumerate_sample(result, data, where, replace(how, people=people), points)
        if found:  # everybody at the same draws of the parameters
            sample = replace(sample, uncertainty=found[0].sample.uncertainty)
        found.append(Group(places, is_known, sample))
    return found


def _some(data: ChoiceData, places: Indices) -> ChoiceData:
    return data if len(places) == data.n_persons else take_persons(data, places)


def known_persons(data: ChoiceData, new: ChoiceData, argument: str = "new") -> Flags:
    """Which persons (I,) of ``new`` have made choices in ``data``: they are found by their labels.

    Nobody has where the data hold no choices, or situations are their own persons.

    Raises
    ------
    DataError
        If a label of a person is text in one of the two and a number, say, in the other.
    """
    if not data.observed or data.person is None or new.person is None:
        return np.zeros(new.n_persons, dtype=bool)
    check_same_kind(argument, new.persons, data.persons)
    return np.asarray(new.persons.isin(data.persons))


def refuse_answered(past: Problem, there: Problem, known: Flags, argument: str) -> None:
    """Refuse choices of known persons that are among those they are known by.

    A situation is the same where its person, its label and what it offers are.

    Raises
    ------
    DataError
        Naming the first.
    """
    again = answered(past, there, known)
    if again.any():
        data = there.data
        first = name_situation(data.situations, int(np.flatnonzero(again)[0]), panel=True)
        raise DataError(
            f"argument {argument!r} holds {int(again.sum())} choices that are in the data too, "
            f"first {first}: they would be predicted from themselves, as if each answer were known "
            f"before it is given; give what is known as the data and what is to be predicted as "
            f"{argument}=, or people='population'"
        )


def answered(past: Problem, there: Problem, known: Flags) -> Flags:
    """Situations (T,) of known persons, with answers, that are among those of ``past``."""
    own, data = past.data.first_choices(), there.data
    if not (own.observed and data.observed and known.any()):
        return np.zeros(data.n_situations, dtype=bool)
    before = past if own is past.data else bind_like(past, own)
    place = _places(own, data)
    sizes, old = np.diff(data.situation_start), np.diff(own.situation_start)
    same = (place >= 0) & np.repeat(known, np.diff(data.person_start)) & (sizes == old[place])
    at = np.repeat(same, sizes)
    if not same.any():
        return same
    shift = own.situation_start[:-1][place] - data.situation_start[:-1]
    rows = np.flatnonzero(at)
    old_rows = rows + shift[data.row_situation[rows]]
    columns, old_columns = (p.design.written(p.data).columns for p in (there, before))
    labels, old_labels = (
        np.array([*map(str, d.alternatives)], dtype=object)[d.alternative_code] for d in (data, own)
    )
    differ = (columns[rows] != old_columns[old_rows]).any(axis=1)
    differ |= labels[rows] != old_labels[old_rows]
    same[data.row_situation[rows[differ]]] = False
    return same


def _places(own: ChoiceData, data: ChoiceData) -> Indices:
    """Of the situations (T,) of ``data`` the places in ``own``, -1 where there is none.

    Task 3 and task '3' of a person are one: what they offer decides whether they are the same.
    """
    there = [each.situations for each in (own, data)]
    if not all(each.levels[1].dtype.kind in "iuf" for each in there):
        there = [
            pd.MultiIndex.from_arrays(
                [each.get_level_values(0), each.get_level_values(1).map(as_text)]
            )
            for each in there
        ]
    return np.asarray(there[0].get_indexer(there[1]))
