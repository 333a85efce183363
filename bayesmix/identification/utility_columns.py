"""What the columns of a utility tell about identification: scales, constants, repetition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.errors import Fault
from bayesmix.formulas.variation import spread
from bayesmix.identification.findings import Finding, of_fault
from bayesmix.identification.habits import MOST
from bayesmix.specification.component_findings import component_faults, dummies_on_alternatives
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.magnitudes import rounded_columns, size_faults
from bayesmix.specification.means import Terms, term_faults

NO_CONSTANT = (
    "no alternative has a constant against the outside option: where attributes are 0, each is as "
    "likely as that"
)
ORDERS = 1e3
"""Ratio of spreads from which columns are of very different scales."""


def column_findings(terms: Terms, laws: Sequence[Law], data: ChoiceData) -> Iterator[Finding]:
    """Findings on the columns of a utility, those that a fit refuses first."""
    values, names = terms.values, terms.names
    for fault in term_faults(terms, data):
        yield of_fault("error", _with_base(fault, values, names, data))
    if any(size_faults(values, names, data)):
        return
    yield from _rounded(values, names, data)
    yield from _scales(values, names, data)
    yield from _bare_alternatives(values, data)
    yield from _repeated(values, names, laws, data)
    for fault in component_faults(values, names, laws, data):
        yield of_fault("error", fault)


def empty_findings(empty: tuple[str, ...]) -> Iterator[Finding]:
    """A note on columns that have no coefficient."""
    if empty:
        yield Finding(
            "note",
            f"{len(empty)} of the formula's columns 0 in every row, and without a coefficient: an "
            "attribute that plays no role in an alternative, or a combination that no row has",
            first_few(empty, 12),
            "nothing is wrong with the others; scenarios must leave them at 0",
        )


def _with_base(fault: Fault, values: Array, names: tuple[str, ...], data: ChoiceData) -> Fault:
    """Say that collinear columns are the constants of all alternatives, where they are."""
    if len(fault.where) < 2 or not set(fault.where) <= set(names):
        return fault
    table, dummy = dummies_on_alternatives(values, data)
    where = [names.index(name) for name in fault.where]
    if not (dummy[where].all() and (table[:, where].sum(axis=1) == 1).all()):
        return fault
    base = f"{fault.remedy} (constants of all alternatives cancel: the one left out is the base)"
    return Fault(fault.what, base, fault.where)


def _scales(values: Array, names: tuple[str, ...], data: ChoiceData) -> Iterator[Finding]:
    size = spread(values, data)
    known = np.flatnonzero(size > 0)
    if not len(known):
        return
    small, large = known[size[known].argmin()], known[size[known].argmax()]
    if size[large] > ORDERS * size[small]:
        yield Finding(
            "note",
            f"columns are of very different scales: within situations {names[small]!r} varies by "
            f"{size[small]:.2g} and {names[large]!r} by {size[large]:.2g}",
            f"{names[small]}, {names[large]}",
            "choose units (thousands, hours) in which coefficients are easy to read; the fit "
            "scales columns inside",
        )


def _rounded(values: Array, names: tuple[str, ...], data: ChoiceData) -> Iterator[Finding]:
    for m, largest, step in rounded_columns(values, data):
        yield Finding(
            "warning",
            f"{names[m]!r} has few digits: numbers near {largest:.2g} are {step:.1g} apart, and "
            "within situations it varies by little more",
            names[m],
            "subtract its level before such numbers are stored; estimates are those of rounded "
            "values",
        )


def without_constant(values: Array, data: ChoiceData) -> str:
    """That nothing tells the outside option from others but attributes; "" elsewhere."""
    if not data.outside_option or dummies_on_alternatives(values, data)[1].any():
        return ""
    if data.known.offset is not None or data.known.matched is not None:
        return ""  # constants may be a part of what is known of the utility
    return "" if spans_a_constant(values) else NO_CONSTANT


def _bare_alternatives(values: Array, data: ChoiceData) -> Iterator[Finding]:
    table, dummy = dummies_on_alternatives(values, data)
    if not dummy.any():
        if without_constant(values, data):
            yield Finding(
                "note",
                NO_CONSTANT,
                "",
                f"write C({data.alternative}), or '1 + ...' for one of all alternatives",
            )
        return
    bare = ~table[:, dummy].any(axis=1)
    if bare.sum() <= (0 if data.outside_option else 1):
        return
    rule = (
        "the outside option is the base, and all others can have one"
        if data.outside_option
        else "one of them is the base, and the others can have one"
    )
    labels = [a for a, b in zip(data.alternatives, bare, strict=True) if b]
    yield Finding(
        "note",
        f"{bare.sum()} of {len(bare)} alternatives have no constant, though others do: {rule}",
        f"alternatives {first_few(labels)}",
        f"write C({data.alternative}), unless they are equal by design",
    )


def spans_a_constant(values: Array) -> bool:
    """Whether columns (R, M) sum to 1 in some way, as dummies of all groups of persons do."""
    ones, values = np.ones(len(values)), values / np.abs(values).max(axis=0, initial=1e-300)
    rest = ones - values @ np.linalg.lstsq(values, ones, rcond=None)[0]
    return bool(np.abs(rest).max(initial=0.0) < 1e-9)


def _repeated(
    values: Array, names: tuple[str, ...], laws: Sequence[Law], data: ChoiceData
) -> Iterator[Finding]:
    """Random terms that most persons always meet with the same values."""
    several = np.diff(data.person_start) > 1
    if not several.any():
        return
    _, dummy = dummies_on_alternatives(values, data)
    for term in (c.term for law in laws for c in law.coefficients if c.term in names):
        m = names.index(term)
        still = several & ~_varies(values[:, m], data)
        share = still.sum() / several.sum()
        if not dummy[m] and share > MOST:
            yield Finding(
                "warning",
                f"{term!r} is the same in all their situations for {share:.0%} of the persons with "
                "several: a taste for it is not told from one for the alternatives themselves",
                f"{term}; persons {first_few(data.persons[still])}",
                "keep its coefficient fixed, or expect its standard deviation to stand for all "
                "that persons keep to",
            )


def _varies(column: Array, data: ChoiceData) -> Flags:
    """Whether a column differs between a person's situations for some alternative, (I,)."""
    key = data.row_person * len(data.alternatives) + data.alternative_code
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    low, high = (f.reduceat(column[order], start) for f in (np.minimum, np.maximum))
    varies = np.zeros(data.n_persons, dtype=bool)
    varies[data.row_person[order][start][high > low]] = True
    return varies
