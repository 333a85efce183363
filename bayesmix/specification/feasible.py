"""Whether any parameters keep the constraints: names, contradictions, bounds."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from bayesmix.errors import SpecificationError
from bayesmix.specification.constraint_map import ConstraintMap, constraint_map
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.elimination import KEPT
from bayesmix.specification.held_rows import INFEASIBLE
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import LOGGED, SD


def check_constraints(space: Layout, constraints: Constraints) -> None:
    """Refuse names of constraints that are no parameters, and what contradicts.

    Raises
    ------
    SpecificationError
        As `constraint_map`, or if bounds contradict what is held and tied.
    """
    if not constraints:
        return
    found = constraint_map(space, constraints)
    if constraints.bounds:
        _check_bounds(space, found)


def check_free(constraint: ConstraintMap | None, verb: str) -> None:
    """Refuse constraints that leave a verb nothing to estimate.

    Raises
    ------
    SpecificationError
        If all parameters are held.
    """
    if constraint is not None and not constraint.size:
        raise SpecificationError(
            f"the constraints hold all parameters, and leave {verb} nothing to estimate "
            f"({constraint.constraints}): msle has the log-likelihood there"
        )


def _check_bounds(space: Layout, found: ConstraintMap) -> None:
    """Refuse bounds that contradict each other, or what is held and tied.

    Of standard deviations and correlations that are not linear in the free vector nothing is known
    before they are estimated.
    """
    limits = {p: (0.0, np.inf) for p in found.linear if space.listed[p].kind == SD}
    for name, low, high in found.constraints.bounds:
        place = space.names.index(name)
        kind = space.listed[place].kind
        if (kind == SD and high < 0.0) or (kind in LOGGED and high <= 0.0):
            raise SpecificationError(
                f"argument 'bounds': {name} is {high:g} at most, and no standard deviation is "
                "negative, nor a scale or a coefficient of a nest 0: leave the bound out, or hold "
                "the parameter, fixed="
            )
        if place in found.linear:
            with np.errstate(divide="ignore"):
                ends = np.log((max(low, 0.0), high)) if kind in LOGGED else (low, high)
            limits[place] = max(ends[0], limits.get(place, ends)[0]), ends[1]
    if not limits:
        return
    rows = np.array([found.linear[p] for p in limits])
    # A linear program has one variable at least, though all may be held.
    slopes = np.column_stack([rows @ found.directions, np.zeros(len(rows))])
    at = rows @ found.offset
    low, high = np.array(list(limits.values())).T
    left = np.concatenate([-slopes[low > -np.inf], slopes[high < np.inf]])
    right = np.concatenate([(at - low)[low > -np.inf], (high - at)[high < np.inf]])
    size = slopes.shape[1]
    free = [(None, None)] * size
    if linprog(np.zeros(size), left, right + KEPT, bounds=free).status == INFEASIBLE:
        raise SpecificationError(
            f"no values keep all of {found.constraints}: bounds contradict what is held and tied"
        )
