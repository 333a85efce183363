"""Laws of single parameters, as priors: those of families, alone and of several parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.prior_families import FAMILIES, Family


@dataclass(frozen=True)
class Law:
    """One law of a family.

    Examples
    --------
    >>> print(Law("half-student", (4.0, 0.5)))
    half-student(df=4, scale=0.5)
    """

    kind: str
    values: tuple[float, ...] = ()

    @property
    def own(self) -> Family:
        return FAMILIES[self.kind]

    @property
    def frozen(self) -> Any:
        """SciPy's law."""
        return self.own.frozen(*self.values)

    def scaled(self, unit: float) -> Law:
        """The law of ``unit`` times the parameter."""
        return Law(self.kind, tuple(map(float, self.own.scaled(unit, *self.values))))

    def value(self, name: str) -> float:
        """A parameter of the law; NaN where its family has none of that name."""
        found = dict(zip(self.own.parameters, self.values, strict=True))
        return found.get(name, math.nan)

    def __str__(self) -> str:
        pairs = zip(self.own.parameters, self.values, strict=True)
        return f"{self.kind}({', '.join(f'{name}={value:.4g}' for name, value in pairs)})"


@dataclass(frozen=True, eq=False)
class Laws:
    """Independent laws of M parameters.

    Parameters
    ----------
    each
        The law of each.
    """

    each: tuple[Law, ...]

    @cached_property
    def groups(self) -> tuple[tuple[str, Indices, tuple[Array, ...]], ...]:
        """Families, whose they are, and arrays of their parameters."""
        found = []
        for family in dict.fromkeys(law.kind for law in self.each):
            at = [n for n, law in enumerate(self.each) if law.kind == family]
            table = np.array([self.each[n].values for n in at], dtype=float)
            columns = tuple(table.T.copy()) if table.size else ()
            found.append((family, np.array(at, dtype=np.int64), columns))
        return tuple(found)

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, part: slice) -> Laws:
        return Laws(self.each[part])

    @cached_property
    def proper(self) -> Array:
        """Which have a law of their own (M,)."""
        return np.array([law.kind != "none" for law in self.each], dtype=bool)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Log-density at (M,), up to a constant, and its gradient (M,)."""
        total, slopes = 0.0, np.zeros(len(x))
        for family, at, values in self.groups:
            here, own = x[at], FAMILIES[family]
            total += float(own.kernel(np, here, *values).sum())
            slopes[at] = own.slope(here, *values)
        return total, slopes

    def log_density(self, x: Array) -> Array:
        """Log-densities (..., M), each whole, at (..., M)."""
        found = np.zeros(x.shape)
        for family, at, values in self.groups:
            own = FAMILIES[family]
            found[..., at] = own.kernel(np, x[..., at], *values) + own.constant(*values)
        return found

    def symbolic(self, module: Any, x: Any) -> Any:
        """The log-density, up to a constant, of a variable of PyTensor's, ``module``."""
        return sum(
            (FAMILIES[f].kernel(module, x[at], *values).sum() for f, at, values in self.groups), 0.0
        )

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draws (n, M); NaN of those that have no law of their own."""
        found = np.full((n, len(self.each)), np.nan)
        for family, at, values in self.groups:
            if family != "none":
                law = FAMILIES[family].frozen(*values)
                found[:, at] = law.rvs(size=(n, len(at)), random_state=rng)
        return found
