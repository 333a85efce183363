"""The DataTree of a posterior: the groups that ArviZ's users expect, and what was fitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.class_priors import prior_key, prior_words
from bayesmix.bayes.log_prior import log_prior_group
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.read import SAMPLE_DIMS, SAMPLED
from bayesmix.data.reserved import OUTSIDE
from bayesmix.data.table import ChoiceTable
from bayesmix.likelihood.effective_weights import SAME, person_unit
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.record import data_record, model_record

WEIGHTED = (
    "person weights count as so many people: the posterior is as if each person that tells as much "
    "as one without weights stood {unit:.3g} times in the data; divide the weights by that number "
    "for the uncertainty of this sample"
)


def complete(
    tree: xr.DataTree,
    problem: Problem,
    logp: Array,
    priors: Mapping[str, PriorLike] | None,
    notes: Mapping[str, Any],
) -> xr.DataTree:
    """The sampler's tree with log-likelihood, data and attributes.

    Parameters
    ----------
    tree
        As the sampler returned it.
    problem
        The model bound to data.
    logp
        Integrated log-likelihood (chains, draws, I) of each person.
    priors
        The user's replacements of default priors.
    notes
        Attributes of the posterior.
    """
    posterior = tree["posterior"]
    tree["log_likelihood"] = xr.DataTree(
        xr.Dataset(
            {"choices": (("chain", "draw", "person"), logp)},
            coords={
                "chain": posterior["chain"],
                "draw": posterior["draw"],
                "person": problem.data.person_labels,
            },
        )
    )
    tree["log_prior"] = xr.DataTree(log_prior_group(problem, priors, posterior.to_dataset()))
    tree["observed_data"] = xr.DataTree(_observed(problem))
    tree["constant_data"] = xr.DataTree(_constant(problem))
    unit = person_unit(problem.data.weights)
    if abs(unit - 1.0) > SAME:
        notes = {**notes, "weights": WEIGHTED.format(unit=unit)}
    posterior.attrs.update(
        {
            "model": json.dumps(model_record(problem.model)),
            "estimated_on": json.dumps(data_record(problem.data, problem.design)),
            "description": str(problem.model),
            "priors": prior_words(problem, priors),
            "prior_record": prior_key(problem, priors),
            **notes,
        }
    )
    return tree


def keep_sampled(tree: xr.DataTree, totals: Array) -> None:
    """Keep the log-likelihood (D,) that was sampled, with persons integrated out.

    The sum of persons' own in ``log_likelihood`` is without the correction of their nodes.
    """
    stats = tree["sample_stats"].to_dataset()
    shape = tuple(stats.sizes[dim] for dim in SAMPLE_DIMS)
    tree["sample_stats"] = xr.DataTree(
        stats.assign({SAMPLED: (SAMPLE_DIMS, totals.reshape(shape))})
    )


def _labels(values: Any) -> NDArray[np.str_]:
    return np.array([str(v) for v in values], dtype=np.str_)


def _observed(problem: Problem) -> xr.Dataset:
    """What was chosen, as ArviZ wants it: numbers, whose labels are along ``alternative``."""
    data = problem.data
    codes = np.where(data.chosen_row >= 0, data.alternative_code[data.chosen_row], -1)
    return xr.Dataset({"choice": ("situation", outside_last(data, codes))}, coords=choices_of(data))


def outside_last(data: ChoiceTable, codes: Indices) -> Indices:
    """Codes of alternatives, -1 for the outside option, as places along ``alternative``."""
    return np.where(codes >= 0, codes, len(data.alternatives))


def choices_of(data: ChoiceTable) -> dict[str, Any]:
    """Coordinates of choices: situations, their labels, and those of what may be chosen."""
    labels = _labels(data.situations.get_level_values(-1))
    return {
        "situation": np.arange(data.n_situations),
        "situation_label": ("situation", labels),
        "alternative": np.append(_labels(data.alternatives), OUTSIDE)[
            : len(data.alternatives) + data.outside_option
        ],
    }


def _constant(problem: Problem) -> xr.Dataset:
    data = problem.data
    design = problem.design.written(data)
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    return xr.Dataset(
        {
            "weights": ("person", data.weights),
            "situation_person": ("situation", person),
            "row_situation": ("row", data.row_situation),
            "row_alternative": ("row", _labels(data.alternatives)[data.alternative_code]),
            "x_random": (("row", "random"), design.random),
            "x_fixed": (("row", "term"), design.fixed),
        },
        coords={
            "person": data.person_labels,
            "situation": np.arange(data.n_situations),
            "random": _labels(design.random_names),
            "term": _labels(design.fixed_names),
        },
    )
