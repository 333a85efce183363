"""Posteriors of models whose constants of markets are concentrated out by known shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.how import How
from bayesmix.bayes.importance_check import why_not_whitened
from bayesmix.bayes.marginal_sampling import nuts_or_importance
from bayesmix.bayes.pointwise import CONSTANTS, free_vectors
from bayesmix.bayes.posterior import LogPosterior, Whitened
from bayesmix.bayes.posterior_accuracy import ERROR_SD
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.tree import complete
from bayesmix.bayes.whitened import posterior_mode
from bayesmix.data.market_sets import MarketSets
from bayesmix.errors import SpecificationError
from bayesmix.identification.market_constants import check_moving
from bayesmix.identity import digest
from bayesmix.integration.descriptions import DrawRule, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.multinomial import Multinomial, starting_values
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.threads import in_threads
from bayesmix.optimise.market_likelihood import MarketLikelihood
from bayesmix.progress import progress_line
from bayesmix.specification.known_shares import ARGUMENT, check_marketable, labelled, read_shares

NODES, MOST_NODES = 256, 2048
"""Nodes a person that ``grid="auto"`` begins and ends with."""
CHECKED, SCRAMBLES = 12, 2
"""Draws at which other nodes are looked at, and how many sets of these."""
FLAT = "constants that match the shares at each draw: a function of the others, without a prior"


@dataclass(frozen=True, eq=False)
class KnownShares:
    """Shares (G, A) of markets, whose column in the data is ``market``."""

    sets: MarketSets
    market: str | None
    target: Array

    @property
    def key(self) -> str:
        """What identifies them."""
        return digest(self.market, self.target.tolist())


def known_shares(problem: Problem, shares: Any, path: str) -> KnownShares:
    """The shares of a user.

    Raises
    ------
    SpecificationError, DataError
        If model, data or path are not of those that constants are concentrated out of, or shares
        are not of the data's markets and alternatives.
    """
    check_marketable(problem.model, problem.data)
    why = why_not_whitened(problem, path)
    if why:
        raise SpecificationError(
            f"argument {ARGUMENT!r}: posteriors with shares of markets have persons integrated "
            f"out, and random coefficients: {why}; use bm.msle(market_shares=)"
        )
    return KnownShares(*read_shares(problem.data, shares))


def sample_markets(
    shares: KnownShares,
    problem: Problem,
    grid: Any,
    logit: Multinomial,
    how: How,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Sample, with more nodes where ``grid="auto"`` has too few."""
    rule = _rule(grid)
    theta = problem.canonical(starting_values(problem, logit))
    while True:
        own = _likelihood(shares, problem, rule, rng)
        with progress_line(how.progress, "posterior, shares of markets") as line:
            line.tell("mode and curvature")
            check_moving(own, theta)
            at = posterior_mode(problem, own.grid, theta, how.priors, own)
        anchored = own.anchored(at.theta)
        function = LogPosterior(
            problem, make_priors(problem, how.priors), anchored.value_and_gradient
        )
        whitened = Whitened(function, at.centre, at.root)
        tree = nuts_or_importance(problem, whitened, how.method, how.size, rng, how.progress)
        thetas = free_vectors(problem, tree["posterior"].to_dataset())
        with progress_line(how.progress, "posterior, shares of markets") as line:
            line.tell("constants of its draws")
            constants, logp = _at_draws(anchored, thetas)
        error = _error(anchored, thetas, logp, rng)
        few = isinstance(grid, str) and error > ERROR_SD and own.grid.size < MOST_NODES
        if not few:
            break
        rule, theta = sobol(2 * own.grid.size), at.theta
    return _completed(tree, anchored, shares, (constants, logp, error), how)


def _rule(grid: Any) -> Any:
    """The rule, or the population grid, of predicted shares and likelihood alike."""
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        return sobol(NODES)
    if isinstance(grid, Rule | PopulationGrid):
        return grid
    raise SpecificationError(
        f"argument 'grid' is none of the population: with {ARGUMENT}= predicted shares are on the "
        "same nodes, and those are of the population: grid=sobol(512), or 'auto'"
    )


def _likelihood(
    shares: KnownShares, problem: Problem, rule: Any, rng: np.random.Generator
) -> MarketLikelihood:
    nodes = rule
    if isinstance(rule, Rule):
        size = problem.parameters.n_random
        nodes = population_grid(rule, size, problem.n_persons, rng)
    return MarketLikelihood(problem, nodes, shares.sets, shares.target)


def _at_draws(own: MarketLikelihood, thetas: Array) -> tuple[Array, Array]:
    """Constants (chains, draws, G, J) and ``log P_i`` (chains, draws, I)."""
    flat = thetas.reshape(-1, thetas.shape[-1])
    found = in_threads([partial(own.matched, theta) for theta in flat])
    constants, logp = (np.stack(each) for each in zip(*found, strict=True))
    shape = thetas.shape[:-1]
    return constants.reshape(*shape, *constants.shape[1:]), logp.reshape(*shape, -1)


def _error(own: MarketLikelihood, thetas: Array, logp: Array, rng: np.random.Generator) -> float:
    """Standard deviation over draws of the log-likelihood's integration error, in nats.

    Two independent sets of nodes differ by both of their errors, which have one variance. NaN of
    rules that have no other nodes.
    """
    rule, problem = own.grid.rule, own.problem
    if not (isinstance(rule, DrawRule) and rule.random):
        return float("nan")
    flat, totals = thetas.reshape(-1, thetas.shape[-1]), logp.reshape(-1, problem.n_persons)
    chosen = rng.choice(len(flat), size=min(CHECKED, len(flat)), replace=False)
    weights, variances = problem.data.weights, []
    for _ in range(SCRAMBLES):
        fresh = population_grid(rule, problem.parameters.n_random, problem.n_persons, rng)
        other = replace(own, grid=fresh, _last={})
        gaps = [weights @ (totals[d] - other.matched(flat[d])[1]) for d in chosen]
        variances.append(np.var(gaps, ddof=1) / 2 if len(gaps) > 1 else np.nan)
    return float(np.sqrt(np.mean(variances)))


def _completed(
    tree: xr.DataTree,
    own: MarketLikelihood,
    shares: KnownShares,
    found: tuple[Array, Array, float],
    how: How,
) -> xr.DataTree:
    """The tree with constants, log-likelihoods and attributes."""
    constants, logp, error = found
    sets, problem = shares.sets, own.problem
    inside = shares.target[:, : len(sets.goods)] > 0
    draws = tree["posterior"].to_dataset()
    first = labelled(sets, constants[0, 0], inside)
    draws[CONSTANTS] = xr.DataArray(
        np.where(inside, constants, np.nan),
        {
            "chain": draws["chain"],
            "draw": draws["draw"],
            **{dim: pd.Index(list(first[dim].to_numpy())) for dim in first.dims},
        },
        ["chain", "draw", *first.dims],
        attrs={"column": shares.market or ""},
    )
    if "log_evidence" in draws.attrs:  # what has no prior has no probability
        draws.attrs["log_evidence"] = float("nan")
    tree["posterior"] = xr.DataTree(draws)
    words = (
        "none: the rule has no other nodes"
        if np.isnan(error)
        else f"integration error of the log-likelihood over the posterior, by other draws of the "
        f"rule: sd {error:.2f} nats"
    )
    notes = {
        "likelihood": how.path,
        "why": how.why,
        "grid": str(own.grid),
        "integration": words,
        "integration_error_sd": error,
        "market_shares": FLAT,
    }
    return complete(tree, problem, logp, how.priors, notes)
