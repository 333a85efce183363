"""NUTS on a log posterior that is a function of numbers: nothing is compiled for a model.

nutpie moves the chains, in threads; the kernels under the function let go of the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import nutpie
import xarray as xr
from nutpie.compiled_pyfunc import from_pyfunc
from rich.console import Console

from bayesmix.arrays import Array
from bayesmix.bayes.chain_segments import Segments, run_segments, stand_digest, thread_limit
from bayesmix.bayes.class_model import dimension
from bayesmix.bayes.pointwise import FIRST_STAGE
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.checkpoint import Checkpoint
from bayesmix.likelihood.problem import Problem

NEAREST = 1e-6
"""Distance from the mode at which a start is taken as it is."""
MOST_THREADS = 4
"""Chains that run at the same time, at most."""
CAREFUL = 0.95
"""Acceptance that steps are adapted to where the posterior is bent, in place of nutpie's 0.8."""
QUIET: dict[str, Any] = {"blocking": False, "save_warmup": False, "progress_bar": False}
"""Of every run: progress is shown in lines of our own."""


class Movable(Protocol):
    """A log posterior that chains move on: with persons integrated out, or with them."""

    @property
    def size(self) -> int: ...

    @property
    def stand(self) -> tuple[Array, ...]: ...

    @property
    def bent(self) -> bool: ...

    def theta(self, x: Array) -> Array: ...

    def __call__(self, x: Array) -> tuple[float, Array]: ...


@dataclass(frozen=True)
class Chains:
    """How many chains of how many draws, after how many tuning steps; whether to show progress.

    Segments of chains are kept in ``store``, where there is one.
    """

    draws: int
    tune: int
    chains: int
    progress: bool
    store: Checkpoint | None = None


def run_chains(problem: Problem, posterior: Movable, how: Chains, seed: int) -> xr.DataTree:
    """Posterior and sample statistics, by the names of the model's variables.

    Chains start at draws of the normal law with the posterior's mode and curvature.

    Raises
    ------
    ConvergenceError
        If no chain finds a place to start.
    """
    names, shapes, dims, coords = _kept(problem)
    size, given = posterior.size, {**QUIET}
    if posterior.bent:
        given["target_accept"] = CAREFUL

    def expand(x: Array, **_: Any) -> dict[str, Array]:
        return _values(problem, posterior, x, names)

    def start(seed: int) -> Array:
        x = np.asarray(np.random.default_rng(seed).standard_normal((size,)))
        while not np.isfinite(posterior(x)[0]) and np.abs(x).max() > NEAREST:
            x = x / 2  # where the normal law reaches beyond the numbers
        return x

    def model(begin: Callable[[int], Array]) -> Any:
        return from_pyfunc(
            size,
            lambda: lambda x, **_: posterior(x),
            lambda *_: expand,
            [np.dtype(float)] * len(names),
            shapes,
            names,
            coords=coords,
            dims=dims,
            make_initial_point_fn=begin,
        )

    def run(at: Array, draws: int, tune: int, seed: int) -> Any:
        only = {"chains": 1, "cores": 1, "store_unconstrained": True}
        return nutpie.sample(
            model(lambda _: at), draws=draws, tune=tune, seed=seed, **only, **given
        )

    try:
        if how.store is not None:
            stand = stand_digest(*posterior.stand)
            task = Segments(run, start, how.draws, how.tune, how.chains, how.store, stand)
            with _segment_line(how.progress) as report:
                tree = run_segments(task, thread_limit(MOST_THREADS), report)
            return _named(tree, dims, coords)
        with _progress_line(how.progress) as callback:
            whole = nutpie.sample(
                model(start),
                draws=how.draws,
                tune=max(how.tune, 1),  # nutpie cannot do without any
                chains=how.chains,
                cores=thread_limit(MOST_THREADS),
                seed=seed,
                progress_callback=callback,
                **given,
            )
            try:
                return whole.wait()
            except KeyboardInterrupt:  # what is there of chains is no posterior
                whole.cancel()
                raise
    except RuntimeError as error:
        raise ConvergenceError(
            "the sampler found no place to start: the posterior at its mode is not that of "
            "a maximum (a standard deviation near 0?); leave out a law of a coefficient that "
            "does not vary, or use likelihood='hierarchical'"
        ) from error


def _named(
    tree: xr.DataTree, dims: Mapping[str, tuple[str, ...]], coords: Mapping[str, Any]
) -> xr.DataTree:
    """The draws of segments, with the names of their dimensions and labels."""
    draws = tree["posterior"].to_dataset()
    kept = {name: (("chain", "draw", *own), draws[name].to_numpy()) for name, own in dims.items()}
    found = xr.Dataset(kept, coords={dim: draws[dim] for dim in ("chain", "draw")} | dict(coords))
    tree["posterior"] = xr.DataTree(found)
    return tree


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
    labels = problem.parameters.labels
    own = {kind: (dimension(problem, kind), names) for kind, names in labels.items()}
    return own | {FIRST_STAGE: ("regressor", list(first_stage_names(problem)))}


def first_stage_names(problem: Problem) -> tuple[str, ...]:
    """Regressors of a control function's first stage, whose coefficients are drawn too."""
    residuals = problem.design.residuals
    return () if residuals is None else residuals.first.names


def _values(
    problem: Problem, posterior: Movable, x: Array, names: Sequence[str]
) -> dict[str, Array]:
    """The parameters that people read, by variable, at ``x``."""
    sizes = {name: len(labels) for name, (_, labels) in variables(problem).items()}
    own, first = np.split(posterior.theta(x), [problem.parameters.size])
    values = np.concatenate([problem.parameters.natural(own), first])
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


@contextmanager
def _segment_line(show: bool) -> Iterator[Callable[[int, int], None] | None]:
    """What is called with the numbers of segments that are finished, and that there are."""
    if not show:
        yield None
        return
    with Console(stderr=True).status("NUTS") as status:
        yield lambda done, total: status.update(f"NUTS: {done} of {total} segments of chains")
