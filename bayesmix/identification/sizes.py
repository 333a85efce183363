"""What numbers of persons, situations and parameters tell about identification."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.identification.findings import Finding, counted
from bayesmix.identification.habits import MOST
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameters import ParameterSpace

FEW = 10
"""Persons a parameter below which normal limits are doubtful."""


def size_findings(space: Layout, data: ChoiceData, free: int | None = None) -> Iterator[Finding]:
    """Persons against free parameters, and situations a person against random terms of a class.

    ``free`` is the number of parameters that are not held; all of them by default.
    """
    yield from _persons(space.size if free is None else free, data)
    if space.n_random:
        yield from _situations(space.within, data)


def _persons(size: int, data: ChoiceData) -> Iterator[Finding]:
    weights = data.weights
    persons = float(weights.sum() ** 2 / (weights @ weights))
    number = f"{persons:.0f} persons" + (" (their weights allowed for)" if np.ptp(weights) else "")
    if persons <= size:
        yield Finding(
            "warning",
            f"{size} parameters but only {number}: the outer product of their scores is "
            "singular, and robust standard errors mean nothing",
            "",
            "use fewer random terms or correlations, or priors (bm.sample)",
        )
    elif persons < FEW * size:
        yield Finding(
            "note",
            f"{size} parameters and {number}, fewer than {FEW} a parameter: standard errors "
            "rest on limits that may be far",
            "",
            "bootstrap, or use priors (bm.sample)",
        )


def _situations(space: ParameterSpace, data: ChoiceData) -> Iterator[Finding]:
    situations, pairs, k = np.diff(data.person_start), len(space.pairs), space.n_random
    once = situations == 1
    correlations = counted(pairs, "correlation")
    if once.all():
        yield Finding(
            "warning" if pairs else "note",
            f"every person chooses once, so that {counted(k, 'standard deviation')}"
            + (f" and {correlations}" if pairs else "")
            + " must be seen in patterns of substitution alone: identification is weak",
            ", ".join(space.random),
            ("leave tastes independent" if pairs else "expect wide intervals")
            + ", or find repeated choices of the same persons",
        )
    elif pairs and once.mean() > MOST:
        yield Finding(
            "warning",
            f"{once.sum()} of {len(once)} persons ({once.mean():.0%}) choose once, and say next to "
            f"nothing on {correlations}",
            f"persons {first_few(data.persons[once])}",
            "leave tastes independent, or expect wide intervals",
        )
    elif np.median(situations) < k:
        who = f"all persons choose {_times(situations[0])}"
        if np.ptp(situations):
            who = f"the median person chooses {_times(np.median(situations))}"
        yield Finding(
            "note",
            f"{who}, and there are {counted(k, 'random term')}: "
            + (f"{correlations} and " if pairs else "")
            + f"{counted(k, 'standard deviation')} must be seen in few choices of each",
            ", ".join(space.random),
            "join only tastes that are thought to move together"
            if pairs
            else "expect wide intervals, or keep some of the coefficients fixed",
        )


def _times(number: float) -> str:
    """How often: once, twice, 2.5 times."""
    return {1.0: "once", 2.0: "twice"}.get(float(number), f"{number:g} times")
