"""Whether a coefficient is all of what utility changes by with a column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesmix.errors import SpecificationError

LEVELS = re.compile(r"\[[^\]]*\]")


def beside(term: str, terms: Sequence[str]) -> list[str]:
    """Other terms that hold the column, or all factors, of ``term``: its slope is in them, too.

    Examples
    --------
    >>> beside("cost", ["cost", "time", "C(income)[low]:cost", "C(alt)[cost]", "log(cost)"])
    ['C(income)[low]:cost', 'log(cost)']
    >>> beside("C(income)[low]:cost", ["C(income)[low]:cost", "C(income)[high]:cost"])
    []
    >>> beside("alt[bus]", ["alt[bus]", "alt[car]", "alt[bus]:income"])
    ['alt[bus]:income']
    """
    own = set(term.split(":"))
    word = re.compile(rf"(?<![\w.]){re.escape(term)}(?![\w.(])")
    return [
        other
        for other in terms
        if other != term and (own < set(other.split(":")) or word.search(LEVELS.sub("", other)))
    ]


def check_whole_slope(argument: str, term: str, terms: Sequence[str]) -> None:
    """Refuse a ratio of coefficients that is not one of slopes.

    Raises
    ------
    SpecificationError
        If other terms of the utility hold the column, too.
    """
    others = beside(term, terms)
    if others:
        raise SpecificationError(
            f"argument {argument!r}: utility changes with {term!r} by the terms {others} too, and "
            f"its coefficient alone is the slope of none or of some people: write what its slope "
            f"depends on as the mean of a random coefficient, mean='C(income)', or give each group "
            f"a term of its own, 'C(income):{term}' without {term!r} alone; bm.surplus knows all "
            f"terms"
        )
