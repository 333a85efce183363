"""Tables for papers: LaTeX in the style of the package booktabs.

Written here, for that of pandas needs a further package and knows no notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from bayesmix.classical.fit import Fit

SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after the end of a line a bracket would be its argument
}
KINDS = {
    "robust": "robust standard errors by person",
    "hessian": "standard errors from the curvature",
    "opg": "standard errors from the outer product of scores",
}


def to_latex(
    table: pd.DataFrame,
    *,
    notes: Sequence[str] = (),
    caption: str | None = None,
    label: str | None = None,
    digits: int = 3,
) -> str:
    r"""A table as LaTeX (booktabs), such as that of `compare` or of `Fit.summary`.

    Parameters
    ----------
    table
        One level of columns, or two: the outer is set above its columns.
    notes
        Sentences below the table.
    caption, label
        Make it a floating ``table``; a bare ``tabular`` without a caption.
    digits
        Decimals.

    Returns
    -------
    str
        Needs ``\usepackage{booktabs}``.

    Examples
    --------
    >>> frame = pd.DataFrame({"estimate": [-1.0, None]}, index=["mean[a_b]", "sd[a_b]"])
    >>> print(to_latex(frame, notes=["50 % of all."]))
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
    width = 1 + len(table.columns)
    rows = [_row([escape(name), *(_cell(v, digits) for v in values)]) for name, *values in
            table.itertuples()]  # fmt: skip
    lines = [
        f"\\begin{{tabular}}{{l{''.join(_side(dtype) for dtype in table.dtypes)}}}",
        "\\toprule",
        *_heading(table.columns),
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


def fit_to_latex(
    fit: Fit, *, kind: str | None, caption: str | None, label: str | None, digits: int
) -> str:
    """`Fit.to_latex`."""
    used = fit.information.kind if kind is None else kind
    summary = fit.summary(kind=used)
    return to_latex(summary, notes=_notes(fit, used), caption=caption, label=label, digits=digits)


def _notes(fit: Fit, kind: str) -> list[str]:
    notes = [
        f"{fit.n_persons} persons, {fit.n_situations} situations; {fit.estimator}, log-likelihood "
        f"{fit.loglik:.3f} (multinomial logit {fit.loglik_multinomial:.3f}), AIC {fit.aic:.1f}, "
        f"BIC {fit.bic:.1f}.",
        f"{_capital(_errors(fit, kind))}.",
    ]
    if fit.integration is not None:
        grid = f"Grid {fit.grid.rule}; " if fit.space.n_random else ""
        notes.append(f"{_capital(f'{grid}{fit.integration}')}.")
    return notes


def _errors(fit: Fit, kind: str) -> str:
    if kind == "cluster":
        found = fit.information
        return f"standard errors by {found.grouped_by}, {found.n_groups} clusters"
    return KINDS[kind]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def escape(value: object) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(SPECIAL.get(sign, sign) for sign in str(value))


def _heading(columns: pd.Index) -> list[str]:
    if columns.nlevels == 1:
        return [_row(["", *map(escape, columns)])]
    above, rules, first = [""], [], 2
    for outer, group in groupby(columns, key=lambda column: column[0]):
        width = len(list(group))
        above.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(outer)}}}")
        rules.append(f"\\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    return [_row(above), " ".join(rules), _row(["", *(escape(column[1]) for column in columns)])]


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _note(words: str, width: int) -> str:
    return f"\\multicolumn{{{width}}}{{p{{0.9\\linewidth}}}}{{\\footnotesize {escape(words)}}}"


def _side(dtype: Any) -> str:
    return "r" if pd.api.types.is_numeric_dtype(dtype) else "l"


def _cell(value: object, digits: int) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if not isinstance(value, float):
        return escape(value)
    text = f"{value:.{digits}f}"
    return f"${text}$" if text.startswith("-") else text
