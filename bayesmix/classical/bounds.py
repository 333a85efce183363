"""Estimates within bounds: parameters that would cross one are held there (active sets)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from bayesmix.classical.fit import Fit
from bayesmix.errors import ConvergenceError
from bayesmix.specification.model import MixedLogit

ROUNDS = 20


def within_bounds(model: MixedLogit, estimate: Callable[[MixedLogit], Fit]) -> Fit:
    """The fit whose estimates keep the model's bounds.

    Parameters that cross a bound are held at it, and let go where, without it, all estimates keep
    their bounds. Of one parameter that is exact; of several it is a search over sets of them.

    Raises
    ------
    ConvergenceError
        If the search goes round in circles.
    """
    if not isinstance(model, MixedLogit) or not model.constraints.bounds:
        return estimate(model)
    active: dict[str, float] = {}
    for _ in range(ROUNDS):
        fit = estimate(_holding(model, active))
        crossed = _crossed(model, fit.params)
        if not crossed:
            break
        active |= crossed
    else:
        raise ConvergenceError(
            f"after {ROUNDS} rounds estimates still cross bounds ({', '.join(active)}): hold "
            "parameters at bounds yourself, fixed="
        )
    if len(active) > 1:
        for name in list(active):
            fewer = {other: value for other, value in active.items() if other != name}
            without = estimate(_holding(model, fewer))
            if not _crossed(model, without.params):
                fit, active = without, fewer
    if not active:
        return fit
    at = ", ".join(f"{name} at its bound {value:g}" for name, value in active.items())
    return replace(fit, message=f"{fit.message}. Held: {at}")


def _holding(model: MixedLogit, active: Mapping[str, float]) -> MixedLogit:
    if not active:
        return model
    return replace(model, constraints=model.constraints.holding(active))


def _crossed(model: MixedLogit, params: pd.Series) -> dict[str, float]:
    """The bound of each parameter that is beyond it."""
    found = {}
    for name, low, high in model.constraints.bounds:
        if params[name] < low:
            found[name] = low
        elif params[name] > high:
            found[name] = high
    return found
