"""The types of integration rules: frozen records that print as the call that makes them.

`DrawRule`s give every person own nodes of equal weight; `QuadratureRule`s give everyone the same
weighted nodes. Users make them with the functions of `rules.py`, which check the arguments.
"""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np

from bayesmix.integration import quadrature
from bayesmix.integration.constants import directions, first_primes
from bayesmix.kernels import sequences
from bayesmix.kernels.threads import thread_count


@dataclass(frozen=True, repr=False)
class Rule(ABC):
    """An integration rule for standard normals, of which only the dimension is still unknown."""

    random: ClassVar[bool] = True
    shared: ClassVar[bool] = False

    @abstractmethod
    def size(self, dimension: int) -> int:
        """Number of nodes S (of a person) in a dimension."""

    @abstractmethod
    def degree(self) -> int:
        """Total degree up to which every monomial is integrated exactly (0: only constants)."""

    def condition(self, dimension: int) -> float:
        """Sum of the weights' absolute values: 1 unless weights are negative."""
        return 1.0

    @abstractmethod
    def __str__(self) -> str: ...

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class DrawRule(Rule):
    """A rule with own nodes for every person, all of weight 1/S."""

    nodes: int

    def size(self, dimension: int) -> int:
        return self.nodes

    def degree(self) -> int:
        return 0

    @abstractmethod
    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        """Write the nodes of persons first, first+1, ... into `out (n, K, S)`."""

    def fill_parallel(self, key: int, first: int, out: np.ndarray) -> None:
        """`fill` in as many pieces as there are threads: the same numbers."""
        threads = min(thread_count(), len(out))
        cuts = [len(out) * t // threads for t in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            pieces = [pool.submit(self.fill, key, first + a, out[a:b]) for a, b in pairwise(cuts)]
            for piece in pieces:
                piece.result()


@dataclass(frozen=True, repr=False)
class QuadratureRule(Rule):
    """A rule with the same weighted nodes for everyone."""

    random: ClassVar[bool] = False
    shared: ClassVar[bool] = True

    @abstractmethod
    def points(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes `(K, S)` and weights `(S,)`, which sum to one and may be negative."""


@dataclass(frozen=True, repr=False)
class Sobol(DrawRule):
    """Scrambled Sobol points; made by `sobol`."""

    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        columns = directions(out.shape[1], (self.nodes - 1).bit_length())
        sequences.sobol(np.uint64(key), first, columns, out, threads=1)

    def fill_parallel(self, key: int, first: int, out: np.ndarray) -> None:
        columns = directions(out.shape[1], (self.nodes - 1).bit_length())
        sequences.sobol(np.uint64(key), first, columns, out)

    def __str__(self) -> str:
        return f"sobol({self.nodes})"


@dataclass(frozen=True, repr=False)
class Halton(DrawRule):
    """Scrambled Halton points; made by `halton`."""

    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        sequences.halton(np.uint64(key), first, first_primes(out.shape[1]), out)

    def __str__(self) -> str:
        return f"halton({self.nodes})"


@dataclass(frozen=True, repr=False)
class PlainHalton(DrawRule):
    """One unscrambled Halton sequence dealt out to the people; made by `halton`."""

    random: ClassVar[bool] = False
    skip: int

    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        sequences.plain_halton(self.skip, first, first_primes(out.shape[1]), out)

    def __str__(self) -> str:
        return f"halton({self.nodes}, scramble=False, skip={self.skip})"


@dataclass(frozen=True, repr=False)
class MLHS(DrawRule):
    """Modified Latin hypercube sampling; made by `mlhs`."""

    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        sequences.mlhs(np.uint64(key), first, out)

    def __str__(self) -> str:
        return f"mlhs({self.nodes})"


@dataclass(frozen=True, repr=False)
class MonteCarlo(DrawRule):
    """Independent pseudo-random draws; made by `monte_carlo`."""

    antithetic: bool

    def degree(self) -> int:
        return 1 if self.antithetic else 0

    def fill(self, key: int, first: int, out: np.ndarray) -> None:
        sequences.monte_carlo(np.uint64(key), first, self.antithetic, out)

    def __str__(self) -> str:
        return f"monte_carlo({self.nodes}{', antithetic=True' if self.antithetic else ''})"


@dataclass(frozen=True, repr=False)
class Product(QuadratureRule):
    """Product of a one-dimensional rule with itself."""

    per_dimension: int

    def size(self, dimension: int) -> int:
        return self.points(dimension)[1].size


@dataclass(frozen=True, repr=False)
class GaussHermite(Product):
    """Product of Gauss-Hermite rules; made by `gauss_hermite`."""

    def degree(self) -> int:
        return 2 * self.per_dimension - 1

    def points(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        return quadrature.product_rule("gauss_hermite", self.per_dimension, dimension)

    def __str__(self) -> str:
        return f"gauss_hermite({self.per_dimension})"


@dataclass(frozen=True, repr=False)
class Trapezoid(Product):
    """Product of equally spaced nodes; made by `trapezoid`."""

    def degree(self) -> int:
        return 1

    def points(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        return quadrature.product_rule("trapezoid", self.per_dimension, dimension)

    def __str__(self) -> str:
        return f"trapezoid({self.per_dimension})"


@dataclass(frozen=True, repr=False)
class Interleaved(Trapezoid):
    """`Trapezoid`, and the same half a step on in every dimension, with half the weight each.

    Where the first errs, the second errs as much the other way: a reference for the first, of twice
    its nodes in any dimension.
    """

    def points(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        return quadrature.interleaved(self.per_dimension, dimension)

    def __str__(self) -> str:
        return f"interleaved trapezoid({self.per_dimension})"


@dataclass(frozen=True, repr=False)
class Sparse(QuadratureRule):
    """Smolyak's sparse grid; made by `sparse`."""

    level: int
    family: Literal["kpn", "gqn"]

    def size(self, dimension: int) -> int:
        return self.points(dimension)[1].size

    def degree(self) -> int:
        return 2 * self.level - 1

    def points(self, dimension: int) -> tuple[np.ndarray, np.ndarray]:
        return quadrature.smolyak(self.level, self.family, dimension)

    def condition(self, dimension: int) -> float:
        return float(np.abs(self.points(dimension)[1]).sum())

    def __str__(self) -> str:
        return f"sparse(level={self.level}, family={self.family!r})"


@dataclass(frozen=True, repr=False)
class Centred:
    """Person-centred nodes, draws with a defence from the population; made by `centred`."""

    rule: DrawRule | Product
    population: float
    inflation: float
    moments: bool
    halves: bool = False

    def __str__(self) -> str:
        words = str(self.rule)
        if isinstance(self.rule, DrawRule):
            words += f", population={self.population:g}"
        if isinstance(self.rule, DrawRule) or self.inflation != 1.0:
            words += f", inflation={self.inflation:g}"
        flags = (name for name in ("moments", "halves") if getattr(self, name))
        return f"centred({words}{''.join(f', {name}=True' for name in flags)})"

    def __repr__(self) -> str:
        return str(self)
