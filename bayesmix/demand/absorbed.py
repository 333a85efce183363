"""What constants of markets hold of utility: parts whose slopes no fit beside them knows.

Constants by market and alternative that match known shares take up whatever is the same in all
rows of an alternative in a market. A coefficient of such a column is held at 0 at the fit, and what
a change of the column does to utilities is then not what is left in the formula: of a price it may
have the wrong sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.bayes.pointwise import CONSTANTS
from bayesmix.bayes.read import posterior_group
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.segments import segments_of
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem

ALIKE = 1e-9
"""Range of a column in a market's alternative, over its largest value, that is none."""
SECOND = (
    "take the fit of the second stage, second = bm.mean_utilities(fit, {column!r}, ...), "
    "second.fit with second.fit.data; or hold {names} at its values, fixed={{{held}}}, in bm.msle "
    "or bm.sample"
)


@dataclass(frozen=True, eq=False)
class Absorbed:
    """Columns of a design that constants of markets have a part of.

    Parameters
    ----------
    problem
        The model on the data that constants are of.
    market
        Column of markets, or None where there is one.
    """

    problem: Problem
    market: str | None

    @cached_property
    def code(self) -> Indices:
        """Market and alternative (R,) of each row, counted from 0."""
        return self._pairs(self.problem.data).factorize()[0].astype(np.int64)

    def _pairs(self, data: ChoiceData) -> pd.MultiIndex:
        segments, names = segments_of(data, self.market, data)
        labels = [data.stand_ins.get(label, label) for label in data.alternatives]
        where = pd.Index(names, dtype=object)[segments[data.row_situation]]
        alternatives = pd.Index(labels, dtype=object)[data.alternative_code]
        return pd.MultiIndex.from_arrays([where, alternatives])

    def alike(self, columns: Array) -> Flags:
        """Which columns (R, M) are the same in all rows of an alternative in a market."""
        cells = pd.DataFrame(columns).groupby(self.code)
        apart = (cells.max() - cells.min()).max().to_numpy()
        return np.asarray(apart <= ALIKE * np.abs(columns).max(axis=0, initial=0.0))

    @cached_property
    def names(self) -> list[str]:
        """Parameters that move the design's columns for everybody, in their order."""
        design = self.problem.design
        random = [f"mean[{c.term}]" for c in design.coefficients]
        return [*random, *(f"fixed[{term}]" for term in self.problem.parameters.fixed)]

    @cached_property
    def everywhere(self) -> Flags:
        """Which of the design's columns are `alike`."""
        design = self.problem.design
        return self.alike(np.hstack([design.random, design.fixed]))

    @cached_property
    def at_zero(self) -> Flags:
        """Which of them have a coefficient that is 0, but for differences between people."""
        held = dict(self.problem.model.constraints.fixed)
        none = {f"mean[{c.term}]" for c in self.problem.design.coefficients if c.mean == "0"}
        return np.array([n in none or held.get(n) == 0.0 for n in self.names], dtype=bool)

    def check_moved(self, columns: Array, attribute: str) -> None:
        """Refuse what moves columns (R, M + 1) of which constants have a part.

        Raises
        ------
        SpecificationError
            With what does not.
        """
        moved = np.any(columns[:, :-1] != 0.0, axis=0) & self.everywhere
        wrong = [n for n, bad in zip(self.names, moved & self.at_zero, strict=True) if bad]
        data = self.problem.data
        if wrong:
            raise _refused(attribute, wrong)
        known = attribute in data.frame.columns and not moved.any()
        if known and self.alike(data.attribute(attribute)[:, None])[0]:
            raise SpecificationError(
                f"constants of markets have in them what {attribute!r} is worth to everybody, for "
                "it is the same in all rows of an alternative in a market, and the formula "
                f"{self.problem.model.formula!r} has what differs between people alone: put "
                f"{attribute!r} into it, fixed={{'fixed[{attribute}]': 0}} at the fit; then "
                + SECOND.format(
                    column=attribute,
                    names=f"'fixed[{attribute}]'",
                    held=f"'fixed[{attribute}]': ...",
                )
            )

    def check_sets(self, there: Problem) -> None:
        """Refuse sets in which such columns have other values than constants are of."""
        wrong = self.everywhere & self.at_zero
        if not wrong.any():
            return
        design = self.problem.design
        own = pd.DataFrame(np.hstack([design.random, design.fixed])[:, wrong])
        own = own.groupby(self._pairs(self.problem.data)).first()
        design = there.design
        now = np.hstack([design.random, design.fixed])[:, wrong]
        place = own.index.get_indexer(self._pairs(there.data))
        was = own.to_numpy()[place]
        size = np.abs(own.to_numpy()).max(axis=0, initial=0.0)
        moved = ((np.abs(now - was) > ALIKE * size) & (place >= 0)[:, None]).any(axis=0)
        names = [self.names[k] for k in np.flatnonzero(wrong)[moved]]
        if names:
            column = names[0].partition("[")[2][:-1]
            raise _refused(column, names)

    def check_terms(self, *terms: str) -> None:
        """Refuse coefficients that are held at 0 because constants have them."""
        wrong = [
            name
            for name, bad in zip(self.names, self.everywhere & self.at_zero, strict=True)
            if bad and name.partition("[")[2][:-1] in terms
        ]
        if wrong:
            raise _refused(wrong[0].partition("[")[2][:-1], wrong)


def absorbed(result: Fit | xr.DataTree, past: object) -> Absorbed | None:
    """What constants of markets hold; None where a result has none.

    ``past`` is the model on the data that were handed over with a posterior.
    """
    if isinstance(result, Fit):
        own = result.market_constants
        return None if own is None else Absorbed(result.problem, own.market)
    draws = posterior_group(result)
    if CONSTANTS not in draws or not isinstance(past, Problem):
        return None
    return Absorbed(past, draws[CONSTANTS].attrs["column"] or None)


def _refused(attribute: str, names: list[str]) -> SpecificationError:
    shown = ", ".join(names)
    held = ", ".join(f"'{name}': ..." for name in names)
    words = SECOND.format(column=attribute, names=shown, held=held)
    return SpecificationError(
        f"{shown} held at 0: constants of markets have in them what {attribute!r} is worth to "
        "everybody, and what is left in the formula are differences between people; what a change "
        f"of it does is known with the second stage alone: {words}"
    )
