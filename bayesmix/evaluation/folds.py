"""Folds of persons, and the processes that share their fits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.sampling import sample
from bayesmix.classical.fit import Fit
from bayesmix.classical.msle import msle
from bayesmix.classical.msm import msm
from bayesmix.classical.mss import mss
from bayesmix.data.choices import ChoiceData
from bayesmix.data.subset import take_persons
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.evaluation.held_out import HeldOut, held_out
from bayesmix.formulas.unseen import OF_SCENARIOS as UNSEEN
from bayesmix.processes import shared
from bayesmix.specification.model import MixedLogit

Estimate = Callable[..., Any]
METHODS: dict[str, Estimate] = {
    "msle": msle,
    "msm": msm,
    "mss": mss,
    "nuts": partial(sample, progress=False),
    "importance": partial(sample, method="importance", progress=False),
}
"""Estimators by name: model and data in, and the seed by keyword."""


class Task(NamedTuple):
    """A fit of one model without the persons of one fold."""

    model: str
    fold: int
    seed: int


@dataclass(frozen=True, eq=False)
class FoldsJob:
    """What every task needs: models by label, data, the fold (I,) of each person, the estimator."""

    models: dict[str, MixedLogit]
    data: ChoiceData
    fold: Indices
    estimate: Estimate

    def persons(self, fold: int) -> Indices:
        """Places of the persons of a fold."""
        return np.flatnonzero(self.fold == fold)


class Done(NamedTuple):
    """Scores of a fold's persons, and whether the fit converged."""

    scores: HeldOut
    converged: bool


Finished = Generator[tuple[Task, Done]]

REMEDY = (
    "the fold's persons alone have them: join rare categories with others, leave these persons "
    "out, or take other folds, folds= or rng="
)


def folds_of(persons: int, folds: int, rng: np.random.Generator) -> Indices:
    """Fold (I,) of each person: as many in each, but for one, in random order.

    Examples
    --------
    >>> np.bincount(folds_of(7, 3, np.random.default_rng(1))).tolist()
    [3, 2, 2]
    """
    return rng.permutation(np.arange(persons) % folds)


def finished(job: FoldsJob, tasks: list[Task], processes: int) -> Finished:
    """Results of tasks, in order or as they are finished."""
    return shared(fit_and_score, job, tasks, processes, "cross-validation")


def fit_and_score(job: FoldsJob, task: Task) -> Done:
    """Fit without the persons of a fold, and score them.

    Raises
    ------
    DataError, SpecificationError, IntegrationError, ConvergenceError
        Of the fit, with the fold and the model named.
    """
    away = job.persons(task.fold)
    others = np.flatnonzero(job.fold != task.fold)
    try:
        result = job.estimate(job.models[task.model], take_persons(job.data, others), rng=task.seed)
        scores = held_out(result, take_persons(job.data, away), task.seed)
    except (DataError, SpecificationError, IntegrationError, ConvergenceError) as error:
        words = str(error).replace(UNSEEN, REMEDY)
        raise type(error)(f"fold {task.fold} of model {task.model!r}: {words}") from error
    return Done(scores, result.converged if isinstance(result, Fit) else True)


def in_order(job: FoldsJob, found: dict[Task, Done], model: str) -> tuple[Array, list[HeldOut]]:
    """``log p(y_i)`` (I,) of all persons, and the scores of a model's folds in their order."""
    logp, parts = np.empty(job.data.n_persons), []
    for task, done in sorted(found.items(), key=lambda item: item[0].fold):
        if task.model == model:
            logp[job.persons(task.fold)] = done.scores.logp
            parts.append(done.scores)
    return logp, parts
