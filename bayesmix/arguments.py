"""Checks of arguments, the same words for the same mistake wherever it is made.

Each check returns the value, in Python's own type, or raises a `SpecificationError` that names the
argument, says what is expected, and shows what came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from bayesmix.close_names import close_name
from bayesmix.errors import SpecificationError

SHOWN = 80
"""Characters of a wrong value that a message shows: of a whole data frame its type says enough."""


def whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """A whole number between bounds; ``True`` and ``2.0`` are none.

    Examples
    --------
    >>> whole("starts", 4)
    4
    >>> whole("rank", 2.5)
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: argument 'rank' must be a whole number of at least 1, ...
    """
    bounds = f"of at least {least}" + ("" if most is None else f" and at most {most}")
    if _is(value, Integral) and least <= value and (most is None or value <= most):
        return int(value)
    raise refused(name, f"a whole number {bounds}", value)


def real(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> float:
    """A finite number between bounds that are open (above, below) or closed (least, most).

    Examples
    --------
    >>> real("interval", 0.95, above=0, below=1)
    0.95
    >>> real("eta", float("inf"), above=0)
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: argument 'eta' must be a finite number above 0, got inf
    """
    finite = _is(value, Real) and math.isfinite(value)
    if finite and above < value < below and least <= value <= most:
        return float(value)
    limits = [("above", above), ("of at least", least), ("below", below), ("of at most", most)]
    words = [f"{word} {limit:g}" for word, limit in limits if math.isfinite(limit)]
    raise refused(name, " ".join(["a finite number", " and ".join(words)]).strip(), value)


def flag(name: str, value: Any) -> bool:
    """True or False, and nothing that merely counts as such."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise refused(name, "True or False", value)


def flag_or_none(name: str, value: Any) -> bool | None:
    """True, False, or None, which leaves it to the occasion."""
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    raise refused(name, "True, False or None", value)


def text(name: str, value: Any, meaning: str = "text") -> str:
    """A string that is not empty."""
    if isinstance(value, str) and value.strip():
        return str(value)
    raise refused(name, meaning, value)


def one_of(name: str, value: Any, allowed: Iterable[str], *, extra: str = "") -> str:
    """One of some words; the nearest is offered. ``extra`` says what else would do.

    Examples
    --------
    >>> one_of("kind", "removl", ("removal", "price"))
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: argument 'kind' must be one of 'removal', 'price', got ...
    """
    words = list(allowed)
    if isinstance(value, str) and value in words:
        return value
    near = close_name(value, words) if isinstance(value, str) else None
    hint = f": did you mean {near!r}?" if near else ""
    listed = ", ".join(repr(word) for word in words)
    raise SpecificationError(
        f"argument {name!r} must be one of {listed}{extra}, got {shown(value)}{hint}"
    )


def seed(name: str, value: Any) -> int | np.random.Generator | None:
    """What `numpy.random.default_rng` takes as the source of random numbers."""
    if value is None or isinstance(value, np.random.Generator):
        return value
    if _is(value, Integral) and value >= 0:
        return int(value)
    raise refused(name, "a whole number of at least 0, a numpy Generator, or None", value)


def instance[T](name: str, value: Any, kind: type[T], meaning: str) -> T:
    """A value of a type, which ``meaning`` says how to make."""
    if isinstance(value, kind):
        return value
    raise refused(name, meaning, value)


def mapping(name: str, value: Any, meaning: str) -> dict[str, Any]:
    """A mapping from names."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    raise refused(name, meaning, value)


def names(name: str, value: Any, meaning: str) -> tuple[str, ...]:
    """Some names: a string alone is none, for it would be taken letter by letter."""
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)
    if several and all(isinstance(one, str) for one in value):
        return tuple(str(one) for one in value)
    raise refused(name, meaning, value)


def refused(name: str, expected: str, value: Any) -> SpecificationError:
    """The error of an argument that is not what is expected."""
    return SpecificationError(f"argument {name!r} must be {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """A value in a message: itself where that is short, its type where it is not."""
    try:
        said = repr(value)
    except Exception:  # a value that cannot even be shown
        said = ""
    if said and len(said) <= SHOWN and "\n" not in said:
        return said
    return f"a {type(value).__name__}"


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)
