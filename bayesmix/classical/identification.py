"""In words, what the data hardly identify at an estimate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmix.classical.covariance import Information
from bayesmix.likelihood.weakest import weakest_direction
from bayesmix.specification.parameters import ParameterSpace

Array = NDArray[np.float64]


def diagnosis(found: Information, space: ParameterSpace, theta: Array) -> str:
    """What is not identified, or hardly, in a sentence; "" where all is well."""
    nothing = found.weakest(space)
    if nothing:
        return f"Not identified: the direction {nothing}"
    weakest = weakest_direction(found.hessian, space, theta)
    if weakest is None or not (weakest.hardly and weakest.smallest > 0):
        return ""
    return str(weakest.fault())
