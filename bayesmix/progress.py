"""Progress of long work on standard error: lines of fits, bars of what is counted.

Where standard error is no terminal, as in a file of a cluster's, nothing can be drawn anew: there a
line is printed now and then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import Progress as Bar
from rich.status import Status

PATIENCE = 2.0
"""Seconds of work of which nothing is said."""
LINES = 10.0
"""Seconds between two lines where nothing can be drawn anew."""


class Progress:
    """What a fit tells of itself while it runs; silent without a status line."""

    def __init__(self, status: Status | _Lines | None, title: str, unit: float = 1.0) -> None:
        self._status = status
        self._title = title
        self._unit = unit
        self._phase = ""

    def tell(self, words: str) -> None:
        """How far it is."""
        if self._status is not None:
            self._status.update(f"{self._title}: {words}")

    def phase(self, words: str) -> None:
        """What is being done."""
        self._phase = words
        self.tell(words)

    def value(self, loglik: float) -> None:
        """The best log-likelihood so far, in units of which one is ``unit`` nats."""
        if self._status is not None:
            self.tell(f"{self._phase}, log-likelihood {loglik * self._unit:.2f}")


@contextmanager
def progress_line(show: bool, title: str, unit: float = 1.0) -> Iterator[Progress]:
    """A `Progress` with a live status line on standard error, or a silent one."""
    if not show:
        yield Progress(None, title, unit)
        return
    console = Console(stderr=True)
    if not _drawn(console):
        yield Progress(_Lines(console), title, unit)
        return
    with console.status(title) as status:
        yield Progress(status, title, unit)


def tracked[T](things: Iterable[T], title: str, *, total: int, show: bool) -> Iterator[T]:
    """Things one after the other, and a bar that counts them once that takes a while."""
    if not show:
        yield from things
        return
    console, begun = Console(stderr=True, highlight=False), perf_counter()
    lines, bar = _Lines(console), None
    try:
        for done, thing in enumerate(things):
            if not _drawn(console):
                lines.update(f"{title}: {done} of {total}")
            elif bar is None and perf_counter() - begun > PATIENCE:
                bar = Bar(console=console)
                bar.add_task(title, total=total)
                bar.start()
            if bar is not None:
                bar.update(bar.task_ids[0], completed=done)
            yield thing
        if bar is not None:
            bar.update(bar.task_ids[0], completed=total)
    finally:
        if bar is not None:
            bar.stop()


class _Lines:
    """A line in place of what is drawn anew, and not too many of them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spoken = perf_counter()

    def update(self, words: str) -> None:
        if perf_counter() - self._spoken > LINES:
            self._spoken = perf_counter()
            self._console.print(words, markup=False, highlight=False, soft_wrap=True)


def _drawn(console: Console) -> bool:
    """Whether a line can be drawn anew."""
    return console.is_terminal or console.is_jupyter
