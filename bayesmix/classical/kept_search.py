"""The search of a fit on disk: the same call goes on with it after a crash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.journal import kept_in
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.checkpoint import IN_USE, SEARCH, open_checkpoint, problem_key
from bayesmix.likelihood.problem import Problem
from bayesmix.locks import locked
from bayesmix.specification.model import MixedLogit

JOURNAL = "evaluations.jsonl"


@contextmanager
def search_kept(
    path: str | os.PathLike[str] | None,
    model: MixedLogit,
    data: ChoiceData,
    settings: Callable[[Problem], Mapping[str, str]],
    rng: Seed,
) -> Iterator[np.random.Generator]:
    """Keep evaluations in a folder, and take them from there; the generator to search with.

    Without ``path`` nothing is kept, and nobody asked for the ``settings`` that the search depends
    on besides model, data and random numbers. Without ``rng`` the seed is the folder's own.

    Raises
    ------
    SpecificationError
        If the folder holds another search, other files, or is in use.
    """
    if path is None:
        yield np.random.default_rng(rng)
        return
    problem = bind(model, data)
    key = problem_key(problem, settings(problem))
    store = open_checkpoint(path, key, _seed(rng), SEARCH)
    if rng is None and store.seed < 0:
        raise SpecificationError(
            f"argument 'checkpoint': the search in {str(path)!r} has random numbers of a Generator "
            "that was given: give one that stands where that stood, rng="
        )
    with locked(store.folder, *IN_USE), kept_in(store.folder / JOURNAL):
        yield np.random.default_rng(store.seed if rng is None else rng)


def refuse_shares(path: Any, shares: Any) -> None:
    """Refuse a checkpoint of a search whose evaluations are not by themselves."""
    if path is not None and shares is not None:
        raise SpecificationError(
            "argument 'checkpoint': with market_shares= each evaluation begins at the constants of "
            "the one before, and none can be taken from a file: leave it out"
        )


def _seed(rng: Seed) -> int | None:
    """A number for a source of random numbers: itself, or that of where a generator stands."""
    if isinstance(rng, np.random.Generator):
        state = repr(rng.bit_generator.state).encode()
        return -1 - int.from_bytes(hashlib.sha256(state).digest()[:7])
    return None if rng is None else int(rng)
