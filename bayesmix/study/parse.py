"""From the text of a study file to the records of its schema, with errors that name the place."""

import math
import os
import re
import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from bayesmix.arguments import refused, shown
from bayesmix.close_names import close_name
from bayesmix.errors import SpecificationError
from bayesmix.study.given import GIVEN
from bayesmix.study.key_types import AtLeast
from bayesmix.study.locate import line_in
from bayesmix.study.schema import ByName, EndsByName, Study
from bayesmix.study.spread import READERS as SPREAD

READERS = {**SPREAD, **GIVEN}
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{d}{n}" for d in ("COM", "LPT") for n in range(1, 10)}
WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class PlaceInFile:
    """Where in a study file a value stands; `table` as it is shown, with brackets."""

    file: Path
    table: str = ""
    key: str = ""

    def fail(self, problem: str, *, at: str = "") -> NoReturn:
        raise SpecificationError(f"{self.words(at)}: {problem}")

    def words(self, at: str = "") -> str:
        """File, line (that of the key ``at`` where one is named), table and key."""
        found = line_in(self.file, self.table, at or self.key)
        line = f"line {found}" if found else ""
        key = f"key '{self.key}'" if self.key else ""
        return ", ".join(filter(None, [str(self.file), line, self.table, key]))

    def inside(self, table: str) -> "PlaceInFile":
        return replace(self, table=", ".join(filter(None, [self.table, table])))


def read_study(path: str | Path) -> Study:
    """Read and parse a study file; data are not touched.

    Parameters
    ----------
    path
        A TOML file.

    Raises
    ------
    SpecificationError
        For anything in the file that is not understood, naming file, table and key and the nearest
        valid one; for a file that is not there or cannot be read, or whose name cannot be a run
        folder's.
    """
    if not isinstance(path, str | os.PathLike):
        raise refused("path", "the path of a study file", path)
    place = PlaceInFile(Path(path))
    text = _text(place)
    check_name(place)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place.fail(f"not a valid TOML file: {error}{_unquoted(text, error)}")
    except RecursionError:
        place.fail("not a study file: its lists or tables are nested hundreds of times")
    return parse_record(Study, tables, place, path=place.file, text=text)


def _unquoted(text: str, error: tomllib.TOMLDecodeError) -> str:
    """The remedy where the line is a parameter's name without the quotes that TOML asks for."""
    lines = text.splitlines()
    number = re.search(r"at line (\d+)", str(error))
    line = lines[int(number[1]) - 1] if number and int(number[1]) <= len(lines) else ""
    name = re.match(r"\s*(\w+\[[^\]=]*\])\s*=", line)
    return f'; names of parameters stand in quotes: "{name[1]}" = ...' if name else ""


def _text(place: PlaceInFile) -> str:
    """What the file holds, with or without the mark that some editors put before UTF-8."""
    try:
        return place.file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecificationError(
            f"no study file '{place.file}': check the name, and the folder it starts from; "
            "`bayesmix new FILE` writes a first study of a data file"
        ) from None
    except UnicodeDecodeError as error:
        place.fail(f"not a valid TOML file: it is not UTF-8 text ({error}): save it as UTF-8")
    except IsADirectoryError:
        place.fail("is a folder: give the study file in it")
    except OSError as error:
        place.fail(f"cannot be read ({error.strerror}): give a file that you may read")
    except ValueError as error:  # no path at all, for the system
        place.fail(f"is not the name of a file ({error})")


def check_name(place: PlaceInFile) -> None:
    """Refuse names that cannot be those of a folder, here or on another system."""
    name = place.file.stem
    if not name.strip(". "):
        place.fail("a study's name cannot be dots alone: rename the file, such as study.toml")
    forbidden = [c for c in name if c in '/\\:*?"<>|' or ord(c) < 32]
    if forbidden:
        place.fail(
            f"a study's name is its run folder's, which cannot hold {forbidden[0]!r}: rename the "
            "file"
        )
    if name.partition(".")[0].strip().upper() in RESERVED:
        place.fail(f"'{name}' is a device's name on Windows, and no folder's: rename the file")


def parse_record(kind: Any, table: dict[str, Any], place: PlaceInFile, **given: Any) -> Any:
    """A table as a record of type `kind`; `given` are fields that are not read from the table."""
    hints = get_type_hints(kind, include_extras=True)
    wanted = {field.name: field for field in fields(kind) if field.name not in given}
    for key in table:
        if key not in wanted:
            tag = _tag_words(kind, table)
            words = f"unknown {_sort(place)} '{key}'{tag}; {_nearest(key, wanted)}"
            place.fail(words, at=key)
    for key, field in wanted.items():
        if key not in table and field.default is MISSING:
            place.fail(f"{_sort(place)} '{key}' is missing; it must be given")
    values = {k: convert(hints[k], v, _inside(place, k, v)) for k, v in table.items()}
    return kind(**given, **values)


def convert(hint: Any, value: Any, place: PlaceInFile) -> Any:
    """A TOML value as the type that the schema asks for."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _literal(arguments, value, place)
    if origin is Annotated and isinstance(arguments[1], ByName):
        return _by_name(value, place)
    if origin is Annotated and isinstance(arguments[1], EndsByName):
        return _ends_by_name(value, place)
    if origin is Annotated and type(arguments[1]) in READERS:
        problem, found = READERS[type(arguments[1])](value)
        return place.fail(problem) if problem else found
    if origin is Annotated:
        return _bounded(convert(arguments[0], value, place), arguments[1], place)
    if origin is tuple:
        return _sequence(arguments[0], value, place)
    if origin in (Union, UnionType):
        return _alternative([a for a in arguments if a is not NoneType], value, place)
    if is_dataclass(hint):
        return parse_record(hint, _mapping(value, place), place)
    return _scalar(hint, value, place)


def _by_name(value: Any, place: PlaceInFile) -> tuple[tuple[str, float], ...]:
    """A table of numbers, whose keys are names of parameters."""
    table = _mapping(value, place)
    return tuple((k, _scalar(float, v, replace(place, key=k))) for k, v in table.items())


def _ends_by_name(value: Any, place: PlaceInFile) -> tuple[tuple[str, float, float], ...]:
    """A table of pairs of numbers, which may be infinite, by names of parameters."""
    found = []
    for name, ends in _mapping(value, place).items():
        numbers = isinstance(ends, list) and all(type(e) in (int, float) for e in ends)
        if not numbers or len(ends) != 2:
            replace(place, key=name).fail(
                f"expected a lower and an upper bound, such as [-inf, 0], got {_shown(ends)}"
            )
        found.append((name, float(ends[0]), float(ends[1])))
    return tuple(found)


def _scalar(kind: type, value: Any, place: PlaceInFile) -> Any:
    if kind is float and type(value) is int and abs(value) < 2**1023:
        return float(value)
    if type(value) is float and not math.isfinite(value):
        place.fail(f"expected {WORDS[kind]}, got {_shown(value)}")
    if type(value) is not kind:
        place.fail(f"expected {WORDS[kind]}, got {_shown(value)}")
    return value


def _literal(allowed: tuple[Any, ...], value: Any, place: PlaceInFile) -> Any:
    if any(value == one and type(value) is type(one) for one in allowed):
        return value
    place.fail(f"unknown value {_shown(value)}; {_nearest(value, allowed)}")


def _bounded(value: float, bound: AtLeast, place: PlaceInFile) -> float:
    if value < bound.least:
        place.fail(f"expected at least {bound.least}, got {value}")
    if value > bound.most:
        place.fail(f"expected at most {bound.most}, got {shown(value)}")
    return value


def _sequence(kind: Any, value: Any, place: PlaceInFile) -> tuple[Any, ...]:
    if isinstance(value, dict):
        place.fail(f"write its heading with two brackets, [{place.table}]: there can be several")
    if not isinstance(value, list):
        place.fail(f"expected a list, got {_shown(value)}: write [{_shown(value)}]")
    if get_origin(kind) is tuple and not all(isinstance(item, list) for item in value):
        items = ", ".join(f'"{v}"' if isinstance(v, str) else _shown(v) for v in value)
        place.fail(f"expected a list of groups, each a list of its own: write [[{items}]]")
    if not value:
        place.fail("the list is empty; name at least one")
    result = []
    for number, item in enumerate(value, 1):
        if not _is_record(kind) and item in value[: number - 1]:
            place.fail(f"{_shown(item)} stands there twice")
        result.append(convert(kind, item, _item(place, number) if _is_record(kind) else place))
    return tuple(result)


def _alternative(kinds: list[Any], value: Any, place: PlaceInFile) -> Any:
    """One of several records, told apart by their first field, or an optional key's one type."""
    if len(kinds) == 1:
        return convert(kinds[0], value, place)
    table = _mapping(value, place)
    tag = fields(kinds[0])[0].name
    by_value = {name: kind for kind in kinds for name in get_args(get_type_hints(kind)[tag])}
    if tag not in table:
        place.fail(f"key '{tag}' is missing; valid: {_listed(by_value)}")
    if tag == "law" and table[tag] not in by_value:
        place = replace(place, key=tag)
        place.fail(
            f"unknown value {_shown(table[tag])}; {_nearest(table[tag], by_value)}; a law of your "
            "own is code, which a study does not run: fit it in Python"
        )
    name = _literal(tuple(by_value), table[tag], replace(place, key=tag))
    return parse_record(by_value[name], table, place)


def _mapping(value: Any, place: PlaceInFile) -> dict[str, Any]:
    if not isinstance(value, dict):
        place.fail(f"expected a table, got {_shown(value)}")
    return value


def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) or get_origin(kind) in (Union, UnionType)


def _item(place: PlaceInFile, number: int) -> PlaceInFile:
    """``[[random]] number 2`` of ``[random]``; of nested tables the innermost is numbered."""
    outer, comma, last = place.table.rpartition(", ")
    return replace(place, table=f"{outer}{comma}[{last}] number {number}")


def _inside(place: PlaceInFile, key: str, value: Any) -> PlaceInFile:
    """A table's place is the table itself, a value's place is its key."""
    tables = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict) for item in value)
    )
    return place.inside(f"[{key}]") if tables else replace(place, key=key)


def _sort(place: PlaceInFile) -> str:
    return "key" if place.table else "table"


def _tag_words(kind: Any, table: dict[str, Any]) -> str:
    """`` for rule 'sobol'``, where the record is one of several told apart by that key."""
    first = fields(kind)[0].name
    return f" for {first} '{table[first]}'" if first in ("law", "rule", "kind") else ""


def _nearest(name: object, allowed: Iterable[Any]) -> str:
    near = close_name(name, allowed)
    return (f"did you mean '{near}'? " if near else "") + f"valid: {_listed(allowed)}"


def _listed(allowed: Iterable[Any]) -> str:
    return ", ".join(str(one) for one in allowed)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else shown(value)
