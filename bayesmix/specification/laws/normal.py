"""The normal law."""

from __future__ import annotations

import numpy as np
import scipy

from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Law, independent


def Normal(*terms: str, mean: str = "1") -> Law:
    """Independent normal coefficients, ``beta_k = mean_k + sd_k u_k``.

    Parameters
    ----------
    *terms
        Columns of the design.
    mean
        Formula of the mean in covariates of persons (observed heterogeneity), such as
        ``"1 + income + C(region)"``: parameters ``mean[price]`` and ``shift[price, income]``. With
        ``"0"`` the law is an error component: no mean, a standard deviation alone. The column of a
        nest of alternatives, a 0/1 dummy in the formula, may then stand next to all constants.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no term, one is no name, or ``mean`` is no text.

    Examples
    --------
    >>> print(Normal("price", "time"))
    independent normal: price, time
    >>> print(Normal("price", mean="1 + income"))
    independent normal: price (mean 1 + income)
    """
    return independent("Normal", terms, "normal", mean=mean)


NORMAL = register(
    Family(
        name="normal",
        words="normal",
        make=Normal,
        even=True,
        formulas=Formulas(
            mean_and_sd=lambda c, loc, scale: (loc, np.full(len(loc), scale)),
            lift=lambda c, loc, scale, shift: np.full(len(loc), scale * shift),
            slope=lambda c, loc, scale: np.full(len(loc), scale),
            # Stein's lemma: E[z T(corr z + .)] = corr E[T'].
            joint=lambda means, move, slope, lift: (np.full(len(means), move), slope()),
        ),
        twin=lambda c, loc, scale: scipy.stats.norm(loc, scale),
    )
)
