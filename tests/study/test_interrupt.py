"""Signals: never swallowed for good, never before what is finished is safe."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from typer.testing import CliRunner

from bayesmix.cli import app
from bayesmix.study import interrupt, read_study, run_study
from bayesmix.study.interrupt import Stopped, deferred, interruptible
from bayesmix.study.step_lines import StepLines
from tests.study.running import FILES, Write, run


def swallow(number: int = signal.SIGINT) -> None:
    """What a compiler's callback does, whose exceptions are printed and forgotten."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_a_step_that_ends_whole_after_a_swallowed_ctrl_c_is_kept(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    for name in ("msle", "nuts"):
        estimators.during = {name: swallow}
        with pytest.raises(KeyboardInterrupt):
            run_study(read_study(path), out, progress=False)
    estimators.during = {}
    run_study(read_study(path), out, progress=False)
    assert estimators.names == ["msle", "nuts"]


def test_a_swallowed_interruption_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "AGAIN", 0.05)
    handlers = [signal.getsignal(number) for number in interrupt.SIGNALS]

    @interruptible()
    def compile_for_long() -> None:
        swallow(signal.SIGTERM)
        for _ in range(1000):
            sleep(0.01)

    with pytest.raises(Stopped) as caught:
        compile_for_long()
    assert caught.value.number == signal.SIGTERM
    assert [signal.getsignal(number) for number in interrupt.SIGNALS] == handlers
    sleep(0.12)  # and not after the block


def test_what_is_being_written_is_written_first() -> None:
    done = []

    @deferred()
    def write(presses: int) -> None:
        for _ in range(presses):
            os.kill(os.getpid(), signal.SIGINT)
        done.append(presses)

    for presses in (1, 2):  # who presses twice does not want to wait
        with pytest.raises(Stopped):
            write(presses)
    assert done == [1]


def test_a_request_to_terminate_says_what_is_kept(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    estimators.during["nuts"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    arguments = ["run", str(write_study()), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 128 + signal.SIGTERM
    assert f"Finished and kept in {tmp_path / 'out'}: msle (msle.json)." in result.stderr


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("press", [press_ctrl_c, swallow])
def test_an_interrupted_step_is_not_finished_and_the_earlier_one_is_kept(
    write_study: Write, estimators: Any, tmp_path: Path, press: Callable[[], None]
) -> None:
    """Nor is one whose sampler swallows Ctrl-C, and hands back the draws that it has."""
    path, out = write_study(), tmp_path / "out"
    estimators.during["nuts"] = press
    estimators.fewer_draws = press is swallow
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(path, out)
    assert signal.getsignal(signal.SIGINT) is handler
    assert {file.name for file in out.iterdir()} == {"study.toml", "run.json", "msle.json"}
    estimators.during.clear()
    estimators.fewer_draws = False
    run(path, out)
    assert estimators.names == ["msle", "nuts", "nuts"]
    assert {file.name for file in out.iterdir()} == FILES


def test_ctrl_c_counts_as_soon_as_a_step_is_announced(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a shell started the command in the background, with Ctrl-C ignored."""
    path, out = write_study(), tmp_path / "out"
    say = StepLines._print

    def announce(steps: StepLines, text: str) -> None:
        say(steps, text)
        if text.endswith("NUTS ..."):
            press_ctrl_c()

    monkeypatch.setattr(StepLines, "_print", announce)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(path, out)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert estimators.names == ["msle"]


def test_a_failure_after_ctrl_c_is_an_interruption(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    def stumble() -> None:
        swallow()
        raise RuntimeError("chains of different length")

    estimators.during["nuts"] = stumble
    with pytest.raises(KeyboardInterrupt):
        run(write_study(), tmp_path / "out")
