"""Remedies as keys of a study file, where errors name arguments of Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.formulas.reading import TRUST

OURS = (DataError, SpecificationError, IntegrationError, ConvergenceError)
NO_CODE = "a study runs no code: compute the column before, and save it in the data file"
LAWS = {
    "LogNormal": "lognormal",
    "Normal": "normal",
    "LKJNormal": "lkj-normal",
    "Uniform": "uniform",
    "Triangular": "triangular",
    "Exponential": "exponential",
    "Gamma": "gamma",
    "TruncatedNormal": "truncated-normal",
    "CensoredNormal": "censored-normal",
    "JohnsonSB": "johnson-sb",
    "YeoJohnson": "yeo-johnson",
    "SemiNonparametric": "semi-nonparametric",
}
METHODS = "msle|msm|mss"


def _law(found: re.Match[str]) -> str:
    """``LogNormal('price', sign=-1)`` as the keys of a table."""
    name, inside = found[1], found[2]
    parts = [one.strip() for one in inside.split(",") if one.strip() and one.strip() != "..."]
    terms = [one.strip("'\"") for one in parts if one[0] in "'\""]
    keys = [one.replace("=", " = ", 1) for one in parts if "=" in one]
    listed = [f"terms = {terms}".replace("'", '"')] if terms else []
    return ", ".join([f'law = "{LAWS[name]}"', *listed, *keys])


WORDS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (re.escape(TRUST), NO_CODE),
    (r"method='importance' is not for this model", "importance sampling is not for this model"),
    (r"; use 'nuts'", "; take 'nuts'"),
    (r"method='importance'", 'the key scores = "importance" of [estimate]'),
    (r"grid=monte_carlo\((\d+)\)", r"the key candidates = \1 of [estimate]"),
    (r"\(accepted=\)", "(the key accepted of [estimate])"),
    (r"argument 'checkpoint'", "[estimate], key 'checkpoint'"),
    (r"likelihood='(\w+)'", r'the key likelihood = "\1" of [estimate]'),
    (r"likelihood=\"(\w+)\"", r'the key likelihood = "\1" of [estimate]'),
    (r"ControlFunction\(\.\.\., (\w+)='?(\w+)'?\)", r'the key \1 = "\2" of [endogeneity]'),
    (r"ControlFunction\('([^']*)'\)", r"the control function of '\1'"),
    (r"with exogenous='1'|exogenous='1'", 'the key exogenous = "1" of [endogeneity]'),
    (r"where exogenous= is given", "where the key exogenous is given"),
    (r"Firms\(market=\.\.\., products=\.\.\.\)", "the keys market and products of [firms]"),
    (r"Firms\((\w+)=\.\.\.\)", r"the key \1 of [firms]"),
    (
        r", or take the mean: data\.with_attribute\([^\n]*?\('mean'\)\)",
        ", or save the mean as a column of the data file",
    ),
    (
        r"give it, costs=\{[^}]*\}, or make it with with_alternative\(\.\.\., like=\.\.\.\)",
        "give the key cost of the scenario, or the key like,",
    ),
    (r"argument 'merge'", "key 'firms'"),
    (
        r"\(outside_option=True, or shares with bm\.match_shares\)",
        "(outside_option = true in [data], or shares in [market])",
    ),
    (r"outside_option=True", "outside_option = true in [data]"),
    (r"outside_label(?==| names)", "the key outside_label of [data.wide]"),
    (rf"\b({'|'.join(LAWS)})\(([^()]*)\)", _law),
    (r"wtp='([^']*)'", r'wtp = "\1" in [utility]'),
    (r"(?:bm\.)?msle or bm\.mss", "'msle' or 'mss'"),
    (rf"\b(use|by|or use|fit by) (?:bm\.)?({METHODS})\b", r"\1 '\2' in [estimate]"),
    (rf"\bbm\.({METHODS})\b", r"'\1'"),
    (r", and bm\.bootstrap", ""),
    (r"name further columns in on=\([^)]*\)", "name further columns in the key on"),
    (r"without latent classes and without noncentred=False", "and without latent classes"),
    (r"argument 'scenario' offers", "the scenario offers"),
    (r", or compare surplus, bm\.surplus\([^)]*\)", ""),
    (r"leave nests= out", "leave [nests] out"),
    (r"does not know nests=", "does not know nests"),
    (r"fixed=", "[fixed]"),
    (r"priors\[('[^']*')\]", r"the prior of \1"),
    (r"argument '(\w+)'", r"key '\1'"),
)
"""What Python says, and what a study says for it, in order."""


def in_words_of_studies(text: str) -> str:
    r"""A message for who writes a study.

    >>> in_words_of_studies("write LogNormal('price', sign=-1), or use bm.msle")
    'write law = "lognormal", terms = ["price"], sign = -1, or use \'msle\' in [estimate]'
    """
    for pattern, words in WORDS:
        text = re.sub(pattern, words, text)
    return text


@contextmanager
def words_of_studies() -> Iterator[None]:
    """Errors of ours in these words."""
    try:
        yield
    except OURS as error:
        raise type(error)(in_words_of_studies(str(error))) from error
