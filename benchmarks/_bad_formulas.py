"""Formulas, and random terms, that are none, or odd ones that are."""

# One case a line, however long.
# ruff: noqa: E501, RUF001

from collections.abc import Iterator
from typing import Any

import numpy as np
from _bad_case import Case, near
from _bad_tables import base

import bayesmix as bm
from tests.arguments.things import LONG

# What is refused, and words of the refusal; several for one cause.
BAD = {
    "": "formula", "   ": "formula", "0": "formula", "price +": "price +", "+ + price +": "price",
    "price quality": "price quality", "(price": "(price", "price)": "price)", "prise": "'price'",
    "price + prise": "'price'", "Price": "'price'", "`prise`": "'price'", "C(prise)": "'price'",
    "log(prise)": "'price'", "log(quality)": "log(quality)", "sqrt(quality)": "sqrt(quality)",
    "price/0": "price/0", "1/(who - who)": "who", "price:quality:prise": "'price'",
    "~price": "~", "choice ~ price": "~", "~ price + quality": "~", "price | quality": "|",
    "price.mean()": "price.mean", "price.values": "price.values", "price[0]": "price[0]",
    "__import__('os').getcwd()": "__import__", "open('x')": "open", "eval('1')": "eval",
    "(lambda: 1)()": "lambda", "[p for p in price]": "for", "price if 1 else 2": "if",
    "price; quality": ";", "price = 3": "=", "price := 3": ":=", "import os": "import os",
    "f'{price}'": "f'", "price @ quality": "@", "price // 2": "price", "'price'": "price",
    "price ** quality": "quality", "price ** -1": "price", "(price + quality)**30": "30",
    "(price + quality + cost + shift)**99": "99", "price * 1e400": "1e400", "price and quality": "and",
    "not price": "not", "price == ": "price", "prіce": "prіce", "price × quality": "×",
    "price − quality": "−", "C(alt": "C(alt", "C()": "C()", "C(price, quality)": "C(price",
    "C(alt, Treatment('z'))": "z", "C(alt, contr.treatment('z'))": "z", "alt": "alt", "who": "who",
    "task": "task", "choice": "choice", "group": "group", "C(group)": "group", "C(who)": "who",
    "price + price:C(who)": "who", "1": "1", "1 + price": "C(alt)", "C(alt) + C(alt):C(group) + C(alt):who + 1": "alt",
    "price + I(2*price)": "price", "price + 2*price": "price", "price - price": "price", ".": ".",
    "price + .": ".", "np.linalg.inv(price)": "inv", "numpy.log(price)": "numpy", "math.log(price)": "math",
    "exp(1000*price)": "exp(1000", "log()": "log()", "log(price, quality, 3)": "log(",
    "poly(price, 0)": "poly", "poly(price, 99)": "poly", "bs(price, df=0)": "bs",
    "bs(price, df=-1)": "bs", "cut(price)": "cut", "Q('prise')": "prise", "Q(price)": "Q", "price\\": "price", "price + #quality": "#",
    "price + 'quality": "quality", "price:": "price:", ":price": ":price", "price::quality": "price::",
    "2": "2", "-price": "-", "price + True": "True", "None": "None",
    "price + None": "None", "price*": "price*", "C(alt) + alt_b": "alt_b", "price\x00": "price",
    "wtp(price)": "wtp", "lag(price)": "lag", "np.where(price > 2)": "where", "price.": "price.",
    "price + (lambda x: x)(quality)": "lambda", "alt[a]": "alt", "C(alt)[b]": "alt", "{price": "{price",
    "{}": "{}", "price + {}": "{}", "()": "()", "price + ()": "()", "`": "`", "``": "``",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "None": None, "3": 3, "a list": ["price"], "bytes": b"price", "a mapping": {"x": "price"},
    "NaN": float("nan"), "True": True, "a function": len, "an array": np.array(["price"]),
}  # fmt: skip
SAME = {
    # What stands on the left is, on these data, what stands on the right.
    "quality + price": "price + quality", "price+quality": "price + quality",
    "  price  +  quality  ": "price + quality", "price +\n quality": "price + quality",
    "`price` + `quality`": "price + quality", "0 + price + quality": "price + quality",
    "price + quality - 1": "price + quality", "price + price + quality": "price + quality",
    "I(price) + quality": "price + quality", "{price} + quality": "price + quality",
    "(price) + (quality)": "price + quality", "price + quality + cost - cost": "price + quality",
    "price*quality": "price + quality + price:quality", "(price + quality)**2": "price*quality",
    "price:quality + price + quality": "price*quality", "price %in% quality": "quality + price:quality",
    "C(alt) + price": "price + C(alt)", "price + C(alt):quality": "C(alt):quality + price",
    "np.log(price) + quality": "log(price) + quality", "price + {2*quality}": "price + quality",
    "center(price) + quality": "price + quality", "scale(price) + quality": "price + quality",
    "price + {quality - 3}": "price + quality", "Q('price') + quality": "price + quality",
    "price + {price > 2}": "price + {(price > 2)*1}", "scale(price, 2, 3) + quality": "price + quality", "poly(price) + quality": "price + quality",
    "price + {quality + 1e6}": "price + quality",
}  # fmt: skip


def formula_cases() -> Iterator[Case]:
    data = bm.ChoiceData.from_long(base(), **LONG)

    def loglik(formula: Any) -> float:
        return bm.msle(bm.MixedLogit(formula), data).loglik

    for formula, word in BAD.items():
        yield Case("formula", repr(formula), lambda f=formula: loglik(f), words=(word,))
    for name, formula in TYPES.items():
        yield Case("formula", name, lambda f=formula: loglik(f), words=("formula",))
    for formula, same in SAME.items():
        right = lambda value, f=same: near(loglik(f))(value)  # noqa: E731
        yield Case("formula", repr(formula), lambda f=formula: loglik(f), right)
    yield from random_cases(data)


def random_cases(data: bm.ChoiceData) -> Iterator[Case]:
    many = {
        "of no term": ([bm.Normal("cost")], "cost"),
        "of a term misspelt": ([bm.Normal("prise")], "'price'"),
        "twice": ([bm.Normal("price"), bm.LogNormal("price")], "price"),
        "twice in one law": (lambda: [bm.Normal("price", "price")], "price"),
        "of nothing": (lambda: [bm.Normal()], "Normal"),
        "correlated alone": (lambda: [bm.LKJNormal("price")], "correlated"),
        "a word": (["normal"], "random"),
        "a class": ([bm.Normal], "random"),
        "a mean of no column": ([bm.Normal("price", mean="1 + income")], "income"),
        "a mean that varies within persons": ([bm.Normal("price", mean="1 + quality")], "quality"),
        "a mean of a word": ([bm.Normal("price", mean="1 +")], "1 +"),
        "classes with other laws of one term": (
            [bm.LatentClass("price", classes=2), bm.Normal("price")], "price"),
        "classes: 1": (lambda: [bm.LatentClass("price", classes=1)], "classes"),
        "classes: 2.0": (lambda: [bm.LatentClass("price", classes=2.0)], "classes"),
        "eta 0": (lambda: [bm.LKJNormal("price", "quality", eta=0)], "eta"),
        "bounds the wrong way round": (
            lambda: [bm.TruncatedNormal("price", lower=2, upper=1)], "upper"),
        "sign 0": (lambda: [bm.LogNormal("price", sign=0)], "sign"),
        "sign 'minus'": (lambda: [bm.LogNormal("price", sign="minus")], "sign"),
        "price space of no term": ({"wtp": "prise"}, "price"),
        "a scale of no column": ({"scale": "source"}, "source"),
        "nests of no alternative": (
            {"nests": bm.Nests({"near": ["a", "z"]})}, "'z'"),
        "nests that share": (
            lambda: {"nests": bm.Nests({"x": ["a", "b"], "y": ["b", "c"]})}, "b"),
        "a nest of all alternatives": ({"nests": bm.Nests({"all": ["a", "b", "c"]})}, "all"),
    }  # fmt: skip
    for name, (given, word) in many.items():
        yield Case("random", name, lambda g=given: _fit(data, g), words=(word,))


def _fit(data: bm.ChoiceData, given: Any) -> Any:
    given = given() if callable(given) else given
    options = given if isinstance(given, dict) else {"random": given}
    return bm.msle(bm.MixedLogit("price + quality", **options), data, starts=1, rng=1)
