"""A posterior's variables by the flat names of the parameters: ``mean[pf]``, ``corr[pf, cl]``."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

SAMPLE_DIMS = ("chain", "draw")


def population_variables(posterior: xr.Dataset) -> list[str]:
    """Names of the variables that are parameters: those of single persons are left out."""
    return [str(name) for name in posterior.data_vars if "person" not in posterior[name].dims]


def flat_items(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Each scalar parameter with its flat name, in the order of the dataset.

    Parameters
    ----------
    dataset
        Variables with any dimensions besides ``chain`` and ``draw``, which are left in place.

    Yields
    ------
    (name, values)
        `values` has the dimensions ``chain`` and ``draw`` only, or none.

    Examples
    --------
    >>> data = xr.Dataset({"mean": ("random", [1.0, 2.0])}, coords={"random": ["pf", "cl"]})
    >>> [(name, float(value)) for name, value in flat_items(data)]
    [('mean[pf]', 1.0), ('mean[cl]', 2.0)]
    """
    for name, _, values in named_items(dataset):
        yield name, values


def named_items(dataset: xr.Dataset) -> Iterator[tuple[str, tuple[str, str], xr.DataArray]]:
    """`flat_items` with the parts of each name: the variable, and what stands in brackets."""
    for variable in population_variables(dataset):
        values = dataset[variable]
        dims = [dim for dim in values.dims if dim not in SAMPLE_DIMS]
        for position in np.ndindex(*(values.sizes[dim] for dim in dims)):
            cell = values.isel(dict(zip(dims, position, strict=True)))
            where = zip(dims, position, strict=True)
            labels = ", ".join(str(values[dim].values[index]) for dim, index in where)
            name = f"{variable}[{labels}]" if dims else variable
            yield name, (variable, labels or variable), cell
