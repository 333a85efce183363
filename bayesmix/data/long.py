"""From the user's long frame to rows in order, checked."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arguments import flag
from bayesmix.data import checks, rankings
from bayesmix.data.columns import as_pandas, binary, require_columns, require_complete, show
from bayesmix.data.known_columns import KnownColumns
from bayesmix.data.known_utility import known_utility
from bayesmix.data.labels import say_alike, with_names
from bayesmix.data.row_order import RowOrder, compress, lay_out, offsets
from bayesmix.data.table import UNOBSERVED, ChoiceTable
from bayesmix.data.widen import levels_in_use, widened
from bayesmix.errors import DataError


@dataclass(frozen=True)
class Roles:
    """Names of the columns that make a frame choice data."""

    person: str | None
    situation: str
    alternative: str
    chosen: str | None
    ranked: str | None = None
    availability: str | None = None
    weights: str | None = None
    offset: str | None = None
    sampling: str | None = None
    correction: str | None = None

    @property
    def known(self) -> KnownColumns:
        """Those whose part of the utility is known."""
        return KnownColumns(self.offset, self.sampling, self.correction)


@dataclass(frozen=True, eq=False)
class LongRows:
    """The user's rows in the package's order, those of unavailable alternatives included."""

    frame: pd.DataFrame
    layout: RowOrder
    chosen: np.ndarray  # (R,) bool
    available: np.ndarray  # (R,) bool
    weights: np.ndarray  # (I,) float64
    ranks: np.ndarray | None = None  # (R,) int64, 0 where a row is not ranked
    certain: tuple[int, int] = (0, 0)  # situations, and their rows, that are left out
    booleans: frozenset[str] = frozenset()  # columns that were True and False


def read_long(frame: Any, roles: Roles, outside_option: bool) -> LongRows:
    """Order the rows of a frame, and raise DataError where they are not choice data."""
    flag("outside_option", outside_option)
    for name in ("situation", "alternative"):
        if getattr(roles, name) is None:
            raise DataError(f"argument {name!r} must be the name of a column, got None")
    table = as_pandas(frame)
    require_columns(table, vars(roles))
    if roles.chosen is not None and roles.ranked is not None:
        raise DataError(
            "give the column of choices, chosen=, or that of ranks, ranked=, one of the two"
        )
    structural = (roles.person, roles.situation, roles.alternative, roles.chosen)
    require_complete(table, [*structural, roles.availability, roles.weights])
    booleans = frozenset(str(c) for c in table if pd.api.types.is_bool_dtype(table[c]))
    table = widened(table, labels=(roles.person, roles.situation, roles.alternative))
    layout = lay_out(table, roles.person, roles.situation, roles.alternative)
    table = table.take(layout.order)
    available = np.ones(len(table), dtype=bool)
    if roles.availability is not None:
        available = binary(table, roles.availability, "1 where the alternative can be chosen")

    checks.check_duplicates(layout)
    ranks, answer = None, str(roles.chosen or roles.ranked)
    if roles.chosen is None and roles.ranked is None:
        chosen = np.zeros(len(table), dtype=bool)
    elif roles.chosen is not None:
        remedy = f"for labels, compare them with column {show(roles.alternative)} first"
        chosen = binary(table, roles.chosen, remedy)
        checks.check_choices(layout, chosen, roles.chosen, outside_option)
    else:
        ranks = rankings.read_ranks(layout, table[answer], outside_option)
        chosen = ranks > 0
    verb = "chosen" if ranks is None else "ranked"
    columns = (answer, roles.availability)
    checks.check_availability(layout, chosen, available, columns, verb, outside_option)
    if ranks is not None:
        table, chosen = rankings.without_ranks(table, answer), ranks == 1
    read = LongRows(table, layout, chosen, available, np.ones(len(layout.persons)), ranks)
    read = replace(_without_certain(read, roles), booleans=booleans)
    if roles.weights is None:
        return read
    weights = checks.person_weights(read.layout, read.frame[roles.weights])
    return replace(read, weights=weights)


def say_alike_labels(data: ChoiceTable) -> None:
    """Warn of alternatives that differ by blanks or capitals alone, and of persons by blanks."""
    say_alike(data.alternative, data.alternatives, capitals=True)
    if data.person is not None and data.persons.dtype.kind not in "iuf":
        say_alike(data.person, data.persons.tolist(), capitals=False)


def _without_certain(read: LongRows, roles: Roles) -> LongRows:
    """Without the situations in which the outside option alone is available: log 1 = 0."""
    layout = read.layout
    some = np.bincount(layout.row_situation[read.available], minlength=len(layout.situations)) > 0
    if some.all():
        return read
    kept = np.flatnonzero(some[layout.row_situation])
    rest = read.frame.iloc[kept]
    layout = lay_out(rest, roles.person, roles.situation, roles.alternative)
    kept = kept[layout.order]  # labels that cannot be compared may stand in another order now
    return LongRows(
        frame=rest.take(layout.order),
        layout=layout,
        chosen=read.chosen[kept],
        available=read.available[kept],
        weights=np.ones(len(layout.persons)),
        ranks=None if read.ranks is None else read.ranks[kept],
        certain=(int((~some).sum()), len(read.frame) - len(rest)),
    )


def choice_table[Table: ChoiceTable](
    kind: type[Table], frame: Any, roles: Roles, outside_option: bool
) -> Table:
    """Choice data of a ``kind`` from the user's long frame; see `ChoiceData.from_long`."""
    read = read_long(frame, roles, outside_option)
    layout, kept = read.layout, read.available
    alternative_code, alternatives = compress(layout.alternative_code[kept], layout.alternatives)
    row_situation = layout.row_situation[kept]
    rows_chosen = np.flatnonzero(read.chosen[kept])
    answered = roles.chosen is not None or roles.ranked is not None
    nothing = -1 if answered else UNOBSERVED
    chosen_row = np.full(len(layout.situations), nothing, dtype=np.int64)
    chosen_row[row_situation[rows_chosen]] = rows_chosen
    table = levels_in_use(read.frame[kept].reset_index(drop=True))
    data = kind(
        frame=with_names(table, roles.alternative, alternative_code, alternatives),
        persons=layout.persons,
        situations=layout.situations,
        alternatives=alternatives,
        person=roles.person,
        situation=roles.situation,
        alternative=roles.alternative,
        chosen=roles.chosen if roles.ranked is None else rankings.CHOSEN,
        person_start=offsets(layout.situation_person, len(layout.persons)),
        situation_start=offsets(row_situation, len(layout.situations)),
        alternative_code=alternative_code,
        chosen_row=chosen_row,
        outside_option=outside_option,
        weights=read.weights,
        rows=layout.rows[kept],
        rows_left_out=int(np.sum(~kept)) + read.certain[1],
        situations_left_out=read.certain[0],
        booleans=read.booleans,
        known=roles.known,
    )
    known_utility(data)  # refuses what is not finite
    return data if read.ranks is None else rankings.explode(data, read.ranks[kept])
