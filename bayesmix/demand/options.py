"""What every quantity of demand is asked with: whose coefficients, how uncertain, how accurate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from bayesmix.classical.bootstrap import Bootstrap
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed

METHODS = ("krinsky-robb", "delta")
PEOPLE = ("population", "known")


class Options(TypedDict, total=False):
    """Keyword arguments that all functions of demand share; `How` says what they mean."""

    interval: float
    draws: int
    rng: Seed
    uncertainty: str | Bootstrap | None
    people: str
    nodes: int
    progress: bool


@dataclass(frozen=True)
class How:
    """The options, checked.

    Parameters
    ----------
    interval
        Probability of the intervals.
    draws
        Parameter draws: of a posterior, or of the law of a fit's estimates.
    rng
        Seed or Generator. The same seed gives the same nodes, so that scenarios compare.
    uncertainty
        For a fit: ``"krinsky-robb"`` (default), draws from the normal law of its estimates with the
        robust covariance (Krinsky and Robb 1986); ``"delta"``, intervals from the gradient in the
        parameters and the same covariance; or what ``bm.bootstrap(fit, data)`` returned, whose
        estimates are the draws. A posterior has its own draws.
    people
        ``"population"``: everybody's coefficients have the population's law. ``"known"``: each
        person's have their law given the person's choices in the data.
    nodes
        Nodes a person.
    progress
        Whether to show a progress bar.
    """

    interval: float = 0.95
    draws: int = 200
    rng: Seed = None
    uncertainty: str | Bootstrap | None = None
    people: str = "population"
    nodes: int = 256
    progress: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.interval < 1:
            raise SpecificationError(
                f"argument 'interval' must be between 0 and 1, got {self.interval}"
            )
        for name in ("draws", "nodes"):
            if getattr(self, name) < 1:
                raise SpecificationError(
                    f"argument '{name}' must be at least 1, got {getattr(self, name)}"
                )
        if self.people not in PEOPLE:
            raise SpecificationError(
                f"argument 'people' must be one of {PEOPLE}, got {self.people!r}"
            )
        made = isinstance(self.uncertainty, Bootstrap)
        if not made and self.uncertainty not in (None, *METHODS):
            raise SpecificationError(
                f"argument 'uncertainty' must be one of {METHODS} or a bootstrap, "
                f"uncertainty=bm.bootstrap(fit, data); got {self.uncertainty!r}"
            )
