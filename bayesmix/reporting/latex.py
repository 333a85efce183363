"""Any result as a LaTeX table: fits, tests, results of demand, and tables made from them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.classical.fit import Fit
from bayesmix.classical.latex_table import fit_to_latex
from bayesmix.data.booktabs import tabular
from bayesmix.errors import SpecificationError
from bayesmix.inference.wald import HypothesisTest
from bayesmix.reporting.demand_tables import demand_table

Result = Fit | HypothesisTest | xr.Dataset | pd.DataFrame


def to_latex(
    result: Result,
    *,
    notes: Sequence[str] = (),
    caption: str | None = None,
    label: str | None = None,
    digits: int = 3,
) -> str:
    r"""A result as a LaTeX table, with the rules of the package booktabs.

    Parameters
    ----------
    result
        A fit (its summary, with notes on how it was estimated, as ``fit.to_latex`` prints it); a
        test of a hypothesis, such as ``bm.wald_test`` returns; what a function of demand returned
        (as `demand_table` prints it, estimates with their intervals, and its ``note``); or a table,
        such as that of ``bm.compare``. A table has one level of columns, or two: the outer is set
        above its columns. Levels of its rows stand in columns of their own.
    notes
        Sentences below the table, after the result's own.
    caption, label
        Make it a floating ``table``; a bare ``tabular`` without a caption.
    digits
        Decimals.

    Returns
    -------
    str
        Needs ``\usepackage{booktabs}``.

    Raises
    ------
    SpecificationError
        If ``result`` is none of these.

    Examples
    --------
    >>> found = xr.Dataset({n: ("alternative", [v]) for n, v in zip(
    ...     ("estimate", "low", "high"), (0.5, -0.4, 0.6), strict=True)}, {"alternative": ["bus"]})
    >>> print(to_latex(found, digits=1, notes=["50 % of all."]))
    \begin{tabular}{lr}
    \toprule
    alternative & estimate \\
    \midrule
    bus & 0.5 {[}$-$0.4, 0.6] \\
    \bottomrule
    \multicolumn{2}{p{0.9\linewidth}}{\footnotesize 50 \% of all.} \\
    \end{tabular}
    """
    arguments.whole("digits", digits, least=0, most=30)
    arguments.names("notes", notes, "a list of sentences")
    for name, words in (("caption", caption), ("label", label)):
        if words is not None:
            arguments.text(name, words)
    if isinstance(result, Fit):
        return fit_to_latex(
            result, kind=None, caption=caption, label=label, digits=digits, notes=notes
        )
    table, own = _table(result, digits)
    return tabular(table, notes=[*own, *notes], caption=caption, label=label, digits=digits)


def _table(result: object, digits: int) -> tuple[pd.DataFrame, list[str]]:
    """The rows, and the result's own notes."""
    if isinstance(result, pd.DataFrame):
        return result, []
    if isinstance(result, HypothesisTest):
        columns = {
            "statistic": [result.statistic],
            "law": [result.distribution],
            "p-value": [f"{result.p_value:.{digits}g}"],
        }
        frame = pd.DataFrame(columns, index=[result.name])
        return frame, [f"Null hypothesis: {result.null}.", *result.notes]
    if isinstance(result, xr.Dataset) and {"estimate", "low", "high"} <= set(result.data_vars):
        own = [result.attrs["note"]] if "note" in result.attrs else []
        return demand_table(result, digits=digits), own
    what = (
        f"a Dataset of {list(result.data_vars)}; make a table of what is to be shown, such as "
        f"found['mean'].to_pandas()"
        if isinstance(result, xr.Dataset)
        else type(result).__name__
    )
    raise SpecificationError(
        "to_latex writes fits, tests of hypotheses, results of demand with 'estimate', 'low' and "
        f"'high', and DataFrames; got {what}"
    )
