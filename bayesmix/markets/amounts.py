"""Numbers that are given for products: one for all, or by their labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from bayesmix.arguments import real
from bayesmix.arrays import Array, Flags
from bayesmix.data.columns import nearest, show
from bayesmix.errors import SpecificationError


def of_products(
    name: str, given: Any, labels: Sequence[Hashable], of_all: Flags, **bounds: float
) -> Array:
    """An amount for each product (J,): a number for those ``of_all`` (J,), or by label; 0 else.

    Raises
    ------
    SpecificationError
        If there is no such product, or an amount is out of bounds.

    Examples
    --------
    >>> of_products("costs", {"b": 2.0}, ["a", "b"], np.ones(2, dtype=bool)).tolist()
    [0.0, 2.0]
    """
    out = np.zeros(len(labels))
    if given is None:
        return out
    if not isinstance(given, Mapping):
        return np.where(of_all, real(name, given, **bounds), 0.0)
    allowed = [label for label, one in zip(labels, of_all, strict=True) if one]
    for label, value in given.items():
        if label not in allowed:
            raise SpecificationError(
                f"argument {name!r} has product {show(label)}, and it can be given for some that "
                f"are not; {nearest(label, allowed)}"
            )
        out[list(labels).index(label)] = real(f"{name}[{show(label)}]", value, **bounds)
    return out
