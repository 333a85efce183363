"""The value of an expression on data, computed here: no code of a formula is run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from formulaic.materializers.types import FactorValues
from numpy.typing import NDArray

from bayesmix.arrays import Array
from bayesmix.data.widen import numbers
from bayesmix.errors import SpecificationError
from bayesmix.formulas.functions import (
    CONSTANTS,
    CONTRASTS,
    ELEMENTWISE,
    STATEFUL,
    STATISTICS,
    category,
    statistic,
)
from bayesmix.formulas.syntax import column_name, dotted, is_text, method_of

_ARITHMETIC: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LOGIC: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.BitAnd: np.logical_and,
    ast.BitOr: np.logical_or,
}
_COMPARISONS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, eq=False)
class Scope:
    """Where names are looked up.

    Parameters
    ----------
    numbers
        A column as numbers (R,), by its name.
    labels
        A column as it is, for categories.
    learnt
        What transforms and statistics have learnt, by their text; new ones are added.
    """

    numbers: Callable[[str], Array]
    labels: Callable[[str], pd.Series]
    learnt: MutableMapping[str, dict[str, Any]]

    def value(self, node: ast.expr) -> Any:
        """An expression that `bayesmix.formulas.syntax.check` has passed."""
        name = column_name(node)
        if name is not None:
            return self.numbers(name)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Constant):
            number: Any = node.value
            return np.float64(number)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BinOp):
            return self._join(node)
        if isinstance(node, ast.UnaryOp):
            return self._sign(node)
        return np.float64(CONSTANTS[str(dotted(node))])

    def number(self, node: ast.expr) -> Any:
        """An expression as numbers: what holds is 1, and what does not 0."""
        found = self.value(node)
        if isinstance(found, FactorValues):
            raise SpecificationError(
                f"{ast.unparse(node)!r} is a category or has several columns: nothing is computed "
                "with it; write it as a term of its own"
            )
        return np.asarray(found, dtype=np.float64)

    def _call(self, node: ast.Call) -> Any:
        name, method = str(dotted(node.func)), method_of(node)
        if name == "C":
            return self._category(node)
        if name in ELEMENTWISE:
            return ELEMENTWISE[name](*map(self._argument, node.args))
        if name in STATEFUL:
            known = self.learnt.setdefault(ast.unparse(node), {})
            values = self.number(node.args[0])
            return STATEFUL[name](
                values, *map(ast.literal_eval, node.args[1:]), _state=known, **_keywords(node)
            )
        if method is not None and method not in STATISTICS:
            assert isinstance(node.func, ast.Attribute)
            inner = self.number(node.func.value)
            return ELEMENTWISE[method](inner, *map(self._argument, node.args))
        return self._statistic(node, method)

    def _statistic(self, node: ast.Call, method: str | None) -> Any:
        known = self.learnt.setdefault(ast.unparse(node), {})
        if "value" not in known:
            assert isinstance(node.func, ast.Attribute)
            of, options = (node.func.value, node.args) if method else (node.args[0], node.args[1:])
            given = [*map(ast.literal_eval, options), *_keywords(node).values()]
            option = float(given[0]) if given else None
            known["value"] = statistic(
                node.func.attr, self.number(of), option, method=method is not None
            )
        return np.float64(known["value"])

    def _argument(self, node: ast.expr) -> Any:
        if isinstance(node, ast.List | ast.Tuple):
            return np.array(ast.literal_eval(node), dtype=np.float64)
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        return self.number(node)

    def _category(self, node: ast.Call) -> Any:
        name = column_name(node.args[0])
        values = self.value(node.args[0]) if name is None else self.labels(name)
        options = _keywords(node, without="contrasts")
        found = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "contrasts")]
        return category(pd.Series(values), _contrasts(found[0]) if found else None, **options)

    def _compare(self, node: ast.Compare) -> Any:
        parts = [node.left, *node.comparators]
        if any(map(is_text, parts)):
            values = [
                part.value if isinstance(part, ast.Constant) else self._texts(part)
                for part in parts
            ]
        else:
            values = [self.number(part) for part in parts]
        signs = [_COMPARISONS[type(o)] for o in node.ops]
        holds = [sign(values[k], values[k + 1]) for k, sign in enumerate(signs)]
        return reduce(np.logical_and, holds)

    def _texts(self, node: ast.expr) -> NDArray[np.object_]:
        values = self.labels(str(column_name(node)))
        if numbers(values) is not None:
            raise SpecificationError(
                f"column {column_name(node)!r} holds numbers, and is compared with a text: "
                "leave the quotes out"
            )
        return values.to_numpy(dtype=object)

    def _join(self, node: ast.BinOp) -> Any:
        if type(node.op) in _LOGIC:
            return _LOGIC[type(node.op)](self._truth(node.left), self._truth(node.right))
        return _ARITHMETIC[type(node.op)](self.number(node.left), self.number(node.right))

    def _sign(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Invert):
            return np.logical_not(self._truth(node.operand))
        values = self.number(node.operand)
        return -values if isinstance(node.op, ast.USub) else values

    def _truth(self, node: ast.expr) -> Any:
        values = self.number(node)
        if not np.isin(values, (0.0, 1.0)).all():
            raise SpecificationError(
                f"{ast.unparse(node)!r} holds other values than 0 and 1: '&', '|' and '~' join "
                "conditions, such as (price > 2)"
            )
        return values.astype(bool)


def _keywords(node: ast.Call, without: str = "") -> dict[str, Any]:
    return {str(k.arg): ast.literal_eval(k.value) for k in node.keywords if k.arg != without}


def _contrasts(node: ast.expr) -> Any:
    name = dotted(node.func) if isinstance(node, ast.Call) else dotted(node)
    if name is None:
        return ast.literal_eval(node)
    made = CONTRASTS[name]
    if isinstance(node, ast.Call):
        return made(*map(ast.literal_eval, node.args), **_keywords(node))
    return made()
