"""What every search for an optimum needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.likelihood.multinomial import Multinomial
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.maximise import Steps
from bayesmix.progress import Progress


@dataclass(frozen=True, eq=False)
class Search:
    """What every search for an optimum needs, and when it began.

    Weights of ``problem`` are those of effective persons: those given over ``unit``.
    """

    problem: Problem
    logit: Multinomial
    optimizer: str
    rng: np.random.Generator
    progress: Progress
    begun: float
    unit: float = 1.0

    @property
    def steps(self) -> Steps:
        """How its optimiser goes, and what it tells."""
        return Steps(self.optimizer, callback=self.progress.value)
