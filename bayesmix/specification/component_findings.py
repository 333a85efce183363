"""Which random coefficients are error components, and what choices cannot tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.parts import parts
from bayesmix.errors import Fault
from bayesmix.specification.component_identification import (
    check_components,
    check_products,
    component_fault,
)
from bayesmix.specification.laws.coefficient import Law


def dummies_on_alternatives(values: Array, data: ChoiceData) -> tuple[Array, Flags]:
    """Each alternative's value (A, M) of columns, and which columns (M,) are 0/1 dummies on them.

    A dummy has the same value in all rows of an alternative.
    """
    table = np.zeros((len(data.alternatives), values.shape[1]))
    for part in parts(data, values):
        table[data.alternative_code[part.rows]] = values[part.rows]
    dummy = ((table == 0) | (table == 1)).all(axis=0)
    for part in parts(data, values) if dummy.any() else ():
        same = values[part.rows] == table[data.alternative_code[part.rows]]
        dummy &= same.all(axis=0)
    return table, dummy


def component_faults(
    values: Array, names: tuple[str, ...], laws: Sequence[Law], data: ChoiceData
) -> Iterator[Fault]:
    """Variances that choices cannot tell, of coefficients whose laws are symmetric.

    Those of dummies on alternatives that fail the rank condition, and of any columns whose products
    within persons do. ``values`` (R, M) and ``names`` are all columns of a utility; terms that are
    none of them are passed over.
    """
    _, dummy = dummies_on_alternatives(values, data)
    terms: list[str] = []
    pairs: list[tuple[int, int]] = []
    for law in laws:
        own = [c.term for c in law.coefficients if c.law.even and c.term in names]
        places = range(len(terms), len(terms) + len(own))
        terms += own
        if law.correlated:
            pairs += [(a, b) for b in places for a in places if a < b]
    if not terms:
        return
    where = [names.index(term) for term in terms]
    columns = values if where == list(range(values.shape[1])) else values[:, where]
    on_sets = [m for m, term in enumerate(terms) if dummy[names.index(term)]]
    said: list[set[str]] = []
    if on_sets:
        place = {m: n for n, m in enumerate(on_sets)}
        own_pairs = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
        of_sets = [terms[m] for m in on_sets]
        found = check_components(columns[:, on_sets], of_sets, data, correlated=own_pairs)
        said = [set(group.names) for group in found.unidentified]
        yield from found.faults()
    for group in check_products(columns, terms, data, correlated=pairs).unidentified:
        if not any(set(group.names) <= names_ for names_ in said):
            yield component_fault(group)
