"""Mixing laws: how the coefficients of a utility vary over people.

A random coefficient is a map of a Gaussian index; indices are independent, or correlated inside one
law. A law is a frozen record, and models hold a tuple of them. This file has the normal family and
correlation; `bounded` and `one_sided` have the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.specification.families import FAMILIES, Family


@dataclass(frozen=True)
class Coefficient:
    """One random coefficient: its column of the design and its family of laws.

    ``mean`` is the formula of the index's mean, in covariates of persons: ``"1"`` is a mean for
    everybody, ``"0"`` a mean of 0. ``bounds`` are those of the coefficient, ``None`` where there is
    none.
    """

    term: str
    family: str = "normal"
    sign: int = 1
    mean: str = "1"
    bounds: tuple[float | None, float | None] = (None, None)

    @property
    def law(self) -> Family:
        """What the family is made of."""
        return FAMILIES[self.family]

    @property
    def code(self) -> int:
        """Code of the map in the kernels."""
        return self.sign * self.law.code

    @property
    def limits(self) -> tuple[float, float]:
        """``bounds``, infinite where there is none."""
        low, high = self.bounds
        return -math.inf if low is None else low, math.inf if high is None else high

    @property
    def side(self) -> int:
        """1 or -1 where the whole law is on that side of 0, else 0."""
        if self.family in ("lognormal", "gamma", "exponential", "zero-triangular"):
            return self.sign
        low, high = self.limits
        return 1 if low >= 0 else -1 if high <= 0 else 0

    @property
    def stops_at_0(self) -> bool:
        """Whether a share of people stands exactly at 0: nothing can be divided by theirs."""
        return self.family == "censored-normal" and 0.0 in self.limits

    @property
    def divides(self) -> bool:
        """Whether one over the coefficient has a mean, whatever the parameters."""
        low, high = self.limits
        if self.family == "johnson-sb":
            return self.side != 0
        return self.family in ("lognormal", "zero-triangular") or low > 0 or high < 0

    def __str__(self) -> str:
        law = self.term
        if self.family == "lognormal":
            law = f"{'-' if self.sign < 0 else ''}exp({self.term})"
        elif self.sign < 0:
            law = f"-{self.term}"
        if self.bounds != (None, None):
            low, high = ("" if b is None else f"{b:g}" for b in self.bounds)
            law += f" in [{low}, {high}]"
        return law if self.mean == "1" or not self.law.located else f"{law} (mean {self.mean})"


@dataclass(frozen=True)
class Law:
    """A joint law of random coefficients, made by `Normal`, `LogNormal`, `Correlated` and others.

    ``eta`` is the concentration of the LKJ prior of the correlations (Lewandowski, Kurowicka and
    Joe 2009), and ``None`` where the indices are independent.
    """

    coefficients: tuple[Coefficient, ...]
    eta: float | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        return tuple(c.term for c in self.coefficients)

    @property
    def correlated(self) -> bool:
        return self.eta is not None

    def __str__(self) -> str:
        names = ", ".join(str(c) for c in self.coefficients)
        kinds = dict.fromkeys(c.law.words for c in self.coefficients)
        kind = ("mixed " if len(kinds) > 1 else "") + " and ".join(kinds)
        return f"{'correlated' if self.correlated else 'independent'} {kind}: {names}"


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

    >>> print(Normal("price", "time"))
    independent normal: price, time
    >>> print(Normal("price", mean="1 + income"))
    independent normal: price (mean 1 + income)
    """
    return independent("Normal", terms, "normal", mean=mean)


def LogNormal(*terms: str, sign: int = 1, mean: str = "1") -> Law:
    """Independent lognormal coefficients, ``beta_k = sign * exp(mean_k + sd_k u_k)``.

    ``sign=-1`` is for attributes that everybody dislikes, such as prices. ``mean`` and ``sd`` are
    those of the underlying normal, as everywhere in this literature (Train 2009, chapter 6), and
    ``mean=`` is the formula of that mean, as in `Normal`.

    >>> print(LogNormal("price", sign=-1))
    independent lognormal: -exp(price)

    Raises
    ------
    SpecificationError
        If ``sign`` is neither 1 nor -1.
    """
    return independent("LogNormal", terms, "lognormal", sign=sign, mean=mean)


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

    >>> print(LKJNormal("price", "time"))
    correlated normal: price, time
    """
    return Correlated(Normal(*_checked(terms, "LKJNormal"), mean=mean), eta=eta)


def Correlated(*laws: Law, eta: float = 2.0) -> Law:
    """Correlation across laws: the Gaussian indices of all of them share one covariance matrix.

    >>> print(Correlated(Normal("time"), LogNormal("price", sign=-1)))
    correlated mixed normal and lognormal: time, -exp(price)

    Raises
    ------
    SpecificationError
        If fewer than two coefficients are joined, or ``eta`` is not positive.
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


def independent(
    name: str,
    terms: tuple[str, ...],
    family: str,
    *,
    sign: int = 1,
    mean: str = "1",
    bounds: tuple[float | None, float | None] = (None, None),
) -> Law:
    """Independent coefficients of one family; ``name`` is the function that people call."""
    if isinstance(sign, bool) or not isinstance(sign, Real) or sign not in (1, -1):
        raise SpecificationError(
            f"{name}: argument 'sign' must be 1 or -1, got {sign!r}: "
            "write sign=-1 for a coefficient that is negative for everybody"
        )
    mean = _mean(mean, name)
    made = (Coefficient(t, family, int(sign), mean, bounds) for t in _checked(terms, name))
    return Law(tuple(made))


def _mean(mean: str, law: str) -> str:
    if not isinstance(mean, str) or not mean.strip():
        raise SpecificationError(
            f"{law}: argument 'mean' is a formula in covariates of persons, such as '1 + income', "
            f"got {mean!r}"
        )
    return mean.strip()


def _checked(terms: tuple[str, ...], law: str) -> tuple[str, ...]:
    if not terms:
        raise SpecificationError(f"{law} names no term: write {law}('price')")
    for term in terms:
        if not isinstance(term, str) or not term.strip():
            raise SpecificationError(
                f"{law}: terms are names of columns of the design, such as 'price', got {term!r}"
            )
    return terms
