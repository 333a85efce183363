"""Mixtures of normal laws: latent classes with a normal law in each."""

from __future__ import annotations

from bayesmix import arguments
from bayesmix.specification.classes import Classes, LatentClass
from bayesmix.specification.laws.coefficient import checked_terms
from bayesmix.specification.laws.joint import LKJNormal
from bayesmix.specification.laws.normal import Normal

MOST = 20


def NormalMixture(
    *terms: str, components: int = 2, correlated: bool = True, share: str = "1"
) -> Classes:
    """A finite mixture of normal laws, each with means, deviations and correlations of its own.

    ``f(beta) = sum_c pi_c N(beta; m_c, S_c)``: with components enough it is near to any smooth
    law. It is ``LatentClass(LKJNormal(*terms), classes=components)``, and all that is known of
    classes is known of it: components are numbered by their share, the largest first, searches
    begin where EM ends, and the summary has the moments of each and of the whole. Their number is
    what `compare_laws` compares, by BIC or people left out, and `loo` of posteriors: a likelihood
    ratio has no ordinary law. A component may narrow to a point, which raises the likelihood and
    says little of its width; components of one width do not, ``equal=[("sd[price, 1]", "sd[price,
    2]")]`` (Hathaway 1985). Source: Rossi, Allenby and McCulloch (2005), chapter 5; Train (2008).

    Parameters
    ----------
    *terms
        Columns of the design.
    components
        Number of normal laws, 2 to 20.
    correlated
        Whether coefficients are correlated within a component; of one term there is nothing to
        correlate. Components that differ in their means correlate coefficients in any case.
    share
        Formula of the shares in covariates of persons, as in `LatentClass`.

    Returns
    -------
    Classes
        What `MixedLogit` takes among its random coefficients; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no term, ``components`` is no whole number from 2 to 20, or ``share`` is no
        formula.

    Examples
    --------
    >>> print(NormalMixture("price", "time", components=3))
    3 latent classes of correlated normal: price, time
    >>> NormalMixture("price") == LatentClass(Normal("price"))
    True
    """
    checked_terms(terms, "NormalMixture")
    arguments.whole("components", components, least=2, most=MOST)
    arguments.flag("correlated", correlated)
    within = LKJNormal(*terms) if correlated and len(terms) > 1 else Normal(*terms)
    return LatentClass(within, classes=components, share=share)
