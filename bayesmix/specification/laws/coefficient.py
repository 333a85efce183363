"""Random coefficients, and the joint laws that models hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import read
from bayesmix.specification.laws.base import Family, family_of

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Coefficient:
    """One random coefficient: its column of the design and its family of laws.

    ``mean`` is the formula of the index's mean, in covariates of persons: ``"1"`` is a mean for
    everybody, ``"0"`` a mean of 0. ``bounds`` are those of the coefficient, ``None`` where there is
    none. ``shape`` are values of the law's further parameters, where moments of it are asked for.
    """

    term: str
    family: str = "normal"
    sign: int = 1
    mean: str = "1"
    bounds: Bounds = (None, None)
    shape: tuple[float, ...] = ()

    @property
    def law(self) -> Family:
        """What the family is made of."""
        return family_of(self.family)

    @property
    def limits(self) -> tuple[float, float]:
        """``bounds``, infinite where there is none."""
        low, high = self.bounds
        return -math.inf if low is None else low, math.inf if high is None else high

    @property
    def shape_labels(self) -> tuple[str, ...]:
        """What is in the brackets of the names of the law's further parameters."""
        names = [name for name, _ in self.law.shapes]
        return (self.term,) if names == ["shape"] else tuple(f"{self.term}, {n}" for n in names)

    @property
    def shapes(self) -> tuple[float, ...]:
        """``shape``, or where searches start."""
        return self.shape or tuple(start for _, start in self.law.shapes)

    @property
    def side(self) -> int:
        """1 or -1 where the whole law is on that side of 0, else 0."""
        if self.law.one_sided:
            return self.sign
        low, high = self.limits
        return 1 if low >= 0 else -1 if high <= 0 else 0

    @property
    def stops_at_0(self) -> bool:
        """Whether a share of people stands exactly at 0: nothing can be divided by theirs."""
        return self.law.atoms and 0.0 in self.limits

    @property
    def divides(self) -> bool:
        """Whether one over the coefficient has a mean, whatever the parameters."""
        low, high = self.limits
        return (self.law.divides and self.side != 0) or low > 0 or high < 0

    @property
    def has_one_sign(self) -> bool:
        """Whether all mass is known to be on one side of 0, with a mean of one over it."""
        return self.divides

    def __str__(self) -> str:
        law = self.term
        if self.law.unit == "logarithm" and not self.law.moves:
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


def independent(
    name: str,
    terms: tuple[str, ...],
    family: str,
    *,
    sign: int = 1,
    mean: str = "1",
    bounds: Bounds = (None, None),
) -> Law:
    """Independent coefficients of one family; ``name`` is the function that people call.

    Raises
    ------
    SpecificationError
        If a term is no name, ``sign`` is neither 1 nor -1, or ``mean`` is no formula.
    """
    if isinstance(sign, bool) or not isinstance(sign, Real) or sign not in (1, -1):
        raise SpecificationError(
            f"{name}: argument 'sign' must be 1 or -1, got {sign!r}: "
            "write sign=-1 for a coefficient that is negative for everybody"
        )
    mean = _mean(mean, name)
    made = (Coefficient(t, family, int(sign), mean, bounds) for t in checked_terms(terms, name))
    return Law(tuple(made))


def _mean(mean: str, law: str) -> str:
    if not isinstance(mean, str) or not mean.strip():
        raise SpecificationError(
            f"{law}: argument 'mean' is a formula in covariates of persons, such as '1 + income', "
            f"got {mean!r}"
        )
    if mean.strip() in ("0", "1"):
        return mean.strip()
    try:
        read(mean, trust=True)  # whom the formula may trust is known to the model
    except SpecificationError as error:
        raise SpecificationError(
            f"{law}: argument 'mean': {error} (a formula in covariates of persons, such as "
            "'1 + income', or '0' for none)"
        ) from None
    return mean.strip()


def checked_terms(terms: tuple[str, ...], law: str) -> tuple[str, ...]:
    """The terms, refused unless they are one or more names."""
    if not terms:
        raise SpecificationError(f"{law} names no term: write {law}('price')")
    for term in terms:
        if not isinstance(term, str) or not term.strip():
            raise SpecificationError(
                f"{law}: terms are names of columns of the design, such as 'price', got {term!r}"
            )
    return terms


def checked_bounds(law: str, lower: float | None, upper: float | None) -> Bounds:
    """Bounds that are numbers, in order, one at least; an infinite one is none."""
    found: list[float | None] = []
    for name, value in (("lower", lower), ("upper", upper)):
        real = isinstance(value, Real) and not isinstance(value, bool)
        number = None if value is None else float(value) if real else math.nan
        if number is not None and math.isnan(number):
            raise SpecificationError(f"{law}: argument {name!r} must be a number, got {value!r}")
        found.append(None if number is None or math.isinf(number) else number)
    low, high = found
    if low is None and high is None:
        raise SpecificationError(f"{law} needs a bound: give lower= or upper=, or use Normal")
    if low is not None and high is not None and not low < high:
        raise SpecificationError(f"{law}: lower ({low:g}) must be below upper ({high:g})")
    return low, high
