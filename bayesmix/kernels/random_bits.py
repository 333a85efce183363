"""Random bits as a pure function of (key, person, dimension, counter).

No state is carried from one person to the next, so that any chunking of the people and any number
of threads gives the same numbers, and nothing needs to be stored. The mixing function is the
finaliser of SplitMix64 (Steele, Lea and Flood 2014), nested over the coordinates: the stream of a
person and dimension is a SplitMix64 generator whose start is a hash of (key, person, dimension).
"""

import numpy as np

from bayesmix.kernels.compiling import part

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio, made odd
MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
MULTIPLY_2 = np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
ONE = np.uint64(1)
DROP, HALF, CELL = np.uint64(12), 0.5, 2.0**-52
LOW, WORD = np.uint64(0xFFFFFFFF), np.uint64(32)


@part(nogil=True)
def mix(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: a bijection of 64 bits in which every input bit moves every other."""
    x = (x ^ (x >> SHIFT_1)) * MULTIPLY_1
    x = (x ^ (x >> SHIFT_2)) * MULTIPLY_2
    return x ^ (x >> SHIFT_3)


@part(nogil=True)
def stream(key: np.uint64, person: int, dimension: int) -> np.uint64:
    """Start of the stream of one person and dimension."""
    state = mix(key + GOLDEN)
    state = mix(state ^ (GOLDEN * (np.uint64(person) + ONE)))
    return mix(state ^ (GOLDEN * (np.uint64(dimension) + ONE)))


@part(nogil=True)
def bits(start: np.uint64, counter: int) -> np.uint64:
    """The 64 random bits at position `counter` of a stream."""
    return mix(start + GOLDEN * (np.uint64(counter) + ONE))


@part(nogil=True)
def unit(word: np.uint64) -> float:
    """A double strictly inside (0, 1) from 64 bits: the middle of one of 2**52 equal cells."""
    return (np.float64(np.int64(word >> DROP)) + HALF) * CELL


@part(nogil=True)
def below(word: np.uint64, bound: int) -> np.int64:
    """An integer in 0..bound-1 from the low 32 bits, for bounds far below 2**32."""
    return np.int64(((word & LOW) * np.uint64(bound)) >> WORD)
