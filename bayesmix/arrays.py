"""What arrays are called in signatures; their shapes stand in docstrings."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
"""Whole numbers: places of rows, persons or groups, counts."""
Flags = NDArray[np.bool_]
