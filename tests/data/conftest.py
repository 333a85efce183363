"""A small panel whose every count is known by hand."""

import pandas as pd
import pytest

import bayesmix as bm
from tests.arguments.things import LONG
from tests.arguments.things import frame as made


@pytest.fixture
def roles() -> dict[str, str]:
    """The columns of `panel`."""
    return {"person": "who", "situation": "task", "alternative": "mode", "chosen": "choice"}


@pytest.fixture
def panel() -> pd.DataFrame:
    """Ann has tasks 1 and 2, Bob 1, 2 and 3; task labels repeat; the car is missing in Bob's 3."""
    rows = [
        ("ann", 1, "bus", 1, 1.0),
        ("ann", 1, "car", 0, 2.0),
        ("ann", 2, "bus", 0, 3.0),
        ("ann", 2, "car", 1, 4.0),
        ("bob", 1, "bus", 0, 5.0),
        ("bob", 1, "car", 1, 6.0),
        ("bob", 2, "bus", 1, 7.0),
        ("bob", 2, "car", 0, 8.0),
        ("bob", 3, "bus", 1, 9.0),
    ]
    frame = pd.DataFrame(rows, columns=["who", "task", "mode", "choice", "price"])
    return frame.set_index(pd.Index(range(100, 109)))


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Whole numbers, fractions, text and labelled codes; persons are text that begins with 0."""
    frame = made(12, 2)
    frame = frame.round(12)  # openpyxl writes 16 digits
    frame["who"] = [f"{who:03d}" for who in frame["who"]]
    frame["alt"] = frame["alt"].map({"a": 2, "b": 1, "c": 3})
    return frame


@pytest.fixture(scope="session")
def plain(frame: pd.DataFrame) -> bm.ChoiceData:
    return bm.ChoiceData.from_long(frame, **LONG)
