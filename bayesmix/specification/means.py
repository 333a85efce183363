"""The columns that means multiply: what choices must be able to tell apart.

The mean of ``beta_ik`` is ``mean_k + shift_k'z_i`` where a law is linear in its index, so that a
covariate's shift is the fixed coefficient of a column ``x_itjk z_im``. An error component has no
mean, and its column may well be a combination of others: choices see its variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.parts import Rows
from bayesmix.errors import DataError, Fault
from bayesmix.formulas.variation import flat_faults, variation_faults
from bayesmix.specification.covariates import Covariates
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.magnitudes import constant_faults, size_faults


@dataclass(frozen=True, eq=False)
class Terms:
    """Columns of a utility, and the laws of some of them.

    Parameters
    ----------
    values, names
        Columns (R, M) and their names.
    coefficients
        Those of them that vary over people; names that are no column are passed over.
    persons
        Covariates of their means; None where they are not known.
    """

    values: Array
    names: tuple[str, ...]
    coefficients: Sequence[Coefficient] = ()
    persons: Covariates | None = None


def meanless(coefficients: Sequence[Coefficient], persons: Covariates | None = None) -> Flags:
    """Which coefficients (K,) cannot have the same mean, other than 0, for everybody.

    Those of laws that are symmetric around an index of mean 0 (a lognormal one has a mean), unless
    shifts make a mean of everybody's: those by groups do, ``mean="0 + C(region)"``.
    """
    found = _without_mean(coefficients, persons)
    for k in np.flatnonzero(found):
        found[k] = persons is None or constant_shifts(persons, int(k)) is None
    return found


def constant_shifts(persons: Covariates, k: int) -> Array | None:
    """Shifts (S,) of coefficient ``k`` that sum to 1 for everybody; None where none do."""
    columns = [m for m, (position, _) in enumerate(persons.shifts) if position == k]
    z, ones = persons.values[:, columns], np.ones(len(persons.values))
    found: Array = np.linalg.lstsq(z, ones, rcond=None)[0] if columns else np.zeros(0)
    return found if np.abs(z @ found - ones).max() < 1e-9 else None


def _without_mean(coefficients: Sequence[Coefficient], persons: Covariates | None) -> Flags:
    """Which coefficients (K,) have a mean of 0 whatever their parameters, but for shifts."""
    centred = [k for k, c in enumerate(coefficients) if c.mean == "0"]
    if persons is not None:
        centred = list(persons.centred)
    found = np.zeros(len(coefficients), dtype=bool)
    found[centred] = True
    even: Flags = np.array([c.law.even for c in coefficients], dtype=bool)
    return found & even


@dataclass(frozen=True, eq=False)
class MeanColumns:
    """Columns (R, M) that means multiply: some of the utility's, and products with covariates.

    Parameters
    ----------
    values
        Columns of the utility.
    kept
        Places of those that are as they are.
    products
        Places of columns, and covariates (I,) of the persons by which they are multiplied.
    first
        First row (I + 1,) of each person.
    """

    values: Rows
    kept: Sequence[int]
    products: Sequence[tuple[int, Array]]
    first: Indices

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape[0], len(self.kept) + len(self.products)

    @property
    def of(self) -> tuple[Rows, ...]:
        """What they are taken from."""
        return (self.values,)

    def __getitem__(self, rows: slice) -> Array:
        own = self.values[rows]
        kept = own if list(self.kept) == list(range(own.shape[1])) else own[:, list(self.kept)]
        if not self.products:
            return kept
        start, stop, _ = rows.indices(self.shape[0])
        person = np.searchsorted(self.first, np.arange(start, stop), side="right") - 1
        shifts = [own[:, m] * z[person] for m, z in self.products]
        return np.column_stack([kept, *shifts])


def mean_columns(terms: Terms, data: ChoiceData) -> tuple[MeanColumns, tuple[str, ...]]:
    """Columns (R, M) that means multiply, and their names: those of the utility, then shifts.

    Shifts are those of laws linear in their index; a lognormal's is no fixed coefficient.
    """
    none = _without_mean(terms.coefficients, terms.persons)
    without = {c.term for c, is_none in zip(terms.coefficients, none, strict=True) if is_none}
    kept = [m for m, name in enumerate(terms.names) if name not in without]
    names, products = [terms.names[m] for m in kept], []
    if terms.persons is not None:
        for m, (k, covariate) in enumerate(terms.persons.shifts):
            c = terms.coefficients[k]
            if c.law.even and c.term in terms.names:
                products.append((terms.names.index(c.term), terms.persons.values[:, m]))
                names.append(f"shift[{c.term}, {covariate}]")
    first = data.situation_start[data.person_start]
    return MeanColumns(terms.values, kept, products, first), tuple(names)


def check_terms(terms: Terms, data: ChoiceData) -> None:
    """Refuse columns that no choice can inform.

    Raises
    ------
    DataError
        If a column has no variation within any situation, or means cannot be told apart, for what
        they multiply is perfectly collinear within situations.
    """
    for fault in term_faults(terms, data):
        raise DataError(fault)


def term_faults(terms: Terms, data: ChoiceData) -> Iterator[Fault]:
    """All that `check_terms` refuses, the first of which it raises."""
    refused = [
        *size_faults(terms.values, terms.names, data),
        *constant_faults(terms.values, terms.names, data),
    ]
    if refused:
        yield from refused
        return
    values, names = mean_columns(terms, data)
    for fault in variation_faults(values, names, data):
        yield _with_remedy(fault, terms)
    others = [m for m, name in enumerate(terms.names) if name not in names]
    rest = MeanColumns(terms.values, others, (), data.person_start)
    yield from flat_faults(rest, tuple(terms.names[m] for m in others), data)


def _with_remedy(fault: Fault, terms: Terms) -> Fault:
    """What to do where a shift is at fault: it is no column that people have written."""
    shifts = [name for name in fault.where if name not in terms.names]
    random = [c.term for c in terms.coefficients]
    fixed = [n for n in fault.where if n in terms.names and n not in random]
    if not shifts or len(fault.where) > terms.values.shape[0]:  # too few rows are another fault
        return fault
    remedy = "leave the covariate out of mean="
    if len(fixed) > 1:
        remedy = (
            f"leave one of {', '.join(fixed)} out of the formula, or the covariate out of mean="
        )
    elif fixed:
        remedy = f"leave {', '.join(fixed)} out of the formula: {', '.join(shifts)} says the same"
    return Fault(fault.what, remedy, fault.where)
