"""Choice data: who chose what, out of which alternatives, with which attributes."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from bayesmix.data import scenario
from bayesmix.data.attributes import check_numeric
from bayesmix.data.checks import check_arrays
from bayesmix.data.layout import compress, offsets
from bayesmix.data.long import Roles, read_long
from bayesmix.data.summary import ChoiceSummary, summarise
from bayesmix.data.wide import ALTERNATIVE, lengthen


@dataclass(frozen=True, eq=False, repr=False)
class ChoiceData:
    """Choices of I persons in T situations out of R alternatives offered, valid once made.

    Made by `ChoiceData.from_long` or `ChoiceData.from_wide`, the package's only validation of user
    data. Rows are sorted by person and situation (by label; in order of first appearance where
    labels cannot be compared) and alternative (order of `alternatives`), so that a situation's
    rows, and a person's, are contiguous, and the order of the user's rows does not matter.

    Attributes
    ----------
    frame : DataFrame of R rows
        The user's columns: a copy, available rows only, in the order above. Unused categories are
        removed from the column of alternatives.
    persons : Index (I,)
        Labels; those of the situations where every situation is its own person.
    situations : MultiIndex (T,)
        (person, situation) labels.
    alternatives : tuple (A,)
        Labels in the order of categories for a categorical column, sorted otherwise. The outside
        option is not among them.
    person, situation, alternative, chosen : str
        Column names; `person` is None where every situation is its own person.
    person_start : (I + 1,) int64
        Situations of person i are `person_start[i]:person_start[i + 1]`.
    situation_start : (T + 1,) int64
        Rows of situation t are `situation_start[t]:situation_start[t + 1]`.
    alternative_code : (R,) int64
        Index into `alternatives`.
    chosen_row : (T,) int64
        Row of `frame` that was chosen, or -1: the outside option. -2 throughout in a scenario,
        which has no choices and no column `chosen`.
    outside_option : bool
        Whether an alternative of utility 0 is available in every situation besides the rows.
    weights : (I,) float64
        Weights of the persons as given, not rescaled; ones when not given.
    rows : Index (R,)
        Labels of the user's rows, for messages.
    rows_left_out : int
        Rows of unavailable alternatives, not in `frame`.
    stand_ins : mapping
        Of a scenario: new alternative -> existing one whose constants it has.
    """

    frame: pd.DataFrame
    persons: pd.Index
    situations: pd.MultiIndex
    alternatives: tuple[Hashable, ...]
    person: str | None
    situation: str
    alternative: str
    chosen: str
    person_start: np.ndarray
    situation_start: np.ndarray
    alternative_code: np.ndarray
    chosen_row: np.ndarray
    outside_option: bool
    weights: np.ndarray
    rows: pd.Index
    rows_left_out: int = 0
    stand_ins: Mapping[Hashable, Hashable] = field(default_factory=dict)

    @classmethod
    def from_long(
        cls,
        frame: Any,
        *,
        person: str | None,
        situation: str,
        alternative: str,
        chosen: str,
        availability: str | None = None,
        outside_option: bool = False,
        weights: str | None = None,
    ) -> Self:
        """Choice data from a frame with one row for each alternative of each situation.

        Sets may differ between situations: a row is absent, or `availability` is 0 in it. The order
        of the rows has no meaning. A situation with one alternative is allowed: it adds log 1 = 0
        to a log-likelihood, and the summary counts it.

        Parameters
        ----------
        frame : pandas, polars or another eager data frame
            Not modified.
        person : column, or None
            Who chose. None: every situation is its own person (a cross-section).
        situation : column
            Which choice. (person, situation) identifies a situation: labels may repeat between
            persons.
        alternative : column
            Which alternative; at most once in a situation.
        chosen : column
            0/1 or True/False, 1 in the row that was chosen.
        availability : column, optional
            0/1 or True/False; rows with 0 are left out, whatever their attributes hold.
        outside_option : bool
            True adds an alternative of utility 0 that is always available; a situation without a
            chosen row chose it.
        weights : column, optional
            Weight of the person: positive, constant within a person; used as given, not rescaled.

        Raises
        ------
        DataError
            Naming the column, the first offending rows and the remedy.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({
        ...     "id": [1, 1, 2, 2], "mode": ["bus", "car", "bus", "car"],
        ...     "choice": [1, 0, 0, 1], "price": [2.0, 5.0, 3.0, 4.0]})
        >>> data = ChoiceData.from_long(
        ...     frame, person=None, situation="id", alternative="mode", chosen="choice")
        >>> data.frame["mode"][data.chosen_row].tolist()
        ['bus', 'car']
        """
        roles = Roles(person, situation, alternative, chosen, availability, weights)
        read = read_long(frame, roles, outside_option)
        layout, kept = read.layout, read.available
        alternative_code, alternatives = compress(
            layout.alternative_code[kept], layout.alternatives
        )
        row_situation = layout.row_situation[kept]
        rows_chosen = np.flatnonzero(read.chosen[kept])
        chosen_row = np.full(len(layout.situations), -1, dtype=np.int64)
        chosen_row[row_situation[rows_chosen]] = rows_chosen
        frame = read.frame[kept].reset_index(drop=True)
        if isinstance(frame[alternative].dtype, pd.CategoricalDtype):
            seen = frame[alternative].cat.remove_unused_categories()
            frame = frame.assign(**{alternative: seen})
        return cls(
            frame=frame,
            persons=layout.persons,
            situations=layout.situations,
            alternatives=alternatives,
            person=person,
            situation=situation,
            alternative=alternative,
            chosen=chosen,
            person_start=offsets(layout.situation_person, len(layout.persons)),
            situation_start=offsets(row_situation, len(layout.situations)),
            alternative_code=alternative_code,
            chosen_row=chosen_row,
            outside_option=outside_option,
            weights=read.weights,
            rows=layout.rows[kept],
            rows_left_out=int(np.sum(~kept)),
        )

    @classmethod
    def from_wide(
        cls,
        frame: Any,
        *,
        chosen: str,
        alternatives: Sequence[Hashable] | Mapping[Hashable, Hashable],
        varying: Mapping[str, str | Mapping[Hashable, str | float]],
        person: str | None = None,
        situation: str | None = None,
        availability: str | Mapping[Hashable, str | float] | None = None,
        outside_option: bool = False,
        outside_label: Hashable = None,
        weights: str | None = None,
    ) -> Self:
        """Choice data from a frame with one row for each situation.

        The result has a column "alternative", one for each attribute in `varying`, and `chosen` as
        0/1; the other columns of the frame are carried to every row of their situation.

        Parameters
        ----------
        frame : pandas, polars or another eager data frame
            Not modified.
        chosen : column
            Label of the chosen alternative.
        alternatives : sequence of labels, or mapping value in `chosen` -> label
            `{1: "train", 2: "car"}` where `chosen` holds codes.
        varying : mapping attribute -> pattern or {alternative: column}
            The columns of each attribute: a pattern such as "{alternative}_time" or
            "{attribute}_{alternative}", or one column for each alternative. In place of a column a
            number holds in every situation: 0 where an attribute plays no role in an alternative.
        person : column, or None
            Who chose. None: every situation is its own person.
        situation : column, optional
            Which choice; rows are numbered from 0 in a column "situation" when not given.
        availability : pattern or {alternative: column}, optional
            0/1 or True/False columns, in the form of an attribute; a number 1: always available.
        outside_option : bool
            True adds an alternative of utility 0 that is always available.
        outside_label : label, optional
            Value of `chosen` that says that the outside option was chosen; a missing value does
            when not given.
        weights : column, optional
            Weight of the person: positive, constant within a person; used as given, not rescaled.

        Raises
        ------
        DataError
            Naming the column, the first offending rows and the remedy.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({
        ...     "mode": ["bus", "car"], "bus_price": [2.0, 3.0], "car_price": [5.0, 4.0]})
        >>> data = ChoiceData.from_wide(
        ...     frame, chosen="mode", alternatives=["bus", "car"],
        ...     varying={"price": "{alternative}_price"})
        >>> data.frame["price"].tolist()
        [2.0, 5.0, 3.0, 4.0]
        """
        long = lengthen(
            frame,
            chosen=chosen,
            alternatives=alternatives,
            varying=varying,
            availability=availability,
            situation=situation,
            outside=(outside_option, outside_label),
            others={"person": person, "weights": weights},
        )
        return cls.from_long(
            long.frame,
            person=person,
            situation=long.situation,
            alternative=ALTERNATIVE,
            chosen=chosen,
            availability=long.availability,
            outside_option=outside_option,
            weights=weights,
        )

    def __post_init__(self) -> None:
        check_arrays(self)

    @property
    def n_persons(self) -> int:
        """Number of persons, I."""
        return len(self.persons)

    @property
    def n_situations(self) -> int:
        """Number of situations, T."""
        return len(self.situations)

    @property
    def n_rows(self) -> int:
        """Number of rows, R: alternatives offered, the outside option not counted."""
        return len(self.frame)

    @cached_property
    def row_situation(self) -> np.ndarray:
        """Situation of each row, (R,) int64."""
        return np.repeat(np.arange(self.n_situations), np.diff(self.situation_start))

    @cached_property
    def row_person(self) -> np.ndarray:
        """Person of each row, (R,) int64."""
        situation_person = np.repeat(np.arange(self.n_persons), np.diff(self.person_start))
        return situation_person[self.row_situation]

    def attribute(self, name: str) -> np.ndarray:
        """A column as numbers, (R,) float64; see `check_numeric`."""
        return check_numeric(self, name)

    def with_choices(self, chosen_row: np.ndarray) -> Self:
        """The same persons, sets and attributes with other choices, (T,) rows or -1."""
        rows = np.asarray(chosen_row, dtype=np.int64)
        flag = np.zeros(self.n_rows, dtype=np.int64)
        flag[rows[rows >= 0]] = 1
        frame = self.frame.assign(**{self.chosen: flag})
        return replace(self, frame=frame, chosen_row=rows)

    @property
    def observed(self) -> bool:
        """Whether choices were observed; False for a scenario."""
        return bool(self.chosen_row[0] != scenario.UNOBSERVED)

    def with_attribute(
        self,
        name: str,
        value: Any,
        *,
        alternative: Hashable | list[Hashable] | None = None,
        where: scenario.Rows | None = None,
    ) -> Self:
        """A scenario in which an attribute has other values.

        Parameters
        ----------
        name : column
        value
            A value, an array or Series (by row of `frame`), or a function of the rows that change
            (a DataFrame).
        alternative : label or list of labels, optional
            Whose attribute changes; all alternatives' by default.
        where : (R,) bool or function of `frame`, optional
            Rows that change.

        Examples
        --------
        >>> from bayesmix import examples
        >>> data = examples.electricity()
        >>> dearer = data.with_attribute("pf", lambda rows: 1.1 * rows["pf"], alternative=1)
        >>> dearer.observed
        False
        """
        return scenario.change(self, name, value, alternative, where)  # type: ignore[return-value]

    def without(self, *alternatives: Hashable) -> Self:
        """A scenario in which these alternatives are offered to nobody.

        Raises
        ------
        DataError
            If nothing is left to choose in a situation, and there is no outside option.
        """
        return scenario.remove(self, alternatives)  # type: ignore[return-value]

    def with_alternative(
        self,
        label: Hashable,
        attributes: Mapping[str, Any],
        *,
        where: scenario.Rows | None = None,
        like: Hashable | None = None,
    ) -> Self:
        """A scenario with a new alternative, described by its attributes.

        Parameters
        ----------
        label
            Its label, the last of `alternatives`.
        attributes : mapping column -> value, array, Series or function
            Functions receive one row a situation, with the columns that do not vary within
            situations; these are carried to the new alternative.
        where : (T,) bool or function of such rows, optional
            Situations in which it is offered; all by default.
        like : existing label, optional
            The alternative whose constants it has, and whose values in columns not given.
        """
        new = scenario.add(self, label, attributes, where, like)
        return new  # type: ignore[return-value]

    def summary(self) -> ChoiceSummary:
        """Counts, and a table of the alternatives: available, chosen, share."""
        return summarise(self)

    def __repr__(self) -> str:
        return f"ChoiceData\n{self.summary()}"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
