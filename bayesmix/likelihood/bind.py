"""A model bound to data: the one it is estimated on, other data, sets to predict, scenarios."""

from __future__ import annotations

from dataclasses import replace

from bayesmix.data.checks import check_estimable
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import check_offset, check_outside
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import Learnt
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.design import Design
from bayesmix.specification.feasible import check_constraints
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.scale import Sources


def bind(
    model: MixedLogit,
    data: ChoiceData,
    scales: Sources | None = None,
    learnt: Learnt | None = None,
) -> Problem:
    """The model on these data, with every check of the specification made.

    ``scales`` are the sources that it was estimated on, and ``learnt`` what its formulas learnt
    there, where it was, on other data.
    """
    check_arguments(model, data)
    check_estimable(data)
    design = model.design(data, scales=scales, learnt=learnt)
    problem = Problem(model=model, data=data, design=design.centred(data))
    check_constraints(problem.parameters, model.constraints)
    return problem


def bind_sets(
    model: MixedLogit,
    data: ChoiceData,
    scales: Sources | None = None,
    learnt: Learnt | None = None,
) -> Problem:
    """The model on choice sets for which parameters are known: `bind`, without what estimates ask.

    A set may be the only one, and columns be the same in all of it.
    """
    check_arguments(model, data)
    design = model.design(data, scales=scales, learnt=learnt, estimated=True)
    return Problem(model=model, data=data, design=design.centred(data))


def bind_like(problem: Problem, data: ChoiceData, argument: str = "data") -> Problem:
    """The model of ``problem`` on other data, with what its formula has learnt from its own.

    Raises
    ------
    DataError
        If they are no choice data, or have another offset or outside option.
    """
    own = problem.data
    if data is own:
        return problem
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument {argument!r} must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )
    check_offset(data, own.known.offset, "the fit")
    check_outside(data, own.outside_option, "the fit")
    return like(problem, data)


def check_arguments(model: MixedLogit, data: ChoiceData) -> None:
    """Refuse what is not a model and data."""
    if not isinstance(model, MixedLogit):
        raise SpecificationError(
            f"argument 'model' must be a MixedLogit, got {type(model).__name__}: the model comes "
            "first, then the data"
        )
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument 'data' must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )


def to_predict(problem: Problem) -> Problem:
    """The problem on what predictions are of: whole choice sets, and of rankings the first choices.

    Raises
    ------
    DataError
        If alternatives were sampled: choices out of a sample that holds what was chosen are not
        choices out of anything that people face.
    """
    data = problem.data
    if data.known.sampled is not None:
        raise DataError(
            f"the data hold samples of alternatives (column {data.known.sampled!r}), which serve "
            "to estimate: to predict, give in the place of the data those with the sets that "
            "people choose from, made without sampling= and correction=: bm.shares(fit, whole)"
        )
    first = data.first_choices()
    if first is data:
        return problem
    return like(problem, first)


def like(problem: Problem, data: ChoiceData) -> Problem:
    """The model on other data, with what its formula has learnt from those of ``problem``."""
    design = problem.model.design(data, like=problem.design)
    return replace(problem, data=data, design=design.centred(data))


def written(problem: Problem) -> Problem:
    """The problem with columns as the formula has them, however far from 0."""
    if problem.design.levels is None:
        return problem
    return replace(problem, design=problem.design.written(problem.data))


def in_scenario(problem: Problem, scenario: ChoiceData) -> Design:
    """The columns in a scenario of the problem's situations, which differ by what changes alone."""
    design = problem.model.design(scenario, like=problem.design)
    return design.less(problem.design.levels, scenario)


def bind_scenario(problem: Problem, scenario: ChoiceData) -> Problem:
    """The model of ``problem`` on a scenario made from its data: nothing is learnt anew.

    Raises
    ------
    DataError
        If the scenario is none, or its persons, situations or offset are not those of the problem's
        data.
    """
    problem = to_predict(problem)
    check_scenario(problem.data, scenario)
    return replace(problem, data=scenario, design=in_scenario(problem, scenario))


def check_scenario(data: ChoiceData, scenario: ChoiceData) -> None:
    """Refuse what was not made from these data."""
    if not isinstance(scenario, ChoiceData):
        raise DataError(
            f"argument 'scenario' must be made from the data, such as data.without('bus'), got "
            f"{type(scenario).__name__}"
        )
    if not scenario.situations.equals(data.situations) or scenario.outside_option != (
        data.outside_option
    ):
        raise DataError(
            "argument 'scenario' has other persons or situations than the data: make it from them, "
            "with with_attribute, without or with_alternative"
        )
    if scenario.known.offset != data.known.offset:
        raise DataError(
            f"argument 'scenario' has the offset {scenario.known.offset!r}, and the data have "
            f"{data.known.offset!r}: make it from them, with with_attribute where it is to change"
        )
    if scenario.known.matched != data.known.matched:
        raise DataError(
            f"argument 'scenario' has the constants {scenario.known.matched!r} of bm.match_shares, "
            f"and the data have {data.known.matched!r}: make it from the data that have them"
        )
