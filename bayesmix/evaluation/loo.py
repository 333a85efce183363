"""Leave-one-person-out predictions of a posterior: by weights, and by refits where these fail."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.arrays import Indices
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.psis import Estimates, averaged, efficiency_of, left_out
from bayesmix.bayes.read import posterior_draws, sampled_log_likelihood
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.demand.draws import draws_of, parameter_draws
from bayesmix.errors import SpecificationError
from bayesmix.evaluation.fine_integrals import integration_errors
from bayesmix.evaluation.loo_result import OF_CHOICES, PSIS, Loo
from bayesmix.evaluation.person_scores import digests_of
from bayesmix.evaluation.predictive import own_problem, thinned
from bayesmix.evaluation.refits import Refits
from bayesmix.evaluation.replicates import KnownPeople, given_others
from bayesmix.integration.grids import Seed

HEAVY = 0.7
"""Pareto shape above which weights are not reliable, however many draws there are."""
Unit = Literal["person", "situation"]
UNITS = {
    "person": "leave-one-person-out",
    "situation": OF_CHOICES,
}


def loo(
    posterior: xr.DataTree,
    data: ChoiceData,
    *,
    by: Unit = "person",
    refit: bool = True,
    exact: Sequence[Hashable] = (),
    priors: Mapping[str, PriorLike] | None = None,
    draws: int = 500,
    rng: Seed = None,
    progress: bool = False,
) -> Loo:
    """How well a model predicts each person from all others: ``sum_i w_i log p(y_i | y_-i)``.

    ``p(y_i | y_-i)`` is the probability of all choices of person i, integrated over the
    population's tastes and over the posterior given the other persons, on either path of
    `bm.sample`. Draws of the whole posterior are weighed with ``P_i^-w_i``, Pareto-smoothed
    (Vehtari, Gelman and Gabry 2017). Where the shape k of a person's weights is above 0.7 (of fewer
    than 2,200 draws D, above 1 - 1 / log10(D)) the posterior without the person is sampled: by
    importance sampling from proposals that adapt to it, and where these do not reach it, or do not
    serve for the model, by NUTS. Integrals are those of many nodes, the person's own and those of
    all others, on whom the posterior depends: what the sampler's nodes miss, found at some draws,
    is added to the scores of persons, and counts in their errors.

    Parameters
    ----------
    posterior
        What ``bm.sample`` returned.
    data
        The data that it is of.
    by
        ``"person"``; or ``"situation"``: each choice given all other choices, those of its person
        too, ``log p(y_it | y_-it)``. The latter is of new tasks of known people: it flatters models
        of new people's choices, and is not to be compared with the former. What the sampler's nodes
        miss of the posterior is not known of it: neither added nor in its errors.
    refit
        Whether persons with such a k are refitted; without, a warning names them. Choices, with
        ``by="situation"``, are not.
    exact
        Labels of persons who are refitted whatever their k is.
    priors
        Those that went into ``bm.sample``, for refits. Default priors, of the attributes of all
        persons, stay as they were.
    draws
        Draws of which ``by="situation"`` evaluates the choices.
    rng
        Seed or Generator.
    progress
        Whether to show what is refitted.

    Returns
    -------
    Loo
        ``rows`` by person (or person and situation): ``log score``, ``mcse``, its Monte Carlo
        standard error, ``pareto_k``, ``in sample``, the score when the observation is not left out,
        ``weight``, ``method`` and ``integration``, what was added for the sampler's nodes. The
        weighted sum is ``log_score``, with ``std_error``, and ``mcse``, of scores that share draws.

    Raises
    ------
    DataError
        If the data are not the posterior's own.
    SpecificationError
        If ``priors`` are not those of the posterior, or arguments are not of their kinds.

    References
    ----------
    Vehtari, Gelman and Gabry (2017); Vehtari, Simpson, Gelman, Yao and Gabry (2024).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model, grid = bm.MixedLogit("pf + cl", bm.Normal("cl")), bm.centred(bm.sobol(32))
    >>> posterior = bm.sample(
    ...     model, data, method="importance", grid=grid, draws=250, rng=1, progress=False)
    >>> found = bm.loo(posterior, data)
    >>> len(found.rows), bool(found.log_score < found.rows["in sample"].sum())
    (361, True)
    """
    arguments.one_of("by", by, tuple(UNITS))
    arguments.flag("refit", refit)
    arguments.whole("draws", draws)
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    given = draws_of(posterior)
    problem = own_problem(posterior, data)
    places = _places(data, exact)
    if by == "situation":
        if len(places):
            raise SpecificationError(
                "argument 'exact' is of persons, and by='situation' of choices"
            )
        return _by_situation(posterior, data, draws, np.random.default_rng(rng))
    if "log_likelihood" not in posterior.children or "choices" not in posterior["log_likelihood"]:
        raise SpecificationError(
            "the posterior has no 'choices' in its group 'log_likelihood', each person's integrated"
            " log-likelihood: hand over all that bm.sample returned"
        )
    logp = posterior["log_likelihood"]["choices"].to_numpy().reshape(-1, data.n_persons)
    weights, efficiency = data.weights, efficiency_of(given)
    found, shapes = left_out(logp, weights, efficiency)
    thetas = free_vectors(problem, given)
    flat, effective = thetas.reshape(len(logp), -1), efficiency * len(logp)
    sampled = sampled_log_likelihood(posterior)
    missed, missed_in_sample = integration_errors(problem, flat, logp, sampled, effective)
    found, limit = found.plus(missed), reliable_shape(len(logp))
    doubtful = np.flatnonzero(shapes > limit)
    if refit:
        places = np.union1d(places, doubtful)
    elif len(doubtful):
        _warn(data, doubtful, limit)
    methods = np.full(data.n_persons, PSIS, dtype=object)
    refits = Refits(problem, posterior, priors, rng, progress)
    if len(places) or priors is not None:
        refits.check_priors()
    if len(places):
        found = _replaced(found, methods, refits, places)
    index = pd.Index(data.persons, name=data.person or data.situation)
    beside = {
        "pareto_k": shapes,
        "in sample": averaged(logp, effective).plus(missed_in_sample).values,
        "weight": weights,
        "method": methods,
        "integration": missed.values,
    }
    return _result(data, index, found, beside, "person")


def _places(data: ChoiceData, exact: Sequence[Hashable]) -> Indices:
    """Places of persons by their labels."""
    if isinstance(exact, str | bytes) or not isinstance(exact, Sequence | np.ndarray | pd.Index):
        raise arguments.refused("exact", "labels of persons", exact)
    try:
        places = data.persons.get_indexer(pd.Index(list(exact)))
    except (TypeError, ValueError):
        raise arguments.refused("exact", "labels of persons", exact) from None
    unknown = [label for label, place in zip(exact, places, strict=True) if place < 0]
    if unknown:
        raise SpecificationError(
            f"argument 'exact' has {len(unknown)} labels that are no persons of the data, "
            f"{first_few(unknown)}: they are such as {first_few(data.persons)}"
        )
    return np.unique(places)


def reliable_shape(draws: int) -> float:
    """Pareto shape up to which so many draws do: 0.7 from 2,200 on (Vehtari et al. 2024)."""
    return float(min(HEAVY, 1 - 1 / np.log10(max(draws, 11))))


def _warn(data: ChoiceData, doubtful: Indices, limit: float) -> None:
    warnings.warn(
        f"{len(doubtful)} of {data.n_persons} persons have weights with a Pareto k above "
        f"{limit:.2f} "
        f"({first_few(data.persons[doubtful])}): their scores are not reliable; refit=True samples "
        "the posterior without them",
        stacklevel=3,
    )


def _replaced(found: Estimates, methods: Any, refits: Refits, places: Indices) -> Estimates:
    """With the scores of refits, each of draws and nodes of its own."""
    values, noise = found.values.copy(), found.noise.copy()
    own = np.zeros((len(places), len(values)))
    noise[:, places] = 0.0
    for n, (place, refit) in enumerate(zip(places, refits.scores(places), strict=True)):
        values[place], own[n, place], methods[place] = refit
    return Estimates(values, np.concatenate([noise, own]))


def _by_situation(
    posterior: xr.DataTree, data: ChoiceData, draws: int, rng: np.random.Generator
) -> Loo:
    tree = thinned(posterior, posterior_draws(posterior), draws)
    parameters = parameter_draws(tree, data, 2**31)
    thetas = parameters.thetas
    who = KnownPeople(parameters.problem, thetas.mean(axis=0), 256, rng)
    logp = np.stack([who.over(theta, given_others)[0] for theta in thetas])
    weights = np.repeat(data.weights, np.diff(data.person_start))
    efficiency = efficiency_of(posterior_draws(tree))
    found, shapes = left_out(logp, weights, efficiency)
    limit = reliable_shape(len(logp))
    doubtful = np.flatnonzero(shapes > limit)
    if len(doubtful):
        warnings.warn(
            f"{len(doubtful)} of {len(weights)} choices have weights with a Pareto k above "
            f"{limit:.2f}: their scores are not reliable; more draws, or by='person'",
            stacklevel=3,
        )
    beside = {
        "pareto_k": shapes,
        "in sample": averaged(logp, efficiency * len(logp)).values,
        "weight": weights,
        "method": np.full(len(weights), PSIS, dtype=object),
        "integration": np.zeros(len(weights)),
    }
    return _result(data, data.situations, found, beside, "situation")


def _result(
    data: ChoiceData,
    index: pd.Index,
    found: Estimates,
    beside: Mapping[str, Any],
    by: str,
) -> Loo:
    scores = {"log score": found.values, "mcse": found.errors}
    rows = pd.DataFrame({**scores, **beside}, index=index)
    digests = digests_of(data)
    if by == "situation":
        digests = np.repeat(digests, np.diff(data.person_start))
    return Loo(rows, digests, UNITS[by], found.sum_error(beside["weight"]))
