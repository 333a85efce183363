"""What dear steps of a long computation gave, on disk: after a crash the same computation goes on.

A computation is begun anew from its start, and each step that it had finished gives what it gave
then: all between these steps is done again, which takes little time, and so nothing of what goes on
in between, such as the insides of an optimiser, has to be put on disk. A step is known by its input
and by those of all steps before it. Where these are others, as they may be to the last bit with
another number of threads in linear algebra, steps are done again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bayesmix.arrays import Array

NUMBERS = "<f8"


class Journal:
    """The steps of a file, and those that are added to it as they are finished.

    A line is a step. One that was not finished is cut off; where no more can be written, as on a
    full disk, what follows is not kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known, whole = _read(file)
        self._place = b""
        self._open = True
        with suppress(OSError):
            if file.stat().st_size > whole:
                with file.open("rb+") as stream:
                    stream.truncate(whole)

    @property
    def left(self) -> int:
        """Steps that are known and have not been come to."""
        return len(self._known)

    def step(
        self, words: str, at: Array, work: Callable[[], tuple[Array | float, ...]]
    ) -> tuple[Any, ...]:
        """What ``work`` gives at ``at``: as it stands in the file, or else made now and added."""
        content = f"{words} {at.shape} ".encode() + np.ascontiguousarray(at, NUMBERS).tobytes()
        self._place = hashlib.sha256(self._place + content).digest()
        place = self._place.hex()[:32]
        known = _arrays(self._known.pop(place, None))
        if known is not None:
            return known
        token = _JOURNAL.set(None)  # what is within a step is no step
        try:
            found = work()
        finally:
            _JOURNAL.reset(token)
        self._add({"step": place, "gave": [_text(one) for one in found]})
        return found

    def _add(self, record: Mapping[str, Any]) -> None:
        if not self._open:
            return
        try:
            with self._file.open("a", encoding="ascii", newline="\n") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError:  # the computation itself needs no room
            self._open = False


_JOURNAL: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def kept_in(file: Path) -> Iterator[Journal]:
    """Have `remembered` steps of this computation kept in a file, and taken from there."""
    journal = Journal(file)
    token = _JOURNAL.set(journal)
    try:
        yield journal
    finally:
        _JOURNAL.reset(token)


def remembered(
    words: str, at: Array, work: Callable[[], tuple[Array | float, ...]]
) -> tuple[Any, ...]:
    """What ``work`` gives, few numbers that took long; from a journal, where one has them.

    Parameters
    ----------
    words
        What it is.
    at
        What it is of, such as a free vector (P,); all else that it depends on follows from this
        and from the steps before. Random numbers are drawn outside of it, for it may not be called.
    work
        Makes arrays of numbers, which come back as they were, to the bit.
    """
    journal = _JOURNAL.get()
    return work() if journal is None else journal.step(words, at, work)


class Later[T]:
    """What is made when it is first asked for: what only unknown steps need may never be."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], T] | None = make
        self._made: list[T] = []

    @property
    def known(self) -> bool:
        """Whether it is made already."""
        return bool(self._made)

    @property
    def made(self) -> T:
        """The thing itself."""
        if self._make is not None:
            self._made.append(self._make())
            self._make = None  # and what it was made of need not stay
        return self._made[0]


def _read(file: Path) -> tuple[dict[str, list[Any]], int]:
    """Steps by their places, and the bytes that they take up to the first that is not whole."""
    known: dict[str, list[Any]] = {}
    whole = 0
    with suppress(OSError, ValueError, KeyError, TypeError), file.open("rb") as stream:
        for line in stream:
            record = json.loads(line)
            if not line.endswith(b"\n"):
                break
            known[record["step"]] = list(record["gave"])
            whole += len(line)
    return known, whole


def _text(values: Array | float) -> list[Any]:
    """An array with its layout in memory, on which the last bits of products depend."""
    array = np.asarray(values, dtype=NUMBERS)
    order: Literal["C", "F"] = "F" if array.flags.fnc else "C"
    return [list(array.shape), order, base64.b64encode(array.tobytes(order)).decode("ascii")]


def _arrays(record: list[Any] | None) -> tuple[Any, ...] | None:
    """What a step gave; None where it is not there, or is damaged."""
    if record is None:
        return None
    found = []
    try:
        for shape, order, text in record:
            values = np.frombuffer(base64.b64decode(text), dtype=NUMBERS)
            own = values.reshape(shape, order=order).astype(float, order="K")
            found.append(own if shape else float(own))
    except (ValueError, TypeError):
        return None
    return tuple(found)
