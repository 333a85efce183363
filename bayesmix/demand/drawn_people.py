"""Coefficients of every person, drawn with the parameters: the population's, or given choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.centring.people import People
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import CheckedOptions, Where
from bayesmix.demand.sample import Sample, enumerate_sample
from bayesmix.errors import SpecificationError
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.likelihood.persons import OfPersons, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.simulate import draw_coefficients


@dataclass(frozen=True, eq=False)
class DrawnPeople:
    """Parameters (D, P) and, at each, one draw of every person's coefficients.

    Parameters
    ----------
    sample
        Choice sets, and whose coefficients: the population's, or of known persons.
    thetas
        Free vectors.
    rng
        Where the persons' draws come from.
    """

    sample: Sample
    thetas: Array
    rng: np.random.Generator

    @property
    def problem(self) -> Problem:
        """The model bound to the choice sets."""
        return self.sample.there

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """``theta`` and ``beta`` (I, .), draw by draw."""
        for theta in self.thetas:
            yield theta, self._coefficients(theta)

    def _coefficients(self, theta: Array) -> Array:
        people, there = self.sample.people, self.problem
        if not people.known:
            return draw_coefficients(there, theta, self.rng)
        uniform = OfPersons(self.rng.random(there.n_persons))
        known = people.at(theta)
        blocks = over_persons(Point(there, theta), known, _of_nodes, uniform, step=people.step)
        return np.concatenate(list(blocks))


def _of_nodes(here: Point, known: People, uniform: Array) -> Array:
    """A node of every person (n,), drawn with its share of the person's integral: (n, .)."""
    mixture = known.mixture(here)
    values, share = coefficients_everywhere(mixture), mixture.weights
    persons = np.arange(len(uniform))
    values = np.broadcast_to(values, (len(persons), *values.shape[1:]))
    reached = np.broadcast_to(share.cumsum(axis=1), (len(persons), share.shape[1]))
    node = np.minimum((reached < uniform[:, None]).sum(axis=1), share.shape[1] - 1)
    return values[persons, :, node]


def drawn_people(
    result: Fit | xr.DataTree, data: ChoiceData, where: Where, how: CheckedOptions
) -> DrawnPeople:
    """``how.draws`` draws of the parameters and of every person's coefficients.

    A posterior's draws, and a bootstrap's replications, are used several times where there are
    fewer.

    Raises
    ------
    SpecificationError
        If the uncertainty is asked for by the delta method, which draws nothing.
    """
    if how.uncertainty == "delta":
        raise SpecificationError(
            "argument 'uncertainty': people are drawn with draws of the parameters, of which "
            "'delta' has none: take 'krinsky-robb' or a bootstrap"
        )
    rng = np.random.default_rng(how.rng)
    found = enumerate_sample(result, data, where, CheckedOptions(**{**vars(how), "rng": rng}))
    drawn = found.uncertainty.points[-found.uncertainty.draws :]
    return DrawnPeople(found, drawn[np.arange(how.draws) * len(drawn) // how.draws], rng)
