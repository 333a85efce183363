"""Which column has which role, guessed from what columns hold and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

NAMES = {
    "person": r"id|person|persons|respondent|respid|resp|individual|indiv|participant|panel|who|"
    r"household|hhid|caseid|pid|person.?id|resp.?id|user|customer|consumer",
    "situation": r"chid|situation|task|tasks|qes|set|choice.?set|choice.?id|choice.?situation|"
    r"obs|obsid|observation|occasion|question|card|scenario|case|trip|game|t|csid|id",
    "alternative": r"alt|alternative|alternatives|mode|option|concept|brand|product|profile|"
    r"alt.?id|choice.?alt|j",
    "chosen": r"choice|chosen|choose|chose|selected|pick|picked|y|decision|response|answer|bought|"
    r"purchase",
}
AVAILABLE = re.compile(r"av|avail|available|availability", re.IGNORECASE)
MOST_ALTERNATIVES = 60
CANDIDATES = 8


@dataclass(frozen=True)
class Guess:
    """A layout, ``"long"``, ``"wide"`` or ``""`` where none was found, with roles and reasons."""

    layout: str
    roles: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


def guess_long(frame: pd.DataFrame) -> Guess:
    """Roles of a frame with a row for each alternative: the structure decides, then names.

    A guess is one where no alternative is twice in a set and no set has two choices.
    """
    best: tuple[float, Guess] = (-np.inf, Guess(""))
    codes = {name: pd.factorize(frame[name], use_na_sentinel=False)[0] for name in frame.columns}
    for chosen in _ranked(frame, "chosen", _binary):
        one = pd.to_numeric(frame[chosen].map(_truth), errors="coerce").to_numpy() == 1
        for keys in _keys(frame, codes, chosen):
            sets = _joint([codes[key] for key in keys])
            sizes = np.bincount(sets)
            if sizes.max() > MOST_ALTERNATIVES or np.median(sizes) < 2:
                continue
            several = np.bincount(sets, weights=one, minlength=len(sizes))
            if several.max() > 1 or several.mean() < 0.5:
                continue
            for alternative in _ranked(frame, "alternative", _few, {chosen, *keys}):
                pairs = _joint([sets, codes[alternative]])
                if pairs.max() + 1 < len(frame):
                    continue
                score = _score(frame, keys, alternative, chosen) + several.mean() * 3
                if score > best[0]:
                    roles = _roles(keys, alternative, chosen) | _outside(several)
                    roles |= _availability(frame, one, set(roles.values()))
                    best = score, Guess("long", roles, _reasons(roles, several))
        if best[0] > -np.inf and named("chosen", chosen):
            break  # what is called a choice and makes sets needs no rival
    return best[1]


def _joint(codes: list[np.ndarray]) -> np.ndarray:
    """Numbers from 0 of the combinations of several codes."""
    joint = codes[0].astype(np.int64)
    for other in codes[1:]:
        joint = np.unique(joint * (other.max() + 1) + other, return_inverse=True)[1]
    return joint


def _availability(frame: pd.DataFrame, one: np.ndarray, taken: set[Any]) -> dict[str, str]:
    """A column of 0 and 1 that is called so, and is 1 wherever a row was chosen."""
    for name in frame.columns:
        called = AVAILABLE.fullmatch(str(name)) and name not in taken
        if called and _binary(frame[name]) and (frame[name].to_numpy()[one] == 1).all():
            return {"availability": name}
    return {}


def _roles(keys: tuple[str, ...], alternative: str, chosen: str) -> dict[str, Any]:
    who = {"person": keys[0]} if len(keys) == 2 else {}
    return {**who, "situation": keys[-1], "alternative": alternative, "chosen": chosen}


def _outside(several: np.ndarray) -> dict[str, Any]:
    return {"outside_option": True} if several.min() == 0 else {}


def _reasons(roles: dict[str, Any], several: np.ndarray) -> dict[str, str]:
    both = "person and situation together name" if "person" in roles else "it names"
    why = {
        "person": "it has several situations",
        "situation": f"{both} {len(several):,} sets",
        "alternative": "no value is twice in a set",
        "chosen": "0 and 1, at most one 1 in a set",
    }
    why["availability"] = "0 and 1, called so, and 1 wherever a row was chosen"
    if "outside_option" in roles:
        none = int((several == 0).sum())
        why["outside_option"] = (
            f"{none:,} sets have no choice: if these are answers that are missing, take the "
            "sets out of the file, and this line out"
        )
    return {role: why[role] for role in roles}


def _keys(
    frame: pd.DataFrame, codes: dict[str, np.ndarray], chosen: str
) -> Iterator[tuple[str, ...]]:
    """One column that names sets, or two of which the first has several sets."""
    for situation in _ranked(frame, "situation", _label, {chosen}):
        for person in _ranked(frame, "person", _label, {chosen, situation}):
            persons = codes[person].max() + 1
            sets = _joint([codes[person], codes[situation]]).max() + 1
            if sets > persons and 2 * persons < len(frame):
                yield person, situation
        yield (situation,)


def _score(frame: pd.DataFrame, keys: tuple[str, ...], alternative: str, chosen: str) -> float:
    score = 2.0 * named("situation", keys[-1]) + 2.0 * named("alternative", alternative)
    score += 2.0 * named("chosen", chosen) - 0.02 * frame[alternative].nunique()
    if len(keys) == 2:
        nested = frame.groupby(keys[-1], observed=True)[keys[0]].nunique().max() == 1
        score += 2.0 * named("person", keys[0]) + (0.5 if nested else 0.0)
    return score


def _ranked(
    frame: pd.DataFrame,
    role: str,
    fits: Any,
    taken: set[str] = frozenset(),  # type: ignore[assignment]
) -> list[str]:
    """Columns that may have a role, those first that are called so."""
    names = [n for n in frame.columns if n not in taken and fits(frame[n])]
    return sorted(names, key=lambda n: -named(role, n))[:CANDIDATES]


def named(role: str, name: str) -> float:
    """How much a column's name says that it has a role: 1 all of it, 0.5 a part, 0 nothing."""
    lowered = str(name).lower()
    if re.fullmatch(NAMES[role], lowered):
        return 1.0
    parts = re.split(r"[^a-z0-9]+", lowered)
    return 0.5 if any(re.fullmatch(NAMES[role], part) for part in parts if part) else 0.0


def _truth(value: Any) -> Any:
    words = {"true": 1, "false": 0, "yes": np.nan}
    return words.get(value.lower(), value) if isinstance(value, str) else value


def _binary(values: pd.Series) -> bool:
    if values.isna().any():
        return False
    if isinstance(values.dtype, pd.CategoricalDtype):
        return False
    found = pd.to_numeric(values.map(_truth), errors="coerce")
    return bool(found.isin([0, 1]).all()) and found.nunique() == 2


def _few(values: pd.Series) -> bool:
    return not values.isna().any() and 2 <= values.nunique() <= MOST_ALTERNATIVES


def _label(values: pd.Series) -> bool:
    """Whether a column may name persons or sets: complete, no fractions, no value alone."""
    if values.isna().any() or values.dtype.kind in "fM" or values.nunique() < 2:
        return False
    return values.nunique() < len(values)
