"""How a fit under constraints is nested in one of the same model under fewer of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.specification.elimination import KEPT
from bayesmix.specification.parameter import CORRELATION, SD, Parameter

AT = 1e-4
"""Standard errors within which an estimate is at a bound."""


def restricted_terms(
    restricted: Fit, full: Fit
) -> tuple[tuple[tuple[str, ...], ...], int, str, tuple[str, ...]]:
    """Blocks of variances that are 0 under the null, other restrictions, the null, its parameters.

    Raises
    ------
    SpecificationError
        If the restricted fit does not keep what the full one holds, or no law is known.
    """
    mine, theirs = restricted.information.constraint, full.information.constraint
    _check_bounds(restricted, full)
    if mine is None or not restricts(restricted, full):
        raise SpecificationError(
            "the first fit is not nested in the second: it does not hold and tie all that the "
            f"second does ({full.model.constraints}); give lr_test(restricted, full)"
        )
    dropped = full.information.size - restricted.information.size
    if dropped <= 0:
        raise SpecificationError(
            "the first fit is not nested in the second: they leave the same parameters free"
        )
    left = [
        p
        for n, p in enumerate(full.space.listed)
        if mine.held[n] and not (theirs is not None and theirs.held[n])
    ]
    at = restricted.params
    still = [p for p in left if p.kind == SD and at[str(p)] == 0.0]
    blocks, bounded = _blocks(still, [p for p in left if p.kind == CORRELATION])
    if bounded > dropped:
        raise SpecificationError(
            f"{', '.join(map(str, still))} = 0: of standard deviations that the full fit ties the "
            "law at the boundary is not known here: compare aic and bic"
        )
    named = tuple(map(str, left)) if len(left) == dropped else ()
    known = set() if theirs is None else set(theirs.constraints.equal)
    ties = [" = ".join(group) for group in mine.constraints.equal if group not in known]
    words = [
        w for w in mine.constraints.linear if theirs is None or w not in theirs.constraints.linear
    ]
    held = dict(mine.constraints.fixed)
    values = [f"{name} = {held[name]:g}" for name in map(str, left) if name in held]
    return blocks, dropped - bounded, ", ".join([*values, *ties, *words]), named


def _check_bounds(restricted: Fit, full: Fit) -> None:
    """Refuse a null at a bound, of whichever fit, and one that is beyond the full fit's."""
    at, errors = restricted.params, full.std_errors
    for fit in (restricted, full):
        for name, low, high in fit.model.constraints.bounds:
            unit = float(np.nan_to_num(errors[name])) or 1.0
            ends = [end for end in (low, high) if abs(at[name] - end) <= AT * unit]
            if ends:
                raise SpecificationError(
                    f"{name} = {at[name]:g} under the null is at a bound, where the law of the "
                    "likelihood ratio is not known: leave the bound out, or compare aic and bic"
                )
            if fit is full and not low <= at[name] <= high:
                raise SpecificationError(
                    f"the first fit is not nested in the second: {name} is {at[name]:g} there, and "
                    f"the second bounds it ({low:g} to {high:g})"
                )
        if "at its bound" in fit.message:
            raise SpecificationError(
                "a fit is at a bound, where the law of the likelihood ratio is not known: hold the "
                "parameter (fixed=) or leave the bound out"
            )


def restricts(restricted: Fit, full: Fit) -> bool:
    """Whether all free vectors that the first fit allows keep the second's constraints."""
    mine, theirs = restricted.information.constraint, full.information.constraint
    if theirs is None:
        return True
    if mine is None:
        return False
    scale = np.abs(theirs.equations).max(initial=1.0)
    along = np.abs(theirs.equations @ mine.directions).max(initial=0.0)
    return bool(along <= KEPT * scale) and theirs.kept_by(mine.offset)


def _blocks(
    still: Sequence[Parameter], correlations: Sequence[Parameter]
) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Standard deviations that are 0 together, by their correlations, and elements of variances."""
    pairs = {(frozenset(p.terms), p.number) for p in correlations}
    groups: list[list[Parameter]] = []
    for sd in still:
        term = sd.terms[0]
        near = [g for g in groups if any(_paired(term, sd, o, pairs) for o in g)]
        groups = [g for g in groups if g not in near] + [[o for g in near for o in g] + [sd]]
    for g in groups:
        own = [(a, b) for n, a in enumerate(g) for b in g[:n]]
        if not all(_paired(a.terms[0], a, b, pairs) for a, b in own):
            raise SpecificationError(
                f"{', '.join(map(str, g))} = 0: where the full fit holds some of their "
                "correlations the law at the boundary is not known here: compare aic and bic"
            )
    blocks = tuple(tuple(p.label for p in g) for g in groups)
    return blocks, sum(len(g) * (len(g) + 1) // 2 for g in groups)


def _paired(
    term: str, sd: Parameter, other: Parameter, pairs: set[tuple[frozenset[str], int | None]]
) -> bool:
    return (frozenset((term, other.terms[0])), sd.number) in pairs and sd.number == other.number
