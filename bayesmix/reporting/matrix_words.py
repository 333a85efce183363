"""One segment of a result of demand, and words for what a result is about."""

from __future__ import annotations

from collections.abc import Hashable

import xarray as xr

from bayesmix.arguments import shown
from bayesmix.errors import SpecificationError
from bayesmix.reporting.demand_tables import check_demand

KINDS = {
    "elasticity": "elasticity",
    "semi": "semi-elasticity",
    "marginal": "change of share",
}
LEAVES = {
    "removal": "it is removed",
    "quality": "it becomes a little worse",
}


def one_segment(found: xr.Dataset, segment: object, name: str = "found") -> xr.Dataset:
    """The results of a segment that is named, or all where there are none."""
    check_demand(found, name)
    if "segment" not in found.dims:
        if segment is not None:
            raise SpecificationError(
                "argument 'segment': these results have no segments; leave it out, or compute them "
                "with by=COLUMN"
            )
        return found
    names = found["segment"].to_numpy().tolist()
    if not isinstance(segment, Hashable) or segment not in names:
        raise SpecificationError(f"argument 'segment' must be one of {names}, got {shown(segment)}")
    return found.sel(segment=segment)


def is_diversion(found: xr.Dataset) -> bool:
    """Whether a matrix is of diversion, whose diagonal is 0 by definition."""
    return "origin" in found["estimate"].dims


def value_words(found: xr.Dataset) -> str:
    """What the numbers of a matrix are."""
    if is_diversion(found):
        return "diversion ratio"
    return KINDS.get(str(found.attrs.get("kind")), "response of shares")


def title_words(found: xr.Dataset, segment: object = None) -> str:
    """What a matrix shows, and of whom."""
    attribute, kind = found.attrs.get("attribute"), str(found.attrs.get("kind"))
    if not is_diversion(found):
        words = (
            "Responses of shares" if attribute is None else f"Responses of shares to {attribute}"
        )
    elif kind in LEAVES:
        words = f"Where people go who leave an alternative when {LEAVES[kind]}"
    elif attribute is not None:
        size = "" if kind == "finite" else " a little"
        words = f"Where people go who leave an alternative when its {attribute} changes{size}"
    else:
        words = "Where people go who leave an alternative"
    return words if segment is None else f"{words}, {segment}"
