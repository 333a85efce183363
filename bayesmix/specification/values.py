"""The parameters of a model by what they are: numbers, or the variables that stand for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

NONE = np.zeros(0)


class Parameters(NamedTuple):
    """Parameters of the laws and of the utility, as evaluations read them.

    Numbers in NumPy's arrays, or PyTensor's variables.

    Parameters
    ----------
    mean
        Means of the indices of the random coefficients, and shapes of their laws (K + E,).
    chol
        Lower-triangular Cholesky factor (K, K) of their covariance.
    fixed
        Fixed coefficients (F,).
    shift
        Shifts (M,) of means, a unit of their covariate.
    log_scale
        Logarithms of the scales (G,) of the sources after the first, or of the coefficients (M,)
        of nests: a model has one of them at most.
    """

    mean: Any
    chol: Any
    fixed: Any = NONE
    shift: Any = NONE
    log_scale: Any = NONE
