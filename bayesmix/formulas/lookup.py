"""The values of a formula's factors on data: columns looked up by name, and checked."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic.materializers.types import FactorValues

from bayesmix.arrays import Array
from bayesmix.data.attributes import check_complete, check_numeric
from bayesmix.data.choices import ChoiceData
from bayesmix.data.widen import numbers
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.expressions import Scope
from bayesmix.formulas.reading import Expression, Reading, first_line
from bayesmix.formulas.trusted import run


def factor_values(
    reading: Reading,
    data: ChoiceData,
    learnt: MutableMapping[str, dict[str, Any]],
    *,
    of_persons: bool = False,
) -> dict[str, Any]:
    """Values (R,) of the formula's factors, by alias; what they learn is added to ``learnt``."""
    found = {}
    lookup = Lookup(reading.formula, data, of_persons)
    scope = Scope(lookup.numbers, lookup.labels, learnt)
    for place, expression in enumerate(reading.expressions):
        try:
            with np.errstate(all="ignore"):  # what is not finite is refused afterwards, by name
                if expression.code:
                    value = run(expression, lookup.columns(expression), learnt)
                else:
                    value = scope.value(expression.tree)
        except (DataError, SpecificationError):
            raise
        except Exception as error:
            raise SpecificationError(
                f"cannot evaluate {expression.text!r} of the formula {reading.formula!r}: "
                f"{first_line(error)}; check the arguments of its functions"
            ) from None
        found[f"\ue000{place}\ue001"] = _shaped(value, data.n_rows, expression.text)
    return found


def _shaped(value: Any, rows: int, text: str) -> Any:
    """Numbers (R,) as float64; categories and bases of several columns as they are."""
    if isinstance(value, FactorValues | dict | pd.DataFrame):
        return value
    if isinstance(value, pd.Series | pd.Categorical) and numbers(pd.Series(value)) is None:
        return value
    found = np.asarray(value, dtype=np.float64)
    if found.shape not in ((), (rows,)):
        raise SpecificationError(
            f"{text!r} is not one number a row: give its functions all of their arguments, such "
            "as where(price > 2, price, 2)"
        )
    return np.broadcast_to(found, (rows,)).copy()


@dataclass(frozen=True, eq=False)
class Lookup:
    """Columns of the data by name, checked, for a formula."""

    formula: str
    data: ChoiceData
    of_persons: bool

    def numbers(self, name: str) -> Array:
        """A column as numbers (R,)."""
        self._check(name)
        if name == self.data.alternative and self.data.stand_ins:
            found = numbers(self._whole(name))
            if found is not None:
                return found
        return check_numeric(self.data, name, of_persons=self.of_persons)

    def labels(self, name: str) -> pd.Series:
        """A column as it is, without categories that no row has."""
        self._check(name)
        values = self._whole(name)
        if isinstance(values.dtype, pd.CategoricalDtype):
            return values.cat.remove_unused_categories()
        return values

    def columns(self, expression: Expression) -> dict[str, pd.Series]:
        """The columns that trusted code names, numbers as float64."""
        found: dict[str, pd.Series] = {}
        for name in expression.columns:
            if name not in self.data.frame.columns:
                continue
            values = self.labels(name)
            as_numbers = numbers(values)
            found[name] = values if as_numbers is None else pd.Series(as_numbers)
        return found

    def _whole(self, name: str) -> pd.Series:
        """The column, new alternatives under the names of those whose constants they have."""
        values = check_complete(self.data, name, of_persons=self.of_persons)
        if name == self.data.alternative and self.data.stand_ins:
            return pd.Series([self.data.stand_ins.get(label, label) for label in values])
        return values.reset_index(drop=True)

    def _check(self, name: str) -> None:
        if name == self.data.chosen:
            raise SpecificationError(
                f"the formula {self.formula!r} uses column {name!r}, which holds the choices: "
                "write the utility of attributes alone"
            )
