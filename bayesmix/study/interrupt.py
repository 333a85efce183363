"""Ctrl-C as KeyboardInterrupt, also where a library catches it and returns what it has."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[None]:
    """Leave the block with KeyboardInterrupt if Ctrl-C was pressed inside, whatever it returned.

    A sampler that is interrupted hands back the draws that it has, or fails on them: neither may
    pass for a finished step. Outside the main thread, where signals cannot be handled, this does
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    previous = signal.signal(signal.SIGINT, remember)
    try:
        yield
    except Exception:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, previous)
    if pressed:
        raise KeyboardInterrupt
