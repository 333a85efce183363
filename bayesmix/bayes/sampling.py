"""`bm.sample`: posteriors, with persons integrated out or sampled.

The marginal path moves on functions of numbers, by nutpie's NUTS or by importance sampling, and
compiles no graph, of latent classes neither; nor does the hierarchical path of one class, but for
``noncentred=False``. What is left are models of PyMC.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.bayes.by_classes import sampler_of
from bayesmix.bayes.class_priors import prior_key
from bayesmix.bayes.control import (
    check_first_stage,
    refuse_posterior_nests,
)
from bayesmix.bayes.held import check_held
from bayesmix.bayes.hierarchical_sampling import TUNE as PERSONS_TUNE
from bayesmix.bayes.how import How
from bayesmix.bayes.importance_check import check_importance
from bayesmix.bayes.marginal_sampling import TUNE, Size
from bayesmix.bayes.market_sampling import known_shares, sample_markets
from bayesmix.bayes.paths import (
    Centring,
    Method,
    Path,
    check_centring,
    check_segments,
    sampled_path,
)
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.sampler_grid import GridChoice
from bayesmix.bayes.tree import WEIGHTED
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.grids import Seed
from bayesmix.kernels.first_use import SAMPLING, prepare
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.checkpoint import IN_USE, open_checkpoint, problem_key
from bayesmix.likelihood.effective_weights import person_unit
from bayesmix.likelihood.multinomial import (
    check_signs,
    multinomial,
)
from bayesmix.locks import locked
from bayesmix.specification.constraints import Fixed
from bayesmix.specification.feasible import check_free
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit

MANY = 10.0
"""Times that a person counts for more than one, or less, of which a warning is given."""


def sample(
    model: MixedLogit,
    data: ChoiceData,
    *,
    method: Method = "nuts",
    likelihood: Path = "auto",
    grid: GridChoice = "auto",
    draws: int = 1000,
    tune: int | None = None,
    chains: int = 4,
    priors: Mapping[str, PriorLike] | None = None,
    fixed: Fixed | None = None,
    noncentred: Centring = "auto",
    market_shares: pd.DataFrame | Mapping[Any, float] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    rng: Seed = None,
    progress: bool = True,
) -> xr.DataTree:
    """Draw from the posterior with NUTS, or by importance sampling.

    Weights multiply the log-likelihoods of persons, as if these were so many people: posterior
    standard deviations shrink as weights grow, which the robust standard errors of an MSLE do not.
    The group ``log_likelihood`` is without weights.

    With a control function its price equation is a part of the model, not plugged in: prices are
    normal around ``z' gamma``, levels independent with one variance, and ``first_stage`` in the
    posterior has draws of ``gamma``, which choices tell of as well as prices do. Their prior is
    flat, that of the variance ``1 / sigma^2``, integrated out; what follows from the draws has each
    draw's own residuals. Intervals carry the first stage, as two-step standard errors do (Murphy
    and Topel 1985).

    Parameters
    ----------
    model, data
        What to fit, on what.
    method
        ``"nuts"``: chains of the No-U-Turn sampler. ``"importance"``, in the marginal path: draws
        of Student laws and their mixtures, adapted to their own weighted moments, weighed by all of
        these together and Pareto-smoothed (Vehtari, Simpson, Gelman, Yao and Gabry 2024), until
        ``draws * chains`` of them are effective; then resampled. Seconds where the posterior is
        near a normal one. Where the shape k of the weights' tail is above 0.7 a warning says so,
        and NUTS samples. Attributes ``pareto_k``, ``ess`` (what all evaluations are worth; tables
        count the draws kept), ``log_evidence`` (the priors being whole) and notes.
    likelihood
        ``"marginal"``: persons integrated out on ``grid``, so that the dimension is the number of
        parameters. ``"hierarchical"``: one latent vector a person. ``"auto"``: marginal, unless the
        nodes would not fit into memory.
    grid
        A fit's grid, a rule, or ``"auto"``: person-centred nodes, 128 a person at first; where
        they turn out too few over the posterior, more of them are anchored anew in its middle, and
        the chains run again. A rule that is person-centred is anchored at the posterior mode, and
        the slope and curvature that its nodes miss there are taken from 2,048 (see
        `bayesmix.bayes.correction`); a fit's grid is used exactly as it is. The hierarchical path
        uses the grid for the integrated ``log_likelihood`` only. With latent classes nodes are
        anchored once, at the maximum of the likelihood, and neither corrected nor renewed: the
        attributes say how far they are off, and more nodes are the remedy.
    draws, tune, chains
        Draws kept and tuning steps of each chain (by default 150 in the marginal path, 300 of
        latent classes and in the hierarchical one, of models of PyMC's 400 and 1,000); number of
        chains.
    priors
        Replacements of default priors by flat name; see `bayesmix.bayes.priors.make_priors`.
    fixed
        Parameters that are constants, ``{"mean[x]": 1.3}``, besides those that the model's own
        `Constraints` hold: means, fixed coefficients, shifts, scales, standard deviations above 0
        and correlations of 0. A standard deviation of 0 is a fixed coefficient: leave out its law.
        Ties and bounds are for fits, and are refused; chains start at the posterior's mode.
    noncentred
        What the hierarchical path moves of a person. ``"partial"``: the person's distance from
        what the own choices and the population say together, in units of what they leave open
        (Gorinova, Moore and Hoffman 2020, by each person's own curvature); it is the one or the
        other of the next two where choices say nothing, or all. True: standard normals ``z``.
        False: the index itself, a model of PyMC's. ``"auto"``: partial, but True with latent
        classes, where an index has no one law.
    market_shares
        Known shares of alternatives by market, as in `msle`: constants by market and alternative
        match them at every draw, ``market_constant`` in the posterior. They are a function of the
        other parameters, and have no prior. ``grid`` is of the population, by default 256 nodes a
        person and more where these are too few; ``log_likelihood`` is at each draw's constants,
        and so is what follows from the posterior.
    checkpoint
        A folder where chains are kept in segments of 250 draws as they are
        finished. The same call goes on with it, whenever it was ended, and ends with the draws of
        one left alone; it may ask for more draws or chains. Every segment after a chain's first
        adapts for 100 steps more, and draws are others than without a checkpoint. A folder of
        another model, data, priors, settings or version is refused.
    rng
        Seed or Generator; the same seed gives the same draws. Without one, a checkpoint's own.
    progress
        Whether to show the sampler's progress bar.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` (``mean``, ``sd``, ``corr``, ``fixed``), ``sample_stats``,
        ``log_likelihood`` (by person, integrated), ``log_prior`` (by parameter, and by law for its
        correlations; of classes up to a constant), ``observed_data``, ``constant_data``. Attributes
        of ``posterior`` tell model, priors, path, grid and integration error. ``log_likelihood`` is
        that of the grid's own nodes: where these were corrected, persons are not.

    Raises
    ------
    SpecificationError, DataError
        If model, data or arguments do not fit together, or a checkpoint is of another posterior.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("cl", random=[bm.Normal("cl")])
    >>> options = {"method": "importance", "draws": 50, "rng": 1, "progress": False}
    >>> posterior = bm.sample(model, data, grid=bm.centred(bm.sobol(16)), **options)
    >>> dict(posterior["log_likelihood"].sizes)["person"]
    361
    """
    arguments.one_of("method", method, ("nuts", "importance"))
    arguments.one_of("likelihood", likelihood, ("marginal", "hierarchical", "auto"))
    arguments.whole("draws", draws)
    arguments.whole("chains", chains)
    arguments.whole("tune", 1 if tune is None else tune)
    noncentred = check_centring(noncentred)
    arguments.flag("progress", progress)
    arguments.seed("rng", rng)
    model = held_and_tied(model, fixed, None)
    refuse_posterior_nests(model)
    problem = bind(model, data)
    check_free(problem.constraint, "bm.sample")
    check_held(problem, priors, noncentred is not False)
    unit = person_unit(problem.data.weights)
    prepare(SAMPLING)
    if not 1 / MANY < unit < MANY:
        warnings.warn(WEIGHTED.format(unit=unit), stacklevel=2)
    logit = multinomial(problem)
    check_signs(problem, logit)
    path, why = sampled_path(problem, likelihood)
    check_first_stage(problem, centred=path == "hierarchical" and noncentred is False)
    shares = None if market_shares is None else known_shares(problem, market_shares, path)
    if method == "importance":
        check_importance(problem, path, tune)
    store = None
    if checkpoint is not None:
        check_segments(problem, path, method, noncentred)
        settings: dict[str, Any] = {
            "priors": prior_key(problem, priors),
            "grid": grid,
            "tuning": TUNE if tune is None else tune,
        }
        if path == "hierarchical":
            # Chains of a checkpoint are of one class, where "auto" is "partial".
            steps, form = PERSONS_TUNE if tune is None else tune, noncentred is True or "partial"
            settings |= {"path": path, "tuning": steps, "noncentred": form}
        seed = None if rng is None else int(np.random.default_rng(rng).integers(2**62))
        if shares is not None:
            settings["shares of markets"] = shares.key
        store = open_checkpoint(checkpoint, problem_key(problem, settings), seed)
    generator = np.random.default_rng(rng if store is None else store.seed)
    size = Size(draws, chains, tune, store)
    how = How(path, why, method, priors, noncentred, size, progress)
    walk = sampler_of(problem)
    if shares is not None:
        walk = partial(sample_markets, shares)
    with nullcontext() if store is None else locked(store.folder, *IN_USE):
        return walk(problem, grid, logit, how, generator)
