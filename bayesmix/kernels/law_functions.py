"""Functions of laws, compiled when first needed and called by kernels through an address.

A law is a compiled function of a block of nodes, made by `law_map` in the file of the law. Kernels
find its address by its number in a table of this process, so that they are compiled once, without
any law in them, and that neither their cache nor a cached graph of PyTensor holds an address. The
number is a digest of the law's file: it is the same in every process, and another for other code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.ccallback import CFunc
from numba.core.errors import TypingError
from numba.extending import intrinsic

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import kernels_digest, part, stamped_cache

VECTOR, MATRIX = types.float64[::1], types.float64[:, ::1]
KINDS = {
    5: (VECTOR, VECTOR, VECTOR, VECTOR, MATRIX),
    3: (VECTOR, VECTOR, VECTOR),
}
"""What functions take, by the number of arguments: of maps, and of what fills their tables."""

MOST = 1024
SYMBOL = "bayesmix_laws"
_ADDRESSES = np.zeros((MOST, 2), dtype=np.int64)
llvmlite.binding.add_symbol(SYMBOL, _ADDRESSES.ctypes.data)
_KNOWN: dict[int, LawFunction] = {}
_READY: set[int] = set()
_LOCK = Lock()
JIT = not numba.config.DISABLE_JIT


class LawFunction:
    """A function of a law's file that kernels call; it is compiled when it is first needed."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        path = Path(function.__code__.co_filename)
        # Of a notebook or a prompt there is no file: every definition is another function.
        text = path.read_bytes() if path.is_file() else token_bytes(32)
        words = f"{function.__module__}.{function.__qualname__} {kernels_digest()}".encode()
        # Of 63 bits and odd, so that it is never the 0 of no law.
        self.number = int.from_bytes(sha256(words + text).digest()[:8]) >> 1 | 1
        _KNOWN[self.number] = self

    def ready(self) -> None:
        """Compile it, and tell kernels its address."""
        with _LOCK:
            if self.number not in _READY:
                if JIT:
                    _tell(self.number, _compile(self.function))
                _READY.add(self.number)


def _compile(function: Callable[..., None]) -> int:
    """The address of the compiled function."""
    kind = KINDS[function.__code__.co_argcount], types.void
    own: Any = CFunc(function, kind, {}, {"error_model": "numpy"})
    own._cache = stamped_cache(function)
    own.compile()
    return int(own.address)


def _tell(number: int, address: int) -> None:
    place = len(_READY)
    if place == MOST:
        raise RuntimeError(f"more than {MOST} functions of mixing laws in one process")
    _ADDRESSES[place, 1] = address
    _ADDRESSES[place, 0] = number  # last: until then nobody finds it


def law_map(function: Callable[..., None]) -> LawFunction:
    """Compile the map of a law, or what fills its table, for kernels to call.

    A map is ``f(x, at, known, table, out)``. ``x`` (n,) are the indices ``b`` of a block of nodes,
    or ``d`` of a law that moves; ``at`` location, scale and shapes; ``known`` sign and bounds;
    ``out`` (3 + len(at), n) takes ``T``, its derivative by x, those by ``at``, and, of laws that
    say so, the second by x. What fills a table is ``f(at, known, table)``.
    """
    return LawFunction(function)


def ready(numbers: Iterable[int]) -> None:
    """Make these functions (0: none) known to kernels in this process.

    Raises
    ------
    LookupError
        If there is no such function: its file has changed, or was not imported here.
    """
    for number in numbers:
        if number and number not in _READY:
            if number not in _KNOWN:
                raise LookupError(
                    "a mixing law of this model is not known in this process: import the file that "
                    "defines it before the model is used, and make the model anew where the file "
                    "has changed"
                )
            _KNOWN[number].ready()


@intrinsic
def _addresses(typing_context: Any) -> Any:
    """Pointer to the table of numbers and addresses."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.ArrayType(ir.IntType(64), 2 * MOST)
        try:
            table = builder.module.get_global(SYMBOL)
        except KeyError:
            table = cgutils.add_global_variable(builder.module, kind, SYMBOL)
        return builder.bitcast(table, ir.IntType(64).as_pointer())

    return types.CPointer(types.int64)(), generate


@intrinsic
def _call(typing_context: Any, address: Any, args: Any) -> Any:
    """Call the function at ``address`` with the arrays of a tuple."""
    if any(kind.layout != "C" for kind in args):
        raise TypingError("a mixing law reads contiguous arrays")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = cgutils.unpack_tuple(builder, values[1], len(args))
        kinds = [context.get_value_type(kind) for kind in args]
        function = ir.FunctionType(context.get_value_type(types.none), kinds)
        builder.call(builder.inttoptr(values[0], function.as_pointer()), arrays)
        return context.get_dummy_value()

    return types.void(types.int64, args), generate


@part(error_model="numpy")
def _address(number: int) -> int:  # pragma: no cover - compiled
    """Where the function of this number is; 0 where it is not known."""
    table = _addresses()
    for j in range(MOST):
        if table[2 * j] == number:
            return table[2 * j + 1]
        if table[2 * j] == 0:
            break
    return 0


@part(error_model="numpy")
def _call_map(  # pragma: no cover - compiled
    number: int, x: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    address = _address(number)
    if address == 0:
        for row in range(out.shape[0]):
            for s in range(out.shape[1]):
                out[row, s] = np.nan
    else:
        _call(address, (x, at, known, table, out))


@part(error_model="numpy")
def _call_fill(  # pragma: no cover - compiled
    number: int, at: Array, known: Array, table: Array
) -> None:
    address = _address(number)
    if address != 0:
        _call(address, (at, known, table))


def _plain(number: int, *args: Array) -> None:
    """The same of functions that are not compiled."""
    _KNOWN[int(number)].function(*args)


call_map: Callable[..., None] = _call_map if JIT else _plain
call_fill: Callable[..., None] = _call_fill if JIT else _plain
