"""A situation that is tried: what is done, and what is right."""

import time
import warnings
from collections.abc import Callable
from signal import SIGALRM, alarm, signal
from typing import Any, NamedTuple

import numpy as np

import bayesmix as bm

OURS = (bm.DataError, bm.SpecificationError, bm.IntegrationError, bm.ConvergenceError, OSError)
SECONDS = 10.0
"""What takes longer is slow; after three times as long it is stopped."""
REMEDIES = (
    "must be", "expected", "give ", "use ", "check ", "write ", "drop", "leave", "rename", "fill",
    "choose", "remove", "add ", "set ", "name ", "did you mean", "make ", "recode", "put ",
    "take ", "try ", "known ", "one of", "try", "pass ", "needs", "only", "convert", "scale",
    "say ", "hold ", "read", "estimate", "fit ", "mark", "start", "bm.", "has no column", "list",
    "know", "column", "install", "such as", "it has", "these are", "coefficients are", "it needs",
    "valid:", "are of persons", "writes one", "the model has", "is no term", "Were they cut",
    "save", "correct", "close", "separate", "are:", "quote",
)  # fmt: skip


class Case(NamedTuple):
    """``words`` are in the refusal, or else ``right`` is true of the value."""

    area: str
    name: str
    go: Callable[[], Any]
    right: Callable[[Any], bool] | None = None
    words: tuple[str, ...] = ()
    said: str = ""
    """What a warning says of a value that is right."""
    named: Callable[[Exception], bool] = lambda error: True
    """Whether a refusal names what is wrong, besides words."""


class Seen(NamedTuple):
    """A row of the table: ``verdict`` is refused, right, foreign, obscure, silent or slow."""

    area: str
    name: str
    verdict: str
    seconds: float
    text: str


class TooLong(BaseException):
    """Not an Exception: nothing that is tried catches it."""


def near(expected: Any, rtol: float = 1e-6) -> Callable[[Any], bool]:
    """Whether a value is this one."""

    def right(value: Any) -> bool:
        return bool(np.allclose(np.asarray(value, float), expected, rtol=rtol, atol=1e-9))

    return right


def tried(case: Case) -> Seen:
    """What becomes of a case; nothing is thrown."""
    begun = time.perf_counter()
    signal(SIGALRM, _stop)
    alarm(int(3 * SECONDS))
    try:
        verdict, text = _outcome(case)
    except TooLong:
        verdict, text = "slow", f"stopped after {3 * SECONDS:.0f} s"
    finally:
        alarm(0)
    seconds = time.perf_counter() - begun
    if seconds > SECONDS and verdict in ("refused", "right"):
        verdict = "slow"
    return Seen(case.area, case.name, verdict, round(seconds, 3), " ".join(text.split()))


def _outcome(case: Case) -> tuple[str, str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = case.go()
        except OURS as error:
            return _refusal(case, error)
        except Exception as error:
            return "foreign", f"{type(error).__name__}: {error}"
    said = "; ".join(str(one.message) for one in caught)
    if case.right is None:
        return "silent", f"accepted: {str(value)[:200]} {said}"
    if not case.right(value):
        return "silent", f"wrong: {str(value)[:200]} {said}"
    if case.said not in said:
        return "silent", f"right, but {case.said!r} is not said: {said}"
    return "right", said


def _refusal(case: Case, error: Exception) -> tuple[str, str]:
    text = f"{type(error).__name__}: {error}"
    if case.right is not None:
        return "obscure", f"right input is refused: {text}"
    absent = [word for word in case.words if word.lower() not in text.lower()]
    if absent or not case.named(error):
        return "obscure", f"without {absent}: {text}"
    if not any(word in text for word in REMEDIES):
        return "obscure", f"no remedy: {text}"
    return "refused", text


def _stop(*_: Any) -> None:
    raise TooLong
