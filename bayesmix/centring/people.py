"""Whose coefficients expectations are over: the population's, or each person's given choices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import centre
from bayesmix.centring.moments import posterior_weights
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.data.labels import check_same_kind
from bayesmix.data.subset import take_persons
from bayesmix.errors import DataError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood.bind import like
from bayesmix.likelihood.persons import GivenNodes, chunk_size
from bayesmix.likelihood.point import Persons, Point
from bayesmix.likelihood.problem import Grid, Problem


@dataclass(frozen=True, eq=False)
class People:
    """The persons of whom something is predicted, with nodes for their coefficients.

    Parameters
    ----------
    problem
        The model bound to what is known of these persons, in this order: their choices.
    grid
        A population grid, or a person-centred one.
    known
        Whether nodes have their shares of the person's integral for weights, which is the law given
        the person's choices.
    """

    problem: Persons
    grid: Grid
    known: bool = False

    @property
    def step(self) -> int:
        """Persons whose nodes are few enough to look at all of them."""
        return chunk_size(self.problem, self.grid)

    @cached_property
    def _nodes(self) -> Grid:
        """The grid, of nodes that stay where they are no more than a chunk."""
        number = self.problem.whole.n_persons
        return GivenNodes(*self.grid.block(0, number)) if self.step >= number else self.grid

    def at(self, theta: Array) -> People:
        """The same people where choices are known with the residuals of ``theta`` (P + G,)."""
        return People(self.problem.block_at(theta), self._nodes, self.known)

    def part(self, start: int, stop: int) -> People:
        """Persons start .. stop - 1 alone."""
        return People(
            self.problem.whole.part(start, stop), self._nodes.part(start, stop), self.known
        )

    def mixture(self, there: Point) -> Mixture:
        """Coefficients in a problem on the same persons: their sets, or a scenario."""
        nodes, weights = self._nodes.block(0, self.problem.whole.n_persons)
        found = there.mixture(nodes, weights)
        if not self.known:
            return found
        past = Point(self.problem, there.theta)
        own = past.mixture(nodes, weights)
        return found._replace(weights=posterior_weights(past.log_probabilities(own), own.weights))


def people(
    problem: Problem, theta: Array, *, known: bool, nodes: int, rng: np.random.Generator
) -> People:
    """The population's people, or known ones with nodes placed at ``theta``."""
    size = problem.parameters.n_random
    if size and known:
        rule = centred(sobol(nodes), moments=True)
        return People(problem, centre(problem, rule, theta, rng), known)
    grid = population_grid(sobol(nodes if size else 1), size, problem.n_persons, rng)
    return People(problem, grid, known)


def past_choices(past: Problem, sets: ChoiceData | None, *, own: bool) -> Problem:
    """The choices that known people are known by: ``past``, of the persons of ``sets``.

    Parameters
    ----------
    past
        The model bound to choices.
    sets
        What is predicted; None where that is the sets of ``past`` themselves.
    own
        Whether these are the choices of the estimation, which the parameters know in any case.

    Raises
    ------
    DataError
        If there are no choices, or choices would be predicted from themselves.
    """
    if not past.data.observed:
        raise DataError(
            "people='known' are known by their choices, and the data hold none: give their past "
            "choices as the data, and the sets to predict for as predict="
        )
    varying = past.model.random
    if sets is None and varying and not own:
        raise DataError(
            "people='known' with choices other than those of the estimation: they would be "
            "predicted from themselves, as if each answer were known before it is given; give what "
            "is known as the data and what is to be predicted as predict=, such as "
            "bm.shares(fit, past, predict=holdout, people='known'), or people='population'"
        )
    return past if sets is None else those_of(past, sets)


def those_of(past: Problem, sets: ChoiceData) -> Problem:
    """The past choices of the persons of other choice sets, in the order of these.

    Raises
    ------
    DataError
        If there are persons of whom no choice is known, or persons stand for situations in one of
        the two.
    """
    data = past.data
    if (data.person is None) != (sets.person is None):
        which = ("argument 'predict'", "the data") if sets.person is None else (
            "the data", "argument 'predict'")  # fmt: skip
        raise DataError(
            f"{which[0]} was made with person=None, where every situation is its own person, and "
            f"{which[1]} was not: give the column of persons in both, by which known people are "
            "found again"
        )
    check_same_kind("predict", sets.persons, data.persons)
    place = data.persons.get_indexer(sets.persons)
    unknown = sets.persons[place < 0]
    if len(unknown):
        raise DataError(
            f"argument 'predict' has {len(unknown)} persons of whom the data have no choices, "
            f"{first_few(unknown)}: leave them out, add their past choices to the data, or predict "
            "with people='population'"
        )
    if np.array_equal(place, np.arange(data.n_persons)):
        return past
    return like(past, take_persons(data, place))
