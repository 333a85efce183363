"""What choices themselves tell about identification: alternatives, and persons' habits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmix.arrays import Flags, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, show
from bayesmix.data.reserved import OUTSIDE
from bayesmix.identification.findings import Finding

RARE = 0.05
"""Share of situations below which an alternative is rarely offered."""
SOME, MOST = 0.1, 0.5
"""Shares of persons from which a habit is noted, and warned of."""
TIMES = 1.5
"""As often as by chance, at least, to be a habit."""


def choice_findings(data: ChoiceData) -> Iterator[Finding]:
    """Alternatives that are never, always, or rarely met; persons who do not vary."""
    if not data.observed:
        return
    yield from _alternatives(data)
    yield from _persons(data)
    yield from _single(data)


def _alternatives(data: ChoiceData) -> Iterator[Finding]:
    real = np.diff(data.situation_start) + data.outside_option > 1
    labels = (*data.alternatives, *([OUTSIDE] if data.outside_option else []))
    offered = np.bincount(data.alternative_code[real[data.row_situation]], minlength=len(labels))
    if data.outside_option:
        offered[-1] = real.sum()
    chosen = np.bincount(chosen_alternative(data)[real], minlength=len(labels))

    def names(which: Flags) -> str:
        return first_few([label for label, w in zip(labels, which, strict=True) if w])

    never = (chosen == 0) & (offered > 0)
    if never.any():
        yield Finding(
            "warning",
            f"{never.sum()} of {len(labels)} alternatives are never chosen",
            f"alternatives {names(never)}",
            "give them no constant, which would fall without bound; or leave them out",
        )
    always = (chosen == offered) & (offered > 0)
    if always.any():
        yield Finding(
            "warning",
            f"{always.sum()} of {len(labels)} alternatives are always chosen where they are "
            "offered with others",
            f"alternatives {names(always)}",
            "give them no constant, which would grow without bound; or look at who is offered them",
        )
    rare = (offered > 0) & (offered < RARE * real.sum())
    if rare.any():
        yield Finding(
            "note",
            f"{rare.sum()} of {len(labels)} alternatives are offered in less than "
            f"{RARE:.0%} of the situations",
            f"alternatives {names(rare)}",
            "expect wide intervals for what is theirs alone, or let them share a constant",
        )


def _persons(data: ChoiceData) -> Iterator[Finding]:
    situations = np.diff(data.person_start)
    several = situations > 1
    if not several.any():
        return
    chosen, start = chosen_alternative(data), data.person_start[:-1]
    same = np.minimum.reduceat(chosen, start) == np.maximum.reduceat(chosen, start)
    same &= several
    share = same.sum() / several.sum()
    shares = np.bincount(chosen) / len(chosen)
    chance = np.mean([(shares**t).sum() for t in situations[several]])
    if share >= max(SOME, TIMES * chance):
        yield Finding(
            "warning" if share > MOST else "note",
            f"{same.sum()} of the {several.sum()} persons with several situations ({share:.0%}, by "
            f"chance {chance:.0%}) choose the same alternative in all of them",
            f"persons {first_few(data.persons[same])}",
            "where labels mean something give constants a law, or habits are taken for tastes; "
            "standard deviations are read from how far the others vary",
        )


def _single(data: ChoiceData) -> Iterator[Finding]:
    alone = np.flatnonzero(np.diff(data.situation_start) + data.outside_option == 1)
    if len(alone):
        person, situation = data.situations[alone[0]]
        of_person = "" if data.person is None else f" of person {show(person)}"
        yield Finding(
            "note",
            f"{len(alone)} of {data.n_situations} situations have a single alternative and say "
            "nothing",
            f"first in situation {show(situation)}{of_person}",
            "add the alternatives that were not chosen, if there were any",
        )


def chosen_alternative(data: ChoiceData) -> Indices:
    """Position (T,) of the chosen alternative; the outside option's comes last."""
    chosen = np.full(data.n_situations, len(data.alternatives))
    inside = data.chosen_row >= 0
    chosen[inside] = data.alternative_code[data.chosen_row[inside]]
    return chosen
