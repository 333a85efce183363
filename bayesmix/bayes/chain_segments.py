"""Chains in segments, each kept on disk when it is finished.

The state of nutpie's sampler cannot be stored in the middle of a chain. A segment needs none but
the last draw of the one before: it starts there, adapts for some draws, which are dropped, and goes
on with a seed that is its chain's and its own. What a segment draws depends on nothing else, so
that chains that were ended at any moment end with the same draws as those left alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.likelihood.checkpoint import Checkpoint

SEGMENT = 250
"""Draws of a segment, and the most that is done again."""
ADAPT = 100
"""Tuning steps of a segment after the first: it starts where the posterior is."""
LAST = "last"
POLL = 0.02
"""Seconds after which a segment is looked at again."""

Start = Callable[[Array | None, int], Array]
Run = Callable[..., Any]
"""``run(start, draws, tune, seed)``: nutpie's background sampler of one chain from a start (Q,)."""


@dataclass
class Running:
    """What the threads of chains share: how many segments are finished, and whether to end."""

    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    done: int = 0


class Ended(Exception):
    """A chain's thread was told to end."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Chains to run.

    Parameters
    ----------
    run, start
        The sampler of one chain, and where a chain starts, by its seed.
    draws, tune, chains
        As for `bm.sample`.
    store
        Where segments are kept.
    stand
        Digest of where the sampler stands: its coordinates and nodes.
    """

    run: Run
    start: Callable[[int], Array]
    draws: int
    tune: int
    chains: int
    store: Checkpoint
    stand: str

    @property
    def sizes(self) -> list[int]:
        """Draws of each segment."""
        whole, rest = divmod(self.draws, SEGMENT)
        return [SEGMENT] * whole + ([rest] if rest else [])


def run_segments(
    task: Segments, threads: int, report: Callable[[int, int], None] | None = None
) -> xr.DataTree:
    """All chains, from what there is of them on disk; some at the same time."""
    running = Running()

    def finished() -> None:
        with running.lock:
            running.done += 1
            if report is not None:
                report(running.done, task.chains * len(task.sizes))

    with ThreadPoolExecutor(min(threads, task.chains)) as pool:
        chains = range(task.chains)
        futures = [pool.submit(_chain, task, chain, running, finished) for chain in chains]
        try:
            found = [future.result() for future in futures]
        except BaseException:
            running.over.set()
            for future in futures:
                future.cancel()
            raise
    return _joined(task, found)


def _chain(
    task: Segments, chain: int, running: Running, finished: Callable[[], None]
) -> list[dict[str, Array]]:
    """The segments of a chain, in order."""
    found: list[dict[str, Array]] = []
    for number, size in enumerate(task.sizes):
        if running.over.is_set():
            raise Ended
        name = f"{task.stand}-chain-{chain}-segment-{number}-of-{size}"
        kept = task.store.read(name)
        if kept is None or not _usable(kept, size, found[-1] if found else None):
            seed = int(np.random.default_rng([task.store.seed, chain, number]).integers(2**31))
            at = task.start(seed) if number == 0 else found[-1][LAST]
            tune = task.tune if number == 0 else min(ADAPT, task.tune)
            kept = _segment(partial(task.run, at, size, max(tune, 1), seed), running)
            task.store.write(name, kept)
        found.append(kept)
        finished()
    return found


def _usable(kept: dict[str, Array], size: int, before: dict[str, Array] | None) -> bool:
    """Whether a file holds what a segment of so many draws does, and what that before it did."""
    draws = [values for key, values in kept.items() if key.startswith("posterior/")]
    whole = LAST in kept and draws and all(np.shape(values)[:1] == (size,) for values in draws)
    return bool(whole) and (before is None or kept.keys() == before.keys())


def _segment(begin: Callable[[], Any], running: Running) -> dict[str, Array]:
    sampler = begin()
    # A sampler that is waited for cannot be ended by another thread.
    while not _is_finished(sampler):
        if running.over.wait(POLL):
            sampler.cancel()
            raise Ended
    tree = sampler.wait()
    stats = tree["sample_stats"].to_dataset()
    arrays = {LAST: stats["unconstrained_draw"].to_numpy()[0, -1]}
    for name, values in tree["posterior"].to_dataset().data_vars.items():
        arrays[f"posterior/{name}"] = values.to_numpy()[0]
    for name, values in stats.data_vars.items():
        own = values.to_numpy()[0]
        if own.ndim == 1 and own.dtype.kind in "biuf":
            arrays[f"sample_stats/{name}"] = own
    return arrays


def _is_finished(sampler: Any) -> bool:
    try:
        return bool(sampler.is_finished)
    except TimeoutError:  # it had no time to answer
        return False


def _joined(task: Segments, found: list[list[dict[str, Array]]]) -> xr.DataTree:
    """Draws and statistics (chains, draws, .), without the names of dimensions beyond these."""
    groups: dict[str, dict[str, Any]] = {"posterior": {}, "sample_stats": {}}
    for key in found[0][0]:
        group, _, name = key.partition("/")
        if group in groups:
            values = np.stack([np.concatenate([one[key] for one in chain]) for chain in found])
            further = [f"{name}_dim_{n}" for n in range(values.ndim - 2)]
            groups[group][name] = (("chain", "draw", *further), values)
    coords = {"chain": np.arange(task.chains), "draw": np.arange(task.draws)}
    return xr.DataTree.from_dict(
        {group: xr.Dataset(values, coords=coords) for group, values in groups.items()}
    )


def stand_digest(*arrays: Array) -> str:
    """A short digest of numbers."""
    found = hashlib.sha256()
    for values in arrays:
        found.update(f"{np.shape(values)}".encode())
        found.update(np.ascontiguousarray(values, dtype=float).tobytes())
    return found.hexdigest()[:12]


def thread_limit(most: int) -> int:
    """Chains that run at the same time."""
    return min(most, os.cpu_count() or 1)
