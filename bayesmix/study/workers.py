"""The cluster that a command's persons are shared by: processes here, or those of a scheduler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bayesmix.errors import SpecificationError
from bayesmix.likelihood.cluster import ClusterGoneError

PATIENCE = 20.0
"""Seconds until a scheduler counts as not there."""
MISSING = "clusters need Dask, which is not installed: install it by pip install 'bayesmix[dask]'"


@contextmanager
def cluster(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """A ``distributed.Client`` of so many processes here, or of a scheduler; None without either.

    Processes share the processors' threads among them.

    Raises
    ------
    SpecificationError
        If both are given, Dask is not installed, or no scheduler answers at the address.
    OSError
        If the cluster goes while something is computed there.
    """
    if workers is None and scheduler is None:
        yield None
        return
    if workers is not None and scheduler is not None:
        raise SpecificationError(
            "--workers starts processes here, and --scheduler has those of a cluster: give one"
        )
    try:
        import distributed
    except ImportError:
        raise SpecificationError(MISSING) from None
    with gone_is_said():
        if scheduler is not None:
            with _connected(distributed, scheduler) as client:
                yield client
            return
        threads = max(1, (os.cpu_count() or 1) // int(workers or 1))
        settings = {"NUMBA_NUM_THREADS": os.environ.get("NUMBA_NUM_THREADS", str(threads))}
        with (
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=50,
                env=settings,
            ) as here,
            distributed.Client(here, set_as_default=False) as client,
        ):
            yield client


@contextmanager
def gone_is_said() -> Iterator[None]:
    """A cluster that goes, and what is kept: an error that a command shows without a traceback."""
    try:
        yield
    except ClusterGoneError as error:
        raise OSError(
            f"{error}; finished steps, and what there is of the MSLE's search, are in the run "
            "folder, and the same command goes on from there"
        ) from error


def _connected(distributed: Any, scheduler: str) -> Any:
    try:
        # One that finds nobody, and is dask's default, stays it: nothing can be written after.
        return distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # none answers, or that is no address
        raise SpecificationError(
            f"no scheduler answers at '{scheduler}' ({type(error).__name__}): start it, or give "
            "its address, such as --scheduler tcp://host:8786"
        ) from error
