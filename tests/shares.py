"""Shares of rows and their derivatives, as moments read them, block by block."""

from typing import NamedTuple

from bayesmix.arrays import Array
from bayesmix.likelihood.persons import over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.share_slopes import share_step, shares_of


class Shares(NamedTuple):
    """Of the rows (n,) of some persons, with derivatives (n, P)."""

    values: Array
    slopes: Array


def shares_at(problem, grid, theta):
    """`Shares` on a grid at a free vector, block by block."""
    step = share_step(problem, grid)
    for block in over_persons(Point(problem, theta), grid, shares_of, step=step):
        yield Shares(*block)
