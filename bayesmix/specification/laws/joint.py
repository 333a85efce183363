"""Correlation across laws: Gaussian indices that share one covariance matrix."""

from __future__ import annotations

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.specification.laws.coefficient import Law, checked_terms
from bayesmix.specification.laws.normal import Normal


def LKJNormal(*terms: str, eta: float = 2.0, mean: str = "1") -> Law:
    """Correlated normal coefficients, ``beta = mean + L u`` with ``L L'`` any covariance.

    Parameters
    ----------
    *terms
        Two or more columns of the design.
    eta
        Concentration of the LKJ prior of the correlation matrix (used by the Bayesian path alone):
        1 is uniform over correlation matrices, larger values favour small correlations.
    mean
        Formula of the means in covariates of persons, as in `Normal`.

    Returns
    -------
    Law
        One coefficient a term, all of them correlated; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there are fewer than two terms, or ``eta`` is not positive.

    Examples
    --------
    >>> print(LKJNormal("price", "time"))
    correlated normal: price, time
    """
    return Correlated(Normal(*checked_terms(terms, "LKJNormal"), mean=mean), eta=eta)


def Correlated(*laws: Law, eta: float = 2.0) -> Law:
    """Correlation across laws: the Gaussian indices of all of them share one covariance matrix.

    Parameters
    ----------
    *laws
        Laws of one or more columns each, such as ``Normal("time")``.
    eta
        Concentration of the LKJ prior of the correlation matrix, as in `LKJNormal`.

    Returns
    -------
    Law
        The coefficients of all laws, correlated; it prints itself in words.

    Raises
    ------
    SpecificationError
        If fewer than two coefficients are joined, or ``eta`` is not positive.

    Examples
    --------
    >>> from bayesmix import LogNormal
    >>> print(Correlated(Normal("time"), LogNormal("price", sign=-1)))
    correlated mixed normal and lognormal: time, -exp(price)
    """
    for law in laws:
        if not isinstance(law, Law):
            raise SpecificationError(
                f"Correlated joins laws, got {law!r}: write Correlated(Normal('a'), LogNormal('b'))"
            )
    coefficients = tuple(c for law in laws for c in law.coefficients)
    if len(coefficients) < 2:
        raise SpecificationError(
            f"a correlated law needs two or more terms, got {len(coefficients)}: "
            "use Normal or LogNormal"
        )
    return Law(coefficients, arguments.real("eta", eta, above=0))
