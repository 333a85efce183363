"""One process at a time in a folder, on every system, which frees the lock of a crashed one."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from bayesmix.errors import SpecificationError

LOCK = ".lock"
RUN, RUN_REMEDY = "run folder", "choose another folder with --out"
_FAR = 2**30  # Windows locks bytes, and locked ones cannot be read: lock one beyond the text
_held: set[int] = set()


@contextmanager
def locked(folder: Path, words: str = RUN, remedy: str = RUN_REMEDY) -> Iterator[None]:
    """Hold a folder that exists; ``words`` and ``remedy`` are for who finds it held.

    Raises
    ------
    SpecificationError
        If a run is going on there; names its process and since when.
    OSError
        If the folder cannot be written.
    """
    path = folder / LOCK
    number = _acquire(path, (words, remedy))
    _held.add(number)
    try:
        _sign(number)
        yield
    finally:
        _held.discard(number)
        with suppress(OSError):  # first the name, while it is ours; Windows keeps it
            path.unlink()
        os.close(number)


def _acquire(path: Path, words: tuple[str, str]) -> int:
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(number):
            os.close(number)
            _refuse(path, words)
        # The holder before us may have removed the name between our opening and our locking.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(number), os.stat(path)):
                return number
        os.close(number)


def _sign(number: int) -> None:
    """Who holds it; a full disk does not matter here."""
    record = {
        "process": os.getpid(),
        "machine": socket.gethostname(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with suppress(OSError):
        os.ftruncate(number, 0)
        os.write(number, json.dumps(record).encode())


def _refuse(path: Path, words: tuple[str, str]) -> NoReturn:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {holder['process']} on {holder['machine']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it had no time to sign, or no room
        who = "another process"
    raise SpecificationError(
        f"{words[0]} '{path.parent}' is in use by {who}: wait for it, end it, or {words[1]}"
    )


if sys.platform == "win32":
    import msvcrt

    def _lock(number: int) -> bool:
        os.lseek(number, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(number, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True

    def _forget() -> None:
        """A forked worker must not go on holding what its parent, if killed, lets go."""
        for number in _held:
            with suppress(OSError):
                os.close(number)
        _held.clear()

    os.register_at_fork(after_in_child=_forget)
