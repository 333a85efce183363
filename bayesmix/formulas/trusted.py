"""Python in formulas, where their author is trusted; and the rule that a row's value is its own.

Scenarios, held-out data and single situations are computed with the same formula: a value that
depends on other rows than its own is another quantity there. Such terms are found by computing them
again on some of the rows, in another order, and refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
import pandas as pd
from formulaic.errors import DataMismatchWarning
from formulaic.materializers.types import FactorValues
from formulaic.model_spec import ModelSpec
from formulaic.transforms import TRANSFORMS
from formulaic.utils.stateful_transforms import stateful_eval

from bayesmix.errors import SpecificationError
from bayesmix.formulas.functions import category
from bayesmix.formulas.reading import Expression
from bayesmix.formulas.syntax import column_name, tree_of

SINGLE = 5
"""Rows that are computed alone."""

type Environment = dict[str, pd.Series]


class _Names(ast.NodeTransformer):
    """Columns under names that Python can read."""

    def __init__(self, columns: Mapping[str, pd.Series]) -> None:
        self.columns = columns
        self.found: Environment = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """What is called is a function, whatever columns are called."""
        if column_name(node) is not None:
            return self.visit_Name(node)
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(part) for part in node.args]
        node.keywords = [self.visit(part) for part in node.keywords]
        return node

    def visit_Name(self, node: ast.expr) -> ast.AST:
        name = column_name(node)
        if name not in self.columns:
            return self.generic_visit(node)
        alias = f"_column_{len(self.found)}"
        self.found[alias] = self.columns[str(name)]
        return ast.copy_location(ast.Name(alias, ast.Load()), node)

    visit_Attribute = visit_Name


def run(
    expression: Expression,
    columns: Mapping[str, pd.Series],
    learnt: MutableMapping[str, dict[str, Any]],
) -> Any:
    """The value of trusted code on columns (R,); what it learns is added to ``learnt``.

    Raises
    ------
    SpecificationError
        If its value in some row depends on other rows.
    """
    names = _Names(columns)
    code = ast.unparse(names.visit(tree_of(expression.text)))
    known = learnt.setdefault(expression.text, {})
    found = _evaluated(code, names.found, known)
    whole = _parts(found)
    size = len(next(iter(columns.values())))
    for rows in _subsets(size):
        some = {
            name: values.iloc[rows].reset_index(drop=True) for name, values in names.found.items()
        }
        try:
            again = _parts(_evaluated(code, some, known))
        except (ValueError, IndexError, KeyError, DataMismatchWarning):
            again = []
        if not _same(whole, again, rows, size):
            raise SpecificationError(
                f"term {expression.text!r} is not computed row by row: its value in a row depends "
                "on other rows, and would be another in a scenario; compute the column before, "
                "frame['x'] = ..., or write statistics that are learnt once, x / x.mean()"
            )
    return found


def _evaluated(code: str, columns: Environment, known: dict[str, Any]) -> Any:
    return stateful_eval(code, {**TRANSFORMS, "C": category, **columns}, None, known, ModelSpec([]))


def _parts(found: Any) -> list[Any]:
    """The arrays that a value is made of."""
    if isinstance(found, FactorValues):
        found = found.__wrapped__
    if isinstance(found, dict):
        return [
            part
            for key, value in found.items()
            if not str(key).startswith("__")
            for part in _parts(value)
        ]
    return [np.asarray(found)]


def _subsets(size: int) -> Iterator[np.ndarray]:
    """Rows in other orders, halves of them, and single ones."""
    everything = np.arange(size)
    yield everything[::-2]
    yield everything[: (size + 1) // 2]
    for row in np.unique(np.linspace(0, size - 1, SINGLE).astype(int)):
        yield everything[row : row + 1]


def _same(whole: list[Any], again: list[Any], rows: np.ndarray, size: int) -> bool:
    if len(whole) != len(again):
        return False
    for one, other in zip(whole, again, strict=True):
        expected = one[rows] if one.ndim and len(one) == size else one
        if np.shape(expected) != np.shape(other):
            return False
        if np.issubdtype(expected.dtype, np.number) and np.issubdtype(other.dtype, np.number):
            if not np.allclose(expected, other, rtol=1e-9, atol=0.0, equal_nan=True):
                return False
        elif not bool(
            np.all(
                pd.Series(expected).astype(str).to_numpy()
                == pd.Series(other).astype(str).to_numpy()
            )
        ):
            return False
    return True
