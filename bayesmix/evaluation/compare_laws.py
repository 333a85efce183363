"""Mixing laws for one utility beside one another: fit, criteria, prediction, what they imply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.classical.fit import Fit
from bayesmix.classical.implied import implied_of
from bayesmix.classical.logit_mixed import logit_mixed
from bayesmix.classical.msle import msle
from bayesmix.classical.types_fit import TypesFit, quantile
from bayesmix.classical.weight_basis import LogitWeights
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.whole_slopes import check_whole_slope
from bayesmix.demand.wtp import wtp
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.evaluation.cross_validation import CrossValidation, cross_validate
from bayesmix.evaluation.law_comparison import LawComparison
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind
from bayesmix.specification.classes import Classes
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import SHARE_POSITIVE, Parameter

MEANING = (
    "laws by label, such as {'normal': bm.Normal('price'), 'lognormal': "
    "bm.LogNormal('price', sign=-1)}; [] is a multinomial logit"
)
FAILURES = (ConvergenceError, IntegrationError, SpecificationError, DataError)


def compare_laws(
    data: ChoiceData,
    formula: str,
    laws: Mapping[str, Law | Classes | LogitWeights | Sequence[Law | Classes]],
    *,
    price: str | None = None,
    wtp_of: Sequence[str] = (),
    folds: int = 0,
    method: Any = msle,
    rng: Seed = None,
) -> LawComparison:
    """Fit laws of tastes to one formula, and put them beside one another.

    A law that cannot be fitted has an empty row, and its reason in ``failed``: the others stand.
    So has one of which a fold, or a willingness to pay, cannot be had; the rest of its row stands.

    Parameters
    ----------
    data
        Choices.
    formula
        The utility, the same for all.
    laws
        By label, what ``MixedLogit(formula, random=...)`` takes, or `LogitWeights`, whose
        parameters and criteria are those of the weights.
    price, wtp_of
        With a price, the median over people of ``-beta_term / beta_price`` for each of these terms.
    folds
        Number of folds of persons for the log score of people left out; 0 leaves it out, for it
        takes as many fits again.
    method
        `msle`, or it with options, such as ``functools.partial(bm.msle, starts=1)``.
    rng
        A whole number, or None: laws share folds and starts. Seed of every fit.

    Returns
    -------
    LawComparison
        ``table``: a row a law: ``log-likelihood`` and its ``integration error`` in nats (grid less
        exact), ``parameters``, ``AIC``, ``BIC``, ``log score`` and ``score error`` of people left
        out, ``positive[x]``, the share of people whose coefficient is positive: where everybody
        should dislike x, the share with the wrong sign (of laws of classes over all of these;
        of classes' points it is left out: ``fits`` have these); ``median wtp[x]``. Best AIC first.
        ``fits``, ``scores``, ``failed`` by label; ``plot()`` draws the laws over one another.

    Raises
    ------
    DataError, SpecificationError
        If arguments are not of their kinds, or no law could be fitted.

    References
    ----------
    McFadden and Train (2000); Hess, Bierlaire and Polak (2005).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> laws = {"nobody differs": [], "normal": bm.Normal("cl")}
    >>> found = bm.compare_laws(data, "pf + cl", laws, price="pf", wtp_of=["cl"], rng=1)
    >>> found.table.index.tolist(), int(found.table.loc["normal", "parameters"])
    (['normal', 'nobody differs'], 3)
    """
    given, terms = _checked(data, formula, laws, (price, wtp_of), (folds, method, rng))
    models: dict[str, MixedLogit] = {}
    methods: dict[str, Any] = {}
    for label, own in given.items():
        flexible = isinstance(own, LogitWeights)
        models[label] = MixedLogit(formula, random=[] if flexible else own)
        methods[label] = _OfWeights(own) if flexible else method
    fits: dict[str, Fit] = {}
    types: dict[str, TypesFit] = {}
    failed: dict[str, str] = {}
    scores: dict[str, CrossValidation] = {}
    for label, model in models.items():
        try:
            if isinstance(methods[label], _OfWeights):
                types[label] = logit_mixed(model, data, methods[label].weights, rng=rng)
                fits[label] = types[label].fit
            else:
                fits[label] = method(model, data, rng=rng)
            if folds:
                found = cross_validate(model, data, folds=folds, method=methods[label], rng=rng)
                assert isinstance(found, CrossValidation)
                scores[label] = found
        except FAILURES as error:
            failed[label] = str(error)
    if not fits:
        first = next(iter(failed))
        raise SpecificationError(f"no law could be fitted; {first!r}: {failed[first]}")
    rows: dict[str, dict[str, float]] = {label: {} for label in models}
    for label, fit in fits.items():
        rows[label] = _row(fit, scores.get(label), types.get(label))
        try:
            if label in types:
                rows[label] |= _medians_of_types(types[label], price, terms)
            else:
                rows[label] |= _medians(fit, data, price, terms)
        except FAILURES as error:
            failed.setdefault(label, str(error))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("law")
    order = table["AIC"].sort_values(kind="stable").index
    return LawComparison(table.loc[order].dropna(axis="columns", how="all"), fits, scores, failed)


def _checked(
    data: Any, formula: Any, laws: Any, money: tuple[Any, Any], how: tuple[Any, Any, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Laws by label and terms, of arguments that are right."""
    (price, wtp_of), (folds, method, rng) = money, how
    arguments.instance("data", data, ChoiceData, "ChoiceData with choices")
    arguments.text("formula", formula, "a formula, such as 'price + time'")
    given = arguments.mapping("laws", laws, MEANING)
    terms = arguments.names("wtp_of", wtp_of, "names of coefficients")
    if terms and price is None:
        raise SpecificationError(
            "argument 'wtp_of' has terms and no price: give price= the coefficient of money"
        )
    if price is not None:
        arguments.text("price", price, "the name of a coefficient")
    known = bind(MixedLogit(formula), data).parameters.fixed
    for name, given_terms in (("price", () if price is None else (price,)), ("wtp_of", terms)):
        for term in given_terms:
            if term not in known:
                raise arguments.refused(name, f"of the utility's {list(known)}", term)
    if arguments.whole("folds", folds, least=0, most=data.n_persons) == 1:
        raise arguments.refused("folds", "0, or a number of folds from 2 on", folds)
    if rng is not None:
        arguments.whole("rng", rng, least=0)
    if not callable(method):
        raise arguments.refused("method", "bm.msle, or functools.partial of it", method)
    if not given:
        raise arguments.refused("laws", MEANING, laws)
    return given, terms


@dataclass(frozen=True, eq=False)
class _OfWeights:
    """`logit_mixed` as what `cross_validate` calls."""

    weights: LogitWeights

    def __call__(self, model: MixedLogit, data: ChoiceData, *, rng: Seed = None) -> Fit:
        return logit_mixed(model, data, self.weights, rng=rng).fit


def _row(
    fit: Fit, score: CrossValidation | None, types: TypesFit | None = None
) -> dict[str, float]:
    row = {
        "log-likelihood": fit.loglik,
        "integration error": (
            fit.integration.error if isinstance(fit.integration, Certificate) else float("nan")
        ),
        "parameters": len(fit.params),
        "AIC": fit.aic,
        "BIC": fit.bic,
    }
    if types is not None and types.logit is not None:
        own = types.logit
        row |= {"parameters": len(own.names), "AIC": own.aic, "BIC": own.bic}
    if score is not None:
        row |= {"log score": score.log_score, "score error": score.std_error}
    if types is None:
        positive = _positive(fit)
    else:
        moments = types.moments()["estimate"]
        positive = {term: float(moments[f"share positive[{term}]"]) for term in types.terms}
    row |= {f"positive[{term}]": share for term, share in positive.items()}
    return row


def _medians_of_types(types: TypesFit, price: str | None, terms: Sequence[str]) -> dict[str, float]:
    """The same of points with shares."""
    table, found = types.types, {}
    for term in terms:
        for argument, name in (("wtp_of", term), ("price", str(price))):
            check_whole_slope(argument, name, [*types.terms, *types.fit.space.fixed])
        top, bottom = (
            table[name] if name in types.terms else float(types.fit.params[f"fixed[{name}]"])
            for name in (term, str(price))
        )
        if (np.asarray(bottom) == 0.0).any():
            raise SpecificationError(
                f"{price!r} is 0 at some points, and nothing can be divided by it: leave these out"
            )
        ratio = np.broadcast_to(-np.asarray(top) / np.asarray(bottom), len(table))
        found[f"median wtp[{term}]"] = quantile(ratio, table["share"].to_numpy(), 0.5)
    return found


def _medians(
    fit: Fit, data: ChoiceData, price: str | None, terms: Sequence[str]
) -> dict[str, float]:
    """Medians over people of the willingness to pay for terms."""
    found = {
        term: wtp(fit, term, price, data=data, quantiles=(0.5,), mean=False, uncertainty="delta")
        for term in terms
    }
    return {
        f"median wtp[{term}]": float(own["estimate"].sel(statistic="median"))
        for term, own in found.items()
    }


def _positive(fit: Fit) -> dict[str, float]:
    """The share of people with a positive coefficient, by random term; a class's are left out."""
    implied = implied_of(fit)
    found = {} if implied is None else dict(implied(fit.params))
    shares = {
        parameter.label: float(value)
        for parameter, value in found.items()
        if isinstance(parameter, Parameter) and parameter.kind == SHARE_POSITIVE
        if parameter.label in fit.space.random
    }
    own = set(fit.problem.parameters.own)
    sure = {c.term: float(c.side > 0) for c in fit.model.coefficients if c.side}
    return {term: side for term, side in sure.items() if term not in own} | shares
