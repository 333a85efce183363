"""What every quantity of demand is asked with: whose coefficients, how uncertain, how accurate."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from inspect import signature
from typing import Any, TypedDict

from bayesmix.arguments import flag, one_of, real, refused, seed, whole
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.classical.predict import PEOPLE
from bayesmix.close_names import close_name
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed

METHODS = ("krinsky-robb", "delta")


class Options(TypedDict, total=False):
    """Keyword arguments of all functions of demand; `CheckedOptions` says what they mean."""

    interval: float
    draws: int
    rng: Seed
    uncertainty: str | Bootstrap | None
    people: str
    nodes: int
    progress: bool


@dataclass(frozen=True)
class CheckedOptions:
    """The options, checked.

    Parameters
    ----------
    interval
        Probability of the intervals.
    draws
        Parameter draws: of a posterior, or of the law of a fit's estimates. Of one alone there is
        no interval, and its ends are NaN.
    rng
        Seed or Generator. The same seed gives the same nodes, so that scenarios compare.
    uncertainty
        For a fit: ``"krinsky-robb"`` (default), draws from the normal law of its estimates with the
        robust covariance (Krinsky and Robb 1986); ``"delta"``, intervals from the gradient in the
        parameters and the same covariance; or what ``bm.bootstrap(fit, data)`` returned, whose
        estimates are the draws. A posterior has its own draws.
    people
        ``"population"``: everybody's coefficients have the population's law. ``"known"``: each
        person's have their law given the person's choices in the data; other sets of the same
        persons are predicted with ``predict``, never these choices from themselves.
    nodes
        Nodes a person.
    progress
        Whether to show a progress bar where it takes more than a moment.
    """

    interval: float = 0.95
    draws: int = 200
    rng: Seed = None
    uncertainty: str | Bootstrap | None = None
    people: str = "population"
    nodes: int = 256
    progress: bool = True

    def __post_init__(self) -> None:
        real("interval", self.interval, above=0, below=1)
        whole("draws", self.draws)
        whole("nodes", self.nodes)
        seed("rng", self.rng)
        one_of("people", self.people, PEOPLE)
        flag("progress", self.progress)
        if self.uncertainty is not None and not isinstance(self.uncertainty, Bootstrap):
            extra = " or a bootstrap, uncertainty=bm.bootstrap(fit, data)"
            one_of("uncertainty", self.uncertainty, METHODS, extra=extra)


def settle(options: Mapping[str, Any], function: Callable[..., Any]) -> CheckedOptions:
    """The options that a public function was given beside its own, checked, and their names too."""
    known = [field.name for field in fields(CheckedOptions)]
    for name in options:
        if name not in known:
            given = signature(function).parameters.values()
            own = [each.name for each in given if each.kind is not each.VAR_KEYWORD]
            near = close_name(name, own + known)
            hint = f"did you mean {near!r}?" if near else f"it has {own + known}"
            raise SpecificationError(f"{function.__name__} has no argument {name!r}: {hint}")
    return CheckedOptions(**options)


@dataclass(frozen=True, eq=False)
class Where:
    """What shares are of: which choice sets, which groups of them, and of what goods.

    Parameters
    ----------
    scenario
        Made from the choice sets.
    by
        The column of segments.
    products
        The column of the rows' products.
    predict
        The choice sets, where these are not those of the data.
    """

    scenario: ChoiceData | None = None
    by: str | None = None
    products: str | None = None
    predict: ChoiceData | None = None

    def __post_init__(self) -> None:
        for name in ("by", "products"):
            if not isinstance(getattr(self, name), Hashable):
                raise refused(name, "the name of a column of the data", getattr(self, name))
