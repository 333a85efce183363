"""Which existing name a mistyped one was meant to be, if any."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

WORD = re.compile(r"[^\W\d_]+|\d+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
SHORT = 3
"""Letters of words in which one wrong letter is already a third of the word."""
CLOSE, CLOSE_SHORT, CLOSE_WHOLE = 0.74, 0.66, 0.85
"""Least similarity of words, of short words, and of names with other numbers of words."""


def close_name(name: object, names: Iterable[object]) -> str | None:
    """The name nearest to a mistyped one, None where none is close.

    Names are compared word by word, for names of one list share words: ``cost_bus`` is as long
    as ``time_bus`` and ends alike, but says another attribute. Each word has to be close to its
    own, and numbers the same.

    >>> close_name("cost_bsu", ["cost_bus", "time_bus"])
    'cost_bus'
    >>> close_name("cost_bus", ["time_bus", "cost_car", "x"])
    >>> close_name("travel_time", ["TravelTime"])
    'TravelTime'
    """
    written = str(name)
    found = [(_similarity(written, str(other)), str(other)) for other in names]
    best, text = max(found, key=lambda pair: pair[0], default=(0.0, ""))
    return text if best > 0.0 else None


def _similarity(name: str, other: str) -> float:
    """Between 0, for names of different things, and 1."""
    if name.lower() == other.lower():
        return 1.0
    words, others = _words(name), _words(other)
    whole = _ratio("".join(words), "".join(others))
    if len(words) != len(others):
        return whole if whole >= CLOSE_WHOLE else 0.0
    if all(map(_close, words, others)):
        return whole
    return CLOSE_WHOLE if sorted(words) == sorted(others) else 0.0  # corr[b, a] and corr[a, b]


def _close(word: str, other: str) -> bool:
    if word.isdigit() or other.isdigit():
        return word == other
    least = CLOSE_SHORT if min(len(word), len(other)) <= SHORT else CLOSE
    return _ratio(word, other) >= least


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(HUMP.sub(" ", name))]


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
