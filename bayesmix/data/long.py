"""From the user's long frame to rows in order, checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data import checks
from bayesmix.data.columns import as_pandas, binary, require_columns, require_complete, show
from bayesmix.data.layout import Layout, lay_out


@dataclass(frozen=True)
class Roles:
    """Names of the columns that make a frame choice data."""

    person: str | None
    situation: str
    alternative: str
    chosen: str
    availability: str | None = None
    weights: str | None = None


@dataclass(frozen=True, eq=False)
class LongRows:
    """The user's rows in the package's order, those of unavailable alternatives included."""

    frame: pd.DataFrame
    layout: Layout
    chosen: np.ndarray  # (R,) bool
    available: np.ndarray  # (R,) bool
    weights: np.ndarray  # (I,) float64


def read_long(frame: Any, roles: Roles, outside_option: bool) -> LongRows:
    """Order the rows of a frame, and raise DataError where they are not choice data."""
    table = as_pandas(frame)
    require_columns(table, vars(roles))
    require_complete(table, list(vars(roles).values()))
    layout = lay_out(table, roles.person, roles.situation, roles.alternative)
    table = table.take(layout.order)

    chosen = binary(
        table, roles.chosen, f"for labels, compare them with column {show(roles.alternative)} first"
    )
    available = np.ones(len(table), dtype=bool)
    if roles.availability is not None:
        available = binary(table, roles.availability, "1 where the alternative can be chosen")

    checks.check_duplicates(layout)
    checks.check_sizes(layout, outside_option)
    checks.check_choices(layout, chosen, roles.chosen, outside_option)
    checks.check_availability(layout, chosen, available, (roles.chosen, roles.availability))
    weights = np.ones(len(layout.persons))
    if roles.weights is not None:
        weights = checks.person_weights(layout, table[roles.weights])
    return LongRows(table, layout, chosen, available, weights)
