"""Nests of alternatives, which have more in common than what the utility says."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from bayesmix import arguments
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.reserved import OUTSIDE
from bayesmix.errors import DataError, SpecificationError
from bayesmix.kernels.nests import ALONE
from bayesmix.kernels.nests import Nests as Memberships
from bayesmix.specification.constraints import Constraints

MEANING = "nests by name, such as {'public': ['train', 'bus']}"
ROUNDING = 1e-9
"""By how much the parts of an alternative may differ from 1 in all."""

Given = Mapping[str, Sequence[Hashable] | Mapping[Hashable, float]]
Members = tuple[tuple[Hashable, float], ...]


@dataclass(frozen=True, init=False)
class Nests:
    """Nests of alternatives: the nested logit, and the cross-nested, under any mixing.

    ``P(j) = sum_m Q_m q_jm``, where ``q_jm`` is in proportion to ``(a_jm exp v_j)^(1 / l_m)``
    within nest m, and ``Q_m`` to ``(sum_j (a_jm exp v_j)^(1 / l_m))^l_m`` (McFadden 1978; Vovsha
    1997). The log-sum coefficient ``l_m`` is the parameter ``nest[m]``: 1 is the logit, and the
    nearer to 0 the closer substitutes its alternatives are. An alternative in no nest is one by
    itself.

    Parameters
    ----------
    nests
        Alternatives of each nest, by its name; ``"outside"`` is the outside option. In a
        cross-nested logit an alternative is in several, and ``{alternative: part}`` says how much
        of it: its parts, which are given and not estimated, sum to 1. With a nest for each pair of
        alternatives, and equal parts, that is the paired combinatorial logit (Chu 1989).

    bounded
        Whether coefficients are 1 at most, where the model is one of random utility whatever the
        attributes are (Daly and Zachary 1978; McFadden 1978): one that would be above is then held
        at 1, and the fit's message says so. Without the bound they are only positive, which
        ``bm.bootstrap``, and tests against 1, ask for.

    Raises
    ------
    SpecificationError
        If a nest has fewer than two alternatives, or the parts of one do not sum to 1.

    Notes
    -----
    ``fixed={"nest[m]": 1}`` holds a coefficient, and ``equal=`` ties several. Alternatives that
    share an error component, a normal coefficient without a mean on a dummy of the nest, are
    correlated too, by other shapes of errors.

    Examples
    --------
    >>> print(Nests({"public": ["train", "bus"]}))
    public: train, bus
    >>> print(Nests({"land": {"train": 1, "car": 0.5}, "own": {"car": 0.5, "bicycle": 1}}))
    land: train, car (0.5); own: car (0.5), bicycle
    """

    members: tuple[tuple[str, Members], ...]
    bounded: bool

    def __init__(self, nests: Given, *, bounded: bool = True) -> None:
        given = arguments.mapping("nests", nests, MEANING)
        members = tuple((name, tuple(_members(name, own))) for name, own in given.items())
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "bounded", arguments.flag("bounded", bounded))
        if not members:
            raise arguments.refused("nests", f"{MEANING}, one at least", nests)
        _check_parts(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the nests (M,)."""
        return tuple(name for name, _ in self.members)

    @property
    def crossed(self) -> bool:
        """Whether an alternative is in several nests."""
        labels = [label for _, own in self.members for label, _ in own]
        return len(set(labels)) < len(labels)

    def __str__(self) -> str:
        return "; ".join(f"{name}: {', '.join(map(_word, own))}" for name, own in self.members)

    def bounds(self, constraints: Constraints) -> Constraints:
        """Constraints with the upper bound 1 of each coefficient, unless they have one."""
        if not self.bounded:
            return constraints
        bounds: dict[str, tuple[float | None, float | None]] = {
            name: (low, high) for name, low, high in constraints.bounds
        }
        held = dict(constraints.fixed)
        own = [f"nest[{name}]" for name in self.names]
        missing = [name for name in own if name not in bounds and name not in held]
        bounds |= dict.fromkeys(missing, (None, 1.0))
        return Constraints(held, constraints.equal, constraints.linear, bounds)

    def record(self) -> dict[str, Any]:
        """As plain text, numbers and lists; `from_record` reads them."""
        plain = (str, int, float)
        members = {
            name: [[a if isinstance(a, plain) else str(a), part] for a, part in own]
            for name, own in self.members
        }
        return {"members": members, "bounded": self.bounded}

    @staticmethod
    def from_record(record: Mapping[str, Any] | None) -> Nests | None:
        """What `record` made; None of None."""
        if record is None:
            return None
        members = {name: dict(own) for name, own in record["members"].items()}
        return Nests(members, bounded=record["bounded"])


def refuse_nests(nests: Nests | None, what: str) -> None:
    """Refuse a model with nests where they are not known.

    Raises
    ------
    SpecificationError
        If there are any.
    """
    if nests is not None:
        raise SpecificationError(
            f"{what} does not know nests=: models with nests are estimated by bm.msle; leave "
            "nests= out, or let alternatives share an error component, such as "
            "bm.Normal('public', mean='0') with a dummy of the nest in the formula"
        )


def memberships(nests: Nests, data: ChoiceData, *, estimated: bool) -> Memberships:
    """The nests of the rows of data, without their coefficients.

    Where parameters are ``estimated`` already, alternatives may be missing.

    Raises
    ------
    SpecificationError
        If no two alternatives of a nest are ever offered together.
    """
    if not estimated:
        _check_identified(nests, data)
    labels: list[Hashable] = [*data.alternatives, OUTSIDE]
    # What takes the place of another alternative is in its nests.
    labels = [data.stand_ins.get(label, label) for label in labels]
    own = [_entries(nests, label) for label in labels]
    entries = [entry for each in own for entry in each]
    return Memberships(
        np.ascontiguousarray(data.alternative_code, dtype=np.int64),
        len(data.alternatives),
        np.cumsum([0, *map(len, own)]).astype(np.int64),
        np.array([k for k, _ in entries], dtype=np.int64),
        np.log([part for _, part in entries]),
        np.ones(len(nests.names)),
    )


def _entries(nests: Nests, label: Hashable) -> list[tuple[int, float]]:
    found = [
        (k, part) for k, (_, own) in enumerate(nests.members) for name, part in own if name == label
    ]
    return found or [(ALONE, 1.0)]


def _members(name: str, own: object) -> Iterator[tuple[Hashable, float]]:
    arguments.text("nests", name, MEANING)
    if isinstance(own, str) or not isinstance(own, Sequence | Mapping):
        raise arguments.refused("nests", MEANING, own)
    labels = list(own)
    if len(set(labels)) < len(labels) or len(labels) < 2:
        raise SpecificationError(
            f"argument 'nests': nest {name!r} has {first_few(labels) if labels else 'none'}: a "
            "nest has two alternatives at least, each once; leave alternatives that are alone out"
        )
    for label in labels:
        part = own[label] if isinstance(own, Mapping) else 1.0
        number = isinstance(part, Real) and not isinstance(part, bool)
        if not number or not 0.0 < float(part) <= 1.0:
            raise SpecificationError(
                f"argument 'nests': the part of {show(label)} that is in nest {name!r} must be a "
                f"number above 0, and 1 at most, got {part!r}"
            )
        # Labels of an array are NumPy's own, which files do not know.
        plain = isinstance(label, np.bool_ | np.integer | np.floating)
        yield label.item() if plain else label, float(part)


def _check_parts(nests: Nests) -> None:
    total: dict[Hashable, float] = {}
    for _, own in nests.members:
        for label, part in own:
            total[label] = total.get(label, 0.0) + part
    wrong = [label for label, whole in total.items() if abs(whole - 1.0) > ROUNDING]
    if wrong:
        raise SpecificationError(
            f"argument 'nests': the parts of {first_few(wrong)} that are in nests sum to "
            f"{total[wrong[0]]:g}, expected 1: an alternative in several nests has a part in each, "
            "{'a': {'train': 0.5, 'bus': 1}, 'b': {'train': 0.5, 'car': 1}}"
        )


def _check_labels(nests: Nests, data: ChoiceData) -> None:
    """Refuse labels that are no alternatives."""
    known = [*data.alternatives, *([OUTSIDE] if data.outside_option else [])]
    for name, own in nests.members:
        for label, _ in own:
            if label in known:
                continue
            if label == OUTSIDE:
                raise SpecificationError(
                    f"argument 'nests': nest {name!r} has 'outside', and the data have no outside "
                    "option: leave it out, or make them with outside_option=True"
                )
            hint = nearest(str(label), list(map(str, known)))
            raise SpecificationError(
                f"argument 'nests': nest {name!r} has {show(label)}, which is no alternative of "
                f"the data ({data.alternative!r}): {hint}"
            )


def check_nests(nests: Nests, data: ChoiceData) -> None:
    """Refuse labels that are no alternatives, and data whose choices are not those of nests.

    Raises
    ------
    SpecificationError, DataError
        If a nest names what is no alternative, alternatives were sampled, or the data are rankings.
    """
    _check_labels(nests, data)
    if data.known.sampled is not None:
        raise DataError(
            "the data hold samples of alternatives, whose correction is one of the logit and not "
            "of nests: give whole choice sets, or leave nests= out"
        )
    if data.stage is not None:
        raise DataError(
            "the data are rankings, whose stages are choices of a logit and not of nests: give "
            "data.first_choices(), or leave nests= out"
        )


def _check_identified(nests: Nests, data: ChoiceData) -> None:
    """Refuse nests whose coefficient nothing tells."""
    for name, own in nests.members:
        places = [data.alternatives.index(label) for label, _ in own if label != OUTSIDE]
        inside = np.isin(data.alternative_code, places)
        count = np.bincount(data.row_situation[inside], minlength=data.n_situations)
        if not (count + (len(places) < len(own)) > 1).any():
            raise SpecificationError(
                f"argument 'nests': no two alternatives of nest {name!r} are ever offered "
                "together, so that nothing tells its coefficient: leave it out"
            )
        offered = np.bincount(data.row_situation, minlength=data.n_situations)
        every = count == offered
        if data.outside_option:
            every &= len(places) < len(own)
        if every[offered + data.outside_option > 1].all() and all(p == 1.0 for _, p in own):
            raise SpecificationError(
                f"argument 'nests': nest {name!r} has every alternative that is ever offered, and "
                "its coefficient would be one of scale, which nothing tells: leave out those that "
                "are not close substitutes of the others"
            )


def _word(member: tuple[Hashable, float]) -> str:
    label, part = member
    return str(label) if part == 1.0 else f"{label} ({part:g})"
