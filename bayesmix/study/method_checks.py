"""Whether a study's methods know its model: what they would refuse, before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bayesmix.bayes.control import check_first_stage, refuse_posterior_nests
from bayesmix.bayes.held import check_held
from bayesmix.bayes.importance_check import check_importance
from bayesmix.bayes.paths import check_segments, sampled_path
from bayesmix.classical.clusters import person_groups
from bayesmix.classical.msm import moments_problem
from bayesmix.classical.mss import scores_problem
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.feasible import check_free
from bayesmix.specification.model import MixedLogit
from bayesmix.study.schema import Study


def check_methods(study: Study, model: MixedLogit, data: ChoiceData) -> None:
    """Refuse what one of the methods would refuse once it ran.

    Raises
    ------
    SpecificationError, DataError
        As the method does, with the remedy to leave it out.
    """
    if study.estimate.cluster is not None:
        person_groups(data, study.estimate.cluster)
    problem = bind(model, data)
    for name in study.estimate.methods:
        try:
            CHECKS[name](study, problem)
        except SpecificationError as error:
            if len(study.estimate.methods) == 1:
                raise
            raise SpecificationError(
                f"{error}; or leave '{name}' out of the methods in [estimate]"
            ) from error


def _msle(study: Study, problem: Problem) -> None:
    """It knows all models."""


def _msm(study: Study, problem: Problem) -> None:
    moments_problem(problem.model, problem.data)


def _mss(study: Study, problem: Problem) -> None:
    scores_problem(problem.model, problem.data)


def _posterior(study: Study, problem: Problem, method: str) -> None:
    """As `bayesmix.sample` does."""
    estimate = study.estimate
    refuse_posterior_nests(problem.model)
    check_free(problem.constraint, f"'{method}'")
    check_held(problem, study.priors, noncentred=True)
    path, _ = sampled_path(problem, estimate.likelihood)
    check_first_stage(problem, centred=False)
    if method == "importance":
        check_importance(problem, path, None)
    elif estimate.checkpoint:
        check_segments(problem, path, method, "auto")


def _nuts(study: Study, problem: Problem) -> None:
    _posterior(study, problem, "nuts")


def _importance(study: Study, problem: Problem) -> None:
    _posterior(study, problem, "importance")


CHECKS: Mapping[str, Callable[[Study, Problem], None]] = {
    "msle": _msle,
    "msm": _msm,
    "mss": _mss,
    "nuts": _nuts,
    "importance": _importance,
}
