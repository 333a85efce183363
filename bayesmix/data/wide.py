"""From one row a situation to one row an alternative."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arguments import flag, shown
from bayesmix.data.columns import as_pandas, assigned, first_few, require_columns, show
from bayesmix.data.wide_checks import check_wide, check_wide_availability, check_wide_weights
from bayesmix.data.widen import widest
from bayesmix.errors import DataError

ALTERNATIVE = "alternative"
SITUATION = "situation"
AVAILABLE = "available"
RANK = "rank"

PATTERNS = tuple(
    pattern.replace("_", between)
    for between in ("_", ".", "")
    for pattern in ("{alternative}_{attribute}", "{attribute}_{alternative}")
)
"""How columns are called where attributes are given by name alone."""

type Columns = str | Sequence[str | float] | Mapping[Hashable, str | float]


@dataclass(frozen=True)
class LongFrame:
    """A long frame, and the names of the columns that were made."""

    frame: pd.DataFrame
    situation: str
    availability: str | None
    ranked: str | None


@dataclass(frozen=True, eq=False)
class Wide:
    """What the columns of a wide frame mean, as `ChoiceData.from_wide` documents it."""

    alternatives: Sequence[Hashable] | Mapping[Hashable, Hashable]
    varying: Mapping[str, Columns]
    chosen: str | None
    ranked: Columns | None
    availability: Columns | None
    situation: str | None
    outside: tuple[bool, Hashable]
    """Whether there is an outside option, and its label."""


def lengthen(frame: Any, wide: Wide, others: Mapping[str, str | None]) -> LongFrame:
    """One row for each situation and alternative; ``others`` are columns by their roles."""
    chosen, ranked, outside = wide.chosen, wide.ranked, wide.outside
    availability, situation = wide.availability, wide.situation
    flag("outside_option", outside[0])
    frame = as_pandas(frame)
    roles = {"chosen": chosen, "situation": situation, **others}
    require_columns(frame, roles)
    check_wide(frame, others["person"], situation)
    check_wide_weights(frame, others["weights"])
    codes = _codes(wide.alternatives)
    labels = list(codes.values())
    varying = _attributes(frame, wide.varying, labels)
    sources = {name: _columns(frame, name, columns, labels) for name, columns in varying.items()}
    made = [*varying, ALTERNATIVE, *([SITUATION] if situation is None else [])]
    if availability is not None:
        sources[AVAILABLE] = _columns(frame, "availability", availability, labels)
        made.append(AVAILABLE)
    if ranked is not None:
        sources[RANK] = _columns(frame, "ranked", ranked, labels)
        made.append(RANK)
    carried = _carried(frame, roles, sources, made)

    choice = np.full(len(frame), -1) if chosen is None else _choice(frame, chosen, codes, outside)
    if availability is not None:
        check_wide_availability(frame, sources[AVAILABLE], labels, (chosen, choice), outside[0])
    position = np.tile(np.arange(len(labels)), len(frame))
    row = np.repeat(np.arange(len(frame)), len(labels))
    columns = {name: _interleave(frame, parts) for name, parts in sources.items()}
    columns[ALTERNATIVE] = pd.Categorical.from_codes(
        position, categories=pd.Index(labels, tupleize_cols=False)
    )
    if chosen is not None:
        columns[chosen] = (np.repeat(choice, len(labels)) == position).astype(np.int64)
    if situation is None:
        columns[SITUATION] = row
    long = assigned(carried.take(row), columns)
    return LongFrame(
        long,
        situation or SITUATION,
        None if availability is None else AVAILABLE,
        None if ranked is None else RANK,
    )


def _carried(
    frame: pd.DataFrame,
    roles: Mapping[str, str | None],
    sources: Mapping[str, list[str | float]],
    made: list[str],
) -> pd.DataFrame:
    """The columns that are repeated for each alternative; none may clash with those made."""
    spread = {
        source for columns in sources.values() for source in columns if isinstance(source, str)
    }
    for role, column in roles.items():
        if column in spread:
            raise DataError(
                f"column {show(column)} is both {role} and an attribute that varies between "
                "alternatives: give each role its own column"
            )
    choices = [] if roles["chosen"] is None else [roles["chosen"]]
    carried = frame.drop(columns=[*spread, *choices])
    present = [*carried.columns, *choices]
    clashes = [name for name in made if name in present or made.count(name) > 1]
    if clashes:
        raise DataError(
            f"from_wide makes columns {first_few(made, len(made))}, but {first_few(clashes)} "
            "exists already: rename it in frame, or in varying"
        )
    return carried


def _codes(
    alternatives: Sequence[Hashable] | Mapping[Hashable, Hashable],
) -> dict[Hashable, Hashable]:
    """Value in the column of choices -> label."""
    if isinstance(alternatives, str | bytes) or not isinstance(alternatives, Mapping | Sequence):
        raise DataError(
            "alternatives must be a list of labels or a mapping value -> label, "
            f"got {alternatives!r}"
        )
    if isinstance(alternatives, Mapping):
        codes = dict(alternatives)
    else:
        named = [label for label in alternatives if isinstance(label, Hashable)]
        codes = {label: label for label in named if len(named) == len(alternatives)}
    labels = list(codes.values())
    if not labels or not all(isinstance(label, Hashable) for label in labels):
        raise DataError(f"alternatives must be labels, text or numbers, got {shown(alternatives)}")
    if len(set(labels)) < max(len(alternatives), 1):
        raise DataError(f"alternatives must be different labels, got {list(alternatives)!r}")
    return codes


def _attributes(
    frame: pd.DataFrame, varying: Mapping[str, Columns] | Sequence[str], labels: list[Any]
) -> Mapping[str, Columns]:
    """Attribute -> columns; of a list of attributes the one pattern that their columns have."""
    if isinstance(varying, Mapping) and all(isinstance(name, str) for name in varying):
        return varying
    example = "such as {'price': '{alternative}_price'}"
    if not isinstance(varying, list | tuple) or not all(isinstance(n, str) for n in varying):
        raise DataError(
            f"varying must be a mapping attribute -> columns, {example}, got {shown(varying)}"
        )
    fitting = [
        pattern
        for pattern in PATTERNS
        if all(_filled(pattern, name, a) in frame.columns for name in varying for a in labels)
    ]
    if len(fitting) != 1:
        raise DataError(
            f"varying is a list, {shown(list(varying))}, and the frame has {len(fitting)} ways of "
            f"naming columns by attribute and alternative ({', '.join(PATTERNS)}): give a mapping, "
            + example
        )
    return dict.fromkeys(varying, fitting[0])


def _filled(pattern: str, attribute: str, label: Hashable) -> str:
    return pattern.replace("{alternative}", str(label)).replace("{attribute}", attribute)


def _columns(
    frame: pd.DataFrame, attribute: str, columns: Columns, labels: list[Any]
) -> list[str | float]:
    """The column, or number, of an attribute for each alternative."""
    if isinstance(columns, str):
        if "{alternative}" not in columns:
            raise DataError(
                f"{attribute!r}: {columns!r} is the same for every alternative; expected a pattern "
                "with {alternative}, or a mapping alternative -> column; a column that does not "
                "vary between alternatives is carried along without being named"
            )
        found: list[str | float] = [_filled(columns, attribute, label) for label in labels]
    elif isinstance(columns, list | tuple):
        if len(columns) != len(labels):
            raise DataError(
                f"{attribute!r}: {len(columns)} columns for {len(labels)} alternatives: give one "
                f"for each of {first_few(labels, 12)}, in this order"
            )
        found = list(columns)
    elif not isinstance(columns, Mapping):
        raise DataError(
            f"{attribute!r}: expected a pattern with {{alternative}}, a list of columns, or a "
            f"mapping alternative -> column, got {shown(columns)}"
        )
    else:
        absent = [label for label in labels if label not in columns]
        unknown = [label for label in columns if label not in labels]
        if absent or unknown:
            raise DataError(
                f"{attribute!r}: "
                + (f"no column for alternative {first_few(absent)}" if absent else "")
                + (" and " if absent and unknown else "")
                + (f"unknown alternative {first_few(unknown)}" if unknown else "")
                + f"; the alternatives are {first_few(labels, 12)}: give a column for each, "
                "or a number such as 0 where the attribute plays no role"
            )
        found = [columns[label] for label in labels]
    for label, source in zip(labels, found, strict=True):
        if not isinstance(source, str | Real):
            raise DataError(
                f"{attribute!r} of alternative {show(label)}: expected a column, or a number, got "
                f"{shown(source)}"
            )
        if isinstance(source, str):
            require_columns(frame, {f"{attribute!r} of alternative {show(label)}, column": source})
    return found


def _choice(
    frame: pd.DataFrame,
    chosen: str,
    codes: dict[Hashable, Hashable],
    outside: tuple[bool, Hashable],
) -> np.ndarray:
    """Index of the chosen alternative (T,), -1 for the outside option."""
    outside_option, outside_label = outside
    if outside_label is not None and (not outside_option or outside_label in codes):
        raise DataError(
            f"outside_label={outside_label!r} must come with outside_option=True, and must not be "
            f"one of the alternatives"
        )
    values = frame[chosen]
    index = pd.Index(list(codes), tupleize_cols=False).get_indexer(
        pd.Index(values, tupleize_cols=False)
    )
    unknown = index == -1
    remedy = f"the alternatives are {first_few(list(codes), 12)}"
    if outside_option:
        none = values.isna() if outside_label is None else values == outside_label
        unknown &= ~none.to_numpy(dtype=bool, na_value=False)
    else:
        remedy += "; where nothing was chosen, give outside_option=True"
    if outside_label is None and values[unknown].nunique() == 1:
        label = first_few(values[unknown].dropna().unique())
        remedy += (
            f"; where {label} is the outside option, give outside_option=True and "
            f"outside_label={label}"
        )
    if unknown.any() and values[unknown].isna().any():
        remedy += "; pandas reads None and NA as missing unless keep_default_na=False"
    elif unknown.any():
        remedy += "; name those that are missing in alternatives="
    if unknown.any():
        raise DataError(
            f"column {show(chosen)} holds {first_few(pd.unique(values[unknown]))} in "
            f"{unknown.sum()} rows (rows {first_few(frame.index[unknown])}), which are not "
            f"alternatives: {remedy}"
        )
    return index


def _interleave(frame: pd.DataFrame, columns: list[str | float]) -> Any:
    """Values of an attribute, situation by situation and in each the alternatives in order."""
    parts = [
        widest(frame[source] if isinstance(source, str) else pd.Series(source, index=frame.index))
        for source in columns
    ]
    order = np.arange(len(columns) * len(frame)).reshape(len(columns), -1).T.ravel()
    return pd.concat(parts, ignore_index=True).take(order).array
