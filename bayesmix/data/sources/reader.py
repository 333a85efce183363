"""What a reader is asked, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from bayesmix.arguments import names, refused, text
from bayesmix.data.columns import first_few
from bayesmix.errors import DataError


class FileKeywords(TypedDict, total=False):
    """Keyword arguments that say how a file is read; `FileOptions` says what they mean."""

    labels: list[str] | tuple[str, ...]
    codes: list[str] | tuple[str, ...]
    missing: list[str] | tuple[str, ...]
    separator: str | None
    decimal: str | None
    encoding: str | None
    table: str | None


@dataclass(frozen=True)
class FileOptions:
    """How a file is read, checked. What a format does not know may not be given.

    Parameters
    ----------
    labels
        Columns of labels: text exactly as it is written, so that 001 and 1 stay two.
    codes
        Columns whose codes are read, not their value labels.
    missing
        Texts that say that a value is missing, besides the empty field.
    separator, decimal
        Of delimited text: between fields; in numbers.
    encoding
        Of text: ``"utf-8"`` where it is not given.
    table
        Which sheet of a workbook, or which object of an R file.
    quantities
        Whether digits that begin with 0, such as 08, are numbers outside of ``labels``: for those
        who know that ``labels`` are all of them.
    """

    labels: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    table: str | None = None
    quantities: bool = False

    @property
    def given(self) -> list[str]:
        """Names of the options that are not left to the format."""
        return [name for name in FileKeywords.__annotations__ if getattr(self, name)]


def file_options(given: Mapping[str, Any], *, quantities: bool = False) -> FileOptions:
    """The options that keyword arguments say.

    Raises
    ------
    SpecificationError
        Naming the argument that is of another kind.
    """
    checked: dict[str, Any] = {"quantities": quantities}
    for name in ("labels", "codes", "missing"):
        if given.get(name) is not None:
            checked[name] = names(name, given[name], "a list of texts")
    for name in ("encoding", "table"):
        if given.get(name) is not None:
            checked[name] = text(name, given[name])
    separator, decimal = given.get("separator"), given.get("decimal")
    if separator is not None:
        if not isinstance(separator, str) or not separator or separator in "\r\n.\"'":
            raise refused(
                "separator", "what stands between fields, such as ';' or '\\t'", separator
            )
        checked["separator"] = separator
    if decimal is not None:
        if not isinstance(decimal, str) or decimal not in (".", ","):
            raise refused("decimal", "'.' or ','", decimal)
        checked["decimal"] = decimal
    return FileOptions(**checked)


@dataclass(frozen=True, eq=False)
class FileTable:
    """A file as a frame.

    Parameters
    ----------
    frame
        Its columns, with unique names.
    notes
        Sentences on what is not in the frame as it was in the file, such as coded missing values.
    roles
        Arguments of `ChoiceData.from_long` that the format itself determines.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    roles: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FileFormat:
    """A file format.

    Parameters
    ----------
    words
        What it is called.
    endings
        Of names of files, in lower case.
    read
        Its reader.
    takes
        Names of the options that it knows.
    typed
        Whether its columns say themselves what is text and what is a number.
    """

    words: str
    endings: tuple[str, ...]
    read: Callable[[Path, FileOptions], FileTable]
    takes: frozenset[str] = frozenset()
    typed: bool = False


def needed(package: str, extra: str, words: str) -> Any:
    """An optional library.

    Raises
    ------
    DataError
        Where it is not installed, naming the extra that installs it.
    """
    try:
        return import_module(package)
    except ImportError:
        raise DataError(
            f"reading {words} files needs {package}, which is not installed: install it by "
            f"pip install 'bayesmix[{extra}]'"
        ) from None


def check_unique(found: list[str], file: str) -> None:
    """Refuse columns of one name, of which libraries would rename or drop the later.

    Raises
    ------
    DataError
        Naming them.
    """
    index = pd.Index(found, dtype=object)
    repeated = index[index.duplicated()].unique()
    if len(repeated):
        raise DataError(f"'{file}' has columns of the same name: {first_few(repeated)}; rename one")
