"""What the weights of points are functions of: polynomials, splines or steps of coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.types import Types
from bayesmix.errors import SpecificationError

BASES = ("polynomial", "spline", "steps")
MOST = 50
ROUNDING = 1e-12
"""Of the place of a point, relative."""


@dataclass(frozen=True, eq=False)
class LogitWeights:
    r"""Weights of points that are a logit of functions of the points, for `logit_mixed`.

    ``pi_m = exp(alpha'z(b_m)) / sum_n exp(alpha'z(b_n))``: a law on the points whose shape the
    ``size`` of ``z`` bounds, and the choice of points its range (Train 2016).

    Parameters
    ----------
    types
        The points, such as ``bm.Types({"price": (-3, 0), "time": (-2, 2)}, points=1000)``.
    basis
        Functions of each coefficient, over the range of the points: ``"polynomial"``, Legendre's
        of degree 1 to ``size``; ``"spline"``, linear between ``size + 1`` knots at equal
        distances; ``"steps"``, a weight for each of ``size + 1`` parts of equal width.
    size
        Number of functions of each coefficient.
    correlated
        Whether the products of each two coefficients are among them, with which coefficients are
        correlated.

    Attributes
    ----------
    names : tuple of str
        Of the functions, such as ``weight[price, 2]`` and ``weight[price, time]``.
    values : (M, Q) array
        The functions at each point.

    Raises
    ------
    SpecificationError
        If a coefficient has one value in all points, a function is the same in all of them, or
        follows from others.

    Examples
    --------
    >>> types = Types({"price": [-3, -2, -1, 0]})
    >>> weights = LogitWeights(types, basis="steps", size=1)
    >>> weights.names, weights.values[:, 0].tolist()
    (('weight[price, 1]',), [0.0, 0.0, 1.0, 1.0])
    """

    types: Types
    basis: str = "polynomial"
    size: int = 2
    correlated: bool = True

    def __post_init__(self) -> None:
        arguments.instance(
            "types", self.types, Types, "points, such as bm.Types({'price': [-1, 0]})"
        )
        arguments.one_of("basis", self.basis, BASES)
        arguments.whole("size", self.size, least=1, most=MOST)
        arguments.flag("correlated", self.correlated)
        low, high = self.types.values.min(axis=0), self.types.values.max(axis=0)
        for term, a, b in zip(self.types.terms, low, high, strict=True):
            if not a < b:
                raise SpecificationError(
                    f"argument 'types': all points have {term!r} = {a:g}, which weights cannot "
                    "depend on: give several values, or leave the term out"
                )
        centred = self.values - self.values.mean(axis=0)
        rank = np.linalg.matrix_rank(centred)
        if rank < len(self.names):
            raise SpecificationError(
                f"argument 'size': of {len(self.names)} functions of the points {rank} are "
                f"independent, on {len(self.types.values)} points: give more points, or a smaller "
                "size="
            )

    @property
    def names(self) -> tuple[str, ...]:
        terms = self.types.terms
        own = [f"weight[{term}, {j}]" for term in terms for j in range(1, self.size + 1)]
        pairs = combinations(terms, 2) if self.correlated else ()
        return (*own, *(f"weight[{a}, {b}]" for a, b in pairs))

    @property
    def values(self) -> Array:
        points = self.types.values
        low, high = points.min(axis=0), points.max(axis=0)
        unit = (points - low) / (high - low)
        parts = [_functions(self.basis, u, self.size) for u in unit.T]
        if self.correlated:
            centred = 2.0 * unit - 1.0
            pairs = combinations(range(unit.shape[1]), 2)
            parts += [(centred[:, j] * centred[:, k])[:, None] for j, k in pairs]
        return np.hstack(parts)

    @property
    def smaller(self) -> LogitWeights | None:
        """The next smaller size whose functions are combinations of these; None of the least."""
        size = {
            "polynomial": self.size - 1,
            "spline": 0 if self.size % 2 else self.size // 2,
            "steps": 0 if self.size % 2 == 0 else (self.size - 1) // 2,
        }[self.basis]
        return replace(self, size=size) if size else None

    def raised(self, alpha: Array) -> Array:
        """Coefficients (Q,) with the weights that ``alpha`` gives of the `smaller` size."""
        assert self.smaller is not None
        index = self.smaller.values @ alpha
        # Weights do not know of a constant.
        both = np.column_stack([np.ones(len(index)), self.values])
        return np.asarray(np.linalg.lstsq(both, index, rcond=None)[0][1:])

    def __str__(self) -> str:
        words = {"polynomial": f"polynomials of degree {self.size}"}.get(
            self.basis, f"{self.basis} of size {self.size}"
        )
        return f"a logit of {words} on {self.types}"


def _functions(basis: str, unit: Array, size: int) -> Array:
    """Functions (M, size) of values in [0, 1]; the first hat or step is the base."""
    if basis == "polynomial":
        return np.asarray(np.polynomial.legendre.legvander(2.0 * unit - 1.0, size)[:, 1:])
    if basis == "spline":
        return np.clip(1.0 - np.abs(unit[:, None] * size - np.arange(1, size + 1)), 0.0, None)
    # A point between two parts is in the upper one, whatever rounding has made of its place.
    part = np.minimum((unit * (size + 1) * (1.0 + ROUNDING)).astype(int), size)
    return (part[:, None] == np.arange(1, size + 1)).astype(float)
