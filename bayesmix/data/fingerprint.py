"""A short digest of choices, to tell whether two fits are of the same data."""

from __future__ import annotations

import hashlib

import numpy as np

from bayesmix.data.known_utility import known_utility
from bayesmix.data.table import ChoiceTable


def fingerprint(data: ChoiceTable) -> str:
    """Digest of who chose what, out of which alternatives, with which weights and offsets.

    Labels and attributes do not count: models of the same choices may use different columns.

    Examples
    --------
    >>> from bayesmix import examples
    >>> data = examples.electricity()
    >>> fingerprint(data) == fingerprint(data.with_choices(data.chosen_row))
    True
    >>> fingerprint(data) == fingerprint(data.with_choices(data.situation_start[:-1]))
    False
    """
    digest = hashlib.sha256(f"{data.outside_option}".encode())
    indices = (data.person_start, data.situation_start, data.alternative_code, data.chosen_row)
    for values in indices:
        digest.update(np.ascontiguousarray(values, dtype="<i8"))
    digest.update(np.ascontiguousarray(data.weights, dtype="<f8"))
    known = known_utility(data)
    if known is not None:
        digest.update(np.ascontiguousarray(known, dtype="<f8"))
    return digest.hexdigest()[:16]
