"""Files as frames and as choice data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.arguments import refused
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import assigned, nearest
from bayesmix.data.sources.reader import FileKeywords, FileOptions, FileTable, file_options
from bayesmix.data.sources.registry import check_named, format_of, read_file
from bayesmix.data.sources.written_labels import as_written
from bayesmix.errors import SpecificationError

LABELS = ("person", "situation", "alternative")
NUMBERS = ("chosen", "ranked", "availability", "weights", "offset", "sampling", "correction")


def read_table(path: str | os.PathLike[str], **file: Any) -> pd.DataFrame:
    r"""A data file as a data frame: the formats of the field through one function.

    Delimited text (.csv, .csv.gz, .tsv, .dat, .txt), Parquet, Stata (.dta), SPSS (.sav, .zsav,
    .por), R (.rds, .rda), Excel (.xlsx, .xls, .ods), JSON lines (.jsonl) and Sawtooth (.cho).
    Value labels become categories in the order of their codes, where every code in use has one.
    Only an empty field is missing; coded missing values (Stata's .a to .z, SPSS's user-missing
    ones) are missing too, which a warning counts. Whole numbers are integers.

    Parameters
    ----------
    path : path
        The file. Stata and SPSS need pyreadstat, R rdata, Excel python-calamine:
        ``pip install 'bayesmix[files]'`` installs all three.
    labels : list of columns, optional
        Columns of labels, which are read as text exactly as written. In text files whole numbers
        that begin with 0 are text without being listed.
    codes : list of columns, optional
        Columns whose codes are wanted, not their value labels.
    missing : list of texts, optional
        What else says in text, JSON and Excel that a value is missing, such as ``["NA", "-99"]``.
    separator, decimal, encoding : text, optional
        Of text: ``","``, ``"."`` and ``"utf-8"`` where not given (in .tsv tabs, in .dat and .txt
        what the heading has).
    table : text, optional
        Sheet of a workbook, or object of an R file; needed where there are several.

    Returns
    -------
    pandas.DataFrame
        One row a record of the file, its columns in the file's order.

    Raises
    ------
    DataError
        Where the file cannot be read; the message names the remedy, such as the separator, the
        encoding, or the extra that installs a reader.
    SpecificationError
        Where an argument is of another kind.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import bayesmix as bm
    >>> file = pathlib.Path(tempfile.mkdtemp(), "trips.csv")
    >>> _ = file.write_text("id;price\n007;1,5\n", encoding="utf-8")
    >>> bm.read_table(file, separator=";", decimal=",", labels=["id"]).values.tolist()
    [['007', 1.5]]
    """
    _check_keywords(file, [], "read_table")
    table = read_file(checked_path(path), file_options(file))
    check_named(table, Path(path), file)
    _warn(table)
    return table.frame


def read_choices(path: str | os.PathLike[str], **given: Any) -> ChoiceData:
    r"""A data file as choice data: `read_table`, then `ChoiceData.from_long` or `from_wide`.

    Columns of persons, situations and alternatives are text as written until all of them are plain
    numbers, so that 001 and 1 stay two; choices, ranks, availability and weights are read as codes,
    not as value labels.

    Parameters
    ----------
    path : path
        The file, of any format of `read_table`.
    person, situation, alternative, chosen, **given : columns
        The arguments of `ChoiceData.from_long`; with ``varying`` and ``alternatives``, those of
        `ChoiceData.from_wide`. A Sawtooth .cho file needs none.
    labels, codes, missing, separator, decimal, encoding, table : optional
        How the file is read: the arguments of `read_table`.

    Returns
    -------
    ChoiceData
        The choices, sorted and checked.

    Raises
    ------
    DataError
        Where the file cannot be read, or does not hold choice data.
    SpecificationError
        Where an argument is unknown or of another kind.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import bayesmix as bm
    >>> file = pathlib.Path(tempfile.mkdtemp(), "trips.csv")
    >>> _ = file.write_text("id,mode,choice,price\n1,bus,1,2\n1,car,0,5\n", encoding="utf-8")
    >>> data = bm.read_choices(
    ...     file, person=None, situation="id", alternative="mode", chosen="choice")
    >>> data.alternatives
    ('bus', 'car')
    """
    wide = bool({"varying", "alternatives"} & set(given))
    make = ChoiceData.from_wide if wide else ChoiceData.from_long
    _check_keywords(given, _roles(make), "read_choices")
    keywords = FileKeywords.__annotations__
    roles = {name: value for name, value in given.items() if name not in keywords}
    table = read_roles(checked_path(path), file_options(given), roles)
    check_named(table, Path(path), given)
    _warn(table)
    whole: dict[str, Any] = {**table.roles, **roles}
    needs = [name for name in _required(make) if name not in whole]
    if needs:
        raise SpecificationError(
            f"argument {needs[0]!r} is missing: name the column; "
            f"{nearest(needs[0], table.frame.columns)}"
        )
    return make(table.frame, **whole)


def read_roles(path: Path, options: FileOptions, roles: Mapping[str, Any]) -> FileTable:
    """A file of which it is known what its columns of labels and of numbers are.

    Labels are numbers where all of them are written as such; those in ``options`` stay text.
    """
    kind = format_of(path.name)
    columns = {role: name for role, name in roles.items() if isinstance(name, str)}
    found = [columns[role] for role in LABELS if role in columns]
    if kind and not kind.typed:
        asked = replace(options, labels=tuple({*options.labels, *found}))
        table = read_file(path, asked)
        free = [name for name in found if name in table.frame and name not in options.labels]
        written = {name: as_written(table.frame[name]) for name in free}
        return replace(table, frame=assigned(table.frame, written))
    if kind and "codes" in kind.takes:
        wide = "varying" in roles  # what was chosen is a label there
        numbers = {columns[role] for role in NUMBERS[wide:] if role in columns}
        options = replace(options, codes=tuple({*options.codes, *numbers}))
    return read_file(path, options)


def _roles(make: Any) -> list[str]:
    return [name for name in signature(make).parameters if name != "frame"]


def _required(make: Any) -> list[str]:
    parameters = signature(make).parameters.values()
    missing = Parameter.empty, ...
    return [p.name for p in parameters if p.default in missing and p.name != "frame"]


def _check_keywords(given: Mapping[str, Any], roles: list[str], function: str) -> None:
    valid = [*roles, *FileKeywords.__annotations__]
    unknown = [name for name in given if name not in valid]
    if unknown:
        raise SpecificationError(
            f"{function} has no argument {unknown[0]!r}: {nearest(unknown[0], valid)}"
        )


def checked_path(path: Any) -> Path:
    """The path of a data file."""
    if not isinstance(path, str | os.PathLike) or isinstance(path, bytes) or not str(path):
        raise refused("path", "the path of a data file", path)
    return Path(path)


def _warn(table: FileTable) -> None:
    if table.notes:
        warnings.warn("; ".join(table.notes), stacklevel=3)
