"""``[data]`` with a store: Parquet files of any size, whose columns stay on the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bayesmix.data.choices import ChoiceData
from bayesmix.data.store.source import source_paths
from bayesmix.errors import DataError
from bayesmix.files import file_hash
from bayesmix.study.parse import PlaceInFile
from bayesmix.study.schema import DataTable, Study

NOT_WITH_STORE = (
    "labels", "codes", "missing", "separator", "decimal", "encoding", "table", "wide",
)  # fmt: skip
"""Keys of what Parquet files say themselves, and of layouts that they have not."""
ROLES = (
    "person", "situation", "alternative", "chosen", "ranked", "availability", "weights", "offset",
    "sampling", "correction", "outside_option",
)  # fmt: skip


def stored_data(study: Study, place: PlaceInFile) -> ChoiceData:
    """The choice data of a study's store, which is made where it is not there.

    Raises
    ------
    SpecificationError, DataError
        Naming the key of ``[data]``, or file and row.
    """
    table = study.data
    for key in NOT_WITH_STORE:
        if getattr(table, key):
            place.fail(
                f"key '{key}' cannot go with a store, which is made of Parquet files with a row "
                "for each alternative of a situation: leave it out, or leave out the key 'store'"
            )
    for key in ("situation", "alternative"):
        if getattr(table, key) is None:
            place.fail(f"key '{key}' is missing: name the column of '{table.file}'")
    if table.chosen is None and table.ranked is None:
        place.fail(f"key 'chosen' is missing: name the column of '{table.file}'")
    folder = study.path.resolve().parent
    try:
        return ChoiceData.from_parquet(
            str(folder / str(table.file)),
            store=folder / str(table.store),
            progress=True,
            **{key: getattr(table, key) for key in ROLES},
        )
    except DataError as error:
        raise DataError(f"{place.file}, {place.table}: {error}") from error


def files_hash(folder: Path, table: DataTable) -> str:
    """Digest of the content of all of a store's files, in their order."""
    found = hashlib.sha256()
    for path in source_paths(str(folder / str(table.file))):
        found.update(f"{path.name} {file_hash(path)}\n".encode())
    return found.hexdigest()
