"""Draw-type sequences, written person by person into arrays of standard normals.

Each kernel fills `out (n, K, S)` with the nodes of persons first..first+n-1 and is a pure function
of (key, person, dimension, node). Kernels release the GIL and use no threading layer of numba, so
that they may be called from several threads at once; `sobol` shares persons among threads itself.
"""

import numpy as np

from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.normal_quantile import to_normal
from bayesmix.kernels.random_bits import below, bits, stream, unit
from bayesmix.kernels.threads import share, take

TOP_BIT = np.uint64(1 << 63)
ONE = np.uint64(1)
SHIFT_COUNTER = 64  # counters 0..63 hold the columns of the scrambling matrix


@part(nogil=True)
def _scramble(start: np.uint64, directions: np.ndarray, scrambled: np.ndarray) -> None:
    """Multiply direction numbers `(m,)` by the random lower unitriangular matrix of a stream.

    Column b of the matrix has a one in bit b (counted from the top) and random bits below it. The
    direction number j reaches no further than bit j, so that only m columns are ever needed.
    """
    for j in range(scrambled.size):
        scrambled[j] = np.uint64(0)
    for b in range(directions.size):
        place = TOP_BIT >> np.uint64(b)
        column = place | (bits(start, b) >> np.uint64(b + 1))
        for j in range(b, directions.size):
            if directions[j] & place:
                scrambled[j] ^= column


@part(nogil=True)
def _digital_points(shift: np.uint64, directions: np.ndarray, words: np.ndarray) -> None:
    """Points of a digital sequence in natural order: bit j of the node's index adds direction j."""
    words[0] = shift
    done = 1
    for j in range(directions.size):
        direction = directions[j]
        for s in range(min(done, words.size - done)):
            words[done + s] = words[s] ^ direction
        done *= 2


def sobol(
    key: np.uint64,
    first: int,
    directions: np.ndarray,
    out: np.ndarray,
    *,
    threads: int | None = None,
) -> None:
    """Sobol points, an own linear matrix scramble and digital shift for each person and dimension.

    `directions (K, m)` are 64-bit direction numbers, highest bit first, 2**m >= S. The scramble is
    that of Matousek (1998), the one of SciPy's `qmc.Sobol`.
    """
    share(_sobol, len(out), key, first, directions, out, threads=threads)


@compiled(nogil=True)
def _sobol(
    queue: np.ndarray, key: np.uint64, first: int, directions: np.ndarray, out: np.ndarray
) -> None:
    persons, dimension, nodes = out.shape
    scrambled = np.empty(directions.shape[1], np.uint64)
    words = np.empty(nodes, np.uint64)
    begin = take(queue)
    while begin < persons:
        for i in range(begin, min(begin + queue[1], persons)):
            for k in range(dimension):
                start = stream(key, first + i, k)
                _scramble(start, directions[k], scrambled)
                _digital_points(bits(start, SHIFT_COUNTER), scrambled, words)
                for s in range(nodes):
                    out[i, k, s] = unit(words[s])
                to_normal(out[i, k])
        begin = take(queue)


@part(nogil=True)
def _shuffle(start: np.uint64, counter: int, order: np.ndarray) -> None:
    """Random permutation of 0..order.size-1 (Fisher and Yates), from counters `counter` on."""
    for a in range(order.size):
        order[a] = a
    for a in range(order.size - 1, 0, -1):
        b = below(bits(start, counter + a), a + 1)
        order[a], order[b] = order[b], order[a]


@part(nogil=True, error_model="numpy")
def _halton_row(start: np.uint64, base: int, row: np.ndarray) -> None:
    """Randomised van der Corput points in one base: an own permutation for every digit.

    The digits beyond those of the last index are zero for every node, hence one random constant.
    Points are built digit by digit: those with digit c follow those with digit 0.
    """
    order = np.empty(base, np.int64)
    counter, done, scale = 1, 1, 1.0
    row[0] = 0.0
    while done < row.size:
        _shuffle(start, counter, order)
        counter += base
        scale /= base
        for c in range(base - 1, -1, -1):
            for s in range(max(0, min(done, row.size - c * done))):
                row[c * done + s] = row[s] + order[c] * scale
        done *= base
    rest = unit(bits(start, 0)) * scale
    for s in range(row.size):
        row[s] += rest


@compiled(nogil=True)
def halton(key: np.uint64, first: int, primes: np.ndarray, out: np.ndarray) -> None:
    """Halton points, own random digit permutations for each person and dimension (Owen 2017)."""
    persons, dimension, _ = out.shape
    for i in range(persons):
        for k in range(dimension):
            _halton_row(stream(key, first + i, k), primes[k], out[i, k])
            to_normal(out[i, k])


@part(nogil=True, error_model="numpy")
def radical_inverse(index: int, base: int) -> float:
    """Digits of `index` in a base, mirrored at the point: 6 = 110 in base 2 gives 0.011 = 0.375."""
    value, scale = 0.0, 1.0
    while index > 0:
        scale /= base
        value += (index % base) * scale
        index //= base
    return value


@part(nogil=True, error_model="numpy")
def _mirror_table(base: int, least: int) -> np.ndarray:
    """Radical inverses of 0..n-1, n the first power of the base that is not below `least`."""
    period = base
    while period < least:
        period *= base
    table = np.empty(period)
    for index in range(period):
        table[index] = radical_inverse(index, base)
    return table


@part(nogil=True, error_model="numpy")
def _halton_run(index: int, base: int, table: np.ndarray, row: np.ndarray) -> None:
    """Elements index, index+1, ... of the plain Halton sequence in one base.

    The lower digits of an index are read in the table; the higher ones change once a table.
    """
    period, s = table.size, 0
    while s < row.size:
        high, low = index // period, index % period
        offset = radical_inverse(high, base) / period
        run = min(period - low, row.size - s)
        for step in range(run):
            row[s + step] = table[low + step] + offset
        s += run
        index += run


@compiled(nogil=True)
def plain_halton(skip: int, first: int, primes: np.ndarray, out: np.ndarray) -> None:
    """The unscrambled Halton sequence, dealt out: person i owns elements skip + iS .. + S-1."""
    persons, dimension, nodes = out.shape
    for k in range(dimension):
        table = _mirror_table(primes[k], nodes)
        for i in range(persons):
            _halton_run(skip + (first + i) * nodes, primes[k], table, out[i, k])
            to_normal(out[i, k])


@compiled(nogil=True, error_model="numpy")
def mlhs(key: np.uint64, first: int, out: np.ndarray) -> None:
    """Modified Latin hypercube: (s + u)/S, one u a person and dimension, in random order.

    Source: Hess, Train and Polak (2006).
    """
    persons, dimension, nodes = out.shape
    order = np.empty(nodes, np.int64)
    for i in range(persons):
        for k in range(dimension):
            start = stream(key, first + i, k)
            _shuffle(start, 0, order)
            offset = unit(bits(start, 0))  # the shuffle starts at counter 1
            for s in range(nodes):
                out[i, k, s] = (order[s] + offset) / nodes
            to_normal(out[i, k])


@compiled(nogil=True)
def monte_carlo(key: np.uint64, first: int, antithetic: bool, out: np.ndarray) -> None:
    """Independent normals; when antithetic, the second half is minus the first."""
    persons, dimension, nodes = out.shape
    drawn = nodes // 2 if antithetic else nodes
    for i in range(persons):
        for k in range(dimension):
            start = stream(key, first + i, k)
            row = out[i, k]
            for s in range(drawn):
                row[s] = unit(bits(start, s))
            to_normal(row[:drawn])
            for s in range(drawn, nodes):
                row[s] = -row[s - drawn]
