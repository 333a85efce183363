"""Draws of the posterior with persons integrated out: chains of NUTS, or weighted draws."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.chains import Chains, run_chains, variables
from bayesmix.bayes.importance import ENOUGH, HEAVY, Weighted, weigh
from bayesmix.bayes.pointwise import FIRST_STAGE
from bayesmix.bayes.posterior import Whitened
from bayesmix.bayes.prior_values import held_value, knows_constant
from bayesmix.likelihood.checkpoint import Checkpoint
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import progress_line
from bayesmix.specification.parameters import ParameterSpace

TUNE = 150
"""Tuning steps of a chain: in whitened coordinates scales are nearly 1 from the start."""
MOST, MOST_LEAST = 20, 20_000
"""Evaluations of importance sampling: so many for each draw that is asked for, or so many."""
TOO_HEAVY = (
    "importance sampling does not reach this posterior ({found}; k up to {heavy} and {enough} "
    "effective draws are wanted): NUTS samples it, method='nuts'"
)

SHORT = 0.9
TOO_FEW = (
    "importance sampling: {n} draws are worth fewer independent ones ({found}), for evaluations "
    "have an end; ArviZ takes draws that were resampled for independent ones: see "
    "posterior['posterior'].attrs['ess'], or take method='nuts'"
)


@dataclass(frozen=True)
class Size:
    """How many draws, of how many chains, and how many tuning steps before them."""

    draws: int
    chains: int
    tune: int | None
    store: Checkpoint | None = None


def importance_draws(
    problem: Problem,
    posterior: Whitened,
    size: Size,
    rng: np.random.Generator,
    progress: bool,
) -> xr.DataTree | str:
    """Weighted draws, resampled to so many chains of so many; or why there are none.

    Chains are parts of one sample without order, so that R-hat compares halves of it.
    """
    n = size.draws * size.chains
    most = max(MOST * n, MOST_LEAST)
    levels = posterior.log_scales
    with progress_line(progress, "importance sampling") as line:

        def report(stage: Weighted) -> None:
            line.tell(f"{stage}, of {n:,}")

        found = weigh(posterior.values, levels, wanted=n, most=most, rng=rng, report=report)
    if not found.reliable:
        enough = min(ENOUGH, n)
        return TOO_HEAVY.format(found=found, heavy=HEAVY, enough=enough)
    if found.ess < SHORT * n:
        warnings.warn(TOO_FEW.format(found=found, n=n), stacklevel=4)
    chosen = found.resampled(n, rng)
    shape = (size.chains, size.draws)
    tree = xr.DataTree()
    draws = draws_dataset(problem, posterior.theta(found.x[chosen]).reshape(*shape, -1))
    draws.attrs |= _notes(problem, posterior, found)
    tree["posterior"] = xr.DataTree(draws)
    stats = {"logp": found.log_density[chosen], "log_weight": np.log(found.weights[chosen])}
    tree["sample_stats"] = xr.DataTree(
        xr.Dataset(
            {name: (("chain", "draw"), own.reshape(shape)) for name, own in stats.items()},
            coords={"chain": np.arange(size.chains), "draw": np.arange(size.draws)},
        )
    )
    return tree


def nuts_or_importance(
    problem: Problem,
    posterior: Whitened,
    method: str,
    size: Size,
    rng: np.random.Generator,
    progress: bool,
) -> xr.DataTree:
    """Draws by importance sampling, where it is asked for and does; by NUTS elsewhere."""
    notes = {}
    if method == "importance":
        found = importance_draws(problem, posterior, size, rng, progress)
        if isinstance(found, xr.DataTree):
            return found
        warnings.warn(found, stacklevel=4)
        notes = {"fallback": found}
    tune = TUNE if size.tune is None else size.tune
    how = Chains(size.draws, tune, size.chains, progress, size.store)
    tree = run_chains(problem, posterior, how, int(rng.integers(2**31)))
    tree["posterior"].attrs.update({"method": "nuts", **notes})
    return tree


def printed_values(space: ParameterSpace, thetas: Array) -> dict[str, Array]:
    """The parameters that people read, by kind in their order, at free vectors (..., P)."""
    mean, chol, fixed, shift, log_scale = space.unpack(thetas)
    sd = np.sqrt((chol**2).sum(axis=-1))
    first, second = np.array(space.pairs, dtype=int).reshape(-1, 2).T
    products = (chol[..., first, :] * chol[..., second, :]).sum(axis=-1)
    located = mean[..., space.located]
    return {
        "mean": located[..., : space.n_means],
        "shape": located[..., space.n_means :],
        "sd": sd,
        "corr": products / (sd[..., first] * sd[..., second]),
        "fixed": fixed,
        "shift": shift,
        "scale": np.exp(log_scale),
    }


def draws_dataset(problem: Problem, thetas: Array) -> xr.Dataset:
    """The parameters that people read, by variable, at free vectors (chains, draws, P)."""
    own, first = np.split(thetas, [problem.parameters.size], axis=-1)
    values = printed_values(problem.parameters.within, own) | {FIRST_STAGE: first}
    chains, draws = thetas.shape[:2]
    coords: dict[str, object] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    kept = {}
    for name, (dim, labels) in variables(problem).items():
        if labels:
            kept[name] = (("chain", "draw", dim), values[name])
            coords[dim] = labels
    return xr.Dataset(kept, coords=coords)


def _notes(problem: Problem, posterior: Whitened, found: Weighted) -> dict[str, object]:
    """Attributes of the draws: ``log_evidence`` is of the nodes, as they are corrected."""
    evidence = float("nan")
    improper = problem.design.residuals is not None  # the prior of its first stage
    if not improper and knows_constant(problem, posterior.posterior.priors):
        root = np.linalg.svd(posterior.root, compute_uv=False)
        evidence = found.log_total + float(np.log(root).sum())
        evidence -= held_value(problem, posterior.posterior.priors)
    return {
        "method": "importance",
        "importance": str(found),
        "pareto_k": found.pareto_k,
        "ess": found.ess,
        "evaluations": len(found.x),
        "log_evidence": evidence,
    }
