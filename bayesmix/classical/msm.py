"""The method of simulated moments (McFadden 1989; Train 2009, chapter 10)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.against_likelihood import likeliest
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, refuse_bounds, with_given
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.gmm import LEAST_SQUARES, SituationMoments
from bayesmix.classical.instruments import (
    attribute_instruments,
    beside,
    given_instruments,
)
from bayesmix.classical.moment_fit import assemble_moments, overidentification_of
from bayesmix.classical.moment_steps import first_step, optimal_step, sequences_step
from bayesmix.classical.search import Search
from bayesmix.classical.starts import scattered_starts
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import IntegrationError, SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.maximise import check_optimizer
from bayesmix.progress import progress_line
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.feasible import check_free
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.nests import refuse_nests

Steps = Literal["one-step", "two-step", "iterated"]

STEPS = ("one-step", "two-step", "iterated")
MOMENTS = ("situations", "sequences")
ROOTLESS = (
    "No parameters make the moments of the last step 0 on these data: estimates and standard "
    "errors are those of the first step, which has more moments than parameters"
)


def msm(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: Rule | PopulationGrid | None = None,
    steps: Steps = "two-step",
    instruments: str | Sequence[str] | Array | None = None,
    further: str | Sequence[str] | Array | None = None,
    moments: Literal["situations", "sequences"] = "situations",
    optimizer: str = LEAST_SQUARES,
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int = 1,
    rng: Seed = None,
    progress: bool | None = None,
) -> Fit:
    """Solve simulated moment conditions ``sum_i w_i sum_tj z_itj (y_itj - s_itj(theta)) = 0``.

    ``s_itj = sum_s w_is P(j | beta_is)`` are shares, linear in what is simulated, so that their
    noise averages out over persons: estimates are consistent with any fixed number of draws, where
    the simulated likelihood's, a logarithm of them, are not. The moments look at one situation at a
    time. What a panel's repeated choices say of heterogeneity beyond that they do not use, and
    standard errors of standard deviations are larger than the likelihood's: there,
    ``moments="sequences"``.

    Parameters
    ----------
    model, data
        What to fit, on what.
    grid
        A rule such as ``sobol(512)``, the default, or the population grid of another fit. Draws
        differ between persons, so that their noise is in the covariance of persons' moments, and
        in the standard errors. Quadratures have an error that is the same for everyone, which
        standard errors do not know of.
    steps
        ``"two-step"``: first over-identified moments with attributes, products and cubes for
        ``z``, weighted by the inverse of their covariance, then the optimal instruments
        ``z = d log s / d theta`` (less the outside option's) at those estimates, on independent
        draws. ``"one-step"`` is the first alone, ``"iterated"`` renews the optimal instruments
        until estimates settle.
    instruments
        Of the first step, in place of attributes: a formula, names of columns, or an array (R, M)
        by row of ``data.frame``. The outside option's are 0.
    further
        Instruments of the user beside those of both steps, in the same forms: in the last,
        beside the optimal ones, whose efficiency they do not need, but whose model they test.
        `Fit.overidentification` is then of the last step, ``E[(y_itj - s_itj) z_itj] = 0`` for what
        is no part of the utility, such as another alternative's price or an attribute squared.
    moments
        ``"situations"`` looks at one situation at a time, as above. ``"sequences"``, for panels,
        goes on from the first step to the moments of each person's whole sequence of choices,
        ``h_i(y_i) - E[h_i(y) | theta]`` with the scores ``h_i = d log P_i(y) / d theta`` at
        those estimates for instruments, and three times so. The expectation is over sequences
        drawn from the model, as many as the grid has nodes, 32 at most: with R of them variances
        are about ``1 / R`` above the likelihood's, and estimates consistent with any number.
    optimizer
        ``"least-squares"``, ``"bfgs"``, ``"l-bfgs-b"`` or ``"trust-region"``.
    fixed, equal
        Parameters that are held and tied, as in `msle`; bounds are for `msle` alone.
    start
        The first of the starting values, as in `msle`.
    starts
        Number of starting values of the first step, as in `msle`.
    rng
        Seed or Generator of draws and starts; the same seed gives the same numbers.
    progress
        Whether to show a progress line; not said, after three seconds, in terminals and notebooks.

    Returns
    -------
    Fit
        With standard errors by person from ``(D'WD)^-1 D'WSWD (D'WD)^-1``, ``S`` the covariance of
        persons' moments, and Hansen's test of the first step, ``overidentification``.
        ``integration`` is the part of variances that is due to simulation. ``loglik`` is that of
        the estimates on the grid.

    Raises
    ------
    ConvergenceError
        If no start converges, or the moments have no root.
    IntegrationError
        If the grid is centred on persons: such nodes know their choices, and moments on them are
        biased.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    References
    ----------
    McFadden (1989); Amemiya (1977) and Chamberlain (1987) for the instruments; Hansen (1982).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> logit = bm.MixedLogit("pf + cl")
    >>> moments, likelihood = bm.msm(logit, data), bm.msle(logit, data)
    >>> bool((moments.params - likelihood.params).abs().max() < 1e-8)
    True
    """
    begun = time.perf_counter()
    if not isinstance(optimizer, str) or optimizer != LEAST_SQUARES:
        check_optimizer(optimizer)
    arguments.one_of("steps", steps, STEPS)
    arguments.one_of("moments", moments, MOMENTS)
    arguments.whole("starts", starts, most=10_000)
    arguments.seed("rng", rng)
    arguments.flag_or_none("progress", progress)
    check_arguments(model, data)
    model = held_and_tied(model, fixed, equal)
    given = moments_problem(model, data)
    problem, unit = in_effective_persons(given)
    _check_moments(moments, steps)
    if further is not None and moments == "sequences":
        raise SpecificationError(
            "argument 'further': moments of sequences have no instruments by row; leave one of "
            "the two out"
        )
    if model.control is not None and moments == "sequences" and model.random:
        raise SpecificationError(
            "moments='sequences' with a control function: standard errors of these moments do not "
            "carry its first stage; leave moments= out, or use bm.msle"
        )
    generator = np.random.default_rng(rng)
    used = _grid(problem, sobol(512) if grid is None else grid, generator)
    logit = multinomial(given)
    check_signs(given, logit)
    z = attribute_instruments(problem, logit)
    if instruments is not None:
        z = given_instruments(problem, instruments)
    own = None if further is None else given_instruments(problem, further, "further")
    z = beside(z, own)
    with progress_line(progress, "MSM", unit) as line:
        search = Search(problem, logit, optimizer, generator, line, begun, unit)
        origins = scattered_starts(problem, logit, starts, generator)
        origins = with_given(problem, origins, [start])
        other = likeliest(search)
        first, note = first_step(search, SituationMoments(problem, used, z), origins, other)
        last = first
        if moments == "sequences" and model.random:
            last = sequences_step(search, first)
        elif steps != "one-step":
            last = optimal_step(search, first, steps == "iterated", other, own)
        if last is not first and last.rootless(problem) and not first.rootless(problem):
            note, last = f"{note}. {ROOTLESS}" if note else ROOTLESS, first
        line.phase("standard errors")
        notes = note, other
        tested = first if own is None else last
        fit = assemble_moments(search, last, overidentification_of(tested, problem), notes)
        return in_given_weights(fit, given, unit, logit.loglik)


def moments_problem(model: MixedLogit, data: ChoiceData) -> Problem:
    """The problem whose moments are simulated.

    Raises
    ------
    SpecificationError
        If the model has what moments do not know: classes, nests, bounds, scales of sources, or
        random coefficients of rankings.
    """
    check_one_class(model.latent, "estimator", "msm")
    refuse_nests(model.nests, "bm.msm")
    refuse_bounds(model, "msm")
    given = bind(model, data)
    check_free(given.constraint, "msm")
    if model.scale is not None:
        raise SpecificationError(
            "simulated moments have no derivatives by the scales of sources: use bm.msle or bm.mss"
        )
    if data.stage is not None and model.random:
        raise SpecificationError(
            "the data are rankings, whose later choices depend on the earlier through everybody's "
            "coefficients: their moments are not those of the population; use bm.msle or bm.mss, "
            "or the moments of data.first_choices()"
        )
    return given


def _check_moments(moments: str, steps: str) -> None:
    if moments == "sequences" and steps != "two-step":
        raise SpecificationError(
            f"argument 'steps': moments of sequences have steps of their own, got {steps!r}: leave "
            "it out"
        )


def _grid(problem: Problem, grid: Any, rng: np.random.Generator) -> PopulationGrid:
    if isinstance(grid, Centred | PersonGrid):
        raise IntegrationError(
            f"argument 'grid': {grid} puts nodes where each person's own choices say, and moments "
            "on them are biased: use a rule of the population, such as sobol(512)"
        )
    if not problem.model.random:
        return points_grid(problem)
    check_grid(problem, grid)
    if isinstance(grid, PopulationGrid):
        return grid
    return population_grid(grid, problem.parameters.n_random, problem.n_persons, rng)
