"""How a posterior is sampled: by which path and method, in which form, how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesmix.bayes.chains import Chains
from bayesmix.bayes.marginal_sampling import Size
from bayesmix.bayes.paths import Centring, Method
from bayesmix.bayes.prior_laws import PriorLike

MARGINAL_TUNE, HIERARCHICAL_TUNE = 400, 1000
"""Tuning steps of a chain of a graph of PyTensor's: with persons integrated out, and with them."""


@dataclass(frozen=True, eq=False)
class How:
    """How to sample: on which path and why, by what method, under which priors, how much."""

    path: str
    why: str
    method: Method
    priors: Mapping[str, PriorLike] | None
    noncentred: Centring
    size: Size
    progress: bool

    @property
    def hierarchical(self) -> bool:
        return self.path == "hierarchical"

    @property
    def chains(self) -> Chains:
        """Chains of a graph of PyTensor's."""
        usual = HIERARCHICAL_TUNE if self.hierarchical else MARGINAL_TUNE
        tune = usual if self.size.tune is None else self.size.tune
        return Chains(self.size.draws, tune, self.size.chains, self.progress)
