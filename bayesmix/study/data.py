"""A study's ``[data]`` as choice data: an example, or a file in a long or a wide layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.data import examples
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import assigned
from bayesmix.data.sources.reader import FileOptions, FileTable, file_options
from bayesmix.data.sources.registry import check_named, format_of, read_file
from bayesmix.data.sources.written_labels import as_text, as_written
from bayesmix.errors import DataError, SpecificationError
from bayesmix.study.column_roles import Labels, check_numbers, labels_of, numbers_where_available
from bayesmix.study.parse import PlaceInFile
from bayesmix.study.schema import DataTable, Study, WideTable
from bayesmix.study.store import stored_data

NUMBERS = ("chosen", "ranked", "availability", "weights", "offset", "sampling", "correction")
STRUCTURE = ("situation", "alternative", "chosen")
FILE = ("labels", "codes", "missing", "separator", "decimal", "encoding", "table")
ROLES = ("person", "situation", "alternative", *NUMBERS, "outside_option")
OWN_OF_LONG = ("alternative", "availability", "ranked")

type Read = tuple[ChoiceData, tuple[str, ...]]
"""Choice data, and what is to be said of their file."""


def study_data(study: Study) -> Read:
    """The choice data of a study, with notes on what its file holds otherwise.

    Raises
    ------
    SpecificationError, DataError
        Naming the key of ``[data]``, or what is no choice data.
    """
    table, place = study.data, PlaceInFile(study.path, "[data]")
    if (table.example is None) == (table.file is None):
        place.fail(
            "give one of the keys 'example' and 'file'" + (", not both" if table.file else "")
        )
    if table.example:
        data, notes = _example(table, place), tuple[str, ...]()
    elif table.store:
        data, notes = stored_data(study, place), tuple[str, ...]()
    else:
        data, notes = _wide(study, table.wide, place) if table.wide else _long(study, place)
    if table.population_shares:
        labels = {str(label): label for label in data.alternatives}
        shares = {labels.get(name, name): one for name, one in table.population_shares.items()}
        data = data.with_population_shares(shares)
    return data, notes


def data_path(study_file: Path, table: DataTable) -> Path:
    """Where the data file is: a relative path starts at the study file's folder."""
    return study_file.parent / str(table.file)


def _example(table: DataTable, place: PlaceInFile) -> ChoiceData:
    """The bundled data; columns may be named in the file, and must then be the example's."""
    data: ChoiceData = getattr(examples, str(table.example))()
    free = ("person", "situation", "alternative", "chosen", "example", "file", "population_shares")
    for key in asdict(table):
        if key not in free and getattr(table, key):
            place.fail(f"key '{key}' cannot go with an example: leave it out, or give a file")
    for key in ("person", "situation", "alternative", "chosen"):
        given, actual = getattr(table, key), getattr(data, key)
        if given not in (None, actual):
            place.fail(f"key '{key}': the example's column is '{actual}', got '{given}'")
    return data


def _long(study: Study, place: PlaceInFile) -> Read:
    table = study.data
    labels = label_columns(study)
    read = _read(table, place, labels)
    roles = {key: getattr(table, key) for key in ROLES}
    known = {key: value for key, value in read.roles.items() if not roles[key]}
    roles |= known
    for key in STRUCTURE:
        if roles[key] is None and not (key == "chosen" and table.ranked):
            place.fail(
                f"key '{key}' is missing: name the column of '{table.file}', which has a row for "
                "each alternative of a situation (of a file with a row for each situation say in "
                "[data.wide] which columns are whose; it is made from alternatives and varying, "
                "as the arguments of bm.ChoiceData.from_wide)"
            )
    frame = read.frame
    if table.availability and table.availability in frame:
        frame = numbers_where_available(frame, table.availability, labels.all)
    if not _typed(table):
        frame = labels.typed(frame, table.labels or ())
    check_numbers(frame, {key: roles[key] for key in NUMBERS if roles[key]}, place)
    return ChoiceData.from_long(frame, **roles), read.notes


def _wide(study: Study, wide: WideTable, place: PlaceInFile) -> Read:
    table = study.data
    inside = place.inside("[wide]")
    for key in OWN_OF_LONG:
        if getattr(table, key):
            remedy = (
                "the column 'alternative' is made"
                if key == "alternative"
                else f"give the key '{key}' in [data.wide]"
            )
            place.fail(f"key '{key}' is for files with a row for each alternative: {remedy}")
    if (table.chosen is None) == (wide.ranked is None):
        place.fail("give the key 'chosen', or 'ranked' in [data.wide], one of the two")
    labels = label_columns(study)
    spread = list(_spread_labels(wide, labels))
    columns = [*labels.all, *(name for group in spread for name in group)]
    chosen = [table.chosen] if table.chosen else []
    read = _read(table, place, labels, [*columns, *chosen])
    frame = as_text(read.frame, [name for name in chosen if name in read.frame])
    if not _typed(table):
        text = table.labels or ()
        frame = labels.typed(frame, {*text, *chosen})
        for group in spread:
            frame = _alike(frame, [name for name in group if name in frame and name not in text])
    check_numbers(frame, {"weights": table.weights} if table.weights else {}, place)
    others = ("person", "situation", "weights", "offset", "sampling", "correction")
    try:
        data = ChoiceData.from_wide(
            frame,
            **asdict(wide),
            chosen=table.chosen,
            outside_option=table.outside_option,
            **{key: getattr(table, key) for key in others},
        )
    except DataError as error:
        raise DataError(f"{inside.file}, [data.wide]: {error}") from error
    return data, read.notes


def _spread_labels(wide: WideTable, labels: Labels) -> Iterator[list[str]]:
    """Columns of the attributes that formulas take for categories, attribute by attribute."""
    varying: Mapping[str, Any] = wide.varying if isinstance(wide.varying, dict) else {}
    found = wide.alternatives
    names = list(found.values() if isinstance(found, dict) else found)
    for attribute, columns in varying.items():
        if attribute not in labels.all:
            continue
        if isinstance(columns, str):
            filled = columns.replace("{attribute}", attribute)
            yield [filled.replace("{alternative}", name) for name in names]
        else:
            parts = columns.values() if isinstance(columns, dict) else columns
            yield [one for one in parts if isinstance(one, str)]


def _alike(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Columns of one attribute as numbers where that loses nothing in any of them."""
    if not names:
        return frame
    whole = as_written(pd.concat([frame[name] for name in names], ignore_index=True))
    parts = [whole.iloc[k * len(frame) : (k + 1) * len(frame)] for k in range(len(names))]
    return assigned(
        frame, {n: part.set_axis(frame.index) for n, part in zip(names, parts, strict=True)}
    )


def _read(
    table: DataTable, place: PlaceInFile, labels: Labels, columns: list[str] | None = None
) -> FileTable:
    """The file; where it does not say itself what is text, labels are text."""
    path = data_path(place.file, table)
    given = {key: getattr(table, key) for key in FILE}
    numbers = [getattr(table, key) for key in NUMBERS if getattr(table, key)]
    kind = format_of(path.name)
    if not _typed(table):
        own = list(labels.all) if columns is None else columns
        given["labels"] = [*dict.fromkeys([*(table.labels or ()), *own])]
    elif kind and "codes" in kind.takes and not table.wide:
        given["codes"] = [*dict.fromkeys([*(table.codes or ()), *numbers])]
    try:
        options: FileOptions = file_options(given, quantities=True)
        found = read_file(path, options)
        check_named(found, path, {"labels": table.labels, "codes": table.codes})
        return found
    except DataError as error:
        PlaceInFile(place.file, place.table, "file").fail(str(error))
    except SpecificationError as error:
        place.fail(str(error))


def _typed(table: DataTable) -> bool:
    kind = format_of(str(table.file))
    return kind is not None and kind.typed


def label_columns(study: Study) -> Labels:
    """Columns of labels: of who chooses what, of the scale's sources, and formulas' categories."""
    data, utility = study.data, study.utility
    roles = (data.person, data.situation, data.alternative, utility.scale)
    formulas = [asdict(utility), *(asdict(law) for law in study.random)]
    if study.endogeneity is not None:
        formulas.append(asdict(study.endogeneity))
    return labels_of(roles, formulas)
