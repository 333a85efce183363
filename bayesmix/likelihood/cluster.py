"""Blocks of persons on the workers of a Dask cluster, with the numbers of one machine.

Consecutive blocks are a group; a group's rows, and the nodes that are kept for it, go to a worker
once and stay there. An evaluation sends theta and what moves with it, such as anchors, and brings
back what each block gives, in the order of persons: sums are taken here, so that their last bits do
not depend on the number of workers, or on which of them ends.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bayesmix.arguments import refused
from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.evaluate import KeptNodes
from bayesmix.likelihood.halves import Halved
from bayesmix.likelihood.persons import Divisible, done_elsewhere, in_turn
from bayesmix.likelihood.point import Point

GROUPS = 4
"""Groups of blocks a worker: what one that ends costs anew, and how evenly work is shared."""
STAYING = 6
"""Things whose parts stay on workers: those that were used last."""
TRIES, PAUSE = 20, 0.5
"""Times that a group whose worker ended is sent to another, and seconds before: its successor
starts, and connections to it are forgotten."""


class ClusterGoneError(RuntimeError):
    """The scheduler, or all of its workers, are gone."""


class Workers:
    """The workers of a Dask client, and what stays on them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._staying: OrderedDict[int, tuple[Any, dict[tuple[int, int], Any]]] = OrderedDict()

    def over(
        self,
        work: Callable[..., Any],
        things: Sequence[Divisible],
        cuts: Sequence[tuple[int, int]],
    ) -> Iterator[Any]:
        """``work`` of the parts of things at each of the cuts, in their order."""
        size = max(1, -(-len(cuts) // (GROUPS * len(self._workers()))))
        groups = [cuts[a : a + size] for a in range(0, len(cuts), size)]
        tasks = [partial(self._send, work, things, group) for group in groups]
        sent = [self._sent(send, number) for number, send in enumerate(tasks)]
        for number, send in enumerate(tasks):
            yield from self._result(sent[number], send, number)

    def _sent(self, send: Callable[[str], Any], number: int) -> Any:
        """The future of a group; of another worker where one ends while it is sent."""
        for attempt in range(TRIES):
            workers = self._workers()
            try:
                return send(workers[(number + attempt) % len(workers)])
            except OSError:  # the connection to a worker that has ended
                time.sleep(PAUSE)
        raise self._gone()

    def _result(self, future: Any, send: Callable[[str], Any], number: int) -> Any:
        """What a group gives; where its worker has ended, from another."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        for _ in range(TRIES):
            try:
                return future.result()
            except (FutureCancelledError, KilledWorker, OSError):
                future = self._sent(send, number)
        raise self._gone()

    def _send(
        self,
        work: Callable[..., Any],
        things: Sequence[Divisible],
        group: Sequence[tuple[int, int]],
        worker: str,
    ) -> Any:
        """The task of a group, on a worker if that is there when its turn comes."""
        start, stop = group[0][0], group[-1][1]
        parts = []
        thetas = [thing.own if isinstance(thing, Point) else None for thing in things]
        for thing in things:
            if isinstance(thing, Point):
                parts.append(self._staying_part(thing.persons, start, stop, worker))
            elif isinstance(thing, KeptNodes | Halved):
                parts.append(self._staying_part(thing, start, stop, worker))
            else:
                parts.append(self._scatter(_Cut([thing.part(a, b) for a, b in group]), worker))
        cuts = [(a - start, b - start) for a, b in group]
        return self._client.submit(
            _blocks,
            work,
            thetas,
            cuts,
            *parts,
            pure=False,
            workers=[worker],
            allow_other_workers=True,
        )

    def _staying_part(self, thing: Any, start: int, stop: int, worker: str) -> Any:
        """A part that stays on a worker; once more where that has ended."""
        _, parts = self._staying.setdefault(id(thing), (thing, {}))
        self._staying.move_to_end(id(thing))
        while len(self._staying) > STAYING:
            self._staying.popitem(last=False)
        known = parts.get((start, stop))
        if known is None or known.status != "finished":
            parts[start, stop] = self._scatter(_to_stay(thing, start, stop), worker)
        return parts[start, stop]

    def _scatter(self, part: Any, worker: str) -> Any:
        return self._client.scatter(part, workers=[worker], hash=False)

    def _workers(self) -> list[str]:
        """Addresses of the workers.

        Raises
        ------
        RuntimeError
            If the scheduler or all workers are gone.
        """
        found: list[str] = []
        for _ in range(TRIES):
            if self._client.status == "running":
                found = sorted(self._client.nthreads())
            if found or self._client.status == "closed":
                break
            time.sleep(PAUSE)  # a single worker's successor starts
        if not found:
            raise self._gone()
        return found

    def _gone(self) -> ClusterGoneError:
        return ClusterGoneError(
            "the cluster is gone, its scheduler or all of its workers: start it again, connect a "
            "new client to it, and repeat the call"
        )


def _to_stay(thing: Any, start: int, stop: int) -> Any:
    """A part of a thing; of a grid that keeps nodes, one that will keep those that it makes."""
    if isinstance(thing, Halved):
        first, second = thing.halves
        return Halved((_to_stay(first, start, stop), _to_stay(second, start, stop)))
    if isinstance(thing, KeptNodes):
        kept = min(max(thing.number - start, 0), stop - start)
        return KeptNodes(thing.grid.part(start, stop), kept)
    return thing.part(start, stop)


@dataclass(frozen=True, eq=False)
class _Cut:
    """The parts of a thing that belong to a group's blocks."""

    parts: list[Any]


def _blocks(
    work: Callable[..., Any],
    thetas: Sequence[Array | None],
    cuts: Sequence[tuple[int, int]],
    *things: Any,
) -> list[Any]:
    """On a worker: the results of a group's blocks; what stays is cut here."""
    whole = [
        thing if theta is None else Point(thing, theta)
        for thing, theta in zip(things, thetas, strict=True)
    ]
    return list(
        in_turn(
            partial(
                work,
                *(t.parts[n] if isinstance(t, _Cut) else t.part(start, stop) for t in whole),
            )
            for n, (start, stop) in enumerate(cuts)
        )
    )


def on_workers(client: Any) -> AbstractContextManager[None]:
    """Have what is computed person by person done by the workers of a Dask cluster.

    Within it fits, posteriors by importance sampling and demand give the same numbers, to the bit,
    as on one machine, for any number of workers. Rows of persons and their nodes stay on the
    workers; a worker that ends costs its persons' part anew.

    Parameters
    ----------
    client
        A ``distributed.Client``, of a ``LocalCluster``, a scheduler's address, or a cluster of
        dask-jobqueue. Give workers as many kernels' threads as they have processors
        (``NUMBA_NUM_THREADS``), and one thread of Dask's own.

    Returns
    -------
    context manager
        For a ``with`` statement, at whose end computation is on this machine again.

    Raises
    ------
    SpecificationError
        If it is no client, or one that is asynchronous.
    RuntimeError
        If the scheduler, or all of its workers, are gone.

    Examples
    --------
    >>> import bayesmix as bm
    >>> with bm.on_workers("here"):
    ...     pass
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: argument 'client' must be a distributed.Client...
    """
    try:
        from distributed import Client
    except ImportError:
        raise SpecificationError(
            "argument 'client': clusters need Dask, which is not installed: install it by "
            "pip install 'bayesmix[dask]'"
        ) from None
    if not isinstance(client, Client) or client.asynchronous:
        raise refused("client", "a distributed.Client that is not asynchronous", client)
    return done_elsewhere(Workers(client))
