"""What priors say of choices: shares, choice probabilities and choices drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.control import refuse_control
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_tree import prior_group
from bayesmix.bayes.tree import choices_of
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.quantiles import quantile_name
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind, bind_sets
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.simulate import draw_coefficients
from bayesmix.progress import tracked
from bayesmix.specification.model import MixedLogit

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SURE = 0.99
"""Probability of the likeliest alternative from which a choice is as good as certain."""


def prior_predictive(
    model: MixedLogit,
    data: ChoiceData,
    *,
    priors: Mapping[str, PriorLike] | None = None,
    draws: int = 500,
    rng: Seed = None,
    progress: bool = True,
) -> xr.DataTree:
    """What the priors of a model say of choices on these sets, before choices are looked at.

    At every draw of the prior each person has one draw of coefficients, ``beta_i``, and choices
    are drawn from ``P_itj(beta_i)``. Priors under which nearly all of these are 0 or 1 say more
    than anybody believes: ``certain`` is the part of situations whose likeliest alternative has a
    probability above 0.99.

    Parameters
    ----------
    model, data
        The model, and choice sets, which need no choices.
    priors
        Replacements of default priors; see `bm.priors`.
    draws
        Draws of the prior.
    rng
        Seed or Generator.
    progress
        Whether to show a progress bar where it takes more than a moment.

    Returns
    -------
    xarray.DataTree
        Group ``prior``: draws, by the names of a posterior, so that ``bm.shares``, ``bm.wtp`` and
        the other functions of demand take the tree in place of one. Group ``prior_predictive``:
        ``choice`` (chain, draw, situation), the code of the alternative chosen, a position in
        ``alternative``; ``share`` (chain, draw, alternative), weighted mean probabilities;
        ``probability`` (chain, draw, quantile), quantiles of ``P_itj(beta_i)`` over all rows;
        ``certain`` (chain, draw).

    Raises
    ------
    SpecificationError, DataError
        If model, data and priors do not fit together, or utilities are beyond the numbers at a
        draw of priors with heavy tails.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model = bm.MixedLogit("pf + cl", random=bm.Normal("pf"))
    >>> tree = bm.prior_predictive(model, bm.examples.electricity(), draws=20, rng=1)
    >>> float(tree["prior_predictive"]["share"].sum("alternative").max().round(12))
    1.0
    >>> law = bm.wtp(tree, "cl", price="pf", rng=1)  # willingness to pay under the prior
    """
    arguments.whole("draws", draws)
    arguments.flag("progress", progress)
    arguments.seed("rng", rng)
    observed = isinstance(data, ChoiceData) and data.observed
    refuse_control(model, "bm.prior_predictive")
    problem = bind(model, data) if observed else bind_sets(model, data)
    generator = np.random.default_rng(rng)
    tree = xr.DataTree()
    prior = prior_group(problem, priors, draws, generator)
    tree["prior"] = xr.DataTree(prior)
    thetas = free_vectors(problem, prior)[0]
    steps = tracked(thetas, "prior predictive", total=len(thetas), show=progress)
    sets = _Sets(problem)
    found = [sets.at(theta, generator) for theta in steps]
    tree["prior_predictive"] = xr.DataTree(sets.dataset(found, prior))
    return tree


class _Sets:
    """Choice sets with the outside option a column like the others."""

    def __init__(self, problem: Problem) -> None:
        data = problem.data
        self.problem, self.data = problem, data
        person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
        self.weights = data.weights[person]
        self.starts = data.situation_start[:-1]

    def at(self, theta: Array, rng: np.random.Generator) -> dict[str, Any]:
        """Choices and probabilities at one free vector."""
        data = self.data
        beta = draw_coefficients(self.problem, theta, rng)
        with np.errstate(over="ignore", invalid="ignore"):
            utility = utilities(self.problem, theta, beta)
        self._check(beta, utility)
        top = np.maximum.reduceat(utility, self.starts)
        if data.outside_option:
            top = np.maximum(top, 0.0)
        size = np.exp(utility - top[data.row_situation])
        outside = np.exp(-top) if data.outside_option else np.zeros(len(top))
        total = np.add.reduceat(size, self.starts) + outside
        rows, rest = size / total[data.row_situation], outside / total
        share = np.bincount(
            data.alternative_code, rows * self.weights[data.row_situation], len(data.alternatives)
        )
        every = rows
        best = np.maximum.reduceat(rows, self.starts)
        if data.outside_option:
            share = np.append(share, rest @ self.weights)
            every, best = np.append(rows, rest), np.maximum(best, rest)
        return {
            "choice": self._choices(rows, rest, rng),
            "share": share / self.weights.sum(),
            "probability": np.quantile(every, QUANTILES),
            "certain": float((best > SURE) @ self.weights / self.weights.sum()),
        }

    def _check(self, beta: Array, utility: Array) -> None:
        """Refuse draws whose utilities are beyond the numbers: they have no probabilities."""
        if np.isfinite(utility).all():
            return
        large = ~np.isfinite(beta).all(axis=0)
        names = [n for n, one in zip(self.problem.design.random_names, large, strict=True) if one]
        what = f"coefficients of {names[0]!r}" if names else "utilities"
        raise SpecificationError(
            f"priors: at a draw of theirs {what} are larger than the largest number (1.8e308), and "
            "choices have no probabilities; give priors with lighter tails, such as 'half-normal'"
        )

    def _choices(self, rows: Array, rest: Array, rng: np.random.Generator) -> Array:
        """Codes (T,) of alternatives, drawn by their probabilities; the outside one's is last."""
        data = self.data
        below = np.cumsum(rows)
        before = np.concatenate([[0.0], below])[self.starts]
        aim = before + rng.random(len(self.starts))
        ends = data.situation_start[1:]
        row = np.searchsorted(below, aim, side="right")
        out = (row >= ends) if data.outside_option else np.zeros(len(row), dtype=bool)
        row = np.minimum(row, ends - 1)
        return np.where(out, len(data.alternatives), data.alternative_code[row])

    def dataset(self, found: list[dict[str, Any]], prior: xr.Dataset) -> xr.Dataset:
        """All draws, by name."""
        dims = {
            "choice": ("situation",),
            "share": ("alternative",),
            "probability": ("quantile",),
            "certain": (),
        }
        values: dict[str, Any] = {
            name: (("chain", "draw", *own), np.stack([one[name] for one in found])[None])
            for name, own in dims.items()
        }
        coords: dict[str, Any] = {
            "chain": prior["chain"],
            "draw": prior["draw"],
            **choices_of(self.data),
            "quantile": [quantile_name(q) for q in QUANTILES],
        }
        return xr.Dataset(values, coords=coords)


def utilities(problem: Problem, theta: Array, beta: Array) -> Array:
    """Utilities (R,) of persons with the coefficients beta (I, .), without their errors."""
    point = Point(problem, theta)
    utility = np.einsum("rk,rk->r", problem.x, beta[problem.data.row_person])
    utility *= 1.0 if point.scales is None else point.scales
    found: Array = utility + point.base
    return found
