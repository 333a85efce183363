"""The first stage of a control function: least squares on the levels of an attribute."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Indices
from bayesmix.data.attributes import check_complete, check_numeric
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.coding import columns_naming
from bayesmix.formulas.formula import Columns, columns_of
from bayesmix.formulas.variation import deviations, length
from bayesmix.specification.control_function import ControlFunction
from bayesmix.specification.levels import Levels, levels_of, of_levels
from bayesmix.specification.residuals import FirstStage, Residuals

CONSTANT = "1"
DEPENDENT = 1e-7
"""Length of what earlier columns leave of one of length 1, below which it is their combination."""
EXACT = 1e-9
"""Standard deviation of residuals over that of the price, below which there are none."""


def first_stage(
    control: ControlFunction, utility: Columns, data: ChoiceData, *, trust: bool = False
) -> Residuals:
    """The first stage on the data of an estimation, whose utility has these columns.

    Raises
    ------
    SpecificationError
        If the utility does not depend on the attribute.
    DataError
        If a column is missing or not the same in a level, the attribute does not vary over levels,
        instruments are in the utility, do not vary where choices are made or are combinations of
        exogenous attributes,
        there are too few levels or clusters, or nothing is left of the attribute.
    """
    name = control.price
    depends = columns_naming(utility.state, name)
    if not depends & set(utility.names):
        raise SpecificationError(
            f"ControlFunction({name!r}): the utility does not depend on column {name!r}; its "
            f"columns are {list(utility.names)}: name the column that the formula does"
        )
    levels = levels_of(data, control.on)
    what = f"ControlFunction({name!r}): column {name!r}"
    price = of_levels(check_numeric(data, name), levels, data, what)
    if np.ptp(price) <= EXACT * np.abs(price).max(initial=0.0):
        raise DataError(
            f"{what} is {price[0]:.6g} in all {len(price)} levels of {' and '.join(control.on)}: "
            "there is nothing for instruments to move; leave the control function out"
        )
    exogenous, left = _exogenous(control, utility, depends, (levels, data), trust)
    instruments = _given(control.instruments, "instruments", (levels, data), control, trust)
    _check_excluded(instruments, utility)
    _check_within(instruments, levels, data)
    names, x, combined = _independent(exogenous, instruments)
    left = (*left, *combined)
    excluded = np.array([n in instruments for n in names], dtype=bool)
    if len(price) <= len(names):
        raise DataError(
            f"{what} has {len(price)} levels, and the first stage {len(names)} coefficients: name "
            "fewer instruments, or exogenous='1' for none beside them"
        )
    clusters, grouped_by = _clusters(control, levels, data)
    size = np.sqrt((x**2).mean(axis=0))
    gamma = np.linalg.lstsq(x / size, price, rcond=None)[0] / size
    found = FirstStage(
        control, levels.keys, price, names, excluded, x, gamma, clusters, grouped_by, left
    )
    if found.residual.std() <= EXACT * price.std():
        raise DataError(
            f"{what} is a combination of instruments and exogenous attributes, and its residual "
            f"does not vary ({', '.join(names)}): name fewer of them"
        )
    return Residuals(found, levels.code)


type _On = tuple[Levels, ChoiceData]


def _exogenous(
    control: ControlFunction, utility: Columns, depends: set[str], on: _On, trust: bool
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Regressors (L,) beside the instruments, by name, and what the utility has besides."""
    levels, _ = on
    constant = {CONSTANT: np.ones(len(levels.keys))}
    if control.exogenous is not None:
        return constant | _given(control.exogenous, "exogenous", on, control, trust), ()
    found, left = constant, []
    for name, values in zip(utility.names, utility.values.T, strict=True):
        if name in depends:
            continue
        own = values[levels.first]
        if (values != own[levels.code]).any():
            left.append(f"{name} (varies within levels)")
        else:
            found[name] = own
    return found, tuple(left)


def _given(
    formula: str, argument: str, on: _On, control: ControlFunction, trust: bool
) -> dict[str, Array]:
    """The columns (L,) of a formula, by name, without its constant."""
    levels, data = on
    columns = columns_of(formula, data, trust=trust)
    found = {}
    for place, (name, values) in enumerate(zip(columns.names, columns.values.T, strict=True)):
        if place != columns.constant:
            what = f"ControlFunction({control.price!r}): {argument} column {name!r}"
            found[name] = of_levels(values, levels, data, what)
    return found


def _check_excluded(instruments: dict[str, Array], utility: Columns) -> None:
    """Refuse columns of the utility as instruments, also where ``exogenous`` does not name them."""
    both = [name for name in instruments if name in utility.names]
    if both:
        raise DataError(
            f"instrument {both[0]!r} is a column of the utility, and what is in the utility is no "
            "instrument: leave it out, and where exogenous= is given, name it there"
        )


def _check_within(instruments: dict[str, Array], levels: Levels, data: ChoiceData) -> None:
    """Refuse instruments none of which differs between the alternatives of a choice."""
    rows = np.column_stack([*instruments.values()])[levels.code]
    if not (length(deviations(rows, data)) > 0.0).any():
        raise DataError(
            f"no instrument varies within any situation ({', '.join(instruments)}), where choices "
            "are made: name one that differs between alternatives, such as the cost of each"
        )


def _independent(
    exogenous: dict[str, Array], instruments: dict[str, Array]
) -> tuple[tuple[str, ...], Array, tuple[str, ...]]:
    """Names and values (L, G) of regressors without combinations, and which were left out."""
    names, kept, left = [], [], []
    basis = np.empty((len(next(iter(exogenous.values()))), 0))
    every = [*exogenous.items(), *instruments.items()]
    for place, (name, values) in enumerate(every):
        size = np.linalg.norm(values)
        rest = values / size if size > 0 else values
        for _ in range(2):  # once more, for rounding
            rest = rest - basis @ (basis.T @ rest)
        # A level that is large beside its spread is no reason: the constant is of the basis.
        around = values - values.mean()
        spread = np.linalg.norm(around) if name != CONSTANT else size
        # A column without spread, such as a constant of the utility, is that constant again.
        apart = np.linalg.norm(rest) * size > DEPENDENT * spread and spread > DEPENDENT**2 * size
        if apart and name not in names:
            names.append(name)
            kept.append(values)
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
        elif place < len(exogenous):
            left.append(f"{name} (a combination of the others)")
        else:
            raise DataError(
                f"instrument {name!r} is a combination of exogenous attributes and other "
                f"instruments on the levels ({', '.join(names)}): what is in the utility is no "
                "instrument; leave it out, or name another"
            )
    return tuple(names), np.column_stack(kept), tuple(left)


def _clusters(
    control: ControlFunction, levels: Levels, data: ChoiceData
) -> tuple[Indices, str | None]:
    """The cluster (L,) of each level, and the column that it comes from."""
    column = control.cluster
    if column is None:
        if len(control.on) == 1:
            return np.arange(len(levels.keys)), None
        column = control.on[0]
    what = f"ControlFunction({control.price!r}): clusters of column {column!r}"
    codes = pd.factorize(check_complete(data, column))[0].astype(np.int64)
    found = of_levels(codes.astype(float), levels, data, what).astype(np.int64)
    if found.max() < 1:
        label = first_few([levels.keys[0]])
        raise DataError(
            f"{what} are one ({label}), and standard errors by cluster need two, and are good with "
            f"some tens: name another, ControlFunction(..., cluster={control.on[-1]!r})"
        )
    return found, column
