"""Distribution function and density of the standard normal, compiled."""

from __future__ import annotations

import math

from bayesmix.kernels.compiling import part

SQRT_2 = math.sqrt(2.0)
LOG_2PI = math.log(2.0 * math.pi)
FARTHEST = 37.0
"""Standard normals beyond this have a tail that is 0 in double precision."""


@part(error_model="numpy")
def below(z: float) -> float:  # pragma: no cover - compiled
    """``Phi(z)``."""
    return 0.5 * math.erfc(-z / SQRT_2)


@part(error_model="numpy")
def density(z: float) -> float:  # pragma: no cover - compiled
    """``phi(z)``."""
    return math.exp(-0.5 * (z * z + LOG_2PI))
