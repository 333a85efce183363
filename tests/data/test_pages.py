"""Arrays in files give their memory back, and keep what they hold."""

import mmap
import sys

import numpy as np
import pytest

from bayesmix.data.pages import release, scratch, taken

linux = pytest.mark.skipif(sys.platform != "linux", reason="by Linux's page map")


def resident():
    """Bytes of files that are in this process's memory."""
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("RssFile"))


@linux
def test_memory_is_given_back_and_numbers_stay(tmp_path):
    values = scratch((2**18, 8), tmp_path)
    values[:] = np.arange(8.0)
    with_pages = resident()
    for first in range(0, len(values), 2**14):
        release(values[first : first + 2**14])
    assert with_pages - resident() > 0.9 * values.nbytes
    assert (values == np.arange(8.0)).all()
    assert not list(tmp_path.iterdir())  # the file has no name


@linux
def test_what_somebody_has_written_to_a_store_stays(tmp_path):
    path = tmp_path / "column.bin"
    np.zeros(2**16).tofile(path)
    values = np.asarray(np.memmap(path, dtype=np.float64, mode="c"))
    values[7] = 3.0
    release(values)
    assert values[7] == 3.0
    assert np.fromfile(path)[7] == 0.0


def test_neighbours_on_a_page_and_arrays_in_memory_are_left(tmp_path):
    values = scratch((mmap.PAGESIZE, 1), tmp_path)
    values[:] = 1.0
    release(values[3:5])
    release(np.ones(3))
    release(values[:0])
    assert values.sum() == mmap.PAGESIZE


def test_columns_are_taken_in_their_order(tmp_path):
    values = scratch((5, 3), tmp_path)
    values[:] = np.arange(15.0).reshape(5, 3)
    assert taken(values, [0, 1, 2], None) is values
    found = taken(values, [2, 0], tmp_path)
    assert found.flags.c_contiguous
    assert isinstance(found.base, np.memmap)
    np.testing.assert_array_equal(found, np.array(values)[:, [2, 0]])
    assert taken(np.array(values), [1], tmp_path).tolist() == [[1.0], [4.0], [7.0], [10.0], [13.0]]
