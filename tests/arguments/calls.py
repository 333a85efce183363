"""A valid call of every public function: what bad values are put into, one argument at a time."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import bayesmix as bm
from bayesmix.demand.options import Options
from tests.arguments.things import AT, LONG, MODEL, frame, wide


class Call(NamedTuple):
    """A function, with arguments that serve: positional nouns first, then options."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any]


def calls(have: SimpleNamespace) -> dict[str, Call]:
    """Every public function by its name, with arguments that it accepts."""
    data, fit, few = have.data, have.fit, have.few
    estimate = {"model": MODEL, "data": data}
    demand = {"result": fit, "data": data}
    supply = {"result": fit, "data": have.one_price, "firms": have.firms, "predict": None}
    at = {"by": None, "products": None, "scenario": None, **_options(few)}
    rule = bm.sobol(16)
    law = {"terms": ("price",), "mean": "1"}
    return {
        "warm": Call(bm.warm, {"processes": 1, "progress": False}),
        "msle": Call(
            bm.msle,
            {
                **estimate,
                "grid": bm.centred(rule),
                "fixed": None,
                "equal": None,
                "start": None,
                "starts": 1,
                "optimizer": "bfgs",
                "tolerance": bm.Tolerance(),
                "cluster": None,
                "market_shares": None,
                "rng": 1,
                "progress": False,
            },
        ),
        "msm": Call(
            bm.msm,
            {
                **estimate,
                "grid": None,
                "steps": "one-step",
                "instruments": None,
                "further": None,
                "moments": "situations",
                "optimizer": "least-squares",
                "fixed": None,
                "equal": None,
                "start": None,
                "starts": 1,
                "rng": 1,
                "progress": False,
            },
        ),
        "mss": Call(
            bm.mss,
            {
                **estimate,
                "method": "accept-reject",
                "grid": None,
                "accepted": 5,
                "fixed": None,
                "equal": None,
                "start": None,
                "starts": 1,
                "rng": 1,
                "progress": False,
            },
        ),
        "sample": Call(
            bm.sample,
            {
                **estimate,
                "method": "nuts",
                "likelihood": "marginal",
                "grid": bm.centred(rule),
                "draws": 5,
                "tune": 5,
                "chains": 1,
                "fixed": None,
                "priors": None,
                "noncentred": True,
                "checkpoint": None,
                "rng": 1,
                "progress": False,
            },
        ),
        "Prior": Call(bm.Prior, {"name": "normal", "mu": 0.0, "sigma": 1.0, "scaled": False}),
        "priors": Call(bm.priors, {**estimate, "priors": None}),
        "prior_predictive": Call(
            bm.prior_predictive,
            {**estimate, "priors": None, "draws": 3, "rng": 1, "progress": False},
        ),
        "report": Call(
            bm.report,
            {"fits": fit, "data": data, "price": "price", "path": None, "title": "t"}
            | {"reproduce": "", **_options(few)},
        ),
        "explain_difference": Call(
            bm.explain_difference,
            {"fit": fit, "posterior": have.posterior, "data": data, "priors": None, "draws": 0}
            | {"rng": 1},
        ),
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
        "bootstrap": Call(
            bm.bootstrap,
            {
                "fit": fit,
                "data": data,
                "replications": 2,
                "rng": 1,
                "processes": 1,
                "progress": False,
            },
        ),
        "sbc": Call(
            bm.sbc,
            {
                "model": MODEL,
                "design": data,
                "simulations": 1,
                "method": "importance",
                "priors": None,
                "draws": 10,
                "rng": 1,
                "processes": 1,
                "file": None,
                "progress": False,
            },
        ),
        "coverage": Call(
            bm.coverage,
            {
                "model": MODEL,
                "design": data,
                "truth": AT,
                "simulations": 1,
                "grid": rule,
                "rng": 1,
                "processes": 1,
                "file": None,
                "progress": False,
            },
        ),
        "Types": Call(
            bm.Types,
            {"grid": {"price": [-1.0, 0.0]}, "points": None, "box": None, "rng": 1},
        ),
        "nonparametric": Call(
            bm.nonparametric,
            {
                "model": bm.MixedLogit("price + quality"),
                "data": data,
                "types": bm.Types({"quality": [-1.0, 0.0, 1.0]}),
                "method": "newton",
                "adding": False,
                "replications": 1,
                "tolerance": 1e-3,
                "rng": 1,
                "progress": False,
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
        "compare": Call(bm.compare, {"fits": {"MSLE": fit}, "differences": False}),
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
            {**demand, "price": "price", "by": None, "scenario": None, **_options(few)},
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
                **_options(few),
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
                **_options(few),
            },
        ),
        "match_shares": Call(
            bm.match_shares,
            {
                **demand,
                "shares": {"a": 0.5, "b": 0.3, "c": 0.2},
                "market": None,
                "scenario": None,
                "predict": None,
                "column": "xi",
                **_options(few),
            },
        ),
        "mean_utilities": Call(
            bm.mean_utilities,
            {
                "fit": have.matched,
                "formula": "cost",
                "endogenous": "cost",
                "instruments": "shift",
                "cluster": None,
            },
        ),
        "plot_markups": Call(
            bm.plot_markups, {"found": have.markups, "quantity": "lerner", "market": None}
        ),
        "plot_counterfactual": Call(bm.plot_counterfactual, {"found": have.merger, "market": None}),
        "plot_pass_through": Call(
            bm.plot_pass_through, {"found": have.pass_through, "market": None, "digits": 2}
        ),
        "Firms": Call(
            bm.Firms,
            {
                "ownership": "alt",
                "price": "price",
                "market": None,
                "products": None,
                "allow_positive": False,
            },
        ),
        "markups": Call(bm.markups, {**supply, **_options(few)}),
        "pass_through": Call(bm.pass_through, {**supply, **_options(few)}),
        "merger": Call(
            bm.merger,
            {**supply, "merge": ("a", "b"), "efficiencies": None, "by": None, **_options(few)},
        ),
        "pricing_pressure": Call(
            bm.pricing_pressure,
            {**supply, "merge": ("a", "b"), "efficiencies": None, **_options(few)},
        ),
        "tax": Call(
            bm.tax, {**supply, "specific": 0.1, "ad_valorem": None, "by": None, **_options(few)}
        ),
        "entry_and_exit": Call(
            bm.entry_and_exit,
            {
                **supply,
                "scenario": have.one_price.without("c"),
                "costs": None,
                "by": None,
                **_options(few),
            },
        ),
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
        "compare_models": Call(bm.compare_models, {"models": {"a": have.loo, "b": have.loo}}),
        "demand_table": Call(
            bm.demand_table, {"found": have.elasticities, "digits": 3, "intervals": True}
        ),
        "plot_matrix": Call(
            bm.plot_matrix, {"found": have.diversion, "segment": None, "digits": 2}
        ),
        "plot_diversion": Call(
            bm.plot_diversion, {"found": {"MSLE": have.diversion}, "segment": None}
        ),
        "plot_price_curve": Call(bm.plot_price_curve, {"found": have.curve, "segment": None}),
        "plot_wtp": Call(bm.plot_wtp, {"found": have.wtp}),
        "diagnose": Call(bm.diagnose, {"posterior": have.draws}),
        "plot_sbc": Call(bm.plot_sbc, {"found": have.ranks, "probability": 0.9}),
        "plot_coverage": Call(bm.plot_coverage, {"found": have.coverage}),
        "MixedLogit": Call(
            bm.MixedLogit,
            {
                "formula": "price + quality",
                "random": [bm.Normal("price")],
                "wtp": None,
                "scale": None,
                "control": None,
            },
        ),
        "Normal": Call(bm.Normal, law),
        "LogNormal": Call(bm.LogNormal, {**law, "sign": 1}),
        "LKJNormal": Call(bm.LKJNormal, {"terms": ("a", "b"), "eta": 2.0, "mean": "1"}),
        "Uniform": Call(bm.Uniform, law),
        "Triangular": Call(bm.Triangular, {**law, "zero_bounded": True, "sign": 1}),
        "TruncatedNormal": Call(bm.TruncatedNormal, {**law, "lower": 0.0, "upper": None}),
        "CensoredNormal": Call(bm.CensoredNormal, {**law, "lower": 0.0, "upper": None}),
        "YeoJohnson": Call(bm.YeoJohnson, law),
        "JohnsonSB": Call(bm.JohnsonSB, {**law, "lower": 0.0, "upper": 1.0}),
        "Exponential": Call(bm.Exponential, {"terms": ("price",), "sign": 1}),
        "Gamma": Call(bm.Gamma, {**law, "sign": 1}),
        "Correlated": Call(
            bm.Correlated, {"laws": (bm.Normal("a"), bm.LogNormal("b")), "eta": 2.0}
        ),
        "Constraints": Call(
            bm.Constraints,
            {
                "fixed": {"a": 0.0},
                "equal": [("a", "b")],
                "linear": "a = 1",
                "bounds": {"a": (0.0, 1.0)},
            },
        ),
        "LatentClass": Call(bm.LatentClass, {"members": ("price",), "classes": 2, "share": "1"}),
        "InverseWishart": Call(
            bm.InverseWishart,
            {"df": 6.0, "scale": 1.0, "mean_precision": 0.1, "mean_location": 0.0},
        ),
        "Tolerance": Call(bm.Tolerance, {"estimates": 0.05, "loglik": 0.5, "std_errors": 0.02}),
        "sobol": Call(bm.sobol, {"nodes": 16}),
        "halton": Call(bm.halton, {"nodes": 16, "scramble": False, "skip": 1}),
        "trapezoid": Call(bm.trapezoid, {"points": 16}),
        "mlhs": Call(bm.mlhs, {"nodes": 16}),
        "monte_carlo": Call(bm.monte_carlo, {"nodes": 16, "antithetic": False}),
        "gauss_hermite": Call(bm.gauss_hermite, {"points": 5}),
        "sparse": Call(bm.sparse, {"level": 3, "family": "kpn"}),
        "centred": Call(
            bm.centred,
            {
                "rule": rule,
                "population": 0.25,
                "inflation": 1.2,
                "moments": False,
                "halves": False,
            },
        ),
        "population_grid": Call(
            bm.population_grid, {"rule": rule, "dimension": 1, "persons": 3, "rng": 1}
        ),
        "rule_table": Call(bm.rule_table, {"dimension": 1, "rules": [rule]}),
        "read_table": Call(bm.read_table, {"path": have.file, **_file()}),
        "open_run": Call(bm.open_run, {"folder": have.run, "study": None}),
        "read_choices": Call(bm.read_choices, {"path": have.file, **LONG, **_file()}),
        "ChoiceData.from_long": Call(
            bm.ChoiceData.from_long,
            {
                "frame": frame(4),
                **LONG,
                "weights": None,
                "availability": None,
                "outside_option": False,
            },
        ),
        "ChoiceData.from_parquet": Call(
            bm.ChoiceData.from_parquet,
            {
                "path": have.parquet,
                **LONG,
                "weights": None,
                "availability": None,
                "outside_option": False,
                "columns": None,
                "store": None,
                "progress": False,
            },
        ),
        "ChoiceData.from_wide": Call(
            bm.ChoiceData.from_wide,
            {
                "frame": wide(),
                "chosen": "mode",
                "alternatives": ["bus", "car"],
                "varying": {"price": "{alternative}_price"},
                "availability": None,
                "outside_option": False,
            },
        ),
        "ChoiceData.with_population_shares": Call(
            have.once.with_population_shares, {"shares": {"a": 0.2, "b": 0.3, "c": 0.5}}
        ),
        "ChoiceData.with_attribute": Call(data.with_attribute, {"name": "price", "value": 2.0}),
        "ChoiceData.without": Call(data.without, {"alternatives": ("a",)}),
        "predict": Call(
            bm.predict, {**demand, "new": None, "predict": None, "scenario": None, **_options(few)}
        ),
        "person_draws": Call(
            bm.person_draws, {**demand, "predict": None, "scenario": None, **_options(few)}
        ),
        "check_fit": Call(
            bm.check_fit,
            {
                **demand,
                "predict": None,
                "by": None,
                "products": None,
                "attributes": None,
                **_options(few),
            },
        ),
        "scores": Call(bm.scores, {**demand, "predict": None, **_options(few)}),
        "market": Call(
            bm.market,
            {
                "described": [{"price": 1.0, "quality": 0.5}, {"price": 2.0, "quality": 1.0}],
                "data": data,
                "products": None,
                "outside_option": None,
                "like": None,
            },
        ),
        "class_probabilities": Call(
            bm.class_probabilities, {"result": have.classes, "data": data, **_options(few)}
        ),
        "plot_rules": Call(bm.plot_rules, {"table": have.rules}),
        "Fit.confidence_intervals": Call(fit.confidence_intervals, {"level": 0.95, "kind": None}),
    }


def _file() -> dict[str, Any]:
    """How a text file is read, with values that serve."""
    return {
        "labels": ["group"],
        "codes": None,
        "missing": ["NA"],
        "separator": ",",
        "decimal": ".",
        "encoding": "utf-8",
        "table": None,
    }


def _options(few: Mapping[str, Any]) -> dict[str, Any]:
    """The options that all functions of demand share, with values that serve."""
    given = {
        "interval": 0.9,
        "uncertainty": None,
        "people": "population",
        "progress": False,
        **few,
    }
    return {name: given[name] for name in Options.__annotations__ if name in given}
