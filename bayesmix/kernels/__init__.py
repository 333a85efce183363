"""Everything compiled by numba: it knows no model, no parameter and no data set."""
