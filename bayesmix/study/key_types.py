"""Whole numbers and lists of texts, as types of keys of study files."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class AtLeast:
    """Bounds of a whole number in a study file, attached to its type."""

    least: int
    most: int = 2**31 - 1


Count = Annotated[int, AtLeast(1)]
Terms = tuple[str, ...]
