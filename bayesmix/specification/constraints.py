"""What a researcher holds, ties and bounds: constraints on parameters, by flat name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from numbers import Real
from typing import Any

from bayesmix import arguments
from bayesmix.errors import SpecificationError

Fixed = Mapping[str, float]
Equal = Sequence[Sequence[str]]
Bound = tuple[float | None, float | None]


@dataclass(frozen=True, init=False)
class Constraints:
    """Parameters that are held, tied or bounded, by flat name.

    Names keep their meaning: ``mean[x]`` and ``sd[x]`` of a lognormal coefficient are those of its
    index, held or not, and ``fixed[x, 2]`` is the coefficient of class 2.

    Parameters
    ----------
    fixed
        Values at which parameters are held, such as ``{"sd[x]": 0, "corr[a, b]": 0}``. A standard
        deviation of 0 leaves no correlation. In a correlated law, correlations are held at 0, or
        all of a coefficient's with those before it; and standard deviations at 0, or that of the
        first coefficient.
    equal
        Groups of parameters that are equal, such as ``[("fixed[a]", "fixed[b]")]``.
    linear
        Further linear constraints in words, such as ``"fixed[a] + fixed[b] = 1"``.
    bounds
        Lower and upper bounds, such as ``{"fixed[cost]": (None, 0)}``; None where there is none.

    Raises
    ------
    SpecificationError
        If a value is no finite number, a group names fewer than two parameters, or a lower bound is
        not below the upper.

    Examples
    --------
    >>> print(Constraints(fixed={"sd[x]": 0}, equal=[("fixed[a]", "fixed[b]")]))
    sd[x] = 0; fixed[a] = fixed[b]
    """

    fixed: tuple[tuple[str, float], ...]
    equal: tuple[tuple[str, ...], ...]
    linear: tuple[str, ...]
    bounds: tuple[tuple[str, float, float], ...]

    def __init__(
        self,
        fixed: Fixed | None = None,
        equal: Equal | None = None,
        linear: str | Sequence[str] = (),
        bounds: Mapping[str, Bound] | None = None,
    ) -> None:
        meaning = "constraints in words, such as 'fixed[a] = 2 fixed[b]'"
        words = [linear] if isinstance(linear, str) else linear
        if not isinstance(words, list | tuple):
            raise arguments.refused("linear", meaning, linear)
        for word in words:
            arguments.text("linear", word, meaning)
        object.__setattr__(self, "fixed", tuple(_held(fixed)))
        object.__setattr__(self, "equal", tuple(_groups(equal)))
        object.__setattr__(self, "linear", tuple(words))
        object.__setattr__(self, "bounds", tuple(_bounds(bounds)))
        limits = {name: (low, high) for name, low, high in self.bounds}
        for name, value in self.fixed:
            low, high = limits.get(name, (value, value))
            if not low <= value <= high:
                raise SpecificationError(
                    f"argument 'fixed' holds {name} at {value:g}, beyond its bounds, {low:g} and "
                    f"{high:g}: leave one of them out"
                )

    def __bool__(self) -> bool:
        return bool(self.fixed or self.equal or self.linear or self.bounds)

    def __str__(self) -> str:
        return "; ".join(
            [
                *(f"{name} = {value:g}" for name, value in self.fixed),
                *(" = ".join(group) for group in self.equal),
                *self.linear,
                *(_bound_words(*bound) for bound in self.bounds),
            ]
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The flat names that are held, tied or bounded; those in words are read elsewhere."""
        held = [name for name, _ in self.fixed]
        tied = [name for group in self.equal for name in group]
        return (*held, *tied, *(name for name, _, _ in self.bounds))

    def holding(self, fixed: Fixed) -> Constraints:
        """The same, with further parameters held."""
        bounds = {name: (low, high) for name, low, high in self.bounds if name not in fixed}
        return Constraints(dict(self.fixed) | dict(fixed), self.equal, self.linear, bounds)

    def merged(self, fixed: Fixed | None, equal: Equal | None) -> Constraints:
        """The same, with what a verb's arguments hold and tie besides.

        Raises
        ------
        SpecificationError
            If they hold a parameter at another value.
        """
        own, further = dict(self.fixed), dict(_held(fixed))
        other = [name for name in further if name in own and own[name] != further[name]]
        if other:
            raise SpecificationError(
                f"argument 'fixed' holds {other[0]} at {further[other[0]]:g}, and the model at "
                f"{own[other[0]]:g}: hold it once"
            )
        bounds = {name: (low, high) for name, low, high in self.bounds}
        groups = [*self.equal, *_groups(equal)]
        return Constraints(own | further, groups, self.linear, bounds)

    def record(self) -> dict[str, Any]:
        """As plain numbers, lists and text; `from_record` reads them."""
        return {
            "fixed": dict(self.fixed),
            "equal": [list(group) for group in self.equal],
            "linear": list(self.linear),
            "bounds": {name: [_plain(low), _plain(high)] for name, low, high in self.bounds},
        }

    @staticmethod
    def from_record(record: Mapping[str, Any] | None) -> Constraints:
        """What `record` made; none of None."""
        if record is None:
            return Constraints()
        bounds = {name: (ends[0], ends[1]) for name, ends in record["bounds"].items()}
        return Constraints(record["fixed"], record["equal"], record["linear"], bounds)


def _held(fixed: Fixed | None) -> Iterable[tuple[str, float]]:
    if fixed is None:
        return
    meaning = "values by flat name, such as {'sd[x]': 0}"
    for name, value in arguments.mapping("fixed", fixed, meaning).items():
        if not _number(value) or not abs(value) < inf:
            raise SpecificationError(
                f"argument 'fixed': {name} is to be held at {value!r}; expected a finite number"
            )
        yield str(name), float(value)


def _groups(equal: Equal | None) -> Iterable[tuple[str, ...]]:
    meaning = "groups of flat names, such as [('fixed[a]', 'fixed[b]')]"
    if equal is None:
        return
    if isinstance(equal, str) or not isinstance(equal, Iterable):
        raise arguments.refused("equal", meaning, equal)
    for group in equal:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise arguments.refused("equal", meaning, equal)
        names = tuple(group)
        if len(set(names)) < 2 or not all(isinstance(name, str) for name in names):
            raise arguments.refused("equal", f"{meaning}, two at least in each", equal)
        yield names


def _bounds(bounds: Mapping[str, Bound] | None) -> Iterable[tuple[str, float, float]]:
    if bounds is None:
        return
    meaning = "(lower, upper) by flat name, such as {'fixed[cost]': (None, 0)}"
    for name, ends in arguments.mapping("bounds", bounds, meaning).items():
        if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
            raise arguments.refused("bounds", meaning, bounds)
        low, high = (_end(end, side) for end, side in zip(ends, (-inf, inf), strict=True))
        if not low < high:
            raise SpecificationError(
                f"argument 'bounds': {name} lies between {low:g} and {high:g}: expected a lower "
                "bound below the upper; fixed= holds it at a value"
            )
        if low > -inf or high < inf:
            yield str(name), low, high


def _end(end: Any, none: float) -> float:
    if end is None:
        return none
    if not _number(end) or end != end:
        raise arguments.refused("bounds", "numbers, or None where there is no bound", end)
    return float(end)


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _plain(end: float) -> float | None:
    return end if abs(end) < inf else None


def _bound_words(name: str, low: float, high: float) -> str:
    if low == -inf:
        return f"{name} <= {high:g}"
    return f"{name} >= {low:g}" if high == inf else f"{low:g} <= {name} <= {high:g}"
