"""Models side by side, by how well they predict what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import first_few
from bayesmix.data.display import Table
from bayesmix.errors import DataError, SpecificationError
from bayesmix.evaluation.person_scores import LogScores, sum_error
from bayesmix.evaluation.stacking import stacking_weights

MEANING = (
    "scores by label, as bm.loo and bm.cross_validate return them, such as "
    "{'normal': bm.loo(posterior, data), 'lognormal': bm.loo(other, data)}"
)


def compare_models(models: Mapping[str, LogScores]) -> pd.DataFrame:
    """Models by their log scores of persons who were left out, the best first.

    Differences are paired: person by person, who are found by their labels, whatever their order.
    Their standard errors are those of a sum over persons, ``sqrt(n Var(w_i (s_i - s*_i)))``; they
    are too small where models hardly differ (by less than some 4 nats) or persons are few, below
    100 (Sivula, Magnusson, Matamoros and Vehtari 2023). The stacking weights are those of the
    mixture of all models' predictions with the best log score.

    Parameters
    ----------
    models
        By label, what ``bm.loo`` or ``bm.cross_validate`` returned, all of it by the same means and
        of the same choices.

    Returns
    -------
    DataFrame
        Rows by label: ``log score``, the weighted sum over persons, and its ``std error``;
        ``difference`` from the best and its ``difference error``; ``stacking weight``.

    Raises
    ------
    DataError
        If they are of other persons or choices.
    SpecificationError
        If they are no scores, fewer than two, or of several kinds.

    References
    ----------
    Vehtari, Gelman and Gabry (2017); Yao, Vehtari, Simpson and Gelman (2018).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> both, one = (bm.cross_validate(bm.MixedLogit(f), data, rng=1) for f in ("pf + cl", "pf"))
    >>> table = bm.compare_models({"one": one, "both": both})
    >>> table.index.tolist(), float(table.loc["both", "difference"])
    (['both', 'one'], 0.0)
    """
    rows = _aligned(models)
    weights = next(iter(rows.values()))["weight"]
    scores = pd.DataFrame({label: own["log score"] for label, own in rows.items()})
    totals = scores.mul(weights, axis="index").sum().sort_values(ascending=False, kind="stable")
    best = scores[totals.index[0]]
    apart = {label: (scores[label] - best) * weights for label in totals.index}
    table = pd.DataFrame(
        {
            "log score": totals,
            "std error": [sum_error(scores[label] * weights) for label in totals.index],
            "difference": [float(own.sum()) for own in apart.values()],
            "difference error": [sum_error(own) for own in apart.values()],
            "stacking weight": stacking_weights(
                scores[totals.index].to_numpy(), weights.to_numpy(float)
            ),
        },
        index=pd.Index(totals.index, name="model"),
    )
    return Table(table)


def _aligned(models: Any) -> dict[str, pd.DataFrame]:
    """The rows of every model, in the order of the first one's observations."""
    if not isinstance(models, Mapping) or not all(
        isinstance(own, LogScores) for own in models.values()
    ):
        kind = type(models).__name__
        wrong = (
            [f"{k!r} is a {type(v).__name__}" for k, v in models.items()]
            if isinstance(models, Mapping)
            else [f"got a {kind}"]
        )
        raise SpecificationError(f"argument 'models' must be {MEANING}; {', '.join(wrong)}")
    if len(models) < 2:
        raise SpecificationError(
            f"argument 'models' must hold two or more to compare, got {list(models)}: {MEANING}"
        )
    labels = list(models)
    first = models[labels[0]]
    rows = {labels[0]: first.rows}
    for label in labels[1:]:
        own = models[label]
        if own.unit != first.unit:
            raise SpecificationError(
                f"scores of {label!r} are of {own.unit}, those of {labels[0]!r} of {first.unit}: "
                "score all models by the same means"
            )
        rows[label] = _in_order(own, first, (label, labels[0]))
    return rows


def _in_order(own: LogScores, first: LogScores, labels: tuple[str, str]) -> pd.DataFrame:
    strange = own.rows.index.symmetric_difference(first.rows.index)
    if len(strange):
        raise DataError(
            f"models {labels[0]!r} and {labels[1]!r} are scored on other persons, such as "
            f"{first_few(strange)}: score them on the same data"
        )
    place = own.rows.index.get_indexer(first.rows.index)
    found = own.rows.iloc[place]
    same = np.array_equal(found["weight"].to_numpy(), first.rows["weight"].to_numpy())
    if not same or not np.array_equal(own.digests[place], first.digests):
        raise DataError(
            f"models {labels[0]!r} and {labels[1]!r} are scored on other choices, choice sets or "
            "weights of the same persons: score them on the same data"
        )
    return found
