"""Tables in LaTeX, in the style of the package booktabs.

Written here, for that of pandas needs a further package and knows no notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd

SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after the end of a line a bracket would be its argument
}
NUMBER = re.compile(r"-?[\d.]+(e[-+]?\d+)?( \[.*\])?")
"""A number in text, with or without its interval."""
MINUS = re.compile(r"(?<![\w.)])-(?=\.?\d)")
"""A sign before a number, in text such as an interval's; not the hyphen of a range or a date."""


def tabular(
    table: pd.DataFrame,
    *,
    notes: Sequence[str] = (),
    caption: str | None = None,
    label: str | None = None,
    digits: int = 3,
) -> str:
    r"""A table of numbers and text: one or two levels of columns, any of rows.

    Levels of rows stand in columns of their own, under their names.

    >>> frame = pd.DataFrame({"estimate": [-1.0, None]}, index=["mean[a_b]", "sd[a_b]"])
    >>> print(tabular(frame, notes=["50 % of all."]))
    \begin{tabular}{lr}
    \toprule
     & estimate \\
    \midrule
    mean{[}a\_b] & $-1.000$ \\
    sd{[}a\_b] &  \\
    \bottomrule
    \multicolumn{2}{p{0.9\linewidth}}{\footnotesize 50 \% of all.} \\
    \end{tabular}
    """
    labels = table.index.names
    width = len(labels) + len(table.columns)
    sides = "".join(_side(table.iloc[:, column]) for column in range(len(table.columns)))
    rows = [
        _row([*map(escape, name if isinstance(name, tuple) else (name,)),
              *(_cell(value, digits) for value in values)])
        for name, *values in table.itertuples()
    ]  # fmt: skip
    lines = [
        f"\\begin{{tabular}}{{{'l' * len(labels)}{sides}}}",
        "\\toprule",
        *_heading(table.columns, ["" if name is None else escape(name) for name in labels]),
        "\\midrule",
        *rows,
        "\\bottomrule",
        *(_row([_note(words, width)]) for words in notes),
        "\\end{tabular}",
    ]
    if caption is None:
        return "\n".join(lines)
    named = [] if label is None else [f"\\label{{{label}}}"]
    head = ["\\begin{table}", "\\centering", f"\\caption{{{escape(caption)}}}", *named]
    return "\n".join([*head, *lines, "\\end{table}"])


def escape(value: object) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(SPECIAL.get(sign, sign) for sign in str(value))


def _heading(columns: pd.Index, labels: list[str]) -> list[str]:
    if columns.nlevels == 1:
        return [_row([*labels, *map(escape, columns)])]
    above, rules, first = [""] * len(labels), [], len(labels) + 1
    for outer, group in groupby(columns, key=lambda column: column[0]):
        width = len(list(group))
        above.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(outer)}}}")
        rules.append(f"\\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    return [_row(above), " ".join(rules), _row([*labels, *(escape(c[1]) for c in columns)])]


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _note(words: str, width: int) -> str:
    return f"\\multicolumn{{{width}}}{{p{{0.9\\linewidth}}}}{{\\footnotesize {escape(words)}}}"


def _side(column: pd.Series) -> str:
    """Numbers to the right, in text too."""
    if pd.api.types.is_numeric_dtype(column):
        return "r"
    words = [str(value) for value in column if not pd.isna(value) and str(value)]
    return "r" if words and all(NUMBER.fullmatch(word) for word in words) else "l"


def _cell(value: Any, digits: int) -> str:
    if pd.isna(value):
        return ""
    if not isinstance(value, float):
        return MINUS.sub("$-$", escape(value))
    text = f"{value:.{digits}f}"
    return f"${text}$" if text.startswith("-") else text
