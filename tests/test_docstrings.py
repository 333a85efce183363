"""Every public name says what it takes, returns and raises, with an example that is run."""

import inspect
import re
from typing import Any

import pytest

import bayesmix as bm
from tests.docstrings import faults

PUBLIC: dict[str, Any] = {
    name: getattr(bm, name) for name in bm.__all__ if not inspect.ismodule(getattr(bm, name))
} | {"electricity": bm.examples.electricity}


def made_by_others() -> set[str]:
    """Records that a public function returns, or a public record holds: examples are there."""
    told = [
        inspect.signature(v).return_annotation for v in PUBLIC.values() if inspect.isfunction(v)
    ]
    kept = [v.__annotations__ for v in PUBLIC.values() if _record(v)]
    words = set(re.findall(r"\w+", f"{told} {kept}"))
    return {name for name, value in PUBLIC.items() if _record(value) and name in words}


def _record(value: Any) -> bool:
    return inspect.isclass(value) and not issubclass(value, Exception)


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_complete(name: str) -> None:
    assert list(faults(PUBLIC[name], example=name not in made_by_others())) == []


def incomplete(first: int, second: int, **more: int) -> int:
    """Add.

    Parameters
    ----------
    first
        A number.
    third, **more
        Others.

    >>> incomplete(1, 2)
    3
    """
    if second < 0:
        raise bm.DataError("no")
    return first + second


def told_in_two_lines(first: int) -> int:
    """Add, in a sentence
    that goes on.

    Parameters
    ----------
    first
    second
        No argument.
    """
    if first < 0:
        raise ValueError("no")
    return first


def test_what_is_missing_is_found() -> None:
    assert list(faults(incomplete)) == [
        "an example outside of Examples, Parameters",
        "second is not documented",
        "no Returns",
        "raises DataError",
        "no Examples",
    ]
    assert list(faults(told_in_two_lines, example=False)) == [
        "its summary is no sentence on one line",
        "second is no argument",
        "first has no description",
        "no Returns",
        "raises ValueError",
    ]
