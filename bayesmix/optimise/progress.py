"""A progress line for fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Progress:
    """What a fit tells of itself while it runs; silent without a status line."""

    def __init__(self, status: Status | None, title: str, unit: float = 1.0) -> None:
        self._status = status
        self._title = title
        self._unit = unit
        self._phase = ""

    def phase(self, words: str) -> None:
        """What is being done."""
        self._phase = words
        if self._status is not None:
            self._status.update(f"{self._title}: {words}")

    def value(self, loglik: float) -> None:
        """The best log-likelihood so far, in units of which one is ``unit`` nats."""
        if self._status is not None:
            loglik *= self._unit
            self._status.update(f"{self._title}: {self._phase}, log-likelihood {loglik:.2f}")


@contextmanager
def progress_line(show: bool, title: str, unit: float = 1.0) -> Iterator[Progress]:
    """A `Progress` with a live status line on standard error, or a silent one."""
    if not show:
        yield Progress(None, title, unit)
        return
    with Console(stderr=True).status(title) as status:
        yield Progress(status, title, unit)
