"""Which variances of error components choices can tell: order and rank conditions.

Choices depend on differences of utilities, up to scale. With components ``f_m`` (dummies on
alternatives), variances ``s_m`` and the logit's own variance ``g``, the covariance of the
differences from the last alternative of a choice set is::

    Omega = D (sum_m s_m f_m f_m' + g I) D'

and a variance is identified only through the distinct elements of ``Omega``. Components that a
person keeps over situations have a covariance between them too, ``D_t (sum_m s_m f_m f_m') D_u'``,
in which ``g`` has no part: panels identify what a single choice does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import Fault
from bayesmix.formulas.variation import person_deviations, within_length

MOST_SETS = 100
"""Distinct choice sets that are looked at, the most frequent ones: more of them add nothing."""
TOLERANCE = 1e-9
MOST_PERSONS = 2000
"""Persons whose products are looked at, evenly spaced: more of them add nothing."""


@dataclass(frozen=True)
class Unidentified:
    """Variances of which only so many are identified.

    Parameters
    ----------
    names
        Of the variances and covariances that take part.
    identified
        How many of them are identified.
    with_scale
        Whether they trade off against the logit's own variance, so that it matters which one is
        fixed.
    """

    names: tuple[str, ...]
    identified: int
    with_scale: bool


@dataclass(frozen=True)
class ComponentCheck:
    """Order and rank conditions on the variances (and covariances) of error components.

    Parameters
    ----------
    names
        Of the M variances, then of the covariances.
    order
        Most variances that the order condition allows: distinct elements of ``Omega``, minus 1.
    rank
        How many are identified: rank of the derivatives of these elements, minus 1 for the scale.
    unidentified
        Groups of which some are not identified; empty where all are.
    """

    names: tuple[str, ...]
    order: int
    rank: int
    unidentified: tuple[Unidentified, ...]

    def faults(self) -> list[Fault]:
        """What is not identified, in words, and the remedy."""
        return [component_fault(group) for group in self.unidentified]


def check_components(
    dummies: Array,
    names: Sequence[str],
    data: ChoiceData,
    *,
    correlated: Sequence[tuple[int, int]] = (),
) -> ComponentCheck:
    """Which variances of error components are identified.

    Order condition: no more variances than distinct elements of ``Omega``, minus 1. Rank condition:
    the rank of the derivatives of these elements with respect to the variances and the logit's own
    variance ``g``, minus 1 (Walker, Ben-Akiva and Bolduc 2007). Elements of all choice sets that
    occur count, and those between two situations of a person.

    Parameters
    ----------
    dummies : (R, M)
        The components' columns: 0 or 1, the same in all rows of an alternative.
    names : (M,)
        Their names.
    data
        Whose choice sets count; an outside option has no component.
    correlated
        Positions of components that are correlated: their covariances are parameters too.

    References
    ----------
    Walker, J. L., Ben-Akiva, M. and Bolduc, D. (2007), Identification of parameters in normal error
    component logit-mixture (NECLM) models, Journal of Applied Econometrics 22.

    Examples
    --------
    One variance for each of three alternatives, of which two are identified by single choices:

    >>> import pandas as pd
    >>> from bayesmix import ChoiceData
    >>> frame = pd.DataFrame({"task": [1] * 3 + [2] * 3, "alt": list("abc") * 2,
    ...                       "y": [1, 0, 0, 0, 1, 0]})
    >>> data = ChoiceData.from_long(
    ...     frame, person=None, situation="task", alternative="alt", chosen="y")
    >>> found = check_components(np.tile(np.eye(3), (2, 1)), ["a", "b", "c"], data)
    >>> found.rank, found.unidentified[0].names
    (2, ('sd[a]', 'sd[b]', 'sd[c]'))
    """
    labels = (
        *(f"sd[{name}]" for name in names),
        *(f"corr[{names[a]}, {names[b]}]" for a, b in correlated),
    )
    pairs = [*((m, m) for m in range(len(names))), *correlated]
    gram, order = _conditions(dummies, data, pairs)
    values, vectors = np.linalg.eigh(gram)
    null = vectors[:, values <= TOLERANCE * max(values[-1], 1.0)]
    rank = len(pairs) - null.shape[1]
    return ComponentCheck(labels, min(order, len(pairs)), rank, tuple(_groups(null, labels)))


def check_products(
    columns: Array,
    names: Sequence[str],
    data: ChoiceData,
    *,
    correlated: Sequence[tuple[int, int]] = (),
) -> ComponentCheck:
    """Which variances of random coefficients on any columns are identified, but for the scale.

    Choices depend on a person's utilities through the covariance of their deviations ``d_rk`` from
    the means of situations, ``sum_kl s_kl (d_rk d_sl + d_rl d_sk) / 2`` of rows r and s. A
    combination of the ``s_kl`` for which it vanishes in all pairs of rows of all persons has no
    effect on any choice of normal coefficients. Sums over pairs of rows are products of
    ``G_i = sum_r d_r d_r'``.

    Parameters
    ----------
    columns : (R, M)
        Columns of the random coefficients.
    names, correlated
        As in `check_components`.

    Examples
    --------
    A component on the sum of two columns whose coefficients are correlated:

    >>> import numpy as np
    >>> from bayesmix import examples
    >>> data = examples.electricity()
    >>> x = data.frame[["pf", "cl"]].to_numpy(float)
    >>> three = np.column_stack([x, x.sum(axis=1)])
    >>> found = check_products(three, ["pf", "cl", "both"], data, correlated=[(0, 1)])
    >>> found.rank, check_products(three, ["pf", "cl", "both"], data).rank
    (3, 3)
    """
    labels = (
        *(f"sd[{name}]" for name in names),
        *(f"corr[{names[a]}, {names[b]}]" for a, b in correlated),
    )
    pairs = [*((m, m) for m in range(len(names))), *correlated]
    size = np.maximum(within_length(columns, data), np.finfo(float).tiny)
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    gram = np.zeros((len(pairs), len(pairs)))
    persons = np.unique(np.linspace(0, data.n_persons - 1, MOST_PERSONS).astype(np.int64))
    for d in (within / size for within in person_deviations(columns, data, persons)):
        own = d.T @ d
        gram += own[np.ix_(a, a)] * own[np.ix_(b, b)] + own[np.ix_(a, b)] * own[np.ix_(b, a)]
    size = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(gram / np.outer(size, size))
    null = vectors[:, values <= TOLERANCE * max(values[-1], 1.0)]
    # No part of the logit's own variance in it.
    longer = np.concatenate([null, np.zeros((1, null.shape[1]))])
    rank = len(pairs) - null.shape[1]
    return ComponentCheck(labels, len(pairs), rank, tuple(_groups(longer, labels)))


def _conditions(
    dummies: Array, data: ChoiceData, pairs: Sequence[tuple[int, int]]
) -> tuple[Array, int]:
    """Products ``J'J`` of the derivatives, and the number that the order condition allows."""
    gram, elements = np.zeros((len(pairs) + 1, len(pairs) + 1)), 0
    sets, together = _choice_sets(data)
    differences = [_differences(dummies[rows], data.outside_option) for rows in sets]
    for d in differences:
        size = len(d)
        own = np.concatenate([_products(d, d, pairs), (np.eye(size) + 1.0).reshape(1, size, size)])
        distinct = own[:, *np.tril_indices(size)]
        gram += distinct @ distinct.T
        elements += distinct.shape[1]
    for a, b in together:
        between = _products(differences[a], differences[b], pairs)
        flat = between.reshape(len(pairs), -1)
        gram[:-1, :-1] += flat @ flat.T
        size = len(differences[a])
        elements += size * (size + 1) // 2 if a == b else flat.shape[1]
    return gram, max(elements - 1, 0)


def _differences(rows: Array, outside: bool) -> Array:
    """Components (J - 1, M) of a choice set's differences from its last alternative."""
    return rows if outside else rows[:-1] - rows[-1]


def _products(first: Array, second: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    """Derivatives of a covariance between differences, one matrix a variance or covariance."""
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    product = first.T[a][:, :, None] * second.T[b][:, None, :]
    product[a != b] += (first.T[b][:, :, None] * second.T[a][:, None, :])[a != b]
    return product


def _choice_sets(data: ChoiceData) -> tuple[list[Indices], Iterator[tuple[int, int]]]:
    """Rows of one situation for each distinct set; and which sets one person has met, in pairs."""
    offered = csr_array(
        (np.ones(data.n_rows, dtype=np.int64), data.alternative_code, data.situation_start),
        shape=(data.n_situations, len(data.alternatives)),
    )
    # Sets are told apart by sums of random numbers: no (situations x alternatives) table is made.
    marks = np.random.default_rng(0).random(len(data.alternatives))
    _, first, code, count = np.unique(
        (offered @ marks).round(9), return_index=True, return_inverse=True, return_counts=True
    )
    kept = np.argsort(-count, kind="stable")[:MOST_SETS]
    start = data.situation_start
    sets = [np.arange(start[t], start[t + 1]) for t in first[kept]]
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    met = csr_array((np.ones(len(code)), (person, code)), shape=(data.n_persons, len(count)))
    met = met[:, kept]
    both = (met.T @ met).toarray()
    np.fill_diagonal(both, met.multiply(met).sum(axis=0) > met.sum(axis=0))
    together = zip(*np.nonzero(np.triu(both)), strict=True)
    return sets, ((int(a), int(b)) for a, b in together)


def _groups(null: Array, labels: tuple[str, ...]) -> Iterator[Unidentified]:
    """Parameters that take part in directions (M + 1, .) without an effect, group by group."""
    projection = null @ null.T
    linked = np.abs(projection) > TOLERANCE**0.5
    number, group = connected_components(csr_array(linked))
    for g in range(number):
        inside = np.flatnonzero((group == g) & linked.any(axis=1))
        names = tuple(labels[m] for m in inside if m < len(labels))
        if names:
            missing = round(float(np.trace(projection[np.ix_(inside, inside)])))
            yield Unidentified(names, len(names) - missing, len(labels) in inside)


def component_fault(group: Unidentified) -> Fault:
    """A group in words, and the remedy."""
    names = ", ".join(group.names)
    count = "none" if group.identified == 0 else f"only {group.identified}"
    missing = len(group.names) - group.identified
    kind = "variances and correlations" if "corr[" in names else "variances"
    what = (
        f"error components: {count} of the {len(group.names)} {kind} {names} "
        f"{'is' if group.identified == 1 else 'are'} identified by these choice sets"
    )
    if len(group.names) == 1:
        what = f"error components: {names} is not identified by these choice sets"
    if group.identified == 0:
        remedy = "leave these coefficients fixed, or, where they have no mean, out"
    elif group.with_scale:
        remedy = (
            f"fix {missing} of them at 0, the smallest (fixing another forces the rest: they trade "
            "off against the logit's own variance); estimate all once to see which that is"
        )
    else:
        remedy = f"fix {missing} of them at 0; it does not matter which"
    return Fault(what, remedy, tuple(group.names))
