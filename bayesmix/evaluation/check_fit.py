"""Checks of a result against choices that it replicates, of new persons from the population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arguments import names, refused
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.attributes import check_complete
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.drawn_people import DrawnPeople, drawn_people
from bayesmix.demand.draws import parameter_draws, point_alone
from bayesmix.demand.known_and_new import known_persons, refuse_answered
from bayesmix.demand.options import Options, Where, settle
from bayesmix.evaluation.calibration import reliability, transform
from bayesmix.evaluation.check_fit_result import FitCheck
from bayesmix.evaluation.envelope import envelope
from bayesmix.evaluation.predicted import check_observed, probabilities
from bayesmix.evaluation.statistics import (
    SetsWithOutside,
    Statistic,
    levels,
    shares,
    spread,
    switches,
)
from bayesmix.likelihood.bind import bind_like
from bayesmix.likelihood.simulate import draw_choices
from bayesmix.progress import tracked

MARGINAL = (
    "persons are drawn anew from the population's law: what is checked is that law, in new people "
    "with these choice sets"
)
CONDITIONAL = (
    "persons have their coefficients given their choices, which have been used twice: the law of "
    "the population is hardly checked, and calibration is left out, for these probabilities know "
    "the answers; people='population' is the check of the model"
)
HELD_OUT = "persons have their coefficients given their past choices, and held-out ones are checked"
CONSERVATIVE = (
    "where the parameters were estimated on these choices, p-values are rather too large than too "
    "small"
)


def check_fit(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    predict: ChoiceData | None = None,
    by: str | None = None,
    products: str | None = None,
    attributes: Sequence[str] | None = None,
    **how: Unpack[Options],
) -> FitCheck:
    """Observed choices among replicated ones: shares, switches, levels, spread, calibration.

    Each replication draws parameters (of a posterior; of a fit, from the normal law of its
    estimates), a ``beta_i`` of every person from the population's law, and choices from the logit.
    Statistics of the observed choices are compared with those of the replicated ones, and bands
    hold for all points of a check at once (global envelopes by extreme rank lengths):

    - ``shares`` of alternatives, and by segment;
    - ``switches``: shares of persons by their number of changes from one situation to the next, in
      the order of their labels, and the rate of changes: where a model leaves heterogeneity out,
      persons change less often than it says;
    - ``spread between persons``: of their mean chosen level of each attribute;
    - ``chosen x``: shares of choices by bins of attribute x;
    - ``PIT``: the non-randomised probability integral transform of predicted probabilities,
      alternatives from the likeliest on, less the diagonal (Czado, Gneiting and Held 2009);
    - ``reliability``: how often what has some probability is chosen.

    New persons are the default, for what is checked is the law of tastes: given a person's own
    choices almost any law fits them. ``people="known"`` replicates choices of the same persons,
    and says so.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and choices: those that it was fitted to, or
        others.
    predict
        Held-out choices to check in place of those in ``data``; with ``people="known"`` of the same
        persons, who are known by ``data``.
    by
        A column of segments: shares by segment are checked too.
    products
        A column of the rows' products, such as brands, in place of alternatives: of shares and of
        switches, which mean little between mere positions.
    attributes
        Columns of the data whose chosen levels are checked; by default those of the model's
        utility, without constants of alternatives.
    **how
        As in `shares`; ``draws=200`` are the replications, and ``interval=0.95`` the probability of
        the simultaneous bands.

    Returns
    -------
    FitCheck
        ``checks``, a p-value each; ``table``, every point with its band; ``plot()``, one page.

    Raises
    ------
    DataError
        If there are no choices, or known persons' would be replicated from themselves.
    SpecificationError
        If ``result`` is of another kind, or a fit has no covariance matrix.

    References
    ----------
    Gelman, Meng and Stern (1996); Myllymaki, Mrkvicka, Grabarnik, Seijo and Hahn (2017).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> plain = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> found = bm.check_fit(plain, data, draws=99, rng=1)  # everybody has the same tastes
    >>> float(found.checks.loc["spread between persons", "p-value"])
    0.01
    """
    asked = settle(how, check_fit)
    observed = data if predict is None else predict
    check_observed(observed, "data" if predict is None else "predict")
    if attributes is not None:
        columns = names("attributes", attributes, "a list of columns of the data")
        if len(set(columns)) < len(columns):
            raise refused("attributes", "different columns", attributes)
    known = asked.people == "known"
    if known and predict is not None:
        past = parameter_draws(result, data, 1).problem
        there = bind_like(past, predict.first_choices(), "predict")
        refuse_answered(past, there, known_persons(data, there.data, "predict"), "predict")
    found = drawn_people(result, data, Where(None, by, products, predict), asked)
    own = observed.first_choices()
    sets, inside = sets_of(found)
    statistics = _statistics(found, own, sets, inside, by, attributes)
    if not known or predict is not None:
        sample = found.sample
        point = point_alone(result) or sample.uncertainty
        probability = probabilities(replace(sample, uncertainty=point))
        statistics += [transform(sets, probability), reliability(sets, probability)]
    note = (HELD_OUT if predict is not None else CONDITIONAL) if known else MARGINAL
    return _compared(found, _places(sets, own.chosen_row, inside), sets, statistics, note)


def sets_of(found: DrawnPeople) -> tuple[SetsWithOutside, Flags]:
    """The choice sets, the outside option the last row of each, and which rows are inside."""
    sample, data = found.sample, found.problem.data
    sizes = np.diff(data.situation_start) + data.outside_option
    start = np.append(0, sizes.cumsum())
    inside = np.ones(start[-1], dtype=bool)
    if data.outside_option:
        inside[start[1:] - 1] = False
    code = np.full(len(inside), len(sample.goods), dtype=np.int64)
    code[inside] = sample.codes
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    labels = tuple(str(label) for label in sample.labels)
    segments = tuple(str(name) for name in sample.names)
    sets = SetsWithOutside(start, person, sample.weights, code, labels, sample.segments, segments)
    return sets, inside


def _places(sets: SetsWithOutside, chosen_row: Indices, inside: Flags) -> Indices:
    """Chosen rows (T,) among those of ``sets``, from rows without outside options, -1 for these."""
    rows = np.flatnonzero(inside)
    return np.where(chosen_row >= 0, rows[np.maximum(chosen_row, 0)], sets.start[1:] - 1)


def _statistics(
    found: DrawnPeople,
    data: ChoiceData,
    sets: SetsWithOutside,
    inside: Flags,
    by: str | None,
    attributes: Sequence[str] | None,
) -> list[Statistic]:
    """What needs no probabilities."""
    moves = switches(sets)
    statistics = [shares(sets), *([] if by is None else [shares(sets, by)])]
    statistics += [] if moves is None else [moves]
    columns = _columns(found, data, attributes)
    numeric = columns.select_dtypes("number")
    if numeric.shape[1] and moves is not None:
        values = np.zeros((len(inside), numeric.shape[1]))
        values[inside] = numeric.to_numpy(dtype=float)
        statistics.append(spread(sets, values, tuple(map(str, numeric.columns))))
    return [*statistics, *(levels(sets, str(n), columns[n], inside) for n in columns)]


def _columns(
    found: DrawnPeople, data: ChoiceData, attributes: Sequence[str] | None
) -> pd.DataFrame:
    """Columns (R, .) of attributes: those asked for, or the utility's that vary within goods."""
    if attributes is not None:
        return pd.DataFrame({n: check_complete(data, n).to_numpy() for n in attributes})
    problem = found.problem
    design = problem.design.written(problem.data)
    table = pd.DataFrame(
        design.columns[:, :-1], columns=[*design.random_names, *design.fixed_names]
    )
    by_alternative = table.groupby(data.alternative_code)
    return table.loc[:, by_alternative.nunique().gt(1).any()]


def _compared(
    found: DrawnPeople,
    chosen: Indices,
    sets: SetsWithOutside,
    statistics: list[Statistic],
    note: str,
) -> FitCheck:
    """Statistics of the observed choices, among those of replicated ones."""
    how, problem = found.sample.how, found.problem
    inside = np.ones(sets.start[-1], dtype=bool)
    if problem.data.outside_option:
        inside[sets.start[1:] - 1] = False
    replicated: list[list[Array]] = [[] for _ in statistics]
    steps = tracked(found, "check of the fit", total=how.draws, show=how.progress)
    for theta, beta in steps:
        drawn = _places(sets, draw_choices(problem, theta, beta, found.rng), inside)
        for own, statistic in zip(replicated, statistics, strict=True):
            own.append(statistic.of(drawn))
    bands = [
        envelope(statistic.of(chosen), np.array(own), how.interval)
        for statistic, own in zip(statistics, replicated, strict=True)
    ]
    notes = (note, CONSERVATIVE) if note != CONDITIONAL else (note,)
    return FitCheck(tuple(statistics), tuple(bands), problem.data.n_persons,
                    problem.data.n_situations, how.draws, how.interval, notes)  # fmt: skip
