"""Roles of a frame with a row for each situation, guessed from how columns are called."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from bayesmix.study.guess import AVAILABLE, MOST_ALTERNATIVES, Guess, named

ATTRIBUTE = re.compile(
    r"av|avail|available|availability|price|cost|costs|fare|fee|time|times|tt|tc|travel.?time|wait|"
    r"headway|duration|distance|dist|quality|income",
    re.IGNORECASE,
)
"""What attributes are called, and alternatives not: of car_cost one reading alone is left."""

PATTERNS = (
    ("{alternative}_{attribute}", r"(?P<alternative>[^_]+)_(?P<attribute>.+)"),
    ("{attribute}_{alternative}", r"(?P<attribute>.+)_(?P<alternative>[^_]+)"),
    ("{alternative}.{attribute}", r"(?P<alternative>[^.]+)\.(?P<attribute>.+)"),
    ("{attribute}.{alternative}", r"(?P<attribute>.+)\.(?P<alternative>[^.]+)"),
    ("{attribute}{alternative}", r"(?P<attribute>.*[^0-9])(?P<alternative>[0-9]+)"),
)

OUTSIDE = re.compile(
    r"none|no.?choice|nothing|neither|outside|outside.?option|opt.?out|no.?purchase",
    re.IGNORECASE,
)
"""What a choice of no alternative is called; 0 may as well be no answer, and is not guessed."""

type Columns = dict[str, dict[str, str]]
"""Attribute -> alternative -> column."""


def guess_wide(frame: pd.DataFrame) -> Guess:
    """Roles where columns are called by attribute and alternative, and one holds what was chosen.

    Values of the choice are alternatives' names, or whole numbers: these are taken in the order in
    which alternatives first have a column, which the reasons say. One value more may be the outside
    option, where it is called so.
    """
    best: tuple[int, Guess] = (0, Guess(""))
    candidates = [n for n in frame.columns if _choice(frame[n])]
    for chosen in sorted(candidates, key=lambda n: -named("chosen", n))[:6]:
        for pattern, regex in PATTERNS:
            found = _columns(frame, regex, chosen)
            outside = _outside(frame[chosen], found)
            is_outside = frame[chosen].astype(object).map(_text) == outside
            codes = _alternatives(frame[chosen][~is_outside], found)
            if codes is None or any(ATTRIBUTE.fullmatch(name) for name in codes.values()):
                continue
            spread = _spread(found, list(codes.values()), pattern)
            count = sum(len(c) for c in found.values())
            count += 100 * (named("chosen", chosen) == 1)
            # Names of alternatives say what numbers, such as classes of income, may say by chance.
            count += 50 * (not pd.api.types.is_numeric_dtype(frame[chosen].dtype))
            if spread and count > best[0]:
                best = count, _guess(frame, chosen, codes, spread, outside)
    return best[1]


def _choice(values: pd.Series) -> bool:
    whole = values.dtype.kind in "iu" or not pd.api.types.is_numeric_dtype(values.dtype)
    return whole and 2 <= values.nunique() <= MOST_ALTERNATIVES and values.dtype.kind not in "mM"


def _columns(frame: pd.DataFrame, regex: str, chosen: str) -> Columns:
    """Attributes that two alternatives at least have, by the pattern."""
    found: Columns = {}
    for name in frame.columns:
        parts = re.fullmatch(regex, str(name))
        if parts and name != chosen:
            found.setdefault(parts["attribute"], {})[parts["alternative"]] = name
    return {attribute: own for attribute, own in found.items() if len(own) > 1}


def _outside(values: pd.Series, found: Columns) -> str | None:
    """The value that is called as an outside option, and has no columns."""
    tokens = {token.lower() for own in found.values() for token in own}
    held = [_text(v) for v in values.dropna().unique()]
    called = [v for v in held if OUTSIDE.fullmatch(v) and v.lower() not in tokens]
    return called[0] if len(called) == 1 else None


def _alternatives(values: pd.Series, found: Columns) -> dict[str, str] | None:
    """Value in the column of choices -> the alternative's name in columns' names."""
    tokens = list(dict.fromkeys(token for own in found.values() for token in own))
    held = [_text(v) for v in values.dropna().unique()]
    lowered = {token.lower(): token for token in tokens}
    if all(v.lower() in lowered for v in held):
        shared = [t for t in tokens if _count(t, found) >= 1]
        names = {v.lower(): v for v in held}
        return {names.get(t.lower(), t): t for t in shared if _belongs(t, held, found)}
    if values.dtype.kind not in "iu":
        return None
    widest = max((list(own) for own in found.values()), key=len, default=[])
    codes = sorted(int(v) for v in held if int(v) > 0)
    if not codes or codes[-1] != len(widest) or codes[0] < 1:
        return None
    return {str(k): token for k, token in enumerate(widest, 1)}


def _count(token: str, found: Columns) -> int:
    return sum(token in own for own in found.values())


def _belongs(token: str, held: list[str], found: Columns) -> bool:
    """Whether a part of columns' names is an alternative: chosen once, or as wide as those are."""
    chosen = [v.lower() for v in held]
    if token.lower() in chosen:
        return True
    least = min(_count(t, found) for own in found.values() for t in own if t.lower() in chosen)
    return _count(token, found) >= least


def _spread(found: Columns, names: list[str], pattern: str) -> dict[str, Any]:
    """The columns of each attribute: a pattern where all alternatives have one, else a table."""
    spread: dict[str, Any] = {}
    for attribute, own in found.items():
        here = {name: own[name] for name in names if name in own}
        if len(here) == len(names):
            spread[attribute] = pattern.replace("{attribute}", attribute)
        elif len(here) > 1:
            spread[attribute] = {name: here.get(name, 0) for name in names}
    return spread


def _guess(
    frame: pd.DataFrame,
    chosen: str,
    codes: dict[str, str],
    spread: dict[str, Any],
    outside: str | None,
) -> Guess:
    roles: dict[str, Any] = {"chosen": chosen}
    why = {"chosen": "its values are alternatives"}
    used = _used(spread, list(codes.values()))
    rest = [n for n in frame.columns if n not in used and n != chosen and not frame[n].isna().any()]
    persons = [n for n in rest if named("person", n) and _repeats(frame[n])]
    if persons:
        person = max(persons, key=lambda n: named("person", n))
        roles["person"], why["person"] = person, "it is called so, and has several rows"
    situations = [n for n in rest if named("situation", n) and n != roles.get("person")]
    for name in sorted(situations, key=lambda n: -named("situation", n)):
        keys = [roles["person"], name] if "person" in roles else [name]
        if not frame.duplicated(keys).any():
            roles["situation"], why["situation"] = name, "it is called so, and tells rows apart"
            break
    same = all(code == name for code, name in codes.items())
    roles["alternatives"] = list(codes) if same else codes
    why["alternatives"] = "parts of columns' names"
    if not same and all(code.isdigit() for code in codes):
        why["alternatives"] = "numbers in the order of the columns: LOOK whether they mean this"
    if outside is not None:
        roles["outside_option"], roles["outside_label"] = True, outside
        why["outside_option"] = "the choice has a value without columns that is called so"
        why["outside_label"] = "LOOK whether it means this, and no missing answer"
    available = next(
        (a for a in spread if AVAILABLE.fullmatch(a) and _binary(frame, spread[a])), ""
    )
    if available:
        roles["availability"] = spread[available]
        why["availability"] = "0 and 1, and called so"
    roles["varying"] = {a: columns for a, columns in spread.items() if a != available}
    why["varying"] = "columns of two alternatives at least; 0 where one has no such column"
    return Guess("wide", roles, why)


def _used(spread: dict[str, Any], names: list[str]) -> set[str]:
    used: set[str] = set()
    for columns in spread.values():
        if isinstance(columns, dict):
            used |= {c for c in columns.values() if isinstance(c, str)}
        else:
            used |= {columns.replace("{alternative}", name) for name in names}
    return used


def _binary(frame: pd.DataFrame, columns: Any) -> bool:
    names = columns.values() if isinstance(columns, dict) else []
    return not isinstance(columns, dict) or all(frame[n].isin([0, 1]).all() for n in names if n)


def _repeats(values: pd.Series) -> bool:
    return bool(1 < values.nunique() < len(values))


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
