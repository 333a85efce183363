"""Mixing laws on one side of 0, beside the lognormal: exponential and gamma."""

from __future__ import annotations

from bayesmix.specification.mixing import Law, independent


def Exponential(*terms: str, sign: int = 1) -> Law:
    """Independent exponential coefficients, ``beta_k = -sign sd_k log(1 - Phi(z_k))``.

    One parameter, ``sd``: the standard deviation of the coefficient, which is also its mean (times
    ``sign``). Inside `Correlated`, ``z`` are correlated normals (a Gaussian copula).

    Parameters
    ----------
    *terms
        Columns of the design.
    sign
        -1 for attributes that everybody dislikes.

    Raises
    ------
    SpecificationError
        If ``sign`` is neither 1 nor -1.

    >>> print(Exponential("price", sign=-1))
    independent exponential: -price
    """
    return independent("Exponential", terms, "exponential", sign=sign, mean="0")


def Gamma(*terms: str, sign: int = 1, mean: str = "1") -> Law:
    """Independent gamma coefficients of one sign.

    ``beta_k = sign exp(mean_k) q(Phi(z_k); a_k) / a_k``, with ``q`` the quantile function of the
    gamma law of shape ``a_k = 1 / sd_k^2``: ``mean`` is the logarithm of the coefficient's mean,
    and ``sd`` its standard deviation over its mean (the coefficient of variation). ``sd = 1`` is
    the exponential law. Source: Train (2009), chapter 6.

    Parameters
    ----------
    *terms
        Columns of the design.
    sign
        -1 for attributes that everybody dislikes.
    mean
        Formula of the log mean in covariates of persons, as in `Normal`.

    Raises
    ------
    SpecificationError
        If ``sign`` is neither 1 nor -1.

    >>> print(Gamma("price", sign=-1))
    independent gamma: -price
    """
    return independent("Gamma", terms, "gamma", sign=sign, mean=mean)
