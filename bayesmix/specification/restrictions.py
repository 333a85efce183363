"""Linear restrictions on parameters, in words or as a matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.utils.constraints import LinearConstraints

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError


@dataclass(frozen=True, eq=False)
class Restrictions:
    """``R b = q``: a matrix (n, P), values (n,), and the names (P,) of the parameters."""

    matrix: Array
    values: Array
    names: tuple[str, ...]

    def __str__(self) -> str:
        pairs = zip(self.matrix, self.values, strict=True)
        return ", ".join(f"{self._sum(row)} = {value:g}" for row, value in pairs)

    def _sum(self, row: Array) -> str:
        words: list[str] = []
        for p in np.flatnonzero(row):
            sign = "-" if row[p] < 0 else "+" if words else ""
            size = "" if abs(row[p]) == 1 else f"{abs(row[p]):g} "
            words.append(f"{sign}{' ' if words else ''}{size}{self.names[p]}")
        return " ".join(words)


def read_restrictions(
    given: str | Sequence[str] | Array | pd.DataFrame,
    values: Array | float,
    names: tuple[str, ...],
    argument: str = "restrictions",
) -> Restrictions:
    """Restrictions as words, a list of words, a matrix, or a DataFrame by flat name.

    Raises
    ------
    SpecificationError
        If they cannot be read, or a row restricts nothing.

    Examples
    --------
    >>> found = read_restrictions("mean[a] = 2 * mean[b]", 0.0, ("mean[a]", "mean[b]"))
    >>> found.matrix.tolist(), str(found)
    ([[1.0, -2.0]], 'mean[a] - 2 mean[b] = 0')
    """
    words = isinstance(given, str | Sequence) and all(isinstance(one, str) for one in given)
    if words and not (isinstance(values, int | float) and values == 0):
        raise arguments.refused("values", "left out where restrictions are in words", values)
    if isinstance(given, str):
        found = _parse(given, names, argument)
    elif isinstance(given, Sequence) and all(isinstance(one, str) for one in given) and len(given):
        found = _parse(", ".join(str(one) for one in given), names, argument)
    else:
        found = _matrix(given, values, names)
    empty = ~found.matrix.any(axis=1)
    if empty.any() or not len(found.matrix):
        raise SpecificationError(
            f"argument {argument!r}: a restriction concerns no parameter: the model has {names}"
        )
    return found


def _parse(text: str, names: tuple[str, ...], argument: str) -> Restrictions:
    # Flat names hold brackets, commas and blanks: stand-ins are what the parser can read.
    longest = sorted(names, key=len, reverse=True)
    pattern = "|".join(re.escape(name) for name in longest)
    plain = re.sub(pattern, lambda m: f"_p{names.index(m.group())}_", text)
    unknown = re.search(r"\w+\[[^=]*?\]", plain)
    if unknown:
        raise SpecificationError(
            f"argument {argument!r}: {text!r} names {unknown.group()!r}, which is no parameter; "
            f"{nearest(unknown.group(), names)}"
        )
    plain = re.sub(r"=\s*([+-])", r"= 0 \1", plain)  # "= -1" is no operator to the parser
    stand_ins = [f"_p{p}_" for p in range(len(names))]
    try:
        found = LinearConstraints.from_spec(plain, variable_names=stand_ins)
    except (FormulaicError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise SpecificationError(
            f"argument {argument!r}: cannot read {text!r}: write 'mean[a] = mean[b]' or "
            f"'2 * mean[a] - fixed[c] = 1', linear in the parameters; {nearest(text, names)}"
        ) from error
    matrix = np.asarray(found.constraint_matrix, dtype=float)
    return Restrictions(matrix, np.asarray(found.constraint_values, dtype=float), names)


def _matrix(given: object, values: Array | float, names: tuple[str, ...]) -> Restrictions:
    if isinstance(given, pd.DataFrame):
        strange = [str(c) for c in given.columns if c not in names]
        if strange:
            raise SpecificationError(
                f"argument 'restrictions' names {strange[0]!r}, which is no parameter; "
                f"{nearest(strange[0], names)}"
            )
        given = given.reindex(columns=list(names), fill_value=0.0).to_numpy()
    meaning = "words such as 'mean[a] = 0', or a matrix of numbers"
    matrix = np.atleast_2d(_numbers("restrictions", given, meaning))
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not np.isfinite(matrix).all():
        raise SpecificationError(
            f"argument 'restrictions' has shape {matrix.shape}, expected (n, {len(names)}) finite "
            "numbers in the order of fit.params"
        )
    right = _numbers("values", values, "a number, or one a restriction")
    if not np.isfinite(right).all():
        raise arguments.refused("values", "finite numbers", values)
    if right.ndim > 1 or right.size not in (1, len(matrix)):
        raise SpecificationError(
            f"argument 'values' has shape {right.shape}, expected ({len(matrix)},): one value a "
            "restriction"
        )
    return Restrictions(matrix, np.broadcast_to(right, len(matrix)).astype(float), names)


def _numbers(name: str, value: object, meaning: str) -> Array:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise arguments.refused(name, meaning, value) from None
