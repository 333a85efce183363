"""Persons shared among threads: plain ones of Python, over kernels that let go of its lock.

A kernel that is shared takes a few persons at a time from a queue, until there are none: nobody
waits for the slowest share. What belongs to a person depends on nobody else, so that numbers do not
depend on the threads. numba's own parallel loops do the same, but take seconds to compile, each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from bayesmix.arrays import Indices
from bayesmix.kernels.compiling import part

SHARES = 8
"""Pieces of work a thread: few enough to cost nothing, many enough to end together."""
JIT = not numba.config.DISABLE_JIT
_COUNT: list[int] = []


def thread_count() -> int:
    """Threads that share persons: those of `use_threads`, by default NUMBA_NUM_THREADS."""
    if not JIT:  # plain Python takes from a queue one thread at a time
        return 1
    return _COUNT[0] if _COUNT else int(numba.config.NUMBA_NUM_THREADS)


def use_threads(count: int | None) -> None:
    """Share persons among so many threads in this process; None is the default again."""
    _COUNT[:] = [] if count is None else [count]


def share(kernel: Callable[..., Any], persons: int, *args: Any, threads: int | None = None) -> None:
    """``kernel(queue, *args)`` by several threads at once, with one queue of persons.

    Parameters
    ----------
    kernel
        Compiled with ``nogil``; it asks `take` for persons.
    persons
        How many there are.
    threads
        By default, `thread_count`.
    """
    count = max(1, min(threads or thread_count(), persons))
    queue = np.array([0, max(1, persons // (count * SHARES)) if count > 1 else persons])
    # What is compiled is compiled by one thread: that of the caller, whose stack is large.
    helped = count > 1 and bool(getattr(kernel, "overloads", True))
    tasks = [_Task(kernel, (queue, *args)) for _ in range(count - 1 if helped else 0)]
    _HELPERS.do(tasks)
    kernel(queue, *args)
    for task in tasks:
        task.end()


class _Task:
    """A call of a kernel for a helper, unless all is done before there is one."""

    def __init__(self, kernel: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.kernel, self.args = kernel, args
        self.claimed, self.running = Lock(), Lock()
        self.error: BaseException | None = None
        self.running.acquire()

    def run(self) -> None:
        if self.claimed.acquire(blocking=False):
            try:
                self.kernel(*self.args)
            except BaseException as error:
                self.error = error
            finally:
                self.running.release()

    def end(self) -> None:
        """Wait for it if it has begun; otherwise it never will."""
        if not self.claimed.acquire(blocking=False):
            self.running.acquire()
            if self.error is not None:
                raise self.error


class _Helpers:
    """Threads that wait for tasks: as many as were ever wanted at once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.lock, self.count = Lock(), 0
        self.tasks: SimpleQueue[_Task] = SimpleQueue()

    def do(self, tasks: list[_Task]) -> None:
        if self.count < len(tasks):
            with self.lock:
                while self.count < len(tasks):
                    Thread(target=self._work, name="bayesmix", daemon=True).start()
                    self.count += 1
        for task in tasks:
            self.tasks.put(task)

    def _work(self) -> None:
        while True:
            task = self.tasks.get()
            task.run()
            del task  # and with it the arrays, before the next one comes


_HELPERS = _Helpers()
if hasattr(os, "register_at_fork"):
    # The threads of a process are not those of its children.
    os.register_at_fork(after_in_child=_HELPERS.forget)


@intrinsic
def _fetch_add(typing_context: Any, queue: Any, number: Any) -> Any:
    """Add to the first entry of an array; what was there before. No two threads get the same."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.atomic_rmw("add", array.data, args[1], "monotonic")

    return types.int64(types.int64[::1], types.int64), generate


@part(error_model="numpy")
def _take(queue: Indices) -> int:  # pragma: no cover - compiled
    return _fetch_add(queue, queue[1])


def _plain(queue: Indices) -> int:
    """The same of one thread, of functions that are not compiled."""
    queue[0] += queue[1]
    return int(queue[0] - queue[1])


take: Callable[[Indices], int] = _take if JIT else _plain
"""First of the next ``queue[1]`` persons; as many as there are, or more, where all are taken."""
