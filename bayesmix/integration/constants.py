"""Constants of the low-discrepancy sequences: primes and Sobol direction numbers."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy

WORD_BITS = 32  # of SciPy's sequence; the kernels use 64
STORED = Path(__file__).parent / "sobol_directions.npy"
"""`from_scipy(64, 32)`, as 32-bit words: importing `scipy.stats` takes as long as a small fit."""


@lru_cache
def first_primes(count: int) -> np.ndarray:
    """The first primes `(count,)`: 2, 3, 5, ... (the bases of a Halton sequence).

    >>> first_primes(5).tolist()
    [2, 3, 5, 7, 11]
    """
    primes: list[int] = []
    candidate = 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
        candidate += 1
    return _frozen(np.array(primes, np.int64))


@lru_cache
def directions(dimension: int, columns: int) -> np.ndarray:
    """Sobol direction numbers `(K, columns)` of Joe and Kuo (2008) as 64-bit words, top bit first.

    Those of the first dimensions are stored.
    """
    words = np.load(STORED)
    if dimension > len(words):
        words = from_scipy(dimension, columns)
    found = words[:dimension, :columns].astype(np.uint64)
    return _frozen(np.ascontiguousarray(found << np.uint64(64 - WORD_BITS)))


def from_scipy(dimension: int, columns: int) -> np.ndarray:
    """Direction numbers `(K, columns)` of `WORD_BITS` bits, read off SciPy's unscrambled sequence.

    It runs in Gray-code order, where the point of index 2**j is the sum (exclusive or) of
    directions j and j - 1.
    """
    sequence = scipy.stats.qmc.Sobol(dimension, scramble=False, bits=WORD_BITS)
    found = np.zeros((dimension, columns + 1), np.uint64)  # the last column stays zero, for j = 0
    for j in range(columns):
        sequence.reset()
        sequence.fast_forward(2**j)
        point = (sequence.random(1)[0] * 2.0**WORD_BITS).astype(np.uint64)
        found[:, j] = point ^ found[:, j - 1]
    return found[:, :columns]


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
