"""A formula read: its terms, and the expressions that they are products of.

formulaic reads the terms; it never sees what they are made of. Every column and expression stands
under an alias of its own, so that no name of a column can mean something to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import formulaic
from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import ASTNode, Term, Token

from bayesmix.errors import SpecificationError
from bayesmix.formulas.syntax import (
    Unlisted,
    canonical,
    check,
    column_name,
    columns_in,
    dotted,
    tree_of,
)

CONSTANT = next(iter(formulaic.Formula("1")))
"""The term of a constant."""

MOST_PRODUCTS = 10_000
"""Most products of terms that a formula may stand for."""

_ALIAS = re.compile("\ue000(\\d+)\ue001")
_TRUSTED: set[str] = set()
"""Formulas that Python code of this process has given with ``trust=True``."""

TRUST = (
    "compute the column before, frame['x'] = ..., or, where the formula's author is trusted, run "
    "it as Python with trust=True, of MixedLogit and Fit.load"
)


class UntrustedError(SpecificationError):
    """A formula that holds code, and is not trusted."""


@dataclass(frozen=True)
class Expression:
    """A factor of terms.

    Parameters
    ----------
    text
        As it is written.
    label
        What columns call it: a column's name for the column, and for its categories.
    code
        Whether it is Python that formulas do not know, and somebody trusts.
    """

    text: str
    label: str
    code: bool = False

    @property
    def tree(self) -> ast.expr:
        """Its syntax."""
        return tree_of(self.text)

    @property
    def category(self) -> bool:
        """Whether it is ``C(...)``."""
        tree = self.tree
        return isinstance(tree, ast.Call) and dotted(tree.func) == "C"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data that it names."""
        return tuple(dict.fromkeys(columns_in(self.tree)))


@dataclass(frozen=True)
class Reading:
    """Terms of a formula, in aliases, and what aliases stand for.

    ``written`` says that the formula has ``1 + ...``: formulaic adds a constant to all others too.
    """

    formula: str
    terms: tuple[Term, ...]
    expressions: tuple[Expression, ...]
    written: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data that the formula names, sorted."""
        return tuple(sorted({c for e in self.expressions for c in e.columns}))

    @property
    def constant_alone(self) -> bool:
        """Whether the formula has no term but the constant: ``"1"``."""
        return all(term == CONSTANT for term in self.terms)

    def expression(self, alias: str) -> Expression:
        """What an alias stands for."""
        return self.expressions[int(alias[1:-1])]

    def named(self, text: str) -> str:
        """A text with labels in the place of aliases."""
        return _ALIAS.sub(lambda found: self.expressions[int(found.group(1))].label, text)


def read(formula: str, *, trust: bool = False) -> Reading:
    """The formula, read and checked.

    Raises
    ------
    SpecificationError
        If it cannot be read, has a left-hand side or no term, stands for too many terms, or holds
        code that is not trusted.
    """
    if not isinstance(formula, str) or not formula.strip():
        raise SpecificationError(
            f"the utility formula is empty or not text: {formula!r}; write 'price + time'"
        )
    return _read(formula, bool(trust))


@lru_cache(maxsize=256)
def _read(formula: str, trust: bool) -> Reading:
    try:
        aliased, expressions = _aliased(formula, trust)
    except Unlisted as refused:
        raise UntrustedError(f"the formula {_shown(formula)}: {refused}; {TRUST}") from None
    except (FormulaicError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(formula, error, ()) from None
    try:
        _check_size(aliased, formula)
        parsed = formulaic.Formula(aliased)
        without = DefaultFormulaParser(include_intercept=False)
        written = CONSTANT in formulaic.Formula.from_spec(aliased, parser=without)
    except Unlisted as refused:
        raise SpecificationError(f"the formula {_shown(formula)}: {refused}") from None
    except SpecificationError:
        raise
    except (FormulaicError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(formula, error, expressions) from None
    if "~" in aliased or not isinstance(parsed, formulaic.SimpleFormula):
        raise SpecificationError(
            f"the formula {formula!r} has more than one part: write the utility alone, without "
            "'~' and '|'; the choices are named in the data"
        )
    if not len(parsed):
        raise no_term(formula)
    return Reading(formula, tuple(parsed), expressions, written)


def remember_trust(formulas: Iterable[str]) -> None:
    """Note that this process's own code trusts these formulas, letter by letter."""
    _TRUSTED.update(formulas)


def is_trusted(formulas: Iterable[str]) -> bool:
    """Whether this process's own code has trusted all of these formulas."""
    return _TRUSTED.issuperset(formulas)


def no_term(formula: str) -> SpecificationError:
    """What is said of a formula without a term, or with a constant alone that means nothing."""
    return SpecificationError(f"the formula {formula!r} has no term: write 'price + time'")


def first_line(error: Exception) -> str:
    """The words of formulaic's message, without its coloured copy of the formula."""
    return str(error).split("\n")[0]


def _unreadable(
    formula: str, error: Exception, expressions: Sequence[Expression]
) -> SpecificationError:
    words = first_line(error) or "it is nested too deeply"
    words = _ALIAS.sub(lambda found: expressions[int(found.group(1))].label, words)
    return SpecificationError(f"cannot read the formula {_shown(formula)}: {words}")


def _shown(formula: str) -> str:
    """A formula in a message, its middle left out where it is long."""
    return repr(formula if len(formula) <= 300 else f"{formula[:150]} ... {formula[-150:]}")


def _aliased(formula: str, trust: bool) -> tuple[str, tuple[Expression, ...]]:
    """The formula with an alias in the place of each column and expression; and those."""
    found: dict[tuple[str, str], int] = {}
    parts: list[str] = []
    expressions: list[Expression] = []
    for token in tokenize(formula):
        if token.token == ".":
            raise Unlisted("'.' names no column: write the names of those that are meant")
        if token.kind not in (Token.Kind.NAME, Token.Kind.PYTHON):
            parts.append("%in%" if token.token == "in" else token.token)
            continue
        made = _expression(token, trust)
        place = found.setdefault((made.text, made.label), len(found))
        expressions += [made] if place == len(expressions) else []
        parts.append(f"`\ue000{place}\ue001`")
    return " ".join(parts), tuple(expressions)


def _expression(token: Token, trust: bool) -> Expression:
    if token.kind is Token.Kind.NAME:
        return _column(token.token)
    tree = tree_of(token.token)
    name = column_name(tree)
    if name is not None:
        return _column(name)
    text = canonical(tree)
    try:
        check(tree)
    except Unlisted:
        if not trust:
            raise
        return Expression(text, text, code=True)
    label = text
    if isinstance(tree, ast.Call) and dotted(tree.func) == "C":
        inner = column_name(tree.args[0]) or canonical(tree.args[0])
        plain = column_name(tree.args[0]) is not None or not set(inner) & set("(),")
        label = inner if plain else f"C({inner})"
    return Expression(text, label)


def _column(name: str) -> Expression:
    return Expression(f"Q({name!r})", name)


def _check_size(aliased: str, formula: str) -> None:
    """Refuse a formula that stands for too many products before they are multiplied out."""
    parser = DefaultFormulaParser()
    tokens = parser.get_tokens_from_formula(aliased, context={})
    top = parser.get_ast_from_tokens(tokens, context={})
    size: dict[int, float] = {}
    todo: list[tuple[object, bool]] = [(top, False)]
    while todo:
        node, seen = todo.pop()
        if not isinstance(node, ASTNode):
            size[id(node)] = 1.0
        elif seen:
            _check_power(node, [size[id(a)] for a in node.args])
            size[id(node)] = _products(node, [size[id(a)] for a in node.args])
        else:
            todo += [(node, True), *((a, False) for a in node.args)]
    if size[id(top)] > MOST_PRODUCTS:
        raise SpecificationError(
            f"the formula {_shown(formula)} stands for {size[id(top)]:.3g} products of terms, and "
            f"at most {MOST_PRODUCTS:,} are multiplied out: write the terms that are wanted"
        )


def _check_power(node: ASTNode, sizes: Sequence[float]) -> None:
    """Refuse what reads as a square, and is the column itself: products of terms hold each once."""
    symbol, args = node.operator.symbol, [*node.args]
    power = symbol in ("**", "^") and sizes[0] == 1.0
    same = symbol in ("*", ":") and all(isinstance(a, Token) for a in args) and args[0] == args[1]
    if power or same:
        written = symbol.join(_ALIAS.sub("x", str(a)) for a in args)
        raise Unlisted(
            f"{written!r} of a term x is x itself, as in R: write {{x**2}} for its square"
        )


def _products(node: ASTNode, sizes: Sequence[float]) -> float:
    """How many products an operator makes of its arguments' terms, at most."""
    symbol = node.operator.symbol
    if len(sizes) < 2:
        return sizes[0] if sizes else 1.0
    first, second = sizes[0], sizes[1]
    if symbol in ("**", "^"):
        power = str([*node.args][1])
        if not power.isdigit() or first <= 1:
            return first
        return first ** int(power) if len(power) < 3 and first < 1e3 else inf
    product = first * second
    return {"*": first + second + product, ":": product, "in": product}.get(symbol, first + second)
