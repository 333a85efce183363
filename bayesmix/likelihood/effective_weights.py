"""Weights in the scale in which a nat is one person's: searches do not depend on the scale given.

A weighted log-likelihood is of as many persons as tell as much (Kish 1965),
``n = (sum w)^2 / sum w^2``, once it is divided by ``u = sum w^2 / sum w``: then weights sum to n,
its curvature is about that of the estimates' covariance, and thresholds in nats or in standard
errors mean with weights what they mean without. Weights that sum to a population, to n or to 1 are
the same data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.likelihood.problem import Problem

DIGITS = 2.0**32
"""Relative precision of rescaled weights: a search repeats its path to the bit at any scale, which
the last digits of quotients would not let it, and no estimate moves by 1e-9 standard errors."""
SAME = 1e-9
"""Distance of the unit from 1, relative, below which weights are as they should be."""


def person_unit(weights: Array) -> float:
    """Nats of the weighted log-likelihood that are one of an effective person's, ``u``.

    Examples
    --------
    >>> import numpy as np
    >>> person_unit(np.array([30.0, 30.0, 30.0])), person_unit(np.array([1.0, 2.0]))
    (30.0, 1.6666666666666667)
    """
    top = float(weights.max())
    relative = weights / top
    return top * float(relative @ relative / relative.sum())


def in_effective_persons(problem: Problem) -> tuple[Problem, float]:
    """The problem with weights ``w / u``, and u; the problem itself where u is 1."""
    weights = problem.data.weights
    unit = person_unit(weights)
    if abs(unit - 1.0) <= SAME:
        return problem, 1.0
    mantissa, exponent = np.frexp(weights / unit)
    rounded = np.ldexp(np.round(mantissa * DIGITS) / DIGITS, exponent)
    data = replace(problem.data, weights=rounded)
    return replace(problem, data=data), unit
