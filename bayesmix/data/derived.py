"""Choice data made from choice data: other choices, first choices, scenarios."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np

from bayesmix.data import rankings, scenario
from bayesmix.data.checks import checked_rows
from bayesmix.data.columns import assigned
from bayesmix.data.population_shares import with_population_shares
from bayesmix.data.table import ChoiceTable
from bayesmix.errors import DataError


class Derivable(ChoiceTable):
    """A table that others are made from: the verbs of `ChoiceData` that give new ones."""

    def first_choices(self) -> Self:
        """The first choice of every ranking; other data as they are.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmix import ChoiceData
        >>> frame = pd.DataFrame({
        ...     "id": [1, 1, 1, 2, 2, 2], "mode": ["bus", "car", "walk"] * 2,
        ...     "rank": [2, 1, 3, 1, 3, 2]})
        >>> data = ChoiceData.from_long(
        ...     frame, person=None, situation="id", alternative="mode", ranked="rank")
        >>> data.n_situations, data.first_choices().n_situations
        (4, 2)
        """
        return rankings.first_choices(self)

    def with_ranks(self, ranks: np.ndarray) -> Self:
        """The same persons, sets and attributes with other rankings.

        Parameters
        ----------
        ranks : (R,) int
            By row of ``first_choices().frame``: 1 is best, 0 is not ranked.

        Raises
        ------
        DataError
            If there is not a whole number for each of these rows, or ranks have ties or gaps; if
            there is a column "stage", which rankings make, that is not 1 in every row of these.
        """
        first = self.first_choices()
        return rankings.explode(first, rankings.checked_ranks(first, ranks))

    def with_choices(self, chosen_row: np.ndarray) -> Self:
        """The same persons, sets and attributes with other choices, (T,) rows or -1."""
        if self.stage is not None:
            raise DataError(
                "the data are rankings, in which each choice says what the next is out of: give "
                "ranks, with_ranks(), or take first_choices()"
            )
        name = self.chosen or rankings.CHOSEN
        if self.chosen is None and name in self.frame.columns:
            raise DataError(
                f"the choices would stand in a column {name!r}, and there is one, which is none of "
                "choices: rename it"
            )
        rows = checked_rows(self, chosen_row)
        flag = np.zeros(self.n_rows, dtype=np.int64)
        flag[rows[rows >= 0]] = 1
        frame = assigned(self.frame, {name: flag})
        return replace(self, frame=frame, chosen=name, chosen_row=rows)

    def with_population_shares(self, shares: Mapping[Hashable, float]) -> Self:
        """A choice-based sample, with weights that give choices their shares of the population.

        Where people were sampled by what they chose, a person who chose j has the weight ``Q_j /
        H_j``, times the own: the share of the population over that of the (weighted) sample.
        Weighted likelihoods are then consistent, constants included (Manski and Lerman 1977), and
        demand averages over the population. Without weights a multinomial logit with a constant for
        each alternative has constants that are off by ``log(H_j / Q_j)``, less that of the base,
        and nothing else.

        Standard errors are the robust ones, ``A^-1 B A^-1`` with the weights squared in ``B = sum_i
        w_i^2 s_i s_i'`` (Manski and Lerman 1977); where the numbers of each choice were fixed by
        design they are too large rather than too small (Wooldridge 2001).

        Parameters
        ----------
        shares
            By alternative, its share of the population's choices; of the outside option
            ``"outside"``. They sum to 1.

        Raises
        ------
        DataError
            If persons have several situations, the data are rankings or hold no choices, a share is
            missing, or nobody in the sample chose an alternative.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmix import ChoiceData
        >>> frame = pd.DataFrame({
        ...     "id": [1, 1, 2, 2], "mode": ["bus", "car"] * 2, "choice": [1, 0, 0, 1]})
        >>> data = ChoiceData.from_long(
        ...     frame, person=None, situation="id", alternative="mode", chosen="choice")
        >>> data.with_population_shares({"bus": 0.2, "car": 0.8}).weights.tolist()
        [0.4, 1.6]
        """
        return with_population_shares(self, shares)

    def with_attribute(
        self,
        name: str,
        value: Any,
        *,
        alternative: Hashable | list[Hashable] | None = None,
        where: scenario.Rows | None = None,
    ) -> Self:
        """A scenario in which an attribute has other values.

        Scenarios of rankings are of their first choices, and arrays by row of those.

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
        return scenario.change(self, name, value, alternative, where)

    def without(self, *alternatives: Hashable) -> Self:
        """A scenario in which these alternatives are offered to nobody.

        Raises
        ------
        DataError
            If nothing is left to choose in a situation, and there is no outside option.
        """
        return scenario.remove(self, alternatives)

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
        return scenario.add(self, label, attributes, where, like)
