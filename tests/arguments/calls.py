"""A valid call of every public function: what bad values are put into, one argument at a time."""

from types import SimpleNamespace

import bayesmix as bm
from tests.arguments.call import Call, options
from tests.arguments.estimator_calls import estimator_calls
from tests.arguments.market_calls import market_calls
from tests.arguments.model_calls import model_calls
from tests.arguments.picture_calls import picture_calls
from tests.arguments.repeated_calls import repeated_calls
from tests.arguments.things import AT, MODEL


def calls(have: SimpleNamespace) -> dict[str, Call]:
    """Every public function by its name, with arguments that it accepts."""
    data, fit, few = have.data, have.fit, have.few
    estimate = {"model": MODEL, "data": data}
    demand = {"result": fit, "data": data}
    at = {"by": None, "products": None, "scenario": None, **options(few)}
    rule = bm.sobol(16)
    return {
        "warm": Call(bm.warm, {"processes": 1, "progress": False}),
        **estimator_calls(have),
        **repeated_calls(have),
        "Prior": Call(bm.Prior, {"name": "normal", "mu": 0.0, "sigma": 1.0, "scaled": False}),
        "priors": Call(bm.priors, {**estimate, "priors": None}),
        "prior_predictive": Call(
            bm.prior_predictive,
            {**estimate, "priors": None, "draws": 3, "rng": 1, "progress": False},
        ),
        "report": Call(
            bm.report,
            {"fits": fit, "data": data, "price": "price", "path": None, "title": "t"}
            | {"reproduce": "", **options(few)},
        ),
        "explain_difference": Call(
            bm.explain_difference,
            {"fit": fit, "posterior": have.posterior, "data": data, "priors": None, "draws": 0}
            | {"rng": 1},
        ),
        "correlations": Call(bm.correlations, {"posterior": have.posterior}),
        "pymc_model": Call(
            bm.pymc_model,
            {
                **estimate,
                "likelihood": "marginal",
                "grid": fit.grid,
                "priors": None,
                "noncentred": True,
            },
        ),
        "plot_types": Call(bm.plot_types, {"found": have.types, "terms": ["quality"]}),
        "check": Call(bm.check, dict(estimate)),
        "simulate_choices": Call(
            bm.simulate_choices, {"model": MODEL, "params": AT, "data": data, "rng": 1}
        ),
        "integration_error": Call(
            bm.integration_error, {**estimate, "params": AT, "grid": rule, "rng": 1}
        ),
        "compare_rules": Call(
            bm.compare_rules, {**estimate, "params": AT, "rules": [rule], "rng": 1}
        ),
        "compare": Call(
            bm.compare, {"fits": {"MSLE": fit}, "differences": False, "grid": bm.sobol(8)}
        ),
        "wald_test": Call(
            bm.wald_test, {"fit": fit, "restrictions": "fixed[price]", "values": 0.0, "kind": None}
        ),
        "lr_test": Call(bm.lr_test, {"restricted": have.fixed, "full": fit}),
        "hausman_test": Call(
            bm.hausman_test,
            {"efficient": have.half, "consistent": fit, "params": None, "kind": None},
        ),
        "first_stage": Call(bm.first_stage, {"result": have.controlled.model, "data": data}),
        "endogeneity_test": Call(bm.endogeneity_test, {"fit": have.controlled, "kind": None}),
        "overidentification_test": Call(
            bm.overidentification_test, {"fit": have.overidentified, "kind": None}
        ),
        "plot_first_stage": Call(bm.plot_first_stage, {"found": bm.first_stage(have.controlled)}),
        "ControlFunction": Call(
            bm.ControlFunction,
            {
                "price": "price",
                "instruments": "cost",
                "on": ("task", "alt"),
                "exogenous": None,
                "powers": 1,
                "cluster": None,
                "new": "refuse",
            },
        ),
        "to_latex": Call(
            bm.to_latex, {"result": fit, "notes": (), "caption": None, "label": None, "digits": 3}
        ),
        "shares": Call(bm.shares, {**demand, "rule": "preference", **at}),
        "elasticities": Call(
            bm.elasticities,
            {**demand, "attribute": "price", "kind": None, "arc": None, "change": None, **at},
        ),
        "diversion": Call(
            bm.diversion,
            {**demand, "kind": "removal", "attribute": None, "change": None, **at},
        ),
        "marginal_consumers": Call(
            bm.marginal_consumers,
            {
                **demand,
                "kind": "removal",
                "covariates": ["who"],
                "attribute": None,
                "change": None,
                **at,
            },
        ),
        "surplus": Call(
            bm.surplus,
            {**demand, "price": "price", "by": None, "scenario": None, **options(few)},
        ),
        "wtp": Call(
            bm.wtp,
            {
                "result": fit,
                "term": "quality",
                "price": "price",
                "data": None,
                "quantiles": (0.25, 0.75),
                "mean": None,
                **options(few),
            },
        ),
        "price_curve": Call(
            bm.price_curve,
            {
                **demand,
                "alternative": "a",
                "prices": [1.0, 2.0, 3.0],
                "price": "price",
                "by": None,
                "scenario": None,
                **options(few),
            },
        ),
        **market_calls(have),
        "individuals": Call(
            bm.individuals,
            {**demand, "draws": 4, "uncertainty": True, "rng": 1, "progress": False},
        ),
        "posterior_predictive": Call(
            bm.posterior_predictive,
            {
                "posterior": have.posterior,
                "data": data,
                "people": "population",
                "draws": 4,
                "nodes": 8,
                "rng": 1,
                "progress": False,
            },
        ),
        "loo": Call(
            bm.loo,
            {
                "posterior": have.posterior,
                "data": data,
                "by": "person",
                "refit": False,
                "exact": (),
                "priors": None,
                "draws": 4,
                "rng": 1,
                "progress": False,
            },
        ),
        "cross_validate": Call(
            bm.cross_validate,
            {
                "model": bm.MixedLogit("price"),
                "data": data,
                "folds": 2,
                "method": "msle",
                "interval": 0.9,
                "rng": 1,
                "processes": 1,
                "progress": False,
            },
        ),
        "compare_laws": Call(
            bm.compare_laws,
            {
                "data": have.data,
                "formula": "price + quality",
                "laws": {"logit": []},
                "price": "price",
                "wtp_of": ["quality"],
                "folds": 0,
                "method": bm.msle,
                "rng": 1,
            },
        ),
        "compare_models": Call(bm.compare_models, {"models": {"a": have.loo, "b": have.loo}}),
        **model_calls(have),
        **picture_calls(have),
        "predict": Call(
            bm.predict, {**demand, "new": None, "predict": None, "scenario": None, **options(few)}
        ),
        "person_draws": Call(
            bm.person_draws, {**demand, "predict": None, "scenario": None, **options(few)}
        ),
        "check_fit": Call(
            bm.check_fit,
            {
                **demand,
                "predict": None,
                "by": None,
                "products": None,
                "attributes": None,
                **options(few),
            },
        ),
        "scores": Call(bm.scores, {**demand, "predict": None, **options(few)}),
        "market": Call(
            bm.market,
            {
                "described": [{"price": 1.0, "quality": 0.5}, {"price": 2.0, "quality": 1.0}],
                "data": data,
                "products": None,
                "outside_option": None,
                "like": None,
                "owners": None,
            },
        ),
        "class_probabilities": Call(
            bm.class_probabilities, {"result": have.classes, "data": data, **options(few)}
        ),
        "Fit.confidence_intervals": Call(fit.confidence_intervals, {"level": 0.95, "kind": None}),
    }
