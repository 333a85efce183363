"""Why a posterior's mean is not the maximum of the likelihood: integration, prior, skewness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.class_priors import same_priors
from bayesmix.bayes.fine_mean import fine_mean
from bayesmix.bayes.importance_check import why_not_whitened
from bayesmix.bayes.printed_density import printed_mode
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import Priors, make_priors
from bayesmix.bayes.psis import mean_errors
from bayesmix.bayes.read import attributes_of, is_own, posterior_draws
from bayesmix.bayes.warped import POLES
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.classical.fit import Fit
from bayesmix.classical.predict import is_own as is_own_fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.display import Table
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.problem import Problem
from bayesmix.picture import sheet
from bayesmix.reporting.named_draws import flat_items
from bayesmix.specification.parameter import SD
from bayesmix.specification.record import model_record

NODES = 1024
"""Nodes a person of the modes that a difference is split at."""
ERROR = "Monte Carlo error"
PARTS = ("maximum", "integration", "prior", "skewness", "left over")
COLOURS = ("0.6", "C2", "C0", "C1", "C3")


@dataclass(frozen=True, eq=False)
class DifferenceSplit:
    """What lies between an MSLE and a posterior mean; prints itself as a table.

    Parameters
    ----------
    estimates
        By flat name: ``MSLE``; ``own maximum``, of the likelihood on the fit's nodes; ``flat mode``
        and ``mode`` of the marginal posterior under flat priors and under the priors, on finer
        nodes; ``mean`` there, by importance sampling, where it was asked for; ``posterior``, the
        draws' mean; ``sd``.
    parts
        By flat name, in posterior standard deviations: ``difference``; the parts that add up to
        it; and ``Monte Carlo error``, the standard error of the last of them, of the draws on
        either side of it and of the nodes.
    pareto_k
        Of the importance sampling, above 0.7 where ``mean`` is not to be relied upon; NaN without.
    """

    estimates: pd.DataFrame
    parts: pd.DataFrame
    pareto_k: float

    def __repr__(self) -> str:
        head = "posterior mean minus MSLE, in posterior standard deviations"
        return f"{head}\n{Table(self.parts.round(3))!r}\n{self._words()}"

    def _repr_html_(self) -> str:
        return f"{Table(self.parts.round(3))._repr_html_()}<p>{self._words()}</p>"

    def _words(self) -> str:
        own = self.parts.drop(columns=["difference", ERROR])
        size, most = np.sqrt((own**2).mean()), own.abs().max()
        told = ", ".join(f"{n} {size[n]:.2f} (at most {most[n]:.2f})" for n in own.columns)
        return f"root mean square of each part: {told}"

    def plot(self) -> Figure:
        """The parts of every parameter's difference, and the difference itself."""
        shown = self.parts.iloc[::-1]
        figure = sheet(7, 0.9 + 0.24 * len(shown))
        axis = figure.subplots()
        places = np.arange(len(shown))
        ends = {True: np.zeros(len(shown)), False: np.zeros(len(shown))}
        for name, colour in zip(PARTS, COLOURS, strict=True):
            if name not in shown:
                continue
            values = shown[name].fillna(0.0).to_numpy(float)
            left = np.where(values > 0, ends[True], ends[False])
            axis.barh(places, values, left=left, color=colour, height=0.6, label=name)
            ends[True] = ends[True] + np.maximum(values, 0)
            ends[False] = ends[False] + np.minimum(values, 0)
        axis.plot(shown["difference"], places, "k|", ms=9, mew=2, label="difference")
        axis.set_yticks(places, list(shown.index))
        axis.axvline(0.0, color="0.3", linewidth=0.8)
        axis.set_xlabel("posterior mean minus MSLE, posterior standard deviations")
        axis.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
        return figure


def explain_difference(
    fit: Fit,
    posterior: xr.DataTree,
    data: ChoiceData,
    *,
    priors: Mapping[str, PriorLike] | None = None,
    draws: int = 0,
    rng: Seed = None,
) -> DifferenceSplit:
    """Split the difference between a posterior mean and a maximum of the simulated likelihood.

    ``mean - MSLE = (own maximum - MSLE) + (flat mode - own maximum) + (mode - flat mode) + (mean -
    mode)``: what the search left, integration (1,024 person-centred nodes against the fit's own),
    the priors, and skewness. Modes are of the marginal posterior in the printed parameters, in
    which priors are given; under flat priors that is the maximum of the likelihood. A fit by
    posteriors whose nodes follow parameters is no maximum on nodes that stay: its first two parts
    are integration together. Skewness has the draws' Monte Carlo error and the sampler's nodes in
    it, which ``draws`` tells apart. The last part has its Monte Carlo error beside it: what is
    left over within two or three of them is noise, and beyond them the sampler's nodes, or chains
    that have not converged.

    Parameters
    ----------
    fit
        Of ``bm.msle``.
    posterior
        Of ``bm.sample``, the same model on the same data.
    data
        These data.
    priors
        The same as were given to ``bm.sample``.
    draws
        Effective draws of the mean by importance sampling, on nodes of its own, 2,048 a person:
        what the posterior differs from it by is ``left over``. 0 is none, and quick.
    rng
        Seed or Generator, of nodes and draws.

    Returns
    -------
    DifferenceSplit
        With the DataFrames ``estimates`` and ``parts``, and ``plot()``.

    Raises
    ------
    SpecificationError
        If the fit is of another estimator, model or priors than the posterior, it has latent
        classes, no random coefficients, or a standard deviation of 0, where no mode is inside.
    DataError
        If the data are not those of fit and posterior.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("cl", random=bm.Normal("cl"))
    >>> fit = bm.msle(model, data, rng=1)
    >>> posterior = bm.sample(model, data, method="importance", draws=250, rng=1, progress=False)
    >>> parts = bm.explain_difference(fit, posterior, data, rng=1).parts
    >>> total = parts[["maximum", "integration", "prior", "skewness"]].sum(axis=1)
    >>> bool(abs(parts["difference"] - total).max() < 1e-9)
    True
    """
    arguments.seed("rng", rng)
    arguments.whole("draws", draws, least=0)
    problem = _checked(fit, posterior, data, priors)
    generator, chosen = np.random.default_rng(rng), make_priors(problem, priors)
    own = printed_mode(problem, fit.grid, problem.canonical(fit.theta), None)
    scramble = int(generator.integers(2**62))  # of all grids: their noise is common
    grid, flat = _settled(problem, own, None, scramble)
    grid, mode = _settled(problem, printed_mode(problem, grid, flat, chosen), chosen, scramble)
    found = fine_mean(problem, grid, mode, priors, draws, generator) if draws else None
    printed = [problem.parameters.natural(at) for at in (fit.theta, own, flat, mode)]
    drawn = dict(flat_items(posterior_draws(posterior)))
    names = list(problem.parameters.names)
    theirs = np.array([float(drawn[name].mean()) for name in names])
    sd = np.array([float(drawn[name].std(ddof=1)) for name in names])
    errors = mean_errors(posterior_draws(posterior), [drawn[name] for name in names])
    columns = [*printed, *([] if found is None else [found.values]), theirs]
    index = pd.Index(names, name="parameter")
    labels = ["MSLE", "own maximum", "flat mode", "mode", *(["mean"] if draws else []), "posterior"]
    values = np.stack(columns, axis=1)
    estimates = pd.DataFrame(values, index, labels).assign(sd=sd)
    if found is not None:
        errors = np.hypot(errors, found.std_errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.diff(values, axis=1) / sd[:, None]
        parts = pd.DataFrame(steps, index, list(PARTS[: steps.shape[1]]))
        parts.insert(0, "difference", (theirs - printed[0]) / sd)
        parts[ERROR] = errors / sd
    moving = sd > 0  # a parameter that is held has no difference
    return DifferenceSplit(estimates, parts[moving], np.nan if found is None else found.pareto_k)


def _settled(
    problem: Problem, near: Array, priors: Priors | None, scramble: int
) -> tuple[PersonGrid, Array]:
    """The mode near ``near`` (P,), on nodes that are anchored there: elsewhere they are too few."""
    rule = centred(sobol(NODES), moments=True)
    there = printed_mode(problem, centre(problem, rule, near, scramble), near, priors)
    grid = centre(problem, rule, there, scramble)
    return grid, printed_mode(problem, grid, there, priors)


def _checked(
    fit: Fit,
    posterior: xr.DataTree,
    data: ChoiceData,
    priors: Mapping[str, PriorLike] | None,
) -> Problem:
    """The problem that fit and posterior are of."""
    arguments.instance("fit", fit, Fit, "a Fit of bm.msle")
    arguments.instance("data", data, ChoiceData, "ChoiceData")
    posterior_draws(posterior)
    if fit.estimator != "MSLE":
        raise SpecificationError(
            f"argument 'fit' is of {fit.estimator}, which maximises no likelihood: give the fit "
            "of bm.msle"
        )
    if why_not_whitened(fit.problem):
        raise SpecificationError(
            "argument 'fit': differences are split for models with random coefficients and without "
            "latent classes, whose posteriors have one mode; compare modes and means by bm.compare"
        )
    if fit.problem.design.residuals is not None or fit.market_constants is not None:
        raise SpecificationError(
            "argument 'fit': differences are not split for models with control= or market_shares=, "
            "whose posteriors hold more than integrals and priors; compare both by bm.compare"
        )
    own = json.loads(attributes_of(posterior)["model"])
    if own != json.loads(json.dumps(model_record(fit.model))):
        raise SpecificationError(
            "argument 'posterior' is of another model than the fit, or holds other parameters: "
            f"{attributes_of(posterior).get('description', own)} against {fit.model}"
        )
    if not is_own_fit(fit, data):
        raise DataError("argument 'data': these are not the choices that the fit is of")
    poles = [n for n, law in make_priors(fit.problem, priors).laws.items() if law.kind in POLES]
    if poles:
        raise SpecificationError(
            f"argument 'priors': the horseshoe prior of {poles[0]!r} has a pole at 0, where the "
            "posterior has its mode whatever the data are: differences are not split with it; "
            "compare both by bm.compare"
        )
    if not is_own(posterior, data):
        raise DataError("argument 'data': these are not the choices that the posterior is of")
    problem = fit.problem
    if not same_priors(attributes_of(posterior), problem, priors):
        raise SpecificationError(
            "argument 'priors': these are not the priors of the posterior; give those that "
            "bm.sample was given, which posterior['posterior'].attrs['priors'] lists"
        )
    sds = fit.params[fit.problem.parameters.of_kind(SD)]
    if (sds <= 0).any():
        raise SpecificationError(
            f"argument 'fit': {sds.index[int((sds <= 0).argmax())]!r} is estimated at 0, at the "
            "boundary, where a posterior has no mode: leave the law of that coefficient out"
        )
    return problem
