"""Simulations by their numbers: order, processes, interruptions and files change nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesmix.errors import SpecificationError
from bayesmix.repeated import Record, Repeated, result_file, run_all


def draw(job: float, seed: int, number: int) -> Record:
    """Something that depends on the seed and the number alone."""
    return {"value": job * float(np.random.default_rng([seed, number]).normal())}


KEY = {"model": "m", "version": "1"}


def task(key: dict[str, str] | None = None, work: Any = draw) -> Repeated:
    return Repeated(work, 2.0, "simulations", KEY if key is None else key)


def run(number: int, file: Path | None = None, rng: int | None = 3, **more: Any) -> Any:
    options = {"processes": 1, "progress": False} | more
    return run_all(options.pop("task", task()), number, rng=rng, file=file, **options)


def test_processes_do_not_change_what_is_found() -> None:
    assert run(6, processes=2).records == run(6).records


def test_a_file_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    calls: list[int] = []

    def counted(job: float, seed: int, number: int) -> Record:
        calls.append(number)
        return draw(job, seed, number)

    first = run(3, file).records
    text = file.read_text()
    file.write_text(text[:-5])  # the last line was not finished
    again = run(5, file, task=task(work=counted))
    assert calls == [2, 3, 4]
    assert again.records == run(5).records
    assert first == {n: again.records[n] for n in range(3)}
    assert run(2, file).records == {n: again.records[n] for n in range(2)}
    assert len(file.read_text().splitlines()) == 6


def test_interrupted_ones_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"

    def ended(job: float, seed: int, number: int) -> Record:
        if number == 2:
            raise KeyboardInterrupt
        return draw(job, seed, number)

    found = run(5, file, task=task(work=ended))
    assert found.interrupted
    assert list(found.records) == [0, 1]
    assert run(5, file).records == run(5).records

    def at_once(job: float, seed: int, number: int) -> Record:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(5, task=task(work=at_once))


def test_without_a_seed_the_file_has_it(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    first = run(2, file, rng=None)
    assert run(4, file, rng=None).seed == first.seed
    assert run(4, file, rng=None).records[0] == first.records[0]


@pytest.mark.parametrize(
    ("key", "rng", "words"),
    [({**KEY, "model": "other"}, 3, "another model"), (KEY, 4, "another rng")],
)
def test_other_simulations_are_refused(
    tmp_path: Path, key: dict[str, str], rng: int, words: str
) -> None:
    file = tmp_path / "found.jsonl"
    run(2, file)
    with pytest.raises(SpecificationError, match=words):
        run(2, file, rng=rng, task=task(key))


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("some notes\n")
    with pytest.raises(SpecificationError, match="does not hold simulations"):
        run(2, file)
    assert file.read_text() == "some notes\n"
    file.unlink()
    run(2, file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], "damaged", *lines[2:]]) + "\n")
    with pytest.raises(SpecificationError, match="line 2"):
        run(2, file)
    with pytest.raises(SpecificationError, match="'file'"):
        result_file(tmp_path)
    with pytest.raises(SpecificationError, match="'file'"):
        result_file(tmp_path / "nowhere" / "found.jsonl")
