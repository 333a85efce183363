"""What the expressions of a formula may hold: they are data, and no code.

Names of columns, numbers, arithmetic, comparisons, and the functions of
`bayesmix.formulas.functions`. A name is a function where it is called, and a column everywhere
else, whatever columns are called. Names with dots are names: nothing is looked up in a column.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from keyword import iskeyword

from bayesmix.data.columns import nearest
from bayesmix.formulas.functions import (
    CONSTANTS,
    CONTRASTS,
    ELEMENTWISE,
    KNOWN,
    METHODS,
    OPTIONS,
    STATEFUL,
    STATISTICS,
)

LONGEST = 100
"""Most knots, degrees of freedom or levels that a transform is given."""

_OPERATORS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
    *(ast.BitAnd, ast.BitOr, ast.UAdd, ast.USub, ast.Invert),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_OTHER_ROWS = (
    *("lag", "rank", "shift", "diff", "cumsum", "cumprod", "pct_change", "rolling", "groupby"),
    *("np.cumsum", "np.diff", "np.sort", "np.argsort", "np.roll", "np.gradient"),
)
_QUOTED = re.compile(r"`([^`]*)`")


class Unlisted(Exception):
    """An expression that is code, or a function that formulas do not know."""


def tree_of(text: str) -> ast.expr:
    """The syntax of an expression; names in backticks become ``Q("...")``.

    Raises
    ------
    SyntaxError
        If it is no expression.
    """
    plain = _QUOTED.sub(lambda found: f"Q({found.group(1)!r})", text)
    return ast.parse(plain.strip(), mode="eval").body


class _Plain(ast.NodeTransformer):
    """Names in place of ``Q("...")``, in backticks where Python could not read them."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = column_name(node)
        if name is None:
            return self.generic_visit(node)
        parts = name.split(".")
        plain = all(p.isidentifier() and not iskeyword(p) for p in parts) and name not in CONSTANTS
        return ast.Name(name if plain else f"`{name}`", ast.Load())


def canonical(tree: ast.expr) -> str:
    """The one text of an expression, however it is spaced and its names are quoted.

    >>> canonical(tree_of("np.log( `trip.cost` ) +Q('in vehicle')"))
    'np.log(trip.cost) + `in vehicle`'
    """
    return ast.unparse(_Plain().visit(copy.deepcopy(tree)))


def dotted(node: ast.AST) -> str | None:
    """``trip.cost`` as one name; None for what is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def column_name(node: ast.AST) -> str | None:
    """The column that an expression is; None where it is more than that."""
    if isinstance(node, ast.Call) and dotted(node.func) == "Q":
        only = node.args[0] if len(node.args) == 1 and not node.keywords else None
        return (
            only.value if isinstance(only, ast.Constant) and isinstance(only.value, str) else None
        )
    name = dotted(node)
    return None if name in CONSTANTS else name


def method_of(node: ast.Call) -> str | None:
    """The method of a column that is called: ``mean`` of ``price.mean()``."""
    called = dotted(node.func)
    if isinstance(node.func, ast.Attribute) and called not in KNOWN:
        return node.func.attr if not str(called).startswith("np.") else None
    return None


def columns_in(node: ast.AST) -> Iterator[str]:
    """The columns that an expression names, each time that it does."""
    name = column_name(node)
    if name is not None:
        yield name
    elif isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and method_of(node) is not None
        parts = [node.func.value] if method and isinstance(node.func, ast.Attribute) else []
        options = [*node.args[1:], *(k.value for k in node.keywords)]
        for part in (*parts, *node.args[:1], *(() if dotted(node.func) == "C" else options)):
            yield from columns_in(part)
    else:
        for child in ast.iter_child_nodes(node):
            yield from columns_in(child)


def check(node: ast.expr) -> None:
    """Refuse what formulas may not hold.

    Raises
    ------
    Unlisted
        In words.
    """
    if column_name(node) is not None or dotted(node) in CONSTANTS:
        return
    if isinstance(node, ast.Call):
        _check_call(node)
    elif isinstance(node, ast.Constant):
        _check_number(node)
    elif isinstance(node, ast.Compare):
        _check_comparison(node)
    elif isinstance(node, ast.BinOp | ast.UnaryOp):
        _check_operator(node.op)
        for part in (node.left, node.right) if isinstance(node, ast.BinOp) else (node.operand,):
            check(part)
    elif isinstance(node, ast.BoolOp):
        raise Unlisted("'and' and 'or' do not join columns: write (a > 1) & (b > 1)")
    else:
        raise Unlisted(f"{ast.unparse(node)!r} is code")


def is_text(node: ast.AST) -> bool:
    """Whether a part of an expression is a text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _check_operator(operator: ast.AST) -> None:
    if not isinstance(operator, _OPERATORS):
        raise Unlisted(f"operator {type(operator).__name__} is none of those of formulas")


def _check_number(node: ast.Constant) -> None:
    if isinstance(node.value, str):
        raise Unlisted(
            f"the text {node.value!r} stands for no number: texts are compared, "
            "{mode == 'car'}, or name columns and levels"
        )
    if not isinstance(node.value, int | float):
        raise Unlisted(f"{ast.unparse(node)!r} is no number")


def _check_comparison(node: ast.Compare) -> None:
    for operator in node.ops:
        _check_operator(operator)
    for part in (node.left, *node.comparators):
        if not is_text(part):
            check(part)
        elif not all(isinstance(o, ast.Eq | ast.NotEq) for o in node.ops):
            raise Unlisted(f"texts are compared by == and != alone, in {ast.unparse(node)!r}")
    if is_text(node.left) or any(map(is_text, node.comparators)):
        others = [part for part in (node.left, *node.comparators) if not is_text(part)]
        if len(others) != 1 or len(node.comparators) != 1 or column_name(others[0]) is None:
            raise Unlisted(f"in {ast.unparse(node)!r} a text is compared with a column alone")


def _check_call(node: ast.Call) -> None:
    name, method = dotted(node.func), method_of(node)
    if name == "C":
        _check_category(node)
    elif name in ELEMENTWISE:
        _check_keywords(node, ())
        _first(node)
        for part in node.args:
            if not _is_list(part) and not _is_none(part):
                check(part)
    elif name in STATEFUL:
        _check_arguments(node, node.args[1:])
        check(_first(node))
    elif method is None and name is not None and name.removeprefix("np.") in STATISTICS:
        if not name.startswith("np."):
            raise _unknown(name)
        _check_options(node, name.removeprefix("np."), node.args[1:])
        check(_first(node))
    elif method in STATISTICS or method in METHODS:
        _check_options(node, str(method), node.args)
        assert isinstance(node.func, ast.Attribute)
        check(node.func.value)
    else:
        raise _unknown(name if method is None else None, method)


def _check_category(node: ast.Call) -> None:
    check(_first(node))
    contrasts = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "contrasts")]
    for found in contrasts:
        call = isinstance(found, ast.Call)
        name = dotted(found.func) if isinstance(found, ast.Call) else dotted(found)
        if name not in CONTRASTS and not _is_plain(found):
            raise Unlisted(
                f"{ast.unparse(found)!r} names no contrasts; {nearest(name or '', [*CONTRASTS])}"
            )
        if call and isinstance(found, ast.Call):
            _check_arguments(found, found.args)
    others = [k for k in node.keywords if k.arg != "contrasts"]
    _check_arguments(ast.Call(node.func, [*node.args[2:]], others), node.args[2:])


def _first(node: ast.Call) -> ast.expr:
    if not node.args:
        raise Unlisted(f"{ast.unparse(node)!r} has no column: write {ast.unparse(node.func)}(x)")
    return node.args[0]


def _check_keywords(node: ast.Call, known: tuple[str, ...]) -> None:
    for keyword in node.keywords:
        if keyword.arg not in known:
            raise Unlisted(f"{ast.unparse(node)!r}: leave {keyword.arg}= out")


def _check_options(node: ast.Call, name: str, positional: list[ast.expr]) -> None:
    """A statistic's one option is a number: others, such as an axis, say nothing of a column."""
    _check_arguments(node, positional)
    option = OPTIONS.get(name)
    _check_keywords(node, (option,) if option else ())
    if len(positional) > (len(node.args) if name in METHODS else option == "q"):
        raise Unlisted(f"{ast.unparse(node)!r}: leave {ast.unparse(positional[-1])} out")


def _check_arguments(node: ast.Call, positional: list[ast.expr]) -> None:
    """Options of a transform are numbers, texts and lists of them."""
    for part in (*positional, *(k.value for k in node.keywords)):
        if not _is_plain(part):
            raise Unlisted(f"{ast.unparse(part)!r} is no number, text or list of them")
        value = ast.literal_eval(part)
        size = len(value) if isinstance(value, list | tuple | dict) else value
        if isinstance(size, int) and not isinstance(size, bool) and part in node.args:
            _check_size(size, node)
    for keyword in node.keywords:
        if keyword.arg in ("df", "degree"):
            size = ast.literal_eval(keyword.value)
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise Unlisted(f"{keyword.arg}= of {ast.unparse(node)!r} must be 1 at least, whole")
            _check_size(size, node)


def _check_size(size: object, node: ast.Call) -> None:
    if isinstance(size, int | float) and size > LONGEST and dotted(node.func) in STATEFUL:
        raise Unlisted(f"{ast.unparse(node)!r} asks for more than {LONGEST} columns")


def _is_plain(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and _is_plain(node)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _unknown(name: str | None, method: str | None = None) -> Unlisted:
    if name in _OTHER_ROWS or method in _OTHER_ROWS:
        return Unlisted(f"{method or name!r} reads other rows than its own")
    if method is not None:
        return Unlisted(
            f"method {method!r} is none that formulas know ({', '.join((*STATISTICS, *METHODS))})"
        )
    if name == "Q":
        return Unlisted("Q() holds the name of a column in quotes, Q('trip cost')")
    if name is None:
        return Unlisted("what is called is no function's name")
    hint = nearest(name, KNOWN)
    hint = f"; {hint}" if hint.startswith("did you mean") else ""
    return Unlisted(f"function {name!r} is none that formulas know{hint}")
