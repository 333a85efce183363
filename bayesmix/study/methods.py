"""What a study may do: how each method's result is made, and read again."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

import bayesmix as bm
from bayesmix.files import PARTIAL
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.rules import monte_carlo
from bayesmix.study.build import Built
from bayesmix.study.schema import EstimateTable
from bayesmix.study.stored import ATTRIBUTE

ROOM = 2**16
"""Bytes of free disk without which nothing of a search is kept."""
Results = Mapping[str, Any]  # a Fit or a posterior, by the method that is finished


def never(settings: EstimateTable) -> bool:
    """A step of seconds: what is not finished is done again."""
    return False


def always(settings: EstimateTable) -> bool:
    """What is kept changes no number."""
    return True


def if_asked_for(settings: EstimateTable) -> bool:
    """Draws of chains in segments are others than of chains at once."""
    return settings.checkpoint


@dataclass(frozen=True)
class Method:
    """How a result is made from the study and the earlier results, and read from its file.

    `whole` tells a result from what a method hands back that was interrupted. `resumes` tells
    whether `make` takes a folder, ``unfinished=``, where it keeps what can be gone on with.
    """

    make: Callable[..., Any]
    load: Callable[[Path, Built], Any]
    whole: Callable[[Built, Any], bool]
    resumes: Callable[[EstimateTable], bool] = never


def _msle(built: Built, results: Results, progress: bool, unfinished: Path | None = None) -> Any:
    settings = built.study.estimate
    kept: dict[str, Any] = {}
    if unfinished is not None and _has_room(unfinished.parent):
        kept = {"checkpoint": unfinished}
    return bm.msle(
        built.model,
        built.data,
        grid=built.rule,
        starts=settings.starts,
        optimizer=settings.optimizer,
        rng=settings.seed,
        progress=progress,
        cluster=settings.cluster,
        **kept,
    )


def _has_room(folder: Path) -> bool:
    """Whether some numbers could be kept there: a fit itself needs no disk."""
    probe = folder / f"{PARTIAL}room"
    try:
        probe.write_bytes(bytes(ROOM))
    except OSError:
        return False
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return True


def _msm(built: Built, results: Results, progress: bool) -> Any:
    """On the population's nodes: the study's rule, without its centring."""
    settings, rule = built.study.estimate, built.rule
    if isinstance(rule, Centred):
        rule = rule.rule
    return bm.msm(
        built.model,
        built.data,
        grid=None if isinstance(rule, str) else rule,
        starts=settings.starts,
        rng=settings.seed,
        progress=progress,
    )


def _mss(built: Built, results: Results, progress: bool) -> Any:
    """With draws from each person's posterior, whatever the study's grid."""
    settings = built.study.estimate
    candidates = monte_carlo(settings.candidates) if settings.scores == "accept-reject" else None
    return bm.mss(
        built.model,
        built.data,
        method=settings.scores,
        grid=candidates,
        accepted=settings.accepted,
        starts=settings.starts,
        rng=settings.seed,
        progress=progress,
    )


def _posterior(
    method: Literal["nuts", "importance"],
    built: Built,
    results: Results,
    progress: bool,
    unfinished: Path | None = None,
) -> xr.DataTree:
    """On the grid of the MSLE where there is one, unless grids are left to the estimators."""
    settings, rule = built.study.estimate, built.rule
    shared = "msle" in results and rule != "auto"
    # The sampler's bar is progress, and goes where progress goes: results alone are for stdout.
    kept: dict[str, Any] = {} if unfinished is None else {"checkpoint": unfinished}
    with redirect_stdout(sys.stderr):
        return bm.sample(
            built.model,
            built.data,
            method=method,
            likelihood=settings.likelihood,
            grid=results["msle"].grid if shared else rule,
            draws=settings.draws,
            tune=settings.tune if method == "nuts" else None,
            chains=settings.chains,
            rng=settings.seed,
            progress=progress,
            priors=built.priors,
            **kept,
        )


def _load_fit(path: Path, built: Built) -> Any:
    return bm.Fit.load(path, built.data)


def _load_posterior(path: Path, built: Built) -> xr.DataTree:
    """As it was sampled: with the data's own labels of persons, where they are stored as text."""
    tree = xr.load_datatree(path, engine="netcdf4")
    tree.attrs.pop(ATTRIBUTE, None)
    persons = built.data.persons.to_numpy()
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        stored = dataset.coords.get("person")
        if stored is None or len(stored) != len(persons):
            continue
        if stored.dtype != persons.dtype and [str(p) for p in persons] == list(stored.values):
            node.dataset = dataset.assign_coords(person=("person", persons))
    return tree


def _fit_is_whole(built: Built, fit: Any) -> bool:
    """An optimiser ends with its fit, or does not end."""
    return fit is not None


def _posterior_is_whole(built: Built, tree: Any) -> bool:
    """All draws of all chains, none of them filled up."""
    settings = built.study.estimate
    if not isinstance(tree, xr.DataTree) or "posterior" not in tree.children:
        return False
    draws = tree["posterior"].to_dataset()
    if (draws.sizes["chain"], draws.sizes["draw"]) != (settings.chains, settings.draws):
        return False
    return all(bool(np.isfinite(draws[name].values).all()) for name in draws.data_vars)


METHODS = {
    "msle": Method(_msle, _load_fit, _fit_is_whole, always),
    "msm": Method(_msm, _load_fit, _fit_is_whole),
    "mss": Method(_mss, _load_fit, _fit_is_whole),
    "nuts": Method(partial(_posterior, "nuts"), _load_posterior, _posterior_is_whole, if_asked_for),
    "importance": Method(partial(_posterior, "importance"), _load_posterior, _posterior_is_whole),
}
