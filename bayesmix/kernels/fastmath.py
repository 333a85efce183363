"""The exponential, written so that a loop over nodes vectorises.

numba's wheel calls a scalar ``exp`` of some 4 ns; this one is branch-free arithmetic that LLVM
turns into vector code, at a relative error of 2e-16.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

# ln 2 in two parts, so that the reduced argument is exact (Cody and Waite 1980).
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LOG2_E = 1.4426950408889634
# Adding and subtracting 1.5 * 2**52 rounds to an integer, and leaves it in the low bits.
_ROUND = 6755399441055744.0


@intrinsic
def bits(typingctx: Any, x: Any) -> Any:
    """The 64 bits of a number, as an integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic
def _from_bits(typingctx: Any, x: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


if config.DISABLE_JIT:  # in plain Python, for debugging

    def bits(x: float) -> Any:
        """The 64 bits of a number, as an integer."""
        return np.float64(x).view(np.int64)

    def _from_bits(x: Any) -> Any:
        return np.int64(x).view(np.float64)


@njit(fastmath={"contract"}, inline="always", error_model="numpy")
def exp(x: float) -> float:  # pragma: no cover - compiled
    """``exp(x)`` for x <= 700; below -708 it returns exp(-708), about 3e-308.

    The polynomial interpolates exp at the Chebyshev points of [-ln 2 / 2, ln 2 / 2].
    It is inlined, and takes the caller's floating-point flags: callers must not allow
    reassociation, which would undo the rounding.
    """
    x = max(x, -708.0)
    t = x * _LOG2_E + _ROUND
    n = t - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 2.5110037721946562e-08
    p = p * r + 2.7632639789868395e-07
    p = p * r + 2.7557240918265525e-06
    p = p * r + 2.480148548192088e-05
    p = p * r + 0.00019841269890047406
    p = p * r + 0.0013888888952315155
    p = p * r + 0.008333333333319601
    p = p * r + 0.04166666666648809
    p = p * r + 0.1666666666666668
    p = p * r + 0.5000000000000019
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _from_bits((bits(t) + 1023) << 52)
