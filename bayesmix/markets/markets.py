"""Markets: groups of situations, named by a column of the data."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from bayesmix.arguments import refused
from bayesmix.data.choices import ChoiceData
from bayesmix.data.segments import segments_of
from bayesmix.demand.sample import Sample


def by_market(found: Sample, market: str | None, sets: ChoiceData) -> Sample:
    """The sample with sums by market; ``sets`` are those that a scenario was made from.

    Raises
    ------
    DataError
        If there is no such column, or it varies within situations.
    """
    if not isinstance(market, Hashable):
        raise refused("market", "the name of a column of the data", market)
    segments, names = segments_of(found.there.data, market, sets.first_choices(), "market")
    return replace(found, segments=segments, names=names)
