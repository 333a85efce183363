"""K-fold cross-validation by person, of every estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bayesmix import arguments
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.data.display import html, whole
from bayesmix.errors import DataError, SpecificationError
from bayesmix.evaluation.compare_models import compare_models
from bayesmix.evaluation.folds import METHODS, Done, FoldsJob, Task, finished, folds_of, in_order
from bayesmix.evaluation.held_out import HeldOut
from bayesmix.evaluation.person_scores import LogScores, digests_of, sum_error
from bayesmix.evaluation.scores import Predicted, Scores, score_choices
from bayesmix.integration.grids import Seed
from bayesmix.progress import tracked
from bayesmix.specification.model import MixedLogit

MOST_PROCESSES = 1024
DIGITS = "{:.4f}"
Method = str | Callable[..., Any]


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(LogScores):
    """Scores of persons, each predicted by fits without the persons of the same fold.

    Parameters
    ----------
    rows
        By person: ``log score``, ``log p(y_i)`` of all choices together; ``weight``, ``fold`` and
        ``choices``, their number.
    digests
        Digest (rows,) of the choices and sets of each row's person: scores of others are not
        compared.
    unit
        What was left out, and how: models are compared in one unit.
    choices
        Scores of single choices of new people: log score, Brier score, hit rate.
    not_converged
        Numbers of folds whose fit did not converge.
    """

    choices: Scores
    not_converged: tuple[int, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Mean scores with standard errors and intervals by person."""
        rows = self.rows
        total, n = float(rows["weight"].sum()), len(rows)
        mean = self.log_score / total
        error = sum_error(rows["weight"] * (rows["log score"] - mean)) / total
        width = float(stdtrit(max(n - 1, 1), 0.5 + self.choices.interval / 2)) * error
        person = pd.DataFrame(
            {"mean": mean, "std error": error, "low": mean - width, "high": mean + width},
            index=["log score of a person"],
        )
        single = self.choices.table[["mean", "std error", "low", "high"]]
        return pd.concat([person, single.rename(index={"log score": "log score of a choice"})])

    def _words(self) -> tuple[str, str]:
        folds = int(self.rows["fold"].nunique())
        first = f"{folds} folds of {len(self.rows)} persons: log score {self.log_score:.2f}"
        last = "" if not self.not_converged else (
            f"folds whose fit did not converge: {first_few(list(self.not_converged))}"
        )  # fmt: skip
        return f"{first}, standard error {self.std_error:.2f}", last

    def __repr__(self) -> str:
        first, last = self._words()
        return "\n".join(filter(None, [first, whole(self.summary(), DIGITS, blank="NaN"), last]))

    def _repr_html_(self) -> str:
        first, last = (escape(words, quote=False) for words in self._words())
        return f"<p>{first}</p>{html(self.summary(), DIGITS, blank='NaN')}<p>{last}</p>"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidations(Mapping[str, CrossValidation]):
    """Cross-validations of several models on the same folds, by label.

    Parameters
    ----------
    models
        The cross-validation of each model, by its label.
    """

    models: dict[str, CrossValidation]

    def __getitem__(self, label: str) -> CrossValidation:
        return self.models[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def compare(self) -> pd.DataFrame:
        """`bayesmix.compare_models` of these."""
        return compare_models(self.models)

    def __repr__(self) -> str:
        tables = [f"{label}: {own!r}" for label, own in self.models.items()]
        return "\n\n".join([*tables, *([repr(self.compare())] if len(self) > 1 else [])])

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(k)}</p>{own._repr_html_()}" for k, own in self.models.items()]
        return "".join([*parts, *([html(self.compare())] if len(self) > 1 else [])])


def cross_validate(
    model: MixedLogit | Mapping[str, MixedLogit],
    data: ChoiceData,
    *,
    folds: int = 10,
    method: Method = "msle",
    interval: float = 0.95,
    rng: Seed = None,
    processes: int = 1,
    progress: bool = False,
) -> CrossValidation | CrossValidations:
    """How well a model predicts people whom it was not fitted to, by folds of persons.

    Persons are put into folds at random. Each fold's are predicted by a fit to all others: by
    ``log p(y_i)``, the probability of all choices of a person, integrated over the population's
    tastes, at a fit's estimates or averaged over a posterior's draws; and choice by choice, as
    those of new people, by the Brier score and the hit rate.

    Parameters
    ----------
    model
        A model, or several by label, which share the folds.
    data
        Choices.
    folds
        Number of folds K, from 2 to the number of persons.
    method
        ``"msle"``, ``"msm"``, ``"mss"``, ``"nuts"`` or ``"importance"`` with the defaults of
        `msle`, `msm`, `mss` and `sample`; or a function of model and data with a keyword ``rng``,
        such as ``functools.partial(bm.msle, grid=bm.centred(bm.sobol(64)))``.
    interval
        Probability of the intervals.
    rng
        Seed or Generator: of the folds, and of every fit. The same seed gives the same numbers,
        whatever the number of processes.
    processes
        Processes that share the fits; 1 stays in this one. In a script, processes need the call to
        stand under ``if __name__ == "__main__":``.
    progress
        Whether to show a progress bar.

    Returns
    -------
    CrossValidation
        ``rows`` by person, ``log_score``, ``summary()`` and ``choices``; of several models a
        mapping of these, whose ``compare()`` has paired differences and stacking weights.

    Raises
    ------
    DataError, SpecificationError, IntegrationError, ConvergenceError
        If arguments are not of their kinds, or a fit fails; the message names fold and model.

    References
    ----------
    Vehtari, Gelman and Gabry (2017); Gneiting and Raftery (2007).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> found = bm.cross_validate(bm.MixedLogit("pf + cl"), data, folds=5, rng=1)
    >>> found.rows.shape, bool(found.summary().loc["hit rate", "mean"] > 0.25)
    ((361, 4), True)
    """
    models = _models(model)
    arguments.instance("data", data, ChoiceData, "ChoiceData with choices")
    if not data.observed:
        raise DataError("argument 'data' holds no choices, and scores are of choices")
    arguments.whole("folds", folds, least=2, most=data.n_persons)
    estimate = method if callable(method) else METHODS[
        arguments.one_of("method", method, tuple(METHODS), extra=" or a function")
    ]  # fmt: skip
    _check_call(estimate)
    arguments.real("interval", interval, above=0, below=1)
    arguments.seed("rng", rng)
    arguments.whole("processes", processes, most=MOST_PROCESSES)
    arguments.flag("progress", progress)
    generator = np.random.default_rng(rng)
    job = FoldsJob(models, data, folds_of(data.n_persons, folds, generator), estimate)
    seeds = generator.integers(2**31, size=folds)
    tasks = [Task(m, k, int(seeds[k])) for m in models for k in range(folds)]
    work = finished(job, tasks, processes)
    try:
        bar = tracked(work, "cross-validation", total=len(tasks), show=progress)
        found = dict(bar)
    finally:
        work.close()
    scored = {label: _collected(job, found, label, interval) for label in models}
    return scored["model"] if isinstance(model, MixedLogit) else CrossValidations(scored)


def _check_call(estimate: Callable[..., Any]) -> None:
    """Refuse a function that cannot be called as ``estimate(model, data, rng=seed)``."""
    try:
        signature(estimate).bind(None, None, rng=0)
    except TypeError as error:
        raise SpecificationError(
            f"argument 'method' is called as method(model, data, rng=seed): {error}; give it these"
        ) from None
    except ValueError:  # compiled functions do not say
        return


def _models(model: Any) -> dict[str, MixedLogit]:
    meaning = "a MixedLogit, or several by label, such as {'normal': model, 'lognormal': other}"
    if isinstance(model, MixedLogit):
        return {"model": model}
    if not isinstance(model, Mapping) or not model:
        raise arguments.refused("model", meaning, model)
    for label, own in arguments.mapping("model", model, meaning).items():
        arguments.instance(f"model[{label!r}]", own, MixedLogit, "a MixedLogit")
    return dict(model)


def _collected(
    job: FoldsJob, found: dict[Task, Done], label: str, interval: float
) -> CrossValidation:
    data = job.data
    logp, parts = in_order(job, found, label)
    rows = pd.DataFrame(
        {
            "log score": logp,
            "weight": data.weights,
            "fold": job.fold,
            "choices": np.diff(data.person_start),
        },
        index=pd.Index(data.persons, name=data.person or data.situation),
    )
    scores = score_choices(_together(parts), interval=interval)
    own = [task.fold for task, done in found.items() if task.model == label and not done.converged]
    unit = f"{int(job.fold.max()) + 1}-fold cross-validation by person"
    return CrossValidation(rows, digests_of(data), unit, scores, tuple(sorted(own)))


def _together(parts: list[HeldOut]) -> Predicted:
    """What was predicted in all folds, one after the other."""
    each = [part.predicted for part in parts]
    rows = np.cumsum([0, *(len(one.probability) for one in each)])
    persons = np.cumsum([0, *(one.person.max() + 1 for one in each)])
    starts = [one.start[:-1] + first for one, first in zip(each, rows[:-1], strict=True)]
    return Predicted(
        np.concatenate([one.probability for one in each]),
        np.append(np.concatenate(starts), rows[-1]),
        np.concatenate([one.chosen + k for one, k in zip(each, rows[:-1], strict=True)]),
        np.concatenate([one.person + k for one, k in zip(each, persons[:-1], strict=True)]),
        np.concatenate([one.weight for one in each]),
    )
