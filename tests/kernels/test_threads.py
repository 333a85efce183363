"""Every person is taken once, by whichever thread."""

import threading

import numpy as np
import pytest

from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.threads import share, take, thread_count, use_threads


@compiled(nogil=True)
def count(queue, times):
    first = take(queue)
    while first < times.shape[0]:
        for i in range(first, min(first + queue[1], times.shape[0])):
            for _ in range(1000):
                times[i] += 1
        first = take(queue)


@pytest.mark.parametrize("persons", [0, 1, 2, 1003])
def test_every_person_is_taken_once(persons):
    count(np.array([0, 1]), np.zeros(1, dtype=np.int64))  # compiled, so that helpers are asked
    for threads in (1, 2, 7):
        times = np.zeros(persons, dtype=np.int64)
        share(count, persons, times, threads=threads)
        np.testing.assert_array_equal(times, 1000)


def test_callers_in_several_threads_share_the_helpers():
    counts = [np.zeros(200, dtype=np.int64) for _ in range(6)]
    callers = [
        threading.Thread(target=share, args=(count, 200, own), kwargs={"threads": 3})
        for own in counts
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    np.testing.assert_array_equal(counts, 1000)


@pytest.mark.jit
def test_what_fails_in_a_helper_fails_in_the_caller():
    main, begun = threading.get_ident(), threading.Event()

    def kernel(queue):
        if threading.get_ident() != main:
            begun.set()
            raise ArithmeticError("in a helper")
        begun.wait(timeout=60)

    with pytest.raises(ArithmeticError, match="in a helper"):
        share(kernel, 10, threads=2)


@pytest.mark.jit
def test_the_number_of_threads_is_what_was_asked_for():
    default = thread_count()
    use_threads(3)
    try:
        assert thread_count() == 3
    finally:
        use_threads(None)
    assert thread_count() == default
