"""A small panel whose every count is known by hand."""

import pandas as pd
import pytest


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
