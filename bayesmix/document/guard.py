"""What cannot be computed is said in its place, in the words of the error, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

from bayesmix.document.html import paragraph
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError

OURS = (DataError, SpecificationError, IntegrationError, ConvergenceError)


def guarded(content: Callable[[], str]) -> str:
    """The content, or why there is none."""
    try:
        return content()
    except OURS as error:
        return paragraph(f"Not computed: {error}", "note")
