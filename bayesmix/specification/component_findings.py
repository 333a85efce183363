"""Which random coefficients are error components, and what choices cannot tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import Fault
from bayesmix.specification.error_components import check_components
from bayesmix.specification.mixing import Law
from bayesmix.specification.variation import COLLINEAR, deviations

Array = NDArray[np.float64]


def dummies_on_alternatives(values: Array, data: ChoiceData) -> tuple[Array, NDArray[np.bool_]]:
    """Each alternative's value (A, M) of columns, and which columns (M,) are 0/1 dummies on them.

    A dummy has the same value in all rows of an alternative.
    """
    table = np.zeros((len(data.alternatives), values.shape[1]))
    table[data.alternative_code] = values
    binary = ((table == 0) | (table == 1)).all(axis=0)
    return table, binary & (values == table[data.alternative_code]).all(axis=0)


def component_faults(
    values: Array, names: tuple[str, ...], laws: Sequence[Law], data: ChoiceData
) -> Iterator[Fault]:
    """Variances that choices cannot tell, of coefficients whose laws are symmetric.

    Those of dummies on alternatives that fail the rank condition, and of other columns that are the
    same but for a factor. ``values`` (R, M) and ``names`` are all columns of a utility; terms that
    are none of them are passed over.
    """
    _, dummy = dummies_on_alternatives(values, data)
    found: list[str] = []
    pairs: list[tuple[int, int]] = []
    for law in laws:
        own = [c.term for c in law.coefficients if c.law.even and c.term in names]
        own = [term for term in own if dummy[names.index(term)]]
        places = range(len(found), len(found) + len(own))
        found += own
        if law.correlated:
            pairs += [(a, b) for b in places for a in places if a < b]
    if found:
        columns = values[:, [names.index(term) for term in found]]
        yield from check_components(columns, found, data, correlated=pairs).faults()
    even = [c.term for law in laws for c in law.coefficients if c.law.even and c.term in names]
    yield from _proportional(values, [names.index(t) for t in even if t not in found], names, data)


def _proportional(
    values: Array, places: Sequence[int], names: tuple[str, ...], data: ChoiceData
) -> Iterator[Fault]:
    """Columns at ``places`` that are the same within situations, but for a factor."""
    if len(places) < 2:
        return
    unit = deviations(values[:, places], data)
    unit = unit / np.maximum(np.sqrt((unit**2).sum(axis=0)), np.finfo(float).tiny)
    near = np.triu(np.abs(unit.T @ unit) > 1.0 - 1e-9, k=1)
    for a, b in zip(*np.nonzero(near), strict=True):
        sign = np.sign(unit[:, a] @ unit[:, b])
        if np.linalg.norm(unit[:, a] - sign * unit[:, b]) < COLLINEAR:
            first, second = names[places[a]], names[places[b]]
            yield Fault(
                f"error components: sd[{first}] and sd[{second}] are not told apart, for within "
                "situations their columns are the same but for a factor",
                f"leave {second} out",
                (f"sd[{first}]", f"sd[{second}]"),
            )
