"""Choice data: who chose what, out of which alternatives, with which attributes."""

from collections.abc import Hashable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Self

import numpy as np

from bayesmix.data.attributes import check_numeric
from bayesmix.data.counts import ChoiceSummary, summarise
from bayesmix.data.long import Roles, choice_table, say_alike_labels
from bayesmix.data.store.face import Storable
from bayesmix.data.wide import ALTERNATIVE, Wide, lengthen
from bayesmix.errors import DataError


class ChoiceData(Storable):
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
        (person, situation) labels; a ranking's are repeated for each of its choices.
    alternatives : tuple (A,)
        Labels in the order of categories for a categorical column, sorted otherwise. The outside
        option is not among them.
    person, situation, alternative, chosen : str
        Column names; `person` is None where every situation is its own person, `chosen` where
        nobody has chosen yet.
    person_start : (I + 1,) int64
        Situations of person i are `person_start[i]:person_start[i + 1]`.
    situation_start : (T + 1,) int64
        Rows of situation t are `situation_start[t]:situation_start[t + 1]`.
    alternative_code : (R,) int64
        Index into `alternatives`.
    chosen_row : (T,) int64
        Row of `frame` that was chosen, or -1: the outside option. -2 throughout where there are
        no choices: in a scenario, which has no column `chosen`, and in sets to predict for.
    outside_option : bool
        Whether an alternative of utility 0 is available in every situation besides the rows.
    weights : (I,) float64
        Weights of the persons as given, not rescaled; ones when not given.
    rows : Index (R,)
        Labels of the user's rows, for messages.
    rows_left_out : int
        Rows of unavailable alternatives, not in `frame`.
    situations_left_out : int
        Situations in which the outside option alone is available. Their choice is certain, and says
        nothing of tastes: log 1 = 0.
    stand_ins : mapping
        Of a scenario: new alternative -> existing one whose constants it has.
    booleans : set of columns
        Those that were True and False, and are 1 and 0 in `frame`; segments keep these names.
    stage : (T,) int64, or None
        Of rankings: which choice of its ranking each situation is, from 1.
    known : Known
        Columns whose part of the utility is known: an offset, the correction for sampling.
    forced : bool
        Of a market: whether the outside option that the data have was left out of it on purpose.
    origin : ChoiceData, or None
        Of a market: the data that it was made from, of which formulas learn what levels there are.
    files : RowFiles, or None
        Of data that are mapped from files: where their rows are; None in memory.
    """

    @classmethod
    def from_long(
        cls,
        frame: Any,
        *,
        person: str | EllipsisType | None = ...,
        situation: str,
        alternative: str,
        chosen: str | None = None,
        ranked: str | None = None,
        availability: str | None = None,
        outside_option: bool = False,
        weights: str | None = None,
        offset: str | None = None,
        sampling: str | None = None,
        correction: str | None = None,
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
        chosen : column, optional
            0/1 or True/False, 1 in the row that was chosen. Sets that nobody has chosen from yet
            have none: results predict for them, and nothing is estimated from them.
        ranked : column, in place of ``chosen``
            Ranks from 1, the best, missing where a row was not ranked: below all that were. A
            ranking becomes a sequence of choices, each out of what is left (Chapman and Staelin
            1982; Beggs, Cardell and Hausman 1981), of the same person: a mixed logit integrates
            over all of it. Columns "chosen" and "stage" (1 for the first choice) are made, and
            the ranks are dropped: they are no attribute. Demand and scenarios count a ranking once,
            by its first choice. With an outside option, rows that are not ranked are those that are
            worse than it; where it has a rank of its own, give it rows.
        availability : column, optional
            0/1 or True/False; rows with 0 are left out, whatever their attributes hold. With an
            outside option situations in which nothing else is available are left out too, and
            counted in the summary: they add log 1 = 0 to a log-likelihood.
        outside_option : bool
            True adds an alternative of utility 0 that is always available; a situation without a
            chosen row chose it.
        weights : column, optional
            Weight of the person: positive, constant within a person; used as given, not rescaled.
            Weights of situations need ``person=None``, where each is integrated by itself, and
            `msle`'s ``cluster`` for standard errors by person: powers of probabilities under one
            integral are probabilities of nothing, and estimates from them not consistent
            (Rabe-Hesketh and Skrondal 2006).
        offset : column, optional
            Utility that is known, in utils: it enters with a coefficient of 1, here and in demand,
            where results refuse data without it.
        sampling : column, optional
            Probability with which the row's alternative was drawn into the set, in (0, 1], where
            sets are samples of larger ones: minus its logarithm is added to utility (McFadden
            1978). Exact for the multinomial logit, approximate for a mixed one, and better the
            larger the samples (Guevara and Ben-Akiva 2013). The chosen row has the probability of
            its own alternative, though it was taken for certain.
        correction : column, in place of ``sampling``
            The logarithm of that probability, or whatever the protocol says is to be subtracted
            from utility: ``log(q / n)`` for an alternative drawn n times with replacement.

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
        if person is ...:
            raise DataError(
                "argument 'person' is not given: name the column that says who chose, for choices "
                "of one person have tastes in common, or give person=None where every situation is "
                "another person's"
            )
        data = choice_table(
            cls,
            frame,
            Roles(
                person=person,
                situation=situation,
                alternative=alternative,
                chosen=chosen,
                ranked=ranked,
                availability=availability,
                weights=weights,
                offset=offset,
                sampling=sampling,
                correction=correction,
            ),
            outside_option,
        )
        say_alike_labels(data)
        return data

    @classmethod
    def from_wide(
        cls,
        frame: Any,
        *,
        alternatives: Sequence[Hashable] | Mapping[Hashable, Hashable],
        varying: Mapping[str, str | Sequence[str | float] | Mapping[Hashable, str | float]],
        chosen: str | None = None,
        ranked: str | Mapping[Hashable, str | float] | None = None,
        person: str | None = None,
        situation: str | None = None,
        availability: str | Mapping[Hashable, str | float] | None = None,
        outside_option: bool = False,
        outside_label: Hashable = None,
        weights: str | None = None,
        offset: str | None = None,
        sampling: str | None = None,
        correction: str | None = None,
    ) -> Self:
        """Choice data from a frame with one row for each situation.

        The result has a column "alternative", one for each attribute in `varying`, and `chosen` as
        0/1; the other columns of the frame are carried to every row of their situation.

        Parameters
        ----------
        frame : pandas, polars or another eager data frame
            Not modified.
        alternatives : sequence of labels, or mapping value in `chosen` -> label
            `{1: "train", 2: "car"}` where `chosen` holds codes.
        varying : mapping attribute -> pattern or {alternative: column}
            The columns of each attribute: a pattern such as "{alternative}_time" or
            "{attribute}_{alternative}", or one column for each alternative, in a list in the order
            of `alternatives`. In place of a column a number holds in every situation: 0 where an
            attribute plays no role in an alternative. A list of attributes, where their columns are
            named by one pattern.
        chosen : column, optional
            Label of the chosen alternative; none where nobody has chosen yet.
        ranked : pattern or {alternative: column}, in place of ``chosen``
            Columns of the alternatives' ranks, in the form of an attribute; see `from_long`.
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
        offset, sampling, correction : attribute in ``varying``, optional
            As in `from_long`.

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
        outside = outside_option, outside_label
        wide = Wide(alternatives, varying, chosen, ranked, availability, situation, outside)
        long = lengthen(frame, wide, {"person": person, "weights": weights})
        return cls.from_long(
            long.frame,
            person=person,
            situation=long.situation,
            alternative=ALTERNATIVE,
            chosen=chosen,
            ranked=long.ranked,
            availability=long.availability,
            outside_option=outside_option,
            weights=weights,
            offset=offset,
            sampling=sampling,
            correction=correction,
        )

    def attribute(self, name: str) -> np.ndarray:
        """A column as numbers, (R,) float64; see `check_numeric`."""
        return check_numeric(self, name)

    def summary(self) -> ChoiceSummary:
        """Counts, and a table of the alternatives: available, chosen, share."""
        return summarise(self)

    def __repr__(self) -> str:
        return f"ChoiceData\n{self.summary()}"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
