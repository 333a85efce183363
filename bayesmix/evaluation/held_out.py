"""What a result says of people whom it has not seen: log-probabilities, and those of each set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import integrated_log_likelihood
from bayesmix.centring.people import people
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import parameter_draws
from bayesmix.demand.options import CheckedOptions
from bayesmix.evaluation.predicted import predicted_choices
from bayesmix.evaluation.scores import Predicted

LIKELIHOOD_NODES, SHARE_NODES = 512, 256
"""Nodes a person of the log-probabilities of choices, and of the probabilities of sets."""
DRAWS, SHARE_DRAWS = 1000, 100
"""Draws of a posterior that each is averaged over, at most."""


class HeldOut(NamedTuple):
    """Of n persons, ``log p(y_i)`` (n,) of all their choices, and what was predicted of each."""

    logp: Array
    predicted: Predicted


def held_out(result: Fit | xr.DataTree, data: ChoiceData, seed: int) -> HeldOut:
    """Scores of new people, at a fit's estimates or averaged over a posterior's draws.

    ``log p(y_i) = log (1/D) sum_d P_i(theta_d)``, the probability of all choices of a person.
    """
    found = parameter_draws(result, data, DRAWS)
    problem, thetas = found.problem, found.thetas
    rng = np.random.default_rng(seed)
    who = people(problem, thetas.mean(axis=0), known=True, nodes=LIKELIHOOD_NODES, rng=rng)
    logp = integrated_log_likelihood(problem, who.grid, thetas[None])[0]
    average = np.logaddexp.reduce(logp, axis=0) - np.log(len(logp))
    how = CheckedOptions(draws=SHARE_DRAWS, nodes=SHARE_NODES, rng=seed)
    return HeldOut(average, predicted_choices(result, data, None, how, "population").found)
