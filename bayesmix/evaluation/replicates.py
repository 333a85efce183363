"""Choices drawn from a model at one theta, of new people or of known ones, and their probabilities.

Of a person with nodes s, weights w_s and log-probabilities l_st of the choices made, what the
choices other than the one in t say of the nodes is ``w_s exp(sum_u l_su - l_st)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.centring.people import people
from bayesmix.data.choices import ChoiceData
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import OfPersons, joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.simulate import draw_choices, draw_coefficients

ROW_BYTES = 2**26
"""Memory of a number for each row and node of a block of persons."""


class AtNodes(NamedTuple):
    """Of a block of n persons, with R rows and T situations, at S nodes.

    ``probabilities`` (R, S) of the rows, ``chosen`` (T, S) logarithms of those of what was chosen,
    ``joint`` (n, S) of all choices of a person, ``log_weights`` (n, S) of the nodes.
    """

    probabilities: Array
    chosen: Array
    joint: Array
    log_weights: Array


@dataclass(frozen=True, eq=False)
class KnownPeople:
    """People who are known by their choices, with nodes for their coefficients.

    Parameters
    ----------
    problem
        The model bound to their choices.
    middle
        The free vector (P,) at which nodes are placed.
    nodes
        Nodes a person.
    rng
        Of the nodes.
    """

    problem: Problem
    middle: Array
    nodes: int
    rng: np.random.Generator

    @cached_property
    def grid(self) -> Grid:
        """Nodes, which stay where they are few."""
        who = people(self.problem, self.middle, known=True, nodes=self.nodes, rng=self.rng)
        found: Grid = Likelihood(self.problem, who.grid).nodes
        return found

    @property
    def step(self) -> int:
        """Persons of a block, whose rows at all nodes are few enough."""
        rows = self.problem.data.n_rows / self.problem.n_persons
        nodes = self.grid.size * self.problem.parameters.classes
        return max(1, int(ROW_BYTES / (8 * rows * nodes)))

    def over(self, theta: Array, work: Callable[..., tuple], *beside: OfPersons) -> tuple:
        """Arrays of all persons, joined: ``work(here, grid, *beside)`` of each block."""
        point = Point(self.problem, theta)
        return joined(over_persons(point, self.grid, work, *beside, step=self.step))


def at_nodes(here: Point, grid: Grid) -> AtNodes:
    """Probabilities of a block's rows and choices at the nodes of its persons."""
    persons, panel = here.persons, here.panel
    mixture = here.mixture(*grid.block(0, persons.n_persons))
    beta = coefficients_everywhere(mixture)
    owner = persons.row_person if len(beta) > 1 else np.zeros(len(panel.x), dtype=np.int64)
    utility = np.repeat(here.base[:, None], beta.shape[2], axis=1)
    for k in range(beta.shape[1]):
        utility += panel.x[:, [k]] * beta[owner, k]
    start = panel.situation_start
    situation = np.repeat(np.arange(len(start) - 1), np.diff(start))
    top = np.maximum.reduceat(utility, start[:-1])
    top = np.maximum(top, 0.0) if panel.outside else top
    odds = np.exp(utility - top[situation])
    total = np.add.reduceat(odds, start[:-1]) + (np.exp(-top) if panel.outside else 0.0)
    inside = panel.chosen_row >= 0
    best = np.where(inside[:, None], utility[np.maximum(panel.chosen_row, 0)], 0.0)
    chosen = best - top - np.log(total)
    joint = np.add.reduceat(chosen, panel.person_start[:-1])
    with np.errstate(divide="ignore"):
        log_weights = np.broadcast_to(np.log(mixture.weights), joint.shape)
    return AtNodes(odds / total[situation], chosen, joint, log_weights)


def given_others(here: Point, grid: Grid) -> tuple[Array, Array]:
    """Of each choice, given the others of its person.

    ``log P(y_it | y_i without t)`` (T,), and the probabilities (R,) of all that might have been
    chosen.
    """
    at = at_nodes(here, grid)
    panel = here.panel
    person = np.repeat(np.arange(len(at.joint)), np.diff(panel.person_start))
    every = at.log_weights + at.joint
    without = every[person] - at.chosen
    own, rest = _log_sum(every)[person], _log_sum(without)
    share = np.exp(without - rest[:, None])
    situation = np.repeat(np.arange(len(share)), np.diff(panel.situation_start))
    return own - rest, np.einsum("rs,rs->r", at.probabilities, share[situation])


def at_drawn_nodes(here: Point, grid: Grid, uniform: Array) -> tuple[Array]:
    """Probabilities (R,) at a node of each person, drawn by ``uniform`` (n,) given the choices."""
    at = at_nodes(here, grid)
    every = at.log_weights + at.joint
    reached = np.exp(every - _log_sum(every)[:, None]).cumsum(axis=1)
    node = np.minimum((reached < uniform[:, None]).sum(axis=1), reached.shape[1] - 1)
    rows = np.arange(len(at.probabilities))
    return (at.probabilities[rows, node[here.persons.row_person]],)


def drawn_codes(data: ChoiceData, probabilities: Array, rng: np.random.Generator) -> Indices:
    """Codes (T,) of alternatives drawn with the rows' probabilities (R,), -1 the outside one's."""
    start = data.situation_start
    reached = np.cumsum(probabilities)
    before = np.append(0.0, reached)[start[:-1]]
    uniform = rng.random(data.n_situations)
    if not data.outside_option:  # sums are 1 but for rounding
        uniform = uniform * (reached[start[1:] - 1] - before)
    passed = reached <= np.repeat(before + uniform, np.diff(start))
    place = np.add.reduceat(passed.astype(np.int64), start[:-1])
    out = place >= np.diff(start)
    row = start[:-1] + np.minimum(place, np.diff(start) - 1)
    codes = data.alternative_code[row]
    return np.where(out, -1, codes) if data.outside_option else codes


def codes_of_new_people(problem: Problem, theta: Array, rng: np.random.Generator) -> Indices:
    """Codes (T,) of what new people would choose from these persons' sets."""
    beta = draw_coefficients(problem, theta, rng)
    rows = draw_choices(problem, theta, beta, rng)
    codes = problem.data.alternative_code[np.maximum(rows, 0)]
    return np.where(rows >= 0, codes, -1)


def _log_sum(values: Array) -> Array:
    top = values.max(axis=1)
    found: Array = top + np.log(np.exp(values - top[:, None]).sum(axis=1))
    return found
