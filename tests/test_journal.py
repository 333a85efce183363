"""Steps of a computation come back from a file to the bit, in their order, and no others do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesmix.journal import Journal, Later, kept_in, remembered

HERE = np.array([0.1, np.pi])


class Work:
    """A computation of some steps, each from the last, that counts those which are made."""

    def __init__(self) -> None:
        self.made = 0

    def step(self, at: Any) -> tuple[Any, ...]:
        self.made += 1
        square = np.sin(np.outer(at, at) + self.made)
        return float(at.sum()), np.asfortranarray(square), np.full(2, np.nan)

    def run(self, file: Path | None, steps: int, at: Any = HERE) -> list[Any]:
        found = []

        def go() -> None:
            here = at
            for _ in range(steps):
                value, square, nothing = remembered("step", here, lambda x=here: self.step(x))
                found.append((value, square, nothing))
                here = here + square @ here

        if file is None:
            go()
        else:
            with kept_in(file):
                go()
        return found


def same(one: list[Any], other: list[Any]) -> bool:
    pairs = [(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True)]
    return all(
        np.asarray(a).tobytes() == np.asarray(b).tobytes()
        and np.asarray(a).flags.f_contiguous == np.asarray(b).flags.f_contiguous
        for a, b in pairs
    )


def test_steps_come_back_to_the_bit_and_in_their_layout(tmp_path: Path) -> None:
    file, work = tmp_path / "steps", Work()
    first = work.run(file, 4)
    again = Work()
    assert same(again.run(file, 4), first)
    assert again.made == 0
    assert same(Work().run(None, 4), first)
    assert isinstance(first[0][0], float)


@pytest.mark.parametrize("cut", [1, 40, 99])
def test_what_was_not_finished_is_done_again(tmp_path: Path, cut: int) -> None:
    """The last line is torn at any place."""
    file = tmp_path / "steps"
    Work().run(file, 3)
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    work = Work()
    work.made = 2
    found = work.run(file, 3)
    assert work.made == 3
    assert file.read_bytes() == whole
    assert same(found, Work().run(None, 3))


def test_another_input_takes_nothing(tmp_path: Path) -> None:
    """Neither where it begins otherwise, nor after it has once gone another way."""
    file = tmp_path / "steps"
    Work().run(file, 3)
    work = Work()
    other = np.nextafter(HERE, 9.0)
    assert not same(work.run(file, 3, other), Work().run(None, 3))
    assert work.made == 3
    with kept_in(file) as journal:
        calls = []
        for at in (HERE, other, HERE):
            remembered("step", at, lambda: (calls.append(1) or 0.0,))
        assert calls == [1, 1]
        assert journal.left > 0


def test_a_step_that_fails_is_not_kept_and_moves_on(tmp_path: Path) -> None:
    def fails() -> Any:
        raise ValueError("no")

    for _ in range(2):
        with kept_in(tmp_path / "steps") as journal:
            with pytest.raises(ValueError, match="no"):
                remembered("bad", HERE, fails)
            assert remembered("good", HERE, lambda: (1.5,)) == (1.5,)
    assert journal.left == 0
    assert len((tmp_path / "steps").read_text().splitlines()) == 1


def test_steps_within_a_step_are_none(tmp_path: Path) -> None:
    def outer() -> tuple[float]:
        return (remembered("inner", HERE, lambda: (2.0,))[0] + 1.0,)

    with kept_in(tmp_path / "steps"):
        remembered("outer", HERE, outer)
    assert len((tmp_path / "steps").read_text().splitlines()) == 1


def test_damaged_files_and_full_disks_cost_work_alone(tmp_path: Path) -> None:
    file = tmp_path / "steps"
    first = Work().run(file, 3)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0] + lines[1].replace('"C"', '"Z"').replace('"F"', '"Z"') + lines[2])
    assert len(Work().run(file, 3)) == 3
    file.write_text(lines[0] + "nonsense\n" + lines[2])
    work = Work()
    work.made = 1
    assert same(work.run(file, 3), first)
    assert work.made == 3
    assert same(Work().run(tmp_path / "no" / "such" / "folder", 3), first)
    assert Journal(tmp_path).left == 0


def test_later_is_made_once_and_lets_go_of_what_it_was_made_of() -> None:
    calls: list[int] = []
    later = Later(lambda: calls.append(1) or "thing")
    assert not later.known
    assert (later.made, later.made, later.known) == ("thing", "thing", True)
    assert calls == [1]
