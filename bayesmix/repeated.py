"""Simulations by their numbers: shared by processes, kept in a file that can be gone on with.

What a simulation finds depends on its number and on nothing else, so that neither the order in
which they are finished, nor the processes that share them, nor an interruption changes a result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.processes import shared
from bayesmix.progress import tracked

Record = dict[str, Any]
"""What a simulation found, as JSON holds it."""
Work = Callable[[Any, int, int], Record]
"""The job, a seed and a number -> what the simulation of that number found."""
FORMAT = 1
MOST_SIMULATIONS, MOST_PROCESSES = 1_000_000, 1024
FAILURE = "failure"
"""Under which a record says why a simulation found nothing."""


@dataclass(frozen=True, eq=False)
class Repeated:
    """Simulations to do.

    Parameters
    ----------
    work, job
        A function of a module, and its first argument, which go to other processes.
    words
        What they are, for the progress bar.
    key
        By word, what results depend on, besides the seed and the number.
    """

    work: Work
    job: Any
    words: str
    key: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class SimulationRecords:
    """Records of simulations by number, and whether the run was ended before all were made."""

    records: dict[int, Record]
    seed: int
    interrupted: bool = False


def run_all(
    task: Repeated,
    number: int,
    *,
    rng: Any,
    processes: int,
    file: Path | None,
    progress: bool,
) -> SimulationRecords:
    """Simulations 0 .. number - 1, those that the file has as they stand there.

    Ctrl-C keeps what is finished, unless nothing is.

    Raises
    ------
    SpecificationError
        If the file holds other simulations, or is none of ours.
    """
    given = None if rng is None else int(np.random.default_rng(rng).integers(2**62))
    kept: dict[int, Record] = {}
    seed, fresh = given, True
    if file is not None and file.exists() and file.stat().st_size:
        seed, kept = _read(file, task.key, given)
        fresh = False
    if seed is None:
        seed = int(np.random.default_rng().integers(2**62))
    if file is not None and fresh:
        _append(file, {"format": FORMAT, "seed": seed, "key": dict(task.key)})
    missing = [n for n in range(number) if n not in kept]
    found = {n: kept[n] for n in range(number) if n in kept}
    job = (task.work, task.job, seed)
    made = shared(_one, job, missing, processes, "simulations")
    interrupted = False
    try:
        for n, record in tracked(made, task.words, total=len(missing), show=progress):
            found[n] = record
            if file is not None:
                _append(file, {"number": n, **record})
    except KeyboardInterrupt:
        if not found:
            raise
        interrupted = True
    finally:
        made.close()
    return SimulationRecords(dict(sorted(found.items())), seed, interrupted)


def check_run(simulations: int, rng: Any, processes: int, file: Any, progress: bool) -> Path | None:
    """The file of finished simulations, of arguments that are right.

    Raises
    ------
    SpecificationError
        If one of them is not.
    """
    arguments.whole("simulations", simulations, most=MOST_SIMULATIONS)
    arguments.seed("rng", rng)
    arguments.whole("processes", processes, most=MOST_PROCESSES)
    arguments.flag("progress", progress)
    return result_file(file)


def sorted_out(
    records: Mapping[int, Record], done: str
) -> tuple[dict[int, Record], dict[int, str]]:
    """Simulations that found something, and why the others did not.

    Raises
    ------
    SpecificationError
        If all of them found nothing; ``done`` says what could not be.
    """
    good = {n: record for n, record in records.items() if FAILURE not in record}
    failed = {n: str(record[FAILURE]) for n, record in records.items() if FAILURE in record}
    if not good:
        number, why = next(iter(failed.items()))
        raise SpecificationError(
            f"none of {len(failed)} simulations could be {done}; first number {number}: {why}"
        )
    return good, failed


def result_file(value: Any) -> Path | None:
    """The file of finished simulations, as argument ``file`` says it."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise arguments.refused("file", "the path of a file, or None", value)
    path = Path(value)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SpecificationError(
            f"argument 'file' must be a file in a folder that there is, got {str(path)!r}"
        )
    return path


def _read(file: Path, key: Mapping[str, str], seed: int | None) -> tuple[int, dict[int, Record]]:
    """Seed and records of a file; a last line that was not finished is cut off."""
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    head, *lines = whole.decode("utf-8", errors="replace").splitlines() or [""]
    try:
        first = json.loads(head)
        own, known = first["seed"], first["key"]
        if first["format"] != FORMAT or not isinstance(own, int):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise SpecificationError(
            f"argument 'file': {str(file)!r} does not hold simulations: choose another"
        ) from None
    others = [word for word in sorted({*key, *known}) if key.get(word) != known.get(word)]
    if seed is not None and own != seed:
        others.append("rng")
    if others:
        raise SpecificationError(
            f"argument 'file': {str(file)!r} holds simulations with another "
            f"{', another '.join(others)}: choose another file, or remove that one"
        )
    records: dict[int, Record] = {}
    for at, line in enumerate(lines, start=2):
        try:
            record = json.loads(line)
            records[int(record.pop("number"))] = record
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SpecificationError(
                f"argument 'file': line {at} of {str(file)!r} is not as it was written: remove "
                "that line, and its simulation is done again"
            ) from None
    if len(whole) < len(content):
        with file.open("rb+") as stream:
            stream.truncate(len(whole))
    return own, records


def _append(file: Path, record: Record) -> None:
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(json.dumps(record) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _one(job: tuple[Work, Any, int], number: int) -> Record:
    work, own, seed = job
    return work(own, seed, number)
