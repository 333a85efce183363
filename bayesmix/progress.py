"""Progress of long work on standard error: lines of fits, bars of what is counted.

Where standard error is no terminal, as in a file of a cluster's, nothing can be drawn anew: there a
line is printed now and then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bar
from rich.status import Status

PATIENCE = 2.0
"""Seconds of work of which nothing is said."""
UNASKED = 3.0
"""Seconds after which a fit speaks where nobody said whether it should."""
EVERY = 0.5
"""Seconds between two lines in the place of one another in a notebook."""
LINES = 10.0
"""Seconds between two lines where nothing can be drawn anew."""


class Progress:
    """What a fit tells of itself while it runs; silent without a status line."""

    def __init__(self, status: _Late | _Lines | None, title: str, unit: float = 1.0) -> None:
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
def progress_line(show: bool | None, title: str, unit: float = 1.0) -> Iterator[Progress]:
    """A `Progress` with a live status line on standard error, or a silent one.

    None shows it after some seconds, where a line can be drawn anew and nothing else draws one.
    """
    console, silent = Console(stderr=True), show is False or (show is None and not _alone())
    with _spoken_for():
        if silent or (show is None and not _drawn(console)):
            yield Progress(None, title, unit)
        elif not _drawn(console):
            yield Progress(_Lines(console), title, unit)
        else:
            with _Late(console, title, 0.0 if show else UNASKED) as status:
                yield Progress(status, title, unit)


def tracked[T](things: Iterable[T], title: str, *, total: int, show: bool) -> Iterator[T]:
    """Things one after the other, and a bar that counts them once that takes a while."""
    with _spoken_for():
        yield from _counted(things, title, total) if show else things


def _counted[T](things: Iterable[T], title: str, total: int) -> Iterator[T]:
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


_speaking: list[None] = []
"""One for each piece of work whose progress is shown, or that somebody wants to be silent."""


@contextmanager
def _spoken_for() -> Iterator[None]:
    """Fits that are a part of something else say nothing unless they are asked to."""
    _speaking.append(None)
    try:
        yield
    finally:
        _speaking.pop()


def _alone() -> bool:
    """Whether nothing else speaks, in this process or one that it is a part of."""
    return not _speaking and parent_process() is None


class _Late:
    """A status line that appears when its time has come, and is taken away at the end."""

    def __init__(self, console: Console, title: str, wait: float) -> None:
        self._console = console
        self._title = title
        self._due = perf_counter() + wait
        self._status: Status | _Cell | None = None

    def __enter__(self) -> _Late:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def update(self, words: str) -> None:
        self._start()
        if self._status is not None:
            self._status.update(words)

    def _start(self) -> None:
        if self._status is None and perf_counter() >= self._due:
            in_cell = self._console.is_jupyter
            self._status = _Cell() if in_cell else self._console.status(self._title)
            self._status.start()


class _Cell:
    """A line in a notebook's cell, without widgets, which not every notebook has."""

    def start(self) -> None:
        from IPython.display import display

        self._last = perf_counter()
        self._shown: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def update(self, words: str) -> None:
        if perf_counter() - self._last > EVERY:
            self._last = perf_counter()
            self._shown.update({"text/plain": words}, raw=True)

    def stop(self) -> None:
        self._shown.update({"text/plain": ""}, raw=True)


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
