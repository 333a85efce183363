"""What is read of a posterior that somebody hands over: its draws, its model, its own data."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError

SAMPLE_DIMS = ("chain", "draw")
SAMPLED = "sampled_log_likelihood"
"""In ``sample_stats``: the weighted log-likelihood of the choices that was sampled, nats."""


def posterior_group(tree: Any, whose: str = "the posterior") -> xr.Dataset:
    """The group ``posterior`` of a tree; the tree itself where it is that group alone.

    Raises
    ------
    SpecificationError
        If it is no tree, has neither that group nor draws of its own, or has lost its attributes,
        as after ``arviz.thin``.
    """
    if not isinstance(tree, xr.DataTree):
        raise SpecificationError(
            f"expected a posterior, the DataTree of bm.sample, got {type(tree).__name__}"
        )
    if group_of(tree) in tree.children:
        return tree[group_of(tree)].to_dataset()
    if set(SAMPLE_DIMS) & set(tree.dims) and not tree.children:
        if "model" in tree.attrs:
            return tree.to_dataset()
        raise SpecificationError(
            f"{whose} has no group 'posterior', and is a group alone that does not say which model "
            "it is of, as after arviz.thin, which drops attributes and other groups: thin by "
            "tree.isel(draw=slice(None, None, 5)), which keeps them"
        )
    raise SpecificationError(
        f"{whose} has no group 'posterior' (it has {sorted(tree.children)}): hand over all "
        "that bm.sample returned"
    )


def posterior_draws(tree: Any, whose: str = "the posterior") -> xr.Dataset:
    """The draws of a posterior, every one a number, with dimensions ``chain`` and ``draw``.

    Those of a single chain or draw that was selected count as one.

    Raises
    ------
    SpecificationError
        If it has no group ``posterior`` or no draws, or some that are no numbers.
    """
    found = posterior_group(tree, whose)
    for dim in SAMPLE_DIMS:
        if dim not in found.dims:
            found = found.expand_dims(dim)
            names = [n for n in found.data_vars if dim not in found[n].dims]
            found = found.assign({n: found[n].expand_dims(dim) for n in names})
    if not all(found.sizes[dim] for dim in SAMPLE_DIMS):
        raise SpecificationError(f"{whose} has no draws: its selection of them is empty")
    _check_numbers(found, whose)
    return found


def sampled_log_likelihood(tree: xr.DataTree) -> Array | None:
    """The log-likelihood (D,) that draws are of, with persons integrated out.

    None where persons were sampled, and of trees that do not have it, as those of earlier builds.
    """
    stats = tree.children.get("sample_stats")
    return None if stats is None or SAMPLED not in stats else stats[SAMPLED].to_numpy().ravel()


def effective_draws(draws: xr.Dataset) -> float:
    """What draws by importance sampling are worth, in independent ones: never more than they are.

    Weights of all evaluations, the attribute ``ess``, can be worth more than the draws that were
    resampled by them; a draw that is there once is worth one.
    """
    kept = draws.sizes.get(SAMPLE_DIMS[0], 1) * draws.sizes.get(SAMPLE_DIMS[1], 1)
    return min(float(draws.attrs["ess"]), float(kept))


def group_of(tree: xr.DataTree) -> str:
    """The group of a tree that results are of: the posterior, or a prior without one."""
    return "prior" if "posterior" not in tree.children and "prior" in tree.children else "posterior"


def _check_numbers(draws: xr.Dataset, whose: str) -> None:
    """Refuse parameters of the population that are NaN or infinite at some draw."""
    for name, values in draws.data_vars.items():
        # Constants of what a market does not offer are none.
        if {"person", "market"} & set(values.dims) or values.dtype.kind not in "fiu":
            continue
        order = [*SAMPLE_DIMS, *(d for d in values.dims if d not in SAMPLE_DIMS)]
        bad = ~np.isfinite(values.transpose(*order).to_numpy())
        if not bad.any():
            continue
        at = np.argwhere(bad)[0]
        where = ", ".join(f"{d} {draws[d].to_numpy()[k]}" for d, k in zip(order, at, strict=True))
        every = int(bad.reshape(*bad.shape[:2], -1).any(axis=-1).sum())
        raise SpecificationError(
            f"{whose} is not a number in {name!r}, first at {where}; {every} of "
            f"{bad.shape[0] * bad.shape[1]} draws are like it: nothing can be averaged over them; "
            "leave these draws out, tree.isel(draw=...), or sample again"
        )


def attributes_of(tree: xr.DataTree) -> dict[str, Any]:
    """The attributes that `bayesmix.sample` wrote.

    Raises
    ------
    SpecificationError
        If there are none: the tree is of another program, or has lost them.
    """
    attrs = dict(posterior_group(tree).attrs)
    if "model" not in attrs:
        raise SpecificationError(
            "the DataTree does not say which model it is of (attribute 'model' of its posterior): "
            "hand over what bm.sample returned, or what was kept of it with its attributes"
        )
    return attrs


def record_of(tree: xr.DataTree) -> dict[str, Any]:
    """What the posterior says of the data that it was estimated on."""
    record: dict[str, Any] = json.loads(attributes_of(tree).get("estimated_on", "{}"))
    return record


def held_names(tree: xr.DataTree) -> tuple[str, ...]:
    """Flat names of parameters that are constants of a posterior; none of another program's."""
    record = json.loads(posterior_group(tree).attrs.get("model", "{}"))
    return tuple((record.get("constraints") or {}).get("fixed", {}))


def is_own(tree: xr.DataTree, data: ChoiceData) -> bool:
    """Whether data hold the choices that a posterior is of.

    Raises
    ------
    SpecificationError
        If the tree has lost the groups that say so.
    """
    absent = [g for g in ("observed_data", "constant_data") if g not in tree.children]
    if absent:
        raise SpecificationError(
            f"the posterior has no group {absent[0]!r}, which says whose choices it is of, and "
            "people='known' need to be told from those to predict: hand over all that bm.sample "
            "returned, or say what is predicted with predict="
        )
    seen, own = tree["observed_data"], tree["constant_data"]
    labels = np.array([*map(str, data.alternatives), "outside"])
    chosen = data.chosen_row
    code = np.where(chosen >= 0, data.alternative_code[np.maximum(chosen, 0)], -1)
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    chose = seen["choice"]
    places = np.where(code >= 0, code, len(data.alternatives))
    if chose.dtype.kind in "fiu" and "alternative" in seen:  # labels stand beside, once
        names = labels[: len(data.alternatives) + data.outside_option]
        if [str(name) for name in seen["alternative"].to_numpy()] != list(names):
            return False
    pairs = (
        (chose, places if chose.dtype.kind in "fiu" else labels[code]),
        (own["situation_person"], person),
        (own["row_situation"], data.row_situation),
        (own["row_alternative"], labels[data.alternative_code]),
        (own["weights"], data.weights),
    )
    return data.observed and all(
        kept.shape == mine.shape and bool((kept.to_numpy() == mine).all()) for kept, mine in pairs
    )
