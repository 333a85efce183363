"""Labels that results use for what is no row of the data."""

from collections.abc import Hashable

from bayesmix.errors import DataError

OUTSIDE = "outside"
"""The outside option, where results have a row or column for it."""
OUTSIDE_IN_WORDS = "outside option"
"""The outside option in a summary."""


def check_labels(alternatives: tuple[Hashable, ...], outside_option: bool) -> None:
    """Refuse an alternative that is called as the outside option is, where there is one.

    Raises
    ------
    DataError
        For it would stand twice in shares, predictions and elasticities.
    """
    for label in (OUTSIDE, OUTSIDE_IN_WORDS) if outside_option else ():
        if label in alternatives:
            raise DataError(
                f"an alternative is called {label!r}, as results call the outside option, which "
                "outside_option=True adds: give it another label, or, if its rows are the outside "
                "option, leave them out, or leave outside_option=True out and give it a row in "
                "every situation"
            )
