"""Labels of latent classes in a posterior: an order that fixes them, and a look at whether it did.

The likelihood does not change when classes are renumbered. The posterior is kept to one numbering
by the order of one coefficient over classes: that which tells the classes of the data best apart,
in the order that it has where EM ends, so that class 1 is the largest there, as in a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
import xarray as xr
from pymc.logprob.transforms import Transform
from scipy.optimize import linear_sum_assignment

from bayesmix.arrays import Array
from bayesmix.likelihood.multinomial import Multinomial, multinomial
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.em import class_theta, random_classes
from bayesmix.specification.parameter import FIXED, MEAN, Parameter

TRIES = 20
"""Random starts of the EM that numbers the classes; always the same ones."""


@dataclass(frozen=True)
class Ordering:
    """A coefficient whose values rise in the given order of classes.

    Parameters
    ----------
    parameters
        The coefficient of each class, from the smallest value to the largest.
    """

    parameters: tuple[Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(parameter) for parameter in self.parameters)

    @property
    def kind(self) -> str:
        """``"mean"`` or ``"fixed"``."""
        return self.parameters[0].kind.name

    def positions(self, problem: Problem) -> list[int]:
        """Where they stand among the parameters of their kind."""
        labels = problem.parameters.labels[self.kind]
        return [labels.index(parameter.label) for parameter in self.parameters]

    def __str__(self) -> str:
        return " < ".join(self.names)


def numbered_classes(problem: Problem, logit: Multinomial | None = None) -> Array:
    """The free vector (P,) where EM ends, classes by their share, the largest first."""
    logit = multinomial(problem) if logit is None else logit
    return class_theta(problem, random_classes(problem, logit, np.random.default_rng(0), TRIES))


def ordering(problem: Problem, theta: Array) -> Ordering:
    """The coefficient that tells the classes best apart at ``theta`` (P,), in its order there.

    Of point coefficients and means of laws inside of classes: that whose nearest two values are
    farthest apart, in utils a typical difference of the attribute.
    """
    space, within = problem.parameters, problem.within
    values = np.array([within.parameters.natural(t) for t in space.class_thetas(theta)])
    units = within.parameters.series(natural_units(within))
    best, gap = (), -1.0
    for place, parameter in enumerate(within.parameters.listed):
        printed = space.select_printed[:, place]
        if np.ptp(printed) == 0 or parameter.kind not in (MEAN, FIXED):
            continue
        order = np.argsort(values[:, place])
        here = float(np.diff(values[order, place]).min() / units[str(parameter)])
        if here > gap:
            best, gap = tuple(space.listed[p] for p in printed[order]), here
    return Ordering(best)


class OrderedEntries(Transform):
    """A vector some of whose entries rise in a given order: differences on the log scale."""

    name = "ordered_entries"

    def __init__(self, positions: list[int]) -> None:
        self.positions = positions

    def backward(self, value: Any, *inputs: Any) -> Any:
        first, rest = self.positions[0], self.positions[1:]
        steps = pt.concatenate([value[[first]], pt.exp(value[rest])])
        return value[self.positions].set(pt.cumsum(steps))

    def forward(self, value: Any, *inputs: Any) -> Any:
        ordered = value[self.positions]
        return value[self.positions[1:]].set(pt.log(ordered[1:] - ordered[:-1]))

    def unordered(self, values: Array) -> Array:
        """`forward` of many vectors (n, M) at once, in NumPy."""
        free = values.copy()
        free[:, self.positions[1:]] = np.log(np.diff(values[:, self.positions], axis=1))
        return free

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        return value[self.positions[1:]].sum()


@dataclass(frozen=True)
class LabelCheck:
    """Whether all parts of a posterior number the classes alike.

    Parameters
    ----------
    switched, parts
        Halves of chains whose classes, matched to the others', are numbered otherwise; their count.
    """

    switched: int
    parts: int

    def __str__(self) -> str:
        if not self.switched:
            return f"no label switching: {self.parts} half-chains number the classes alike"
        return (
            f"label switching: {self.switched} of {self.parts} half-chains number the classes "
            "otherwise, and parameters of single classes mean nothing; use fewer classes, or tell "
            "them apart by priors"
        )


def check_labels(problem: Problem, posterior: xr.Dataset) -> LabelCheck:
    """Match the classes of each half of each chain to those of the median half.

    Means of all parameters of a class, in standard deviations within halves, are matched at the
    least sum of squared distances (Stephens 2000 relabels draws in that way).
    """
    space = problem.parameters
    values = np.concatenate([posterior[kind].to_numpy() for kind in space.labels], axis=-1)
    own = np.ptp(space.select_printed, axis=0) > 0
    places = space.select_printed[:, own]
    halves = [half[:, places] for chain in values for half in np.array_split(chain, 2)]
    means = np.stack([half.mean(axis=0) for half in halves])
    spread = np.stack([half.std(axis=0) for half in halves]).mean(axis=(0, 1))
    means = means / np.where(spread > 0, spread, 1.0)
    middle = np.median(means, axis=0)
    switched = 0
    for half in means:
        cost = ((half[:, None, :] - middle[None, :, :]) ** 2).sum(axis=2)
        _, match = linear_sum_assignment(cost)
        switched += not np.array_equal(match, np.arange(space.classes))
    return LabelCheck(switched, len(halves))
