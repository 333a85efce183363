"""Tasks shared among threads: of kernels that let go of the interpreter, in any number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bayesmix.kernels.threads import thread_count


def in_threads[T](tasks: Sequence[Callable[[], T]], threads: int | None = None) -> list[T]:
    """Results of tasks, in their order, which does not depend on who did them.

    Parameters
    ----------
    tasks
        Functions without arguments.
    threads
        How many there are at most; by default those that share persons.

    Examples
    --------
    >>> in_threads([lambda: 1, lambda: 2], threads=2)
    [1, 2]
    """
    count = min(threads or thread_count(), len(tasks))
    if count <= 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda task: task(), tasks))
