"""Everything that first uses compile, compiled beforehand."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bayesmix import arguments
from bayesmix.kernels.first_use import DEMAND, QUADRATURE, SAMPLING, compile_together, processors
from bayesmix.specification.laws.base import FAMILIES


def warm(*, processes: int | None = None, progress: bool = True) -> int:
    """Compile what a first fit, posterior and measure of demand would, once on a machine.

    Code is kept beside the package or, where that cannot be written to, in the user's folder of
    caches; NUMBA_CACHE_DIR names another. It is found again by the same version of the package and
    of numba on the same processor, by any number of processes.

    Parameters
    ----------
    processes
        How many share the work, this one among them; by default one a processor.
    progress
        Whether to show a progress bar.

    Returns
    -------
    int
        How many kernels were not there yet: 0 where nothing was left to do.

    Examples
    --------
    >>> import bayesmix as bm
    >>> missing = bm.warm(progress=False)
    >>> bm.warm(progress=False)
    0
    """
    arguments.flag("progress", progress)
    if processes is not None:
        arguments.whole("processes", processes)
    wanted = (*SAMPLING, *QUADRATURE, *DEMAND)
    missing = [each for each in wanted if not each.is_ready()]
    laws = [part for family in FAMILIES.values() for part in (family.map, family.fill) if part]
    columns = TextColumn("compiling (once)"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, disable=not (progress and missing)) as bar:
        task = bar.add_task("", total=len(missing) + len(laws))
        compile_together(
            missing,
            processes=processes or processors(),
            tell=lambda done: bar.update(task, completed=done),
        )
        for number, law in enumerate(laws, len(missing) + 1):
            law.ready()
            bar.update(task, completed=number)
    return len(missing)
