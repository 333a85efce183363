"""Results in files that say themselves what they are of, and show if they were changed.

A file holds the key of its step (see `bayesmix.study.keys`), what made it, and a hash over its
content, so that no result is trusted for its name, and none is lost with the run's manifest.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FIELD = "study"  # of a fit's JSON
ATTRIBUTE = "bayesmix_study"  # of a posterior's root


@dataclass(frozen=True)
class Origin:
    """Where a result comes from: its step's key, and what made it when."""

    step: str
    key: str
    seed: int
    seconds: float
    made: str
    versions: Mapping[str, str]
    content: str = ""


@dataclass(frozen=True)
class ResultFormat:
    """How results are written with their origin, and both are read again."""

    write: Callable[[Any, Path, Origin], Origin]
    """Returns the origin with the hash of the content."""
    origin: Callable[[Path], Origin]
    """Of a file that is as it was written; raises `ValueError` or `OSError` for any other."""


def write_fit(fit: Any, path: Path, origin: Origin) -> Origin:
    """A fit's own file, with its origin in one more field."""
    fit.save(path)
    record = json.loads(path.read_text(encoding="utf-8"))
    record.pop(FIELD, None)
    origin = replace(origin, content=_json_hash(record))
    text = json.dumps({**record, FIELD: asdict(origin)}, indent=1, allow_nan=False)
    path.write_text(text, encoding="utf-8", newline="\n")
    return origin


def fit_origin(path: Path) -> Origin:
    """Of a file that `write_fit` wrote."""
    record = _parsed(path.read_text(encoding="utf-8"))
    mark = record.pop(FIELD, None) if isinstance(record, dict) else None
    return _checked(mark, lambda: _json_hash(record))


def write_posterior(posterior: xr.DataTree, path: Path, origin: Origin) -> Origin:
    """A netCDF file; its hash is of what was read back from it."""
    from netCDF4 import Dataset

    _storable(posterior).to_netcdf(path, engine="netcdf4")
    origin = replace(origin, content=_tree_hash(xr.load_datatree(path, engine="netcdf4")))
    with Dataset(path, "a") as file:
        file.setncattr(ATTRIBUTE, json.dumps(asdict(origin)))
    return origin


def posterior_origin(path: Path) -> Origin:
    """Of a file that `write_posterior` wrote."""
    try:
        tree = xr.load_datatree(path, engine="netcdf4")
    except (RuntimeError, KeyError, TypeError) as error:  # netCDF's, of damaged files
        raise ValueError(str(error)) from error
    mark = tree.attrs.pop(ATTRIBUTE, None)
    return _checked(None if mark is None else _parsed(str(mark)), lambda: _tree_hash(tree))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _checked(mark: Any, content: Callable[[], str]) -> Origin:
    if not isinstance(mark, dict):
        raise ValueError("it does not say of which study it is")
    try:
        origin = Origin(**mark)
    except TypeError as error:
        raise ValueError(f"what it says of its study is not complete: {error}") from error
    if origin.content != content():
        raise ValueError("its content was changed after it was written")
    return origin


def _storable(posterior: xr.DataTree) -> xr.DataTree:
    """The tree, with labels and notes that netCDF does not know as text, and truth as 0 or 1."""
    tree = posterior.copy(deep=False)
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        texts = {
            name: (dataset[name].dims, [str(one) for one in dataset[name].values])
            for name in dataset.coords
            if dataset[name].ndim == 1 and _is_foreign(dataset[name].values)
        }
        notes = {str(name): _storable_note(value) for name, value in dataset.attrs.items()}
        node.dataset = dataset.assign_coords(texts).assign_attrs(notes)
    return tree


def _storable_note(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return int(value)
    known = isinstance(value, str | int | float | np.integer | np.floating | list | np.ndarray)
    return value if known else str(value)


def _is_foreign(values: np.ndarray) -> bool:
    if values.dtype.kind == "O":
        return not all(isinstance(one, str) for one in values)
    return values.dtype.kind not in "biufUT"


def _json_hash(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _tree_hash(tree: xr.DataTree) -> str:
    found = hashlib.sha256()
    for node in sorted(tree.subtree, key=lambda node: node.path):
        dataset = node.to_dataset(inherit=False)
        attributes = json.dumps(dataset.attrs, sort_keys=True, default=str)
        found.update(f"{node.path} {attributes}".encode())
        for name in sorted(dataset.variables, key=str):
            values = dataset.variables[name]
            found.update(f"{name} {values.dims} {values.shape} {values.dtype}".encode())
            found.update(_bytes(values.values))
    return found.hexdigest()


def _bytes(values: np.ndarray) -> bytes:
    if values.dtype.kind in "biuf":
        return np.ascontiguousarray(values).tobytes()
    return json.dumps([str(one) for one in values.ravel()]).encode()


FIT = ResultFormat(write_fit, fit_origin)
POSTERIOR = ResultFormat(write_posterior, posterior_origin)
