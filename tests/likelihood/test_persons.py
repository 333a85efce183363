"""Blocks of persons: what works on them is theirs alone, and no number depends on the cuts."""

import pickle
from functools import partial

import numpy as np
import pytest

from bayesmix import LKJNormal, Normal
from bayesmix.accuracy.certify import tail_shapes
from bayesmix.accuracy.pooling import pool
from bayesmix.centring.accept_reject import accepted_draws
from bayesmix.centring.grids import centre, moments_of_block
from bayesmix.centring.people import People, people
from bayesmix.centring.row_shares import expected_rows
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, monte_carlo, sobol
from bayesmix.kernels.threads import use_threads
from bayesmix.likelihood import persons
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood, log_integrals
from bayesmix.likelihood.persons import GivenNodes, OfPersons, OfRows, in_turn, joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.optimise.anchored_scores import anchored_integrals
from bayesmix.optimise.louis import law_scores
from bayesmix.specification.classes import LatentClass
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices
from tests.shares import shares_at

MODELS = {
    "mixed": MixedLogit("price + time + C(mode)", random=[LKJNormal("price", "time")]),
    "random": MixedLogit("price + time", random=[LKJNormal("price", "time")]),
    "classes": MixedLogit("price + time + C(mode)", random=LatentClass("price", Normal("time"))),
}


def problem_of(kind="mixed"):
    frame = choice_frame(np.random.default_rng(1))
    return bind(MODELS[kind], choices(frame, weights="weight"))


def theta_of(problem):
    theta = 0.3 * np.random.default_rng(2).normal(size=problem.parameters.size)
    inner = problem.within.parameters
    theta[inner.diagonal()] = 0.6
    return theta


def everything(kind):
    """Whatever is computed of persons, on one seed."""
    problem = problem_of(kind)
    theta = theta_of(problem)
    grid = centre(problem, centred(sobol(16), moments=True), theta, 1)
    logp, scores = Likelihood(problem, grid).by_person(theta)
    known = people(problem, theta, known=True, nodes=16, rng=np.random.default_rng(1))
    found = [logp, scores, *expected_rows(known, problem, theta)]
    if kind == "classes":
        return [*found, Likelihood(problem, grid).by_class(theta)]
    plain = population_grid(sobol(16), 2, problem.n_persons, 1)
    shares = [np.concatenate([s.slopes for s in shares_at(problem, plain, theta)])]
    grids = [grid, grid.renewed(2)]
    streams = tuple(population_grid(monte_carlo(64), k, problem.n_persons, k) for k in (2, 1))
    work = anchored_integrals if kind == "random" else log_integrals
    pooled = pool(Point(problem, theta), grids, work, np.eye(len(theta)))
    return [
        *found,
        *shares,
        *joined(over_persons(Point(problem, theta), grid, moments_of_block)),
        *pooled[:2],
        tail_shapes(problem, theta, grids),
        accepted_draws(problem, theta, streams, 2).nodes,
        law_scores(problem, grid, theta),
    ]


def equal(found, expected, rtol=0.0):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=0.0)


def through_pickles(tasks):
    return in_turn(pickle.loads(pickle.dumps(task)) for task in tasks)


@pytest.mark.parametrize("kind", list(MODELS))
def test_works_can_be_pickled_and_give_the_same_bits(monkeypatch, kind):
    """As if in another process: of all paths, persons a few at a time."""
    expected = everything(kind)
    monkeypatch.setattr(persons, "in_turn", through_pickles)
    monkeypatch.setattr(persons, "BLOCK_BYTES", 4 * 8 * 16 * 3)
    # Sums over blocks come in their order, and are rounded by it.
    equal(everything(kind)[:-1], expected[:-1])
    equal(everything(kind)[-1:], expected[-1:], rtol=1e-12)


def test_a_work_holds_nothing_of_other_persons(monkeypatch):
    problem = problem_of()
    theta, sizes = theta_of(problem), []

    def weighed(tasks):
        for task in tasks:
            sizes.append(len(pickle.dumps(task)))
            yield task()

    monkeypatch.setattr(persons, "in_turn", weighed)
    grid = centre(problem, centred(sobol(16)), theta, 1)
    who = People(problem, grid, known=True)
    rows = OfRows(problem.whole, problem.design.fixed)
    for step in (problem.n_persons, 1):
        sizes.clear()
        beside = who, rows, OfPersons(problem.data.weights)
        list(over_persons(Point(problem, theta), grid, nothing, *beside, step=step))
        if step > 1:
            whole = sizes[0]
    assert len(sizes) == problem.n_persons
    # One of 30 persons: what is left are the layouts of the parameters.
    assert max(sizes) < whole / 6


def nothing(*parts):
    return None


def test_a_part_is_made_of_the_persons_own_numbers():
    problem = problem_of()
    point = Point(problem, theta_of(problem))
    grid = population_grid(sobol(8), 2, problem.n_persons, 1)
    part, own = point.part(11, 20), grid.part(11, 20)
    rows = problem.rows(11, 20)
    np.testing.assert_array_equal(part.base, point.base[rows])
    np.testing.assert_array_equal(part.panel.x, point.panel.x[rows])
    np.testing.assert_array_equal(own.block(0, 9)[0], grid.block(11, 20)[0])
    np.testing.assert_array_equal(own.part(2, 5).block(0, 3)[0], grid.block(13, 16)[0])
    again = part.part(2, 5)
    np.testing.assert_array_equal(again.base, point.base[problem.rows(13, 16)])
    given = GivenNodes(*grid.block(0, problem.n_persons)).part(4, 6)
    np.testing.assert_array_equal(given.block(0, 2)[0], grid.block(4, 6)[0])


@pytest.mark.parametrize("kind", list(MODELS))
def test_any_number_of_threads_gives_the_same_bits(kind):
    found = []
    try:
        for threads in (1, 2):
            use_threads(threads)
            found.append(everything(kind))
    finally:
        use_threads(None)
    equal(*found)


def test_blocks_come_in_the_order_of_persons():
    problem = problem_of()
    grid = population_grid(sobol(4), 2, problem.n_persons, 1)
    work = partial(lambda here, grid, place: place[0])
    places = OfPersons(np.arange(problem.n_persons))
    found = over_persons(Point(problem, theta_of(problem)), grid, work, places, step=7)
    assert list(found) == [0, 7, 14, 21, 28]
