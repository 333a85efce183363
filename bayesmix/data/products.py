"""Products of a market, as people describe them: read, labelled, checked against the data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arguments import refused
from bayesmix.data.columns import as_pandas, first_few, nearest, show
from bayesmix.data.labels import alternative_names, as_text
from bayesmix.data.table import ChoiceTable
from bayesmix.data.widen import numbers, widened
from bayesmix.errors import DataError

EXPECTED = "a list with a dict of attributes for each product, or a frame with a row for each"


def products_table(described: Any) -> pd.DataFrame:
    """The products, a row each, complete."""
    if isinstance(described, Mapping | str | bytes) or not hasattr(described, "__len__"):
        raise refused("described", EXPECTED, described)
    if isinstance(described, Sequence):
        if not described or not all(isinstance(one, Mapping) for one in described):
            raise refused("described", EXPECTED, described)
        table = pd.DataFrame(_complete(described))
    else:
        try:
            table = as_pandas(described).reset_index(drop=True)
        except DataError as error:
            raise DataError(f"argument 'described': {error}") from None
    if not len(table.columns):
        raise DataError("argument 'described': the products have no attributes")
    missing = table.isna()
    if missing.to_numpy().any():
        column = str(table.columns[missing.any()][0])
        first = int(np.flatnonzero(missing[column])[0]) + 1
        raise DataError(
            f"argument 'described': column {show(column)} is missing for product {first}: every "
            "product has every attribute"
        )
    return widened(table)


def _complete(described: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Products that all have the same attributes, one value each."""
    names = list(dict.fromkeys(name for one in described for name in one))
    for number, one in enumerate(described, 1):
        absent = [name for name in names if name not in one]
        if absent:
            raise DataError(
                f"argument 'described': product {number} has no {first_few(absent)}, and others "
                "have: every product has every attribute"
            )
        for name, value in one.items():
            if not isinstance(name, str) or np.ndim(value):
                raise DataError(
                    f"argument 'described': column {show(name)} of product {number} is a "
                    f"{type(value).__name__}; expected a number or text: what differs between "
                    "persons is changed with with_attribute"
                )
    return [dict(one) for one in described]


def labelled_products(
    table: pd.DataFrame, data: ChoiceTable, products: str | None
) -> tuple[tuple[Hashable, ...], pd.DataFrame]:
    """The products' labels, and their attributes."""
    names = [str(name) for name in table.columns]
    column = data.alternative if products is None else products
    if products is not None and (not isinstance(products, str) or products not in names):
        raise DataError(
            f"argument 'products' must be a column of the described products, "
            f"{first_few(names, 12)}, got {show(products)}"
        )
    if column not in names:
        return tuple(f"product {number + 1}" for number in range(len(table))), table
    if column != data.alternative and data.alternative in names:
        raise DataError(
            f"argument 'products': the products have labels in column {show(column)}, and in "
            f"{show(data.alternative)}, that of the alternatives, too: leave one of them out"
        )
    labels = alternative_names(table[column].tolist())
    seen: dict[str, int] = {}
    for number, label in enumerate(labels, 1):
        other = seen.setdefault(as_text(label), number)
        if other != number:
            raise DataError(
                f"products {other} and {number} are both called {show(label)} in column "
                f"{show(column)}: give them distinct labels, products='another column', or none, "
                "and they are numbered"
            )
    own = column == data.alternative or column not in data.frame.columns
    return tuple(labels), table.drop(columns=[column]) if own else table


def check_owners(owners: str | None, table: pd.DataFrame, data: ChoiceTable) -> None:
    """Refuse owners that the products do not have, or that are another role of the data's."""
    if owners is None:
        return
    roles = (data.person, data.situation, data.alternative, data.chosen)
    if not isinstance(owners, str) or owners not in table.columns or owners in roles:
        names = [str(name) for name in table.columns]
        raise DataError(
            f"argument 'owners' must be a column of the described products, with the firm of each, "
            f"{first_few(names, 12)}, got {show(owners)}"
        )


def check_attributes(table: pd.DataFrame, data: ChoiceTable, labels: Sequence[Hashable]) -> None:
    """Refuse what is no attribute of the data, or of another kind than theirs."""
    for name in table.columns:
        if name in (data.person, data.situation, data.chosen):
            raise DataError(f"column {show(name)} says who chose what: products have none")
        if name not in data.frame.columns:
            raise DataError(
                f"argument 'described': the data have no column {show(name)}; "
                f"{nearest(name, data.frame.columns)}; labels are named by products={show(name)}"
            )
        theirs, own = numbers(data.frame[name]), numbers(table[name])
        if (theirs is None) != (own is None):
            odd = table[name].tolist()
            kinds = ("text", "numbers") if theirs is None else ("numbers", "text")
            raise DataError(
                f"column {show(name)} of the products holds {first_few(odd)}, and the data have "
                f"{kinds[0]} there, such as {show(data.frame[name].iloc[0])}: give {kinds[0]}"
            )
        if own is not None and not np.isfinite(own).all():
            bad = labels[int(np.flatnonzero(~np.isfinite(own))[0])]
            raise DataError(
                f"column {show(name)} is infinite for product {show(bad)}: give numbers"
            )
