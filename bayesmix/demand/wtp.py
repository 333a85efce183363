"""Willingness to pay over people: the law of a ratio of coefficients (Train 2009, chapter 6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import flag, text
from bayesmix.arrays import Array
from bayesmix.bayes.read import attributes_of
from bayesmix.centring.people import People, people
from bayesmix.classical.fit import Fit
from bayesmix.close_names import close_name
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.absorbed import absorbed
from bayesmix.demand.draws import (
    Interval,
    draws_of,
    known_choices,
    parameter_draws,
    spaced,
    uncertainty,
)
from bayesmix.demand.indifferent import check_priced
from bayesmix.demand.money import no_mean, price_of
from bayesmix.demand.options import CheckedOptions, Options, settle
from bayesmix.demand.quantiles import (
    checked_quantiles,
    quantile_name,
    step_quantiles,
    weighted_quantiles,
)
from bayesmix.demand.whole_slopes import check_whole_slope
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.kernels.logit import Panel
from bayesmix.likelihood.bind import bind_like
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.utility import Utility
from bayesmix.specification.design import Design
from bayesmix.specification.layout import Layout
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.model_space import model_space
from bayesmix.specification.record import model_from_record

NODES = 4096
"""Nodes of the population's law, where no data say whose coefficients they are."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LAW = (np.arange(1024) + 0.5) / 1024
"""Probabilities of the values that stand for all people, each for as many as every other."""
NOBODY = 1e-12
"""Share of people below which a class is none."""
NO_ZERO = (
    "let their box end short of 0, bm.Types({'price': (-3, -0.01)}), or leave 0 out of its values"
)


def wtp(
    result: Fit | xr.DataTree,
    term: str,
    price: str | None = None,
    *,
    data: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    quantiles: Sequence[float] = QUANTILES,
    mean: bool | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """How much people would pay for a unit of an attribute: ``-beta_term / beta_price``.

    Its law over people: quantiles, and the mean where there is one. With a normal price coefficient
    there is none: some people are indifferent to the price, and the ratio has the tails of a
    Cauchy law (Daly, Hess and Train 2012); a simulated mean would be an accident of the nodes.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    term, price
        Names of coefficients, random or fixed; the price is that of a model in willingness-to-pay
        space by default, and elsewhere ``"price"``.
    data
        The data of the estimation: needed for ``people="known"``, where the law is that of the
        persons in the data, each given the person's choices.
    predict
        Other choice sets: the law is that of their persons.
    quantiles
        Of the law over people, between 0 and 1.
    mean
        Whether to report the mean; by default where it exists.
    **how
        As in `shares`, with 4,096 nodes where there are no data.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``statistic``: ``"mean"``, ``"median"`` and other
        quantiles, ``"quantile 0.05"``. In units of the price. The attribute ``note`` says why a
        mean is left out, or intervals have no ends; ``law`` holds 1,024 values that stand for
        equal shares of people, at the estimate, of which `plot_wtp` draws the density.

    Raises
    ------
    SpecificationError
        If a coefficient is unknown or not all of the slope (its column is in other terms, too), a
        mean is asked for that does not exist, the price's law is censored at 0, or a type of people
        has a price coefficient of 0.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> found = bm.wtp(fit, "loc", price="pf", draws=20, rng=1)["estimate"]
    >>> bool(np.isclose(found[0], -fit.params["fixed[loc]"] / fit.params["fixed[pf]"]))
    True
    """
    settled = settle({"nodes": NODES if data is None else CheckedOptions.nodes, **how}, wtp)
    rng = np.random.default_rng(settled.rng)
    past, thetas = _problem(result, data, settled)
    problem = _there(past, data, predict)
    price = price_of(problem.model, price)
    _check_names(problem.parameters, term, price)
    held = absorbed(result, past)
    if held is not None:
        held.check_terms(term, price)
    check_priced(problem, price)
    if any(c.term == price and c.stops_at_0 for c in problem.design.coefficients):
        raise SpecificationError(
            f"a share of people have a coefficient of {price!r} of exactly 0, by its censored law: "
            "nothing can be divided by it; write TruncatedNormal in its place"
        )
    note = no_mean(problem, price)
    if mean is not None and flag("mean", mean) and note:
        raise SpecificationError(note)
    with_mean = not note if mean is None else mean
    quantiles = checked_quantiles(quantiles)
    names = [*(["mean"] if with_mean else []), *(quantile_name(q) for q in quantiles)]
    if settled.people == "known":
        assert isinstance(past, Problem)
        past = known_choices(result, past, predict)
    who = _people(past if settled.people == "known" else problem, thetas, settled, rng)
    laws = uncertainty(result, thetas, settled, rng)

    def quantity(theta: Array) -> Array:
        values, weights = _ratios(problem, who, theta, term, price)
        if np.isnan(values).any():
            return np.full(len(names) + len(LAW), np.nan)
        law = weighted_quantiles if problem.parameters.n_random else step_quantiles
        found = law(values, weights, quantiles)
        everybody = law(values, weights, LAW.tolist())
        return np.concatenate([[values @ weights] if with_mean else [], found, everybody])

    all_ends = laws.of(quantity, "willingness to pay", settled.progress)
    ends = Interval(*(end[: len(names)] for end in all_ends))
    if np.isnan(ends.estimate).any():
        raise SpecificationError(f"{_infinite(price, 'at the estimate')}: {NO_ZERO}")
    if np.isnan(ends.low).any():
        note = f"{_infinite(price, 'at some draws')}, so that intervals have no ends: {NO_ZERO}"
    return xr.Dataset(
        {k: ("statistic", v) for k, v in zip(Interval._fields, ends, strict=True)},
        coords={"statistic": names},
        attrs={"interval": settled.interval, "draws": laws.draws, "term": term, "price": price}
        | {"law": all_ends.estimate[len(names) :]}
        | ({"note": whole} if (whole := "; ".join(filter(None, [note, laws.note]))) else {}),
    )


def _problem(
    result: Fit | xr.DataTree, data: ChoiceData | None, how: CheckedOptions
) -> tuple[Utility, Array]:
    """The result's model, on data or on none, and its parameters (D, P)."""
    if data is not None:
        found = parameter_draws(result, data, how.draws)
        return found.problem, found.thetas
    if how.people == "known":
        raise SpecificationError("people='known' needs the choices: give data=")
    if isinstance(result, Fit):
        _check_means(result.model)
        return _bare(result.model, result.space), result.theta[None, :]
    posterior = draws_of(result)
    model = model_from_record(json.loads(attributes_of(result)["model"]))
    _check_means(model)
    fixed = posterior["fixed"].coords["term"].to_numpy() if "fixed" in posterior else []
    latent = model.latent
    own = [f"{p}, {c + 1}" for p in latent.points for c in range(latent.number)]
    shared = tuple(str(name) for name in fixed if str(name) not in own)
    problem = _bare(model, model_space(model, shared))
    return problem, spaced(problem, posterior, how.draws)


def _check_means(model: MixedLogit) -> None:
    if model.latent.share not in ("0", "1"):
        raise SpecificationError(
            "class shares depend on covariates of persons, and so on whose they are: give data="
        )
    if any(c.mean not in ("0", "1") for c in model.coefficients):
        raise SpecificationError(
            "means depend on covariates of persons, and so on whose they are: give data="
        )


def _bare(model: MixedLogit, space: Layout) -> Utility:
    """The model on no rows: enough for its coefficients."""
    design = Design(
        random=np.zeros((0, len(space.random))),
        fixed=np.zeros((0, len(space.fixed))),
        spread=np.ones(len(space.random) + len(space.fixed)),
        parameters=space,
        coefficients=model.varying,
    )
    return Utility(model=model, design=design)


def _somebody(problem: Utility) -> Block:
    """One person without choices: enough for coefficients."""
    none = np.zeros(0, dtype=np.int64)
    width = len(problem.design.random_names) if problem.price < 0 else len(problem.x_names)
    panel = Panel(
        np.zeros((0, width)), np.zeros(2, dtype=np.int64), np.zeros(1, np.int64), none, False
    )
    return problem.block(panel, np.zeros((1, 0)), np.ones(1), None, _somebody)


def _there(past: Utility, data: ChoiceData | None, predict: ChoiceData | None) -> Utility:
    """The model on the sets whose persons are asked about."""
    if predict is None:
        return past
    if data is None:
        raise SpecificationError("argument 'predict' goes with the data: give data= too")
    assert isinstance(past, Problem)
    return bind_like(past, predict, "predict")


def _people(
    problem: Utility, thetas: Array, how: CheckedOptions, rng: np.random.Generator
) -> People:
    """The persons of the data, or one who stands for the population."""
    if isinstance(problem, Problem):
        known = how.people == "known"
        return people(problem, thetas.mean(axis=0), known=known, nodes=how.nodes, rng=rng)
    size = problem.parameters.n_random
    grid = population_grid(sobol(how.nodes if size else 1), size, 1, rng)
    return People(_somebody(problem), grid)


def _ratios(
    problem: Utility, who: People, theta: Array, term: str, price: str
) -> tuple[Array, Array]:
    """Willingness to pay (N,) of all persons at all nodes, and weights that sum to 1.

    Of classes NaN where the price's coefficient is 0, as of types at an end of their box, and 0
    of classes that are nobody.
    """
    point = Point(problem if isinstance(problem, Problem) else _somebody(problem), theta)
    mixture = who.mixture(point)
    weights = mixture.weights * point.persons.weights[:, None]
    beta = coefficients_everywhere(mixture)

    def coefficient(name: str) -> Array | float:
        if name in problem.x_names:
            return beta[:, problem.x_names.index(name)]
        return point.fixed[problem.parameters.fixed.index(name)]

    weights = weights / weights.sum()
    top, bottom = (np.broadcast_to(coefficient(name), weights.shape) for name in (term, price))
    some = (bottom != 0) | (problem.parameters.n_random > 0)
    ratios = np.where(weights > NOBODY, np.nan, 0.0)
    np.divide(-top, bottom, out=ratios, where=some)
    return ratios.ravel(), weights.ravel()


def _infinite(price: str, where: str) -> str:
    return f"the coefficient of {price!r} is 0 for some people {where}, who would pay anything"


def _check_names(space: Layout, term: Any, price: Any) -> None:
    known = [*space.random, *space.fixed]
    for argument, name in (("term", term), ("price", price)):
        text(argument, name, "the name of a coefficient")
        if name not in known:
            near = close_name(name, known)
            hint = f"did you mean {near!r}?" if near else f"its coefficients are {known}"
            raise SpecificationError(
                f"argument {argument!r}: the model has no coefficient {name!r}: {hint}"
            )
        check_whole_slope(argument, name, known)
