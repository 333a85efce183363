"""Ctrl-C, and a request to terminate, as KeyboardInterrupt: neither swallowed nor too early."""

import signal
import threading
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 1.0
"""Seconds after which an interruption that a library has swallowed is repeated."""


class Stopped(KeyboardInterrupt):
    """An interruption, and the signal that it came by."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number


@contextmanager
def interruptible() -> Iterator[Callable[[], int | None]]:
    """Raise `Stopped` inside the block at a signal, and every second again until it is left.

    Compilers call back into Python from places whose exceptions are printed and forgotten, and a
    sampler that is interrupted hands back the draws that it has, or fails on them. Yields a
    function: the signal that came, if any, which the block has to look at where it ends as if none
    had come. Outside the main thread, where signals cannot be handled, this does nothing.
    """
    came: list[int] = []
    over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        first = not came
        came.append(number)
        if over.is_set():
            return
        if first:
            threading.Thread(target=_repeat, args=(number, over), daemon=True).start()
        raise Stopped(came[0])

    with _handling(stop):
        try:
            yield lambda: came[0] if came else None
        except Exception:
            over.set()
            if came:
                raise Stopped(came[0]) from None
            raise
        finally:
            over.set()


@contextmanager
def deferred() -> Iterator[None]:
    """Let the block end before a signal counts; the second one counts at once."""
    came: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise Stopped(number)

    with _handling(remember):
        yield
    if came:
        raise Stopped(came[0])


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` in the block at a request to terminate, as at Ctrl-C."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    with _handling(stop, (signal.SIGTERM,)):
        yield


@contextmanager
def _handling(handler: Callable[..., Any], signals: tuple[int, ...] = SIGNALS) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous: dict[int, Any] = {}
    try:
        for number in signals:
            previous[number] = signal.signal(number, handler)
        yield
    finally:
        for number, earlier in previous.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)


def _repeat(number: int, over: threading.Event) -> None:
    while not over.wait(AGAIN):
        interrupt_main(signal.Signals(number))
