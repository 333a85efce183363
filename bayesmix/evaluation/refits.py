"""Posteriors without one person: the same model, priors and path, sampled anew."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xarray as xr

from bayesmix.arrays import Indices
from bayesmix.bayes.class_priors import class_priors
from bayesmix.bayes.importance_check import why_not_whitened
from bayesmix.bayes.log_prior import log_prior_group
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.psis import averaged, efficiency_of
from bayesmix.bayes.read import attributes_of, posterior_draws, sampled_log_likelihood
from bayesmix.bayes.sampling import sample
from bayesmix.data.subset import take_persons
from bayesmix.errors import SpecificationError
from bayesmix.evaluation.fine_integrals import fine_log_likelihood, refit_error
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import like
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import tracked

FALLBACK = "importance sampling does not reach"
SAME = 1e-6
"""Nats by which priors of the same draws may differ."""
CHECKED = 10


@dataclass(frozen=True, eq=False)
class Refits:
    """Refits of a posterior without some persons.

    A person who is left out has a weight of 0: what formulas have learnt and what default priors
    are scaled by stays as it was. Integrals are those of many nodes, the person's own at all draws,
    the others' at some: the sampler's are too few, and others in every refit.

    Parameters
    ----------
    problem, posterior
        The model on the posterior's data, and the posterior.
    priors
        Those that went into ``bm.sample``.
    rng, progress
        As for ``bm.sample``.
    """

    problem: Problem
    posterior: xr.DataTree
    priors: Mapping[str, PriorLike] | None
    rng: Seed
    progress: bool

    def scores(self, places: Indices) -> Iterator[tuple[float, float, str]]:
        """Log score of each person, its Monte Carlo standard error, and the sampler's name."""
        if self.problem.design.cells is not None:
            raise SpecificationError(
                "posteriors with market_shares= are not sampled again without a person, for "
                "predicted shares are of all: take refit=False, and leave exact= out"
            )
        bar = tracked(places, "without one person", total=len(places), show=self.progress)
        generator = np.random.default_rng(self.rng)
        for place in bar:
            yield self._score(int(place), int(generator.integers(2**31)))

    def _score(self, place: int, seed: int) -> tuple[float, float, str]:
        data = self.problem.data
        weights = data.weights.copy()
        weights[place] = 0.0
        others_alone = replace(data, weights=weights)
        draws = posterior_draws(self.posterior)
        said = attributes_of(self.posterior).get("likelihood")
        path: Literal["hierarchical", "marginal"] = (
            "hierarchical" if said == "hierarchical" else "marginal"
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", FALLBACK)  # NUTS is what follows, and is said
            tree = sample(
                self.problem.model,
                others_alone,
                method="nuts" if why_not_whitened(self.problem, path) else "importance",
                likelihood=path,
                draws=draws.sizes["draw"],
                chains=draws.sizes["chain"],
                priors=self.priors,
                rng=seed,
                progress=False,
            )
        found = tree["posterior"].to_dataset()
        thetas = free_vectors(self.problem, posterior_draws(tree))
        left_out = like(self.problem, take_persons(data, np.array([place])))
        flat = thetas.reshape(-1, thetas.shape[-1])
        logp = fine_log_likelihood(left_out, flat, seed)
        effective = efficiency_of(found) * len(logp)
        score = averaged(logp, effective)
        others = like(self.problem, others_alone)
        missed = refit_error(others, flat, logp, sampled_log_likelihood(tree), effective)
        both = score.plus(missed)
        return float(both.values[0]), float(both.errors[0]), str(found.attrs.get("method", "nuts"))

    def check_priors(self) -> None:
        """Refuse priors that are not those of the posterior, where it says what they were.

        Raises
        ------
        SpecificationError
            If they are others, or are none.
        """
        class_priors(self.problem, self.priors)
        if "log_prior" not in self.posterior.children:
            return
        some = posterior_draws(self.posterior).isel(chain=slice(1), draw=slice(CHECKED))
        own = log_prior_group(self.problem, self.priors, some)
        kept = self.posterior["log_prior"].to_dataset().isel(chain=slice(1), draw=slice(CHECKED))
        same = set(own.data_vars) == set(kept.data_vars) and all(
            own[name].shape == kept[name].shape
            and np.abs(own[name].to_numpy() - kept[name].to_numpy()).max(initial=0.0) < SAME
            for name in own.data_vars
        )
        if not same:
            raise SpecificationError(
                "the posterior has other priors than those given, and refits need its own: give "
                f"priors= as in bm.sample; it says {attributes_of(self.posterior).get('priors')}"
            )
