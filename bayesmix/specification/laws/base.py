"""What a mixing law is, and the register of all laws.

A coefficient is ``beta = T(d; loc, s)``: ``d = L_k u`` is normal with standard deviation ``s``, and
``z = d / s`` standard normal. Every law is written as a map of that normal, so that laws of any
kind share one covariance matrix: a Gaussian copula. A law's file holds one or more records of type
`Family`, and whatever they are made of; nothing else in the package knows a law by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.kernels.law_functions import LawFunction


@dataclass(frozen=True)
class Formulas:
    """What is known of a law in closed form, for a positive sign; the rest is integrated.

    Functions take a `bayesmix.specification.laws.coefficient.Coefficient`, locations (G,) and a
    scale first.

    Parameters
    ----------
    mean_and_sd
        Means and standard deviations (G,).
    lift
        ``E[T(z + shift)] - E[T(z)]`` (G,) at a fourth argument ``shift``.
    slope
        ``E[T(z) z]`` (G,).
    hermite
        ``E[T(z) h_k(z)]`` (K, G), at a fourth argument: the Hermite polynomials (K, N) of length 1
        as a function of points (N,).
    cdf
        Probabilities (G,) of coefficients below that of an index, the fourth argument; the index is
        what `Family.location` is for.
    joint
        Within kinds of people, the covariance with another law as weights (G,) times a mean (N,) of
        the other's map: a function of own means (G,), the product ``corr s``, and the other's
        `slope` and `lift`, functions of nothing and of a shift.
    dear
        Whether some of these cost so much that they are interpolated between people's locations.
    """

    mean_and_sd: Callable[..., tuple[Array, Array]] | None = None
    lift: Callable[..., Array] | None = None
    slope: Callable[..., Array] | None = None
    hermite: Callable[..., Array] | None = None
    cdf: Callable[..., Array] | None = None
    joint: Callable[..., tuple[Array, Array]] | None = None
    dear: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A mixing law: all that the package needs to know of it.

    Parameters
    ----------
    name
        Its name in stored models, and, by default, in study files.
    words
        Its name in messages.
    make
        The function that people call for it. Its arguments by keyword are the law's keys in a study
        file.
    map
        The compiled map, see `bayesmix.kernels.law_functions.law_map`; None where the coefficient
        is its index.
    fill, table
        What fills a table for the map, of so many numbers, where single points are dear: for a
        block of nodes with one scale and one set of shapes. Elsewhere the map is given a table
        without any numbers, and has to do without.
    moves
        Whether the map depends on location and scale by themselves, not on their index alone.
    bends
        Whether the map writes its second derivative; otherwise that is found by differences.
    unit
        What a location is: a value of the coefficient, the logarithm of one (times the sign), or
        the logit of its position between two bounds.
    of
        What location and scale are the mean and the standard deviation of, in words with
        ``{coefficient}`` for the coefficient (times its sign); empty where that is the coefficient.
    located
        Whether it has a location to estimate beside its scale.
    one_sided
        Whether all coefficients have its sign.
    even
        Whether the law is symmetric around its location.
    atoms
        Whether shares of people stand exactly at the bounds.
    divides
        Whether one over the coefficient has a mean wherever the law is on one side of 0.
    steep
        Distance of the map's poles from the real line, in units of one over the scale.
    location
        The location at which everybody has a value, or None: a function of coefficient and value.
        By default that of `unit`.
    formulas
        What is known in closed form.
    twin
        The law in SciPy for a positive sign, as a function of coefficient, location and scale.
    shapes
        Further parameters: the name of each, and where searches start. Any number must do: a law
        whose shape has bounds maps a number to it. The derivatives by them follow that by the
        scale, see `bayesmix.kernels.law_functions.law_map`.
    plain
        The law that it is where its shapes are 0, or where those are that this one has beside the
        other's, which come last; None where that is none of the others.
    key
        Its name in study files; laws that one function makes have the same.
    """

    name: str
    words: str
    make: Callable[..., Any]
    map: LawFunction | None = None
    fill: LawFunction | None = None
    table: int = 0
    moves: bool = False
    bends: bool = False
    unit: Literal["coefficient", "logarithm", "position"] = "coefficient"
    of: str = ""
    located: bool = True
    one_sided: bool = False
    even: bool = False
    atoms: bool = False
    divides: bool = False
    steep: float = math.inf
    location: Callable[..., float | None] | None = None
    formulas: Formulas = field(default_factory=Formulas)
    twin: Callable[..., Any] | None = None
    shapes: tuple[tuple[str, float], ...] = ()
    plain: Family | None = None
    key: str = ""

    @property
    def index(self) -> bool:
        """Whether location and scale have no units: those of a logarithm or a position."""
        return self.unit != "coefficient"

    @property
    def identity(self) -> bool:
        """Whether the coefficient is its index."""
        return self.map is None


FAMILIES: dict[str, Family] = {}


def register(family: Family) -> Family:
    """Make a law known by its name; a law of the same name from the same file is replaced.

    Raises
    ------
    SpecificationError
        If a law of another file has the name, or a map needs a table where there is none.
    """
    _check_table(family)
    other = FAMILIES.get(family.name)
    if other is not None and other.make.__module__ != family.make.__module__:
        raise SpecificationError(
            f"a mixing law called {family.name!r} is there already, made by "
            f"{other.make.__module__}.{other.make.__name__}: give yours another name"
        )
    FAMILIES[family.name] = family
    return family


def _check_table(family: Family) -> None:
    """Refuse a map that reads a table which is empty: compiled, it would read whatever is there."""
    if (family.fill is None) != (family.table == 0):
        raise SpecificationError(
            f"the law {family.name!r}: 'fill' and 'table', of so many numbers, go together"
        )
    if family.fill is None or family.map is None or _is_own(family):
        return
    at = np.array([0.3, 0.7, *(start for _, start in family.shapes)])
    out, known = np.zeros((3 + len(at), 3)), np.array([1.0, 0.0, 1.0])
    try:
        with np.errstate(all="ignore"):
            family.map.function(np.array([-0.5, 0.1, 0.6]), at, known, np.empty(0), out)
    except IndexError as error:
        raise SpecificationError(
            f"the map of the law {family.name!r} reads a table that is empty ({error}): where "
            "single points are asked for there is none, len(table) == 0, and the map has to "
            "compute them without"
        ) from error


def _is_own(family: Family) -> bool:
    """Whether a law is one of the package's."""
    return family.make.__module__.startswith(__name__.rpartition(".")[0])


def own_laws() -> dict[str, Callable[..., Any]]:
    """The functions that make the package's laws, by their names in study files."""
    own = [one for one in FAMILIES.values() if _is_own(one)]
    return {one.key or one.name: one.make for one in own}


def family_of(name: str) -> Family:
    """The law of a name.

    Raises
    ------
    SpecificationError
        If there is none in this process.
    """
    if name not in FAMILIES:
        raise SpecificationError(
            f"unknown mixing law {name!r}; there are {', '.join(FAMILIES)}: a law of your own is "
            "known once the file that registers it is imported"
        )
    return FAMILIES[name]
