"""Fixtures for every test."""

import os
from collections.abc import Callable
from pathlib import Path

import numba
import pandas as pd
import pytest

# The layer of threads that every platform has. It aborts where a parallel kernel runs in several
# threads at once, as it would inside samplers: here too, then.
numba.config.THREADING_LAYER = "workqueue"

SETS = {
    "electricity": "electricity_long.csv",
    "yogurt": "yogurt_long.csv",
    "swissmetro": "swissmetro_commute_business_long.csv",
    "fishing": "fishing_long.csv",
    "camera": "camera_long.csv",
}


def shared_folder() -> Path:
    """The folder of shared data: BAYESMIX_SHARED_DATA, or ../shared/data beside the project."""
    root = Path(__file__).resolve().parents[1]
    return Path(os.environ.get("BAYESMIX_SHARED_DATA", root.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_file() -> Callable[..., Path]:
    """`shared_file("electricity", "refs.json")`: a path; the test is skipped where it is absent."""

    def find(*parts: str) -> Path:
        path = shared_folder().joinpath(*parts)
        if not path.exists():
            pytest.skip(f"no shared data: {'/'.join(parts)}; set BAYESMIX_SHARED_DATA")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data(shared_file: Callable[..., Path]) -> Callable[[str], pd.DataFrame]:
    """`shared_data("electricity")`: the long frame of a set, a new copy at each call."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(shared_file(name, SETS[name]))

    return read
