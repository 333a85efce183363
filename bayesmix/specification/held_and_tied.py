"""A model under what the arguments of an estimator hold and tie."""

from __future__ import annotations

from dataclasses import replace

from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.model import MixedLogit


def held_and_tied(model: MixedLogit, fixed: Fixed | None, equal: Equal | None) -> MixedLogit:
    """The model under what a verb's arguments hold and tie, besides its own constraints."""
    if (fixed is None and equal is None) or not isinstance(model, MixedLogit):
        return model
    return replace(model, constraints=model.constraints.merged(fixed, equal))
