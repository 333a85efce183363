"""Control functions in posteriors."""

from __future__ import annotations

from typing import Any

from bayesmix.errors import SpecificationError
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.nests import refuse_nests


def refuse_control(model: Any) -> None:
    """Refuse a model whose posterior would have to have its first stage in it, and nests."""
    if isinstance(model, MixedLogit):
        refuse_nests(model.nests, "a posterior")
    if isinstance(model, MixedLogit) and model.control is not None:
        raise SpecificationError(
            "a posterior with a control function has its first stage as a part of the model, and "
            "is not built here: with residuals plugged in it would be too narrow; use bm.msle, "
            "whose standard errors carry the first stage, and bm.bootstrap"
        )
