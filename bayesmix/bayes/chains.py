"""NUTS on a log posterior that is a function of numbers: nothing is compiled for a model.

nutpie moves the chains, in threads; the kernels under the function let go of the interpreter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import xarray as xr
from nutpie.compiled_pyfunc import from_pyfunc
from rich.console import Console

from bayesmix.arrays import Array
from bayesmix.bayes.models import mean_dimension
from bayesmix.bayes.posterior import Whitened
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.problem import Problem

NEAREST = 1e-6
"""Distance from the mode at which a start is taken as it is."""
MOST_THREADS = 4
"""Chains that run at the same time, at most."""


@dataclass(frozen=True)
class Chains:
    """How many chains of how many draws, after how many tuning steps; whether to show progress."""

    draws: int
    tune: int
    chains: int
    progress: bool


def run_chains(problem: Problem, posterior: Whitened, how: Chains, seed: int) -> xr.DataTree:
    """Posterior and sample statistics, by the names of the model's variables.

    Chains start at draws of the normal law with the posterior's mode and curvature.

    Raises
    ------
    ConvergenceError
        If no chain finds a place to start.
    """
    names, shapes, dims, coords = _kept(problem)
    size = posterior.root.shape[1]

    def expand(x: Array, **_: Any) -> dict[str, Array]:
        return _values(problem, posterior, x, names)

    def start(seed: int) -> Array:
        x = np.asarray(np.random.default_rng(seed).standard_normal((size,)))
        while not np.isfinite(posterior(x)[0]) and np.abs(x).max() > NEAREST:
            x = x / 2  # where the normal law reaches beyond the numbers
        return x

    model = from_pyfunc(
        size,
        lambda: lambda x, **_: posterior(x),
        lambda *_: expand,
        [np.dtype(float)] * len(names),
        shapes,
        names,
        coords=coords,
        dims=dims,
        make_initial_point_fn=start,
    )
    with _progress_line(how.progress) as callback:
        run = nutpie.sample(
            model,
            blocking=False,
            draws=how.draws,
            tune=max(how.tune, 1),  # nutpie cannot do without any
            chains=how.chains,
            cores=min(MOST_THREADS, os.cpu_count() or 1),
            seed=seed,
            save_warmup=False,
            progress_bar=False,
            progress_callback=callback,
        )
        try:
            return run.wait()
        except KeyboardInterrupt:  # what is there of chains is no posterior
            run.cancel()
            raise
        except RuntimeError as error:
            raise ConvergenceError(
                "the sampler found no place to start: the posterior at its mode is not that of "
                "a maximum (a standard deviation near 0?); leave out a law of a coefficient that "
                "does not vary, or use likelihood='hierarchical'"
            ) from error


def _kept(
    problem: Problem,
) -> tuple[list[str], list[tuple[int, ...]], dict[str, tuple[str, ...]], dict[str, Any]]:
    """Names, shapes, dimensions and labels of what is kept of a draw."""
    kept = {name: own for name, own in variables(problem).items() if own[1]}
    shapes: list[tuple[int, ...]] = [(len(labels),) for _, labels in kept.values()]
    dims: dict[str, tuple[str, ...]] = {name: (dim,) for name, (dim, _) in kept.items()}
    return list(kept), shapes, dims, dict(kept.values())


def variables(problem: Problem) -> dict[str, tuple[str, list[str]]]:
    """Dimension and labels of every variable, in the order of the printed parameters."""
    space = problem.parameters.within
    return {
        "mean": (mean_dimension(problem), list(space.located_names)),
        "shape": ("shaped", list(space.shape_names)),
        "sd": ("random", list(space.random)),
        "corr": ("pair", list(space.pair_names)),
        "fixed": ("term", list(space.fixed)),
        "shift": ("shifted", list(space.shift_names)),
        "scale": ("source", list(space.scales)),
    }


def _values(
    problem: Problem, posterior: Whitened, x: Array, names: Sequence[str]
) -> dict[str, Array]:
    """The parameters that people read, by variable, at ``x``."""
    sizes = {name: len(labels) for name, (_, labels) in variables(problem).items()}
    values = problem.parameters.natural(posterior.theta(x))
    parts = np.split(values, np.cumsum(list(sizes.values()))[:-1])
    return {name: part for name, part in zip(sizes, parts, strict=True) if name in names}


@contextmanager
def _progress_line(show: bool) -> Iterator[Callable[[Any], None] | None]:
    """What nutpie calls now and then with the state of its chains."""
    if not show:
        yield None
        return
    with Console(stderr=True).status("NUTS") as status:

        def update(chains: Any) -> None:
            done = sum(chain.finished_draws for chain in chains)
            total = sum(chain.total_draws for chain in chains)
            bad = sum(len(chain.divergent_draws) for chain in chains)
            words = f"NUTS: {done:,} of {total:,} draws in {len(chains)} chains"
            status.update(words + (f", {bad} divergences" if bad else ""))

        yield update
