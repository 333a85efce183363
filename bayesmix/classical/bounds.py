"""Estimates within bounds: parameters that would cross one are held there (active sets)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.constraint_map import constraint_map
from bayesmix.specification.model import MixedLogit

ROUNDS = 20
"""Fits, and three more for each bound, after which a search gives up."""
PULL = 0.01
"""Standard deviations of a multiplier from 0, on the side of a bound where the log-likelihood
rises into what is allowed, from which on a parameter is let go."""

Active = Mapping[str, float]


def within_bounds(model: MixedLogit, estimate: Callable[[MixedLogit], Fit]) -> Fit:
    """The fit whose estimates keep the model's bounds.

    An active set (Nocedal and Wright 2006, chapter 16): of the estimates that cross bounds the one
    that is most standard errors beyond is held at its own, the others are estimated again; where
    none crosses, one whose multiplier says that the log-likelihood rises inwards is let go. Ties
    may leave bounds that cannot hold at once, though one of them does: what is held then makes
    room for what is crossed.

    Raises
    ------
    ConvergenceError
        If the search goes round in circles before any estimates keep the bounds.
    """
    if not isinstance(model, MixedLogit) or not model.constraints.bounds:
        return estimate(model)
    active: Active = {}
    seen = {frozenset(active.items())}
    best: tuple[Fit, Active] | None = None
    for _ in range(ROUNDS + 3 * len(model.constraints.bounds)):
        fit = estimate(_holding(model, active))
        crossed = _most_crossed(model, fit)
        if crossed is not None:
            active = _with(model, fit, active, crossed)
        else:
            if best is None or fit.loglik > best[0].loglik:
                best = fit, active
            pulled = _pulled_inwards(model, fit, active)
            if pulled is None:
                break
            active = {name: value for name, value in active.items() if name != pulled}
        key = frozenset(active.items())
        if key in seen:
            break
        seen.add(key)
    if best is None:
        raise ConvergenceError(
            f"after {len(seen)} fits estimates still cross bounds ({', '.join(active)}): hold "
            "parameters at bounds yourself, fixed="
        )
    fit, active = best
    if not active:
        return fit
    at = ", ".join(f"{name} at its bound {value:g}" for name, value in active.items())
    return replace(fit, message=f"{fit.message}. Held: {at}", at_bounds=tuple(active))


def _holding(model: MixedLogit, active: Active) -> MixedLogit:
    if not active:
        return model
    return replace(model, constraints=model.constraints.holding(active))


def _most_crossed(model: MixedLogit, fit: Fit) -> tuple[str, float] | None:
    """The parameter that is most standard errors beyond a bound, and the bound."""
    params, errors = fit.params, fit.std_errors
    found = []
    for name, low, high in model.constraints.bounds:
        beyond = max(low - params[name], params[name] - high)
        if beyond > 0.0:
            error = float(errors[name])
            unit = error if error > 0.0 else 1.0
            found.append((beyond / unit, name, low if params[name] < low else high))
    if not found:
        return None
    _, name, bound = max(found)
    return name, bound


def _with(model: MixedLogit, fit: Fit, active: Active, crossed: tuple[str, float]) -> Active:
    """What is held, and a parameter that crosses, without what cannot be held beside it."""
    name, bound = crossed
    if _possible(model, fit, {**active, name: bound}):
        return {**active, name: bound}
    for other in active:
        fewer = {held: value for held, value in active.items() if held != other}
        if _possible(model, fit, {**fewer, name: bound}):
            return {**fewer, name: bound}
    return {name: bound}


def _possible(model: MixedLogit, fit: Fit, active: Active) -> bool:
    try:
        constraint_map(fit.space, model.constraints.holding(active))
    except SpecificationError:
        return False
    return True


def _pulled_inwards(model: MixedLogit, fit: Fit, active: Active) -> str | None:
    """The parameter at a bound off which the log-likelihood rises most; None where none does."""
    if not active or fit.problem is None:
        return None
    _, scores = Likelihood(fit.problem, fit.grid).by_person(fit.theta)
    along = constraint_map(fit.space, model.constraints).directions
    places = [fit.space.names.index(name) for name in active]
    rows = np.nan_to_num(fit.space.jacobian(fit.theta)[places]) @ along
    by_person = fit.information.weights[:, None] * (scores @ along @ np.linalg.pinv(rows))
    total, spread = by_person.sum(axis=0), np.linalg.norm(by_person, axis=0)
    inwards = np.array([_inwards(model, name, value) for name, value in active.items()])
    pull: Array = np.divide(inwards * total, spread, out=np.zeros(len(places)), where=spread > 0)
    worst = int(np.argmax(pull))
    return list(active)[worst] if pull[worst] > PULL else None


def _inwards(model: MixedLogit, name: str, value: float) -> float:
    """1 where what is allowed is above the bound, -1 where it is below."""
    low = next(low for other, low, _ in model.constraints.bounds if other == name)
    return 1.0 if value == low else -1.0
