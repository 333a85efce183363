"""A run folder in Python: `bm.open_run`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.arguments import refused
from bayesmix.data.choices import ChoiceData
from bayesmix.data.display import html
from bayesmix.errors import DataError, SpecificationError
from bayesmix.specification.model import MixedLogit
from bayesmix.study.build import Built, check_study
from bayesmix.study.keep import FORMATS
from bayesmix.study.keys import subject_key
from bayesmix.study.manifest import MANIFEST, Manifest, read_manifest
from bayesmix.study.methods import METHODS
from bayesmix.study.parse import read_study
from bayesmix.study.run_folder import RESULTS, STUDY
from bayesmix.study.schema import Study
from bayesmix.study.written import read_table


@dataclass(frozen=True, eq=False, repr=False)
class StudyRun:
    """A finished run: what `open_run` returns.

    Attributes
    ----------
    folder
        Where it is.
    study
        The study, as it was when the run was made.
    data, model
        What was fitted.
    results
        By method (``"msle"``, ``"msm"``, ``"mss"``, ``"nuts"``, ``"importance"``), a `Fit` or a
        posterior.
    tables
        By name of the file without its ending, such as ``"comparison"``, what the folder holds.
    files
        All files of the run, by name.
    """

    folder: Path
    study: Study
    data: ChoiceData
    model: MixedLogit
    results: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    files: Mapping[str, Path]

    def __getitem__(self, method: str) -> Any:
        """The result of a method."""
        if not isinstance(method, str) or method.lower() not in self.results:
            raise SpecificationError(
                f"run '{self.folder}' has no result {method!r}; it has {', '.join(self.results)}"
            )
        return self.results[method.lower()]

    def __repr__(self) -> str:
        return f"{self._heading()}\n\n{self.tables['comparison'].to_string(na_rep='')}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._heading())}</p>{html(self.tables['comparison'])}"

    def _heading(self) -> str:
        others = [name for name in self.tables if name != "comparison"]
        return (
            f"Run of study '{self.study.name}': results {', '.join(self.results)}; tables "
            f"{', '.join(['comparison', *others])}"
        )


def open_run(
    folder: str | os.PathLike[str], *, study: str | os.PathLike[str] | None = None
) -> StudyRun:
    """Open a run folder that ``bayesmix run`` or ``run_study`` wrote.

    Parameters
    ----------
    folder
        The run folder, such as ``"runs/electricity"``.
    study
        The study file, where it was moved since: data files are looked for from its folder. By
        default the one that the run was made from.

    Returns
    -------
    StudyRun
        ``run["msle"]`` is a `Fit`, ``run["nuts"]`` a posterior, ``run.data`` the choice data,
        ``run.tables["comparison"]`` a table. A warning says which results are of an earlier run,
        for the last one did not ask for their methods.

    Raises
    ------
    SpecificationError
        If there is no run in the folder, or data are not those that it was made from.
    DataError
        If the data are not there any more, or a result was changed since.

    Examples
    --------
    >>> import bayesmix as bm
    >>> bm.open_run("nowhere")
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: 'nowhere' is no run folder: there is no ...
    """
    if not isinstance(folder, str | os.PathLike) or not str(folder):
        raise refused("folder", "the path of a run folder", folder)
    if study is not None and (not isinstance(study, str | os.PathLike) or not str(study)):
        raise refused("study", "the path of a study file", study)
    place = Path(folder)
    manifest = _manifest(place)
    parsed = _study(place, manifest, None if study is None else Path(study))
    built = _built(place, manifest, parsed)
    files = {file: place / file for step in manifest.steps.values() for file in step.files}
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        raise DataError(
            f"run '{place}' lacks '{missing[0]}', which its '{MANIFEST}' lists: run the study again"
        )
    results = {
        name: _result(name, place / RESULTS[name], built)
        for name in METHODS
        if name in manifest.steps
    }
    for name in (name for name in results if name not in parsed.estimate.methods):
        _say_earlier(name, place, parsed)
    return StudyRun(
        folder=place,
        study=parsed,
        data=built.data,
        model=built.model,
        results=results,
        tables={path.stem: _table(path) for path in files.values() if path.suffix == ".csv"},
        files=files,
    )


def _manifest(folder: Path) -> Manifest:
    try:
        found = read_manifest(folder)
    except (ValueError, OSError) as error:
        raise SpecificationError(f"{error}: run the study again, which mends it") from error
    if found is None:
        raise SpecificationError(
            f"'{folder}' is no run folder: there is no '{MANIFEST}' in it; `bayesmix run "
            "STUDY.toml` writes one, runs/STUDY by default"
        )
    if not found.steps or "report" not in found.steps:
        there = ", ".join(found.steps) or "nothing"
        raise SpecificationError(
            f"the run in '{folder}' is not finished (there: {there}): run the study "
            "again, which goes on from there"
        )
    return found


def _study(folder: Path, manifest: Manifest, path: Path | None) -> Study:
    """The folder's copy of the study, at the place that its data are looked for from."""
    copy = read_study(folder / STUDY)
    if path is None and manifest.file:
        path = folder / manifest.file
    return replace(copy, path=path) if path is not None else copy


def _built(folder: Path, manifest: Manifest, study: Study) -> Built:
    remedy = (
        "where the study file was moved with its data, say where it is: bm.open_run(..., "
        "study='PATH.toml'), or `bayesmix report RUN --study PATH.toml`"
    )
    try:
        subject = subject_key(study)
    except OSError as error:
        raise DataError(
            f"the data of run '{folder}' cannot be read ({error.filename}: {error.strerror}); "
            f"{remedy}"
        ) from error
    if subject != manifest.subject:
        raise SpecificationError(
            f"the data of run '{folder}' were changed since, or are others: run the study again; "
            f"{remedy}"
        )
    return check_study(study)


def _result(name: str, path: Path, built: Built) -> Any:
    try:
        FORMATS[name].origin(path)
    except (ValueError, OSError) as error:
        raise DataError(f"'{path}' is not as the run wrote it ({error}): run it again") from error
    return METHODS[name].load(path, built)


def _say_earlier(name: str, folder: Path, study: Study) -> None:
    """A result that the study's last run did not ask for is of the same data and model alone."""
    origin, last = FORMATS[name].origin(folder / RESULTS[name]), study.estimate
    methods = ", ".join(one.upper() for one in last.methods)
    warnings.warn(
        f"{name.upper()} in run '{folder}' is of an earlier run, made {origin.made} with seed "
        f"{origin.seed}; the last run has {methods}, with seed {last.seed}, and may have another "
        f"grid and other settings: for the same of all add '{name}' to its methods and run again",
        stacklevel=3,
    )


def _table(path: Path) -> pd.DataFrame:
    """A table of the run, of which the report's have rows by parameter."""
    table = read_table(path)
    rows = [name for name in ("method", "parameter") if name in table.columns]
    return table.set_index(rows) if "parameter" in rows else table
