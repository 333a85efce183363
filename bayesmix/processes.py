"""Independent tasks shared by processes, each result handed on as it is finished."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from bayesmix.kernels.threads import thread_count, use_threads


def shared[Task, Done](
    work: Callable[[Any, Task], Done], job: Any, tasks: Sequence[Task], processes: int, words: str
) -> Generator[tuple[Task, Done]]:
    """Each task with ``work(job, task)``, in the order in which they are finished.

    One process, or one task, stays in this process. Others start afresh, take the job once, and
    share the processors' threads.

    Parameters
    ----------
    work
        A function of a module.
    job, tasks
        What all tasks have in common, and the tasks; they go to other processes.
    processes
        How many share them.
    words
        What the tasks are part of, where a process ends before its time.

    Examples
    --------
    >>> list(shared(pow, 2, [3, 4], 1, "powers"))
    [(3, 8), (4, 16)]
    """
    if processes == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, work(job, task)
        return
    processes = min(processes, len(tasks))
    threads = max(1, (os.cpu_count() or 1) // processes)
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(work, job, threads)
    )
    try:
        futures = {pool.submit(_one, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise RuntimeError(
            f"a process of the {words} ended: in a script, put the call under "
            "if __name__ == '__main__':, or give processes=1"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_HERE: list[tuple[Callable[[Any, Any], Any], Any]] = []
"""What a process of a pool works on; it is set once, before its first task."""


def _begin(work: Callable[[Any, Any], Any], job: Any, threads: int) -> None:
    # Ctrl-C is for the process that the user started, which keeps what is finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_threads(min(threads, thread_count()))
    _HERE[:] = [(work, job)]


def _one(task: Any) -> Any:
    work, job = _HERE[0]
    return work(job, task)
