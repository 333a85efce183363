"""Scores of a result on choices: held out, of new people, or those that it is of."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import pandas as pd
import xarray as xr

from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, settle
from bayesmix.evaluation.predicted import PredictedChoices, predicted_choices
from bayesmix.evaluation.scores import Scores, score_choices


def scores(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> Scores:
    """Log score, Brier score and hit rate of predicted choices, with intervals by person.

    Who has made choices in ``data`` is known by these when the held-out choices in ``predict`` are
    predicted: probabilities are ``E[P_itj(beta_i) | past choices of i]``, each held-out choice
    given the past ones and not given other held-out ones. Over other people's coefficients the
    population's law is integrated. Probabilities are at a fit's estimates, or the mean over the
    draws of a posterior.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``, estimated without the choices to predict.
    data
        The data that it was fitted to; without ``predict`` the choices that are scored, each
        predicted for an unknown person.
    predict
        Held-out choices: further tasks of the same people, found by their labels, new people, or
        both.
    **how
        As in `shares`. ``people="population"`` takes everybody as unknown, ``"known"`` wants past
        choices of everybody. ``interval`` is that of the means over persons, as in
        `bayesmix.evaluation.scores.score_choices`; what is not known of the parameters is in the
        probabilities of a posterior and in no interval. ``uncertainty`` plays no role.

    Returns
    -------
    Scores
        ``table`` of the means with standard errors and intervals by person; ``situations``, the
        scores of each choice with its ``person``, ``situation`` and whether the person was
        ``known``.

    Raises
    ------
    DataError
        If there are no choices to score, or they would be predicted from themselves: held-out
        choices that are among the data's, or known people without ``predict``.

    References
    ----------
    Gneiting and Raftery (2007).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> tasks = data.frame.groupby("id")["chid"].rank("dense")
    >>> role = {"person": "id", "situation": "chid", "alternative": "alt", "chosen": "choice"}
    >>> past = bm.ChoiceData.from_long(data.frame[tasks <= 7], **role)
    >>> later = bm.ChoiceData.from_long(data.frame[tasks > 7], **role)
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc", bm.Normal("cl", "loc")), past, rng=1)
    >>> known = bm.scores(fit, past, predict=later, rng=1).table["mean"]
    >>> unknown = bm.scores(fit, past, predict=later, people="population", rng=1).table["mean"]
    >>> bool(known["log score"] > unknown["log score"])
    True
    """
    asked = settle(how, scores)
    people = asked.people if "people" in how else None
    found = predicted_choices(result, data, predict, asked, people)
    scored = score_choices(found.found, interval=asked.interval, notes=_notes(found, result))
    labels = pd.DataFrame(
        {
            "person": found.data.situations.get_level_values(0),
            "situation": found.data.situations.get_level_values(1),
            "known": found.known[found.found.person],
        }
    )
    return replace(scored, situations=pd.concat([labels, scored.situations], axis="columns"))


def _notes(found: PredictedChoices, result: Fit | xr.DataTree) -> tuple[str, ...]:
    known, persons = int(found.known.sum()), len(found.known)
    notes = [f"{known} persons are known by past choices, {persons - known} are not"]
    again = int(found.in_sample.sum())
    if again:
        notes.append(
            f"{again} of the choices are among those that the parameters were estimated on: "
            "predictions of others are worse"
        )
    elif not isinstance(result, Fit):
        notes.append("a posterior does not say whether it was estimated on these choices")
    return tuple(notes)
