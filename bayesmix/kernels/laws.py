"""Mixing laws as kernels know them: by a number, and called through an address.

A law is a compiled function of a block of nodes, made by `law_map` in the file of the law. Kernels
find its address by its number in a table of this process, so that they are compiled once, without
any law in them, and that neither their cache nor a cached graph of PyTensor holds an address. The
number is a digest of the law's file: it is the same in every process, and another for other code.

``laws`` (C, 7) has a row for each coefficient, 0 where it is its Gaussian index ``b = loc + d``
itself. A law that moves is a map ``T(d; loc, s, shape)`` of ``d = L_k u``, with location and the
length ``s`` of the row ``L_k`` by themselves; the others are maps ``T(b; shape)`` of the index.
"""

from __future__ import annotations

import math
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
from numpy.typing import NDArray

from bayesmix.kernels.compiling import compiled, kernels_digest, stamped_cache

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAP, FILL, MOVES, BENDS, SHAPES, FIRST, TABLE = range(7)
"""Columns of ``laws``: numbers of the map and of what fills its table (0: none); whether it moves;
whether it writes its second derivative; how many shapes it has, and where in ``loc`` they begin;
length of its table."""
COLUMNS = 7
NO_KNOWN, NO_TABLES = np.zeros((0, 3)), np.zeros((0, 0))
LEAST_SCALE = 1e-100

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
    if Path(function.__code__.co_filename).is_file():
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


@compiled(error_model="numpy")
def _address(number: int) -> int:  # pragma: no cover - compiled
    """Where the function of this number is; 0 where it is not known."""
    table = _addresses()
    for j in range(MOST):
        if table[2 * j] == number:
            return table[2 * j + 1]
        if table[2 * j] == 0:
            break
    return 0


@compiled(error_model="numpy")
def _call_map(  # pragma: no cover - compiled
    number: int, x: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    address = _address(number)
    if address == 0:
        out[:] = np.nan
    else:
        _call(address, (x, at, known, table, out))


@compiled(error_model="numpy")
def _call_fill(  # pragma: no cover - compiled
    number: int, at: Array, known: Array, table: Array
) -> None:
    address = _address(number)
    if address != 0:
        _call(address, (at, known, table))


if JIT:
    call_map, call_fill = _call_map, _call_fill
else:

    def call_map(number: int, *args: Array) -> None:
        """The same of functions that are not compiled."""
        _KNOWN[int(number)].function(*args)

    call_fill = call_map


def no_laws(size: int) -> Indices:
    """``laws`` (size, 7) of coefficients that are their indices."""
    return np.zeros((size, COLUMNS), dtype=np.int64)


def with_fixed(laws: Indices, number: int) -> Indices:
    """``laws`` of coefficients that so many others follow, which are locations themselves."""
    moved = laws.copy()
    moved[:, FIRST] += number
    return np.concatenate([moved, no_laws(number)])


def functions_of(laws: Indices) -> tuple[int, ...]:
    """Numbers of the functions that kernels call for ``laws`` (C, 7)."""
    return tuple(int(n) for n in laws[:, [MAP, FILL]].ravel() if n)


@compiled(error_model="numpy")
def row_length(row: Array) -> float:  # pragma: no cover - compiled
    """Length of a row of the Cholesky factor: the scale of its coefficient."""
    total = 0.0
    for j in range(row.shape[0]):
        total += row[j] * row[j]
    return math.sqrt(total)


@compiled(error_model="numpy")
def law_at(laws: Indices, k: int, loc: Array, scale: float) -> Array:  # pragma: no cover - compiled
    """Location, scale and shapes of coefficient k, of a row of locations and shapes."""
    count, first = laws[k, SHAPES], laws[k, FIRST]
    at = np.empty(2 + count)
    at[0], at[1] = loc[k], scale
    for j in range(count):
        at[2 + j] = loc[first + j]
    return at


@compiled(error_model="numpy")
def law_tables(  # pragma: no cover - compiled
    laws: Indices, known: Array, loc: Array, chol: Array
) -> Array:
    """Tables (C, .) of the laws that are dear at single points; (C, 0) without such laws.

    Shapes are those of the first row of ``loc``.
    """
    longest = 0
    for k in range(laws.shape[0]):
        longest = max(longest, laws[k, TABLE])
    tables = np.zeros((laws.shape[0], longest))
    for k in range(laws.shape[0]):
        if laws[k, FILL] != 0:
            at = law_at(laws, k, loc[0], row_length(chol[k]))
            call_fill(laws[k, FILL], at, known[k], tables[k, : laws[k, TABLE]])
    return tables


@compiled(error_model="numpy")
def law_bend(  # pragma: no cover - compiled
    laws: Indices, known: Array, k: int, x: float, at: Array
) -> float:
    """``T_dd`` of coefficient k at x: the map's own, or by differences of ``T_d``."""
    points, none = np.empty(1), np.empty(0)
    out = np.empty((3 + at.shape[0], 1))
    if laws[k, BENDS] != 0:
        points[0] = x
        call_map(laws[k, MAP], points, at, known[k], none, out)
        return out[2 + at.shape[0], 0]
    step = 1e-4 * (max(at[1], LEAST_SCALE) if laws[k, MOVES] != 0 else 1.0)
    points[0] = x + step
    call_map(laws[k, MAP], points, at, known[k], none, out)
    up = out[1, 0]
    points[0] = x - step
    call_map(laws[k, MAP], points, at, known[k], none, out)
    return (up - out[1, 0]) / (2.0 * step)


@compiled(error_model="numpy")
def law_values(  # pragma: no cover - compiled
    law: Indices, known: Array, d: Array, loc: Array, at: Array
) -> Array:
    """``T`` (n, G) of one law at ``d`` (n,) and locations (G,); ``law`` (7,) is a row of ``laws``.

    ``at`` are location, scale and shapes; the location is taken from ``loc``.
    """
    n, here = d.shape[0], at.copy()
    found = np.empty((n, loc.shape[0]))
    table, out = np.zeros(law[TABLE]), np.empty((3 + at.shape[0], n))
    if law[FILL] != 0:
        call_fill(law[FILL], here, known, table)
    x = np.empty(n)
    for g in range(loc.shape[0]):
        here[0] = loc[g]
        x[:] = d if law[MOVES] != 0 else loc[g] + d
        call_map(law[MAP], x, here, known, table, out)
        found[:, g] = out[0]
    return found


@compiled(error_model="numpy")
def law_reach(  # pragma: no cover - compiled
    law: Indices, known: Array, value: float, loc: Array, at: Array
) -> Array:
    """The standard normals (G,) at which a law that rises has a value, by bisection."""
    found, here, d = np.empty(loc.shape[0]), np.empty(1), np.empty(1)
    for g in range(loc.shape[0]):
        low, high = -40.0, 40.0
        here[0] = loc[g]
        for _ in range(60):
            middle = 0.5 * (low + high)
            d[0] = middle * at[1]
            if law_values(law, known, d, here, at)[0, 0] < value:
                low = middle
            else:
                high = middle
        found[g] = 0.5 * (low + high)
    return found


@compiled(error_model="numpy")
def law_table(  # pragma: no cover - compiled
    laws: Indices, known: Array, d: Array, loc: Array, scale: Array
) -> Array:
    """``T`` and its derivatives by d, location, scale and shapes (4 + E, n, K), of every law.

    ``d`` (n, K), ``loc`` (1 or n, K + E), ``scale`` (K,); a shape has its row of derivatives in the
    column of its coefficient.
    """
    n, size = d.shape
    found = np.zeros((4 + loc.shape[1] - size, n, size))
    none, x = np.empty(0), np.empty(n)
    for k in range(size):
        moves = laws[k, MOVES] != 0
        for i in range(n):
            x[i] = d[i, k] if moves else loc[min(i, loc.shape[0] - 1), k] + d[i, k]
        if laws[k, MAP] == 0:
            found[0, :, k] = x
            found[1, :, k] = 1.0
            found[2, :, k] = 1.0
            continue
        # A law that moves is called for each location by itself.
        step = 1 if moves and loc.shape[0] > 1 else max(n, 1)
        for first in range(0, n, step):
            at = law_at(laws, k, loc[min(first, loc.shape[0] - 1)], scale[k])
            out = np.empty((3 + at.shape[0], step))
            call_map(laws[k, MAP], x[first : first + step], at, known[k], none, out)
            for s in range(step):
                i = first + s
                found[0, i, k], found[1, i, k] = out[0, s], out[1, s]
                found[2, i, k] = out[2, s] if moves else out[1, s]
                found[3, i, k] = out[3, s] if moves else 0.0
                for j in range(laws[k, SHAPES]):
                    found[4 + laws[k, FIRST] - size + j, i, k] = out[4 + j, s]
    return found
