"""Simulated choices for tests of estimators: random attributes, choices from a known model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.specification.model import MixedLogit


def attributes(
    rng: np.random.Generator,
    persons: int,
    situations: int,
    columns: tuple[str, ...] = ("x", "y"),
    alternatives: int = 3,
) -> pd.DataFrame:
    """A long frame with independent standard normal attributes; the first alternative is chosen."""
    rows = persons * situations * alternatives
    frame = pd.DataFrame(rng.normal(size=(rows, len(columns))), columns=list(columns))
    frame["who"] = np.repeat(np.arange(persons), situations * alternatives)
    frame["task"] = np.repeat(np.arange(persons * situations), alternatives)
    frame["alt"] = np.tile(np.arange(alternatives), persons * situations)
    frame["choice"] = (frame["alt"] == 0).astype(int)
    return frame


def choice_data(frame: pd.DataFrame, **options: Any) -> ChoiceData:
    """`ChoiceData` of a frame with the columns of `attributes`."""
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    return ChoiceData.from_long(frame, **{**roles, **options})


def simulated(
    model: MixedLogit,
    params: Mapping[str, float],
    persons: int,
    situations: int,
    *,
    seed: int = 0,
    columns: tuple[str, ...] = ("x", "y"),
    alternatives: int = 3,
    **options: Any,
) -> ChoiceData:
    """Choices of ``model`` at ``params``."""
    rng = np.random.default_rng(seed)
    frame = attributes(rng, persons, situations, columns, alternatives)
    return simulate_choices(model, params, choice_data(frame, **options), rng)
