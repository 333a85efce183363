"""What every person would choose, draw by draw."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.drawn_people import DrawnPeople, drawn_people
from bayesmix.demand.options import Options, Where, settle
from bayesmix.likelihood.simulate import expected_utilities
from bayesmix.progress import tracked


def person_draws(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Choice probabilities and choices of every person, at draws of parameters and coefficients.

    Each draw takes parameters from their posterior (of a fit, from the normal law of its
    estimates), then a ``beta_i`` of every person: of the population's law, or with
    ``people="known"`` of the person's own given the past choices. ``probability`` is
    ``P_itj(beta_i)``; its mean over draws of a posterior is what `predict` gives (of a fit that is
    at the estimates), and its spread is what is not known of the person.

    Parameters
    ----------
    result, data, scenario, predict
        As in `shares`: ``bm.person_draws(fit, data, predict=market, people="known")``.
    **how
        As in `shares`; ``draws`` of every person. ``interval`` plays no role.

    Returns
    -------
    xarray.Dataset
        ``probability``; ``first_choice``, True where utility without its error is highest; and
        ``choice``, True where it is highest with one: what is chosen. By ``draw``, ``situation``
        and ``alternative`` (with "outside" where there is an outside option), with the coordinate
        ``person`` of situations; by ``person`` in their place where each has one, as in a `market`.
        A probability of what is not offered is NaN.

    Raises
    ------
    DataError, SpecificationError
        As `shares`; also for ``uncertainty="delta"``, which draws nothing.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", bm.Normal("cl")), data, rng=1)
    >>> now = bm.market([{"pf": 7, "cl": 0}, {"pf": 6, "cl": 1}], data)
    >>> drawn = bm.person_draws(fit, data, predict=now, people="known", draws=50, rng=1)
    >>> dict(drawn.sizes)
    {'draw': 50, 'person': 361, 'alternative': 2}
    >>> bool((abs(drawn["probability"].sum("alternative") - 1) < 1e-12).all())
    True
    """
    asked = settle(how, person_draws)
    found = drawn_people(result, data, Where(scenario, predict=predict), asked)
    table = found.problem.data
    size = (asked.draws, table.n_situations, len(found.sample.labels))
    probability = np.full(size, np.nan)
    first, choice = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    cells = _cells(found)
    # Of their own, so that people are the same in a scenario with other rows.
    errors = np.random.default_rng(found.rng.integers(2**63))
    steps = tracked(found, "person draws", total=asked.draws, show=asked.progress)
    for d, (theta, beta) in enumerate(steps):
        utility = _utilities(found, theta, beta)
        probability[d][cells] = _softmax(utility, cells[0])
        first[d][cells] = _best(utility, cells[0])
        choice[d][cells] = _best(utility + errors.gumbel(size=len(utility)), cells[0])
    by_person = table.n_situations == table.n_persons
    dims = ("draw", "person" if by_person else "situation", "alternative")
    labels = table.situations.get_level_values(1).to_numpy()
    people = np.repeat(table.person_labels, np.diff(table.person_start))
    coords = (
        {"person": people} if by_person else {"situation": labels, "person": ("situation", people)}
    )
    values = {"probability": probability, "first_choice": first, "choice": choice}
    return xr.Dataset(
        {name: (dims, each) for name, each in values.items()},
        coords={**coords, "alternative": found.sample.labels},
        attrs={"draws": asked.draws, "people": asked.people},
    )


def _cells(found: DrawnPeople) -> tuple[Indices, Indices]:
    """Situation and alternative of every row, and after these of every outside option."""
    data = found.problem.data
    situation, code = data.row_situation, data.alternative_code
    if not data.outside_option:
        return situation, code
    every = np.arange(data.n_situations)
    last = np.full(data.n_situations, len(data.alternatives))
    return np.concatenate([situation, every]), np.concatenate([code, last])


def _utilities(found: DrawnPeople, theta: Array, beta: Array) -> Array:
    """Utilities of what `_cells` lists, the outside option's 0."""
    problem = found.problem
    outside = problem.data.n_situations if problem.data.outside_option else 0
    return np.append(expected_utilities(problem, theta, beta), np.zeros(outside))


def _softmax(utility: Array, situation: Indices) -> Array:
    top = np.full(situation.max() + 1, -np.inf)
    np.maximum.at(top, situation, utility)
    weight = np.exp(utility - top[situation])
    return weight / np.bincount(situation, weight)[situation]


def _best(utility: Array, situation: Indices) -> Array:
    """Which are highest in their situation; of several that are equal, the first."""
    order = np.lexsort((np.arange(len(utility)), -utility, situation))
    _, first = np.unique(situation[order], return_index=True)
    best = np.zeros(len(utility), dtype=bool)
    best[order[first]] = True
    return best
