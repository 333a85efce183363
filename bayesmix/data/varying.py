"""Columns that must be the same within persons or situations: where they are not, in words."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Flags, Indices
from bayesmix.data.columns import SHOWN, show
from bayesmix.data.row_order import name_situation
from bayesmix.data.table import ChoiceTable


def kind_of_person(data: ChoiceTable) -> str:
    """What a person is called: in a cross-section every situation is its own."""
    return "person" if data.person is not None else "situation"


def varies_within_persons(data: ChoiceTable, other: Flags) -> str:
    """How many persons, and which are first; ``other`` (R,) rows differ from their person's first.

    >>> import numpy as np
    >>> from bayesmix import examples
    >>> data = examples.electricity()
    >>> varies_within_persons(data, np.arange(data.n_rows) == 7)
    'varies within 1 of 361 persons (person 1 in row 7)'
    """
    kind = kind_of_person(data)
    named = [f"{kind} {show(data.persons[i])}" for i in np.unique(data.row_person[other])[:SHOWN]]
    return _words(data, data.row_person, other, named, f"{data.n_persons} {kind}s")


def varies_within_situations(data: ChoiceTable, other: Flags) -> str:
    """How many situations, and which are first; ``other`` (R,) rows differ from their first."""
    panel = data.person is not None
    found = np.unique(data.row_situation[other])[:SHOWN]
    named = [name_situation(data.situations, int(t), panel) for t in found]
    return _words(data, data.row_situation, other, named, f"{data.n_situations} situations")


def _words(
    data: ChoiceTable,
    group: Indices,
    other: Flags,
    named: list[str],
    whole: str,
) -> str:
    groups, first = np.unique(group[other], return_index=True)
    rows = np.flatnonzero(other)[first]
    places = [f"{name} in row {show(data.rows[r])}" for name, r in zip(named, rows, strict=False)]
    more = f"; and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
    return f"varies within {len(groups)} of {whole} ({'; '.join(places)}{more})"
