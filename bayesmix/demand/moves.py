"""What changes of alternatives do to shares: sums over persons of the kernels' effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.demand.interventions import Intervention, change
from bayesmix.demand.sample import Here, Sample
from bayesmix.errors import SpecificationError
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nested_substitution import nested_substitution
from bayesmix.kernels.nests import Nested, Nests
from bayesmix.kernels.substitution import Change, Sets, Size, substitution
from bayesmix.kernels.vanishing_shares import VANISHED, Sums, log_substitution
from bayesmix.likelihood.persons import Divisible
from bayesmix.likelihood.point import Point


class Arguments(NamedTuple):
    """What kernels of substitution read; ``nests`` where there are any."""

    panel: Panel
    sets: Sets
    base: Array
    change: Change
    mixture: Mixture
    nests: Nests | None = None

    def of_logit(self, what: str) -> tuple[Panel, Sets, Array, Change, Mixture]:
        """Those of kernels that do not know nests.

        Raises
        ------
        SpecificationError
            If there are any, naming ``what`` is asked for.
        """
        if self.nests is not None:
            raise SpecificationError(
                f"{what}: not of models with nests=; leave nests= out of the model, or see "
                "bm.shares in two scenarios"
            )
        return self.panel, self.sets, self.base, self.change, self.mixture


@dataclass(frozen=True, eq=False)
class Moves:
    """What a change of each alternative does, at one free vector: sums over persons.

    ``arguments`` are what the kernels of substitution read of some persons, from a `Here` and what
    is ``beside``.
    """

    found: Sample
    theta: Array
    arguments: Callable[..., Arguments]
    beside: tuple[Divisible, ...] = ()

    @property
    def size(self) -> Size:
        return self.found.size

    def over[T](self, kernel: Callable[..., T], *beside: Divisible) -> Iterator[T]:
        """``kernel(here, arguments, *beside)`` of each block of persons."""
        work = partial(_of_arguments, kernel, self.arguments, len(self.beside))
        return self.found.over(self.theta, work, *self.beside, *beside)


def _of_arguments[T](
    kernel: Callable[..., T],
    arguments: Callable[..., Arguments],
    number: int,
    here: Here,
    *beside: Any,
) -> T:
    return kernel(here, arguments(here, *beside[:number]), *beside[number:])


def moves(found: Sample, what: Intervention, theta: Array) -> Moves:
    """What an intervention does, at one free vector."""
    return Moves(found, theta, partial(_arguments, what.kind), what.beside(theta))


def _arguments(kind: int, here: Here, *by: Point) -> Arguments:
    return Arguments(
        here.rows, here.sets, here.base, change(kind, here, *by), here.mixture, here.nests
    )


def effects(found: Moves) -> tuple[Array, Array]:
    """Sums of weighted effects (G, J, A) on shares, and of shares (G, A)."""
    of_effects, of_shares = zip(*found.over(partial(_effects, size=found.size)), strict=True)
    return reduce(np.add, of_effects), reduce(np.add, of_shares)


def _effects(_: Here, arguments: Arguments, *, size: Size) -> tuple[Array, Array]:
    if arguments.nests is not None:
        given = Nested(arguments.panel, arguments.nests, arguments.base)
        return nested_substitution(given, arguments.sets, arguments.change, arguments.mixture, size)
    return substitution(*arguments[:5], size)


def by_row(found: Moves) -> Array:
    """Effects (G, J, A), those of each alternative in units of their own.

    Where next to nobody would leave an alternative its effects are no numbers, and their ratios
    are: by their logarithms.
    """
    effect, share = effects(found)
    lost = _lost(effect, share)
    if lost.any():
        logs, own = _log_effects(found)[0], np.arange(found.size.changed)
        effect = np.where(lost[..., None], logs.relative(logs.top[:, own, own][..., None]), effect)
    return effect


def by_column(found: Moves) -> tuple[Array, Array]:
    """Effects (G, J, A) and shares (G, A), each alternative's in units of their own."""
    effect, share = effects(found)
    lost = (share < VANISHED) & (share > 0.0)
    if lost.any():
        logs, parts = _log_effects(found)
        effect = np.where(lost[:, None, :], logs.relative(parts.top[:, None, :]), effect)
        share = np.where(lost, parts.total, share)
    return effect, share


def log_leaving(found: Moves) -> Array:
    """Logarithms (G, A) of how many move where that is next to nobody, 0 elsewhere."""
    effect, share = effects(found)
    out, own = np.zeros(share.shape), np.arange(found.size.changed)
    lost = _lost(effect, share)
    if lost.any():
        top = _log_effects(found)[0].top[:, own, own]
        out[:, own] = np.where(lost & np.isfinite(top), top, 0.0)
    return out


def _lost(effect: Array, share: Array) -> Flags:
    """Alternatives (G, J) that somebody might have, and that no number says that anybody leaves."""
    own = np.arange(effect.shape[1])
    return (np.abs(effect[:, own, own]) < VANISHED) & (share[:, own] > 0.0)


def _log_effects(found: Moves) -> tuple[Sums, Sums]:
    """`effects` by their logarithms."""
    sums = list(found.over(partial(_logs, size=found.size)))
    return reduce(Sums.plus, (e for e, _ in sums)), reduce(Sums.plus, (s for _, s in sums))


def _logs(_: Here, arguments: Arguments, *, size: Size) -> tuple[Sums, Sums]:
    refuse_vanished(arguments.nests)
    return log_substitution(*arguments[:5], size)


def refuse_vanished(nests: Nests | None) -> None:
    """Refuse shares that no number tells from 0, where nests keep them from being logarithms.

    Raises
    ------
    SpecificationError
        If there are nests.
    """
    if nests is not None:
        raise SpecificationError(
            f"the share of an alternative is below {VANISHED:g}, and where so few would leave it "
            "nothing is known with nests of where they would go: leave out of the data what nobody "
            "would choose, data.without(label), or compare bm.shares in two scenarios"
        )
