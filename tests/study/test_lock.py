"""One run at a time in a folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayesmix.errors import SpecificationError
from bayesmix.locks import locked
from bayesmix.study import read_study, run_study

HOLD = """
import sys, time
from pathlib import Path
from bayesmix.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_run_is_told_who_is_there_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        day, hour = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d:\d\d"
        words = rf"in use by process {other.pid} on .*, since {day} {hour}: wait"
        with pytest.raises(SpecificationError, match=words), locked(tmp_path):
            pass
        other.kill()
        other.wait()
        with locked(tmp_path):
            assert (tmp_path / ".lock").is_file()
    assert not (tmp_path / ".lock").exists()


def test_one_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    twice = pytest.raises(SpecificationError, match=f"in use by process {os.getpid()}")
    with locked(tmp_path), twice, locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_study_does_not_start_in_a_folder_in_use(
    write_study: Callable[..., Path], estimators: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with locked(out), pytest.raises(SpecificationError, match="is in use by process"):
        run_study(read_study(write_study()), out, progress=False)
    assert estimators.names == []
