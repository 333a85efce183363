"""Files that are there whole or not at all, whatever happens while they are written."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PARTIAL = ".partial-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name, put it on the disk, and only then give it its name.

    Parameters
    ----------
    path
        The file; an earlier one of that name stays until the new one is complete.
    write
        Writes everything to the path that it is given.

    Raises
    ------
    OSError
        As the system said it (disk full, no permission, no such folder), of ``path`` itself; or
        what ``write`` raised. No part of a file is left behind.
    """
    beside = path.with_name(f"{PARTIAL}{path.name}")
    try:
        write(beside)
        _on_disk(beside)
        os.replace(beside, path)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    _folder_on_disk(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_whole` of a text, in UTF-8 with plain line ends."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8", newline="\n"))


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """`write_text` where a user asked for a file: links are followed, devices written to."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        target.write_text(text, encoding="utf-8", newline="\n")
        return
    write_text(target, text)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _named(error: OSError, path: Path) -> OSError:
    """The error of the file that was asked for, not of its name for the time being."""
    if error.errno is None:
        return error
    return type(error)(error.errno, error.strerror, str(path))


def _on_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _folder_on_disk(folder: Path) -> None:
    """The new name too; systems that cannot do it for folders do it by themselves."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
