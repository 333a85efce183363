"""A command in a process of its own, and what ends it: signals, disks that are full."""

import atexit
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = "from bayesmix.cli import main; main()"
SIGNALS = {"kill": signal.SIGKILL, "sigint": signal.SIGINT, "sigterm": signal.SIGTERM}


class Process:
    """The command in a process of its own, with what it says in files."""

    def __init__(
        self, command: list[str], environment: dict[str, str], stand_in: bool, said: Path
    ) -> None:
        self.said = said
        self.code: int | None = None
        if stand_in:
            self.pid = os.fork()
            if not self.pid:
                _as_command(command, said)
        else:
            with said.open("w") as stream:
                self.pid = subprocess.Popen(
                    [sys.executable, "-c", COMMAND, *command],
                    env=environment,
                    stdout=stream,
                    stderr=stream,
                ).pid

    def wait(self, seconds: float) -> int | None:
        """The exit code, minus the signal's number after a signal; None if it runs still."""
        until = time.perf_counter() + seconds
        while self.code is None and time.perf_counter() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            else:
                time.sleep(0.002)
        return self.code

    def to_end(self) -> tuple[int, str]:
        """The exit code, and what was said."""
        if self.wait(300.0) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(10.0)
        assert self.code is not None, "a process that cannot be killed"
        return self.code, self.said.read_text()


def _as_command(command: list[str], said: Path) -> None:
    """What the fork does: the command, and an end as the interpreter's own."""
    from bayesmix.cli import main

    code: object = 1
    try:
        with said.open("w") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        sys.argv = ["bayesmix", *command]
        main()
        code = 0
    except SystemExit as stopped:
        code = stopped.code
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def disturbed(process: Process, kind: str, moment: float) -> int:
    if kind in SIGNALS and process.wait(moment) is None:
        os.kill(process.pid, SIGNALS[kind])
    return process.to_end()[0]


@contextmanager
def disk_for(
    work: Path, kind: str, rng: random.Random, other: Path | None
) -> Iterator[tuple[Path, object]]:
    """A folder for runs, and what makes room in it; too small for a run if disks are to be full.

    There is room for a copy of ``other``.
    """
    disk = work / "disk"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    if kind != "full disk":
        yield disk, lambda: None
        return
    size = rng.choice((4, 8, 16, 32, 64, 128, 192, 256, 384))
    if other is not None:  # in pages of 4 kB
        size += sum(4 * (path.stat().st_size // 4096 + 1) for path in other.rglob("*"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size + 300}k,nr_inodes=200", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    # What fills the disk, but for a random rest, goes when room is made.
    filler = disk / "filler"
    filler.write_bytes(b"0" * 300 * 1024)
    try:
        yield disk, lambda: _grow(disk, filler)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _grow(disk: Path, filler: Path) -> None:
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
