"""Every function of demand, with wrong types and shapes for each argument: refused in words."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from tests.demand.test_known import VERBS, fit, posterior, sets
from tests.simulated import choice_data

HOW = {"draws": 2, "rng": 1, "nodes": 16}
OPTIONS = [
    *({"draws": v} for v in (0, -1, 2.5, "x", True, None)),
    *({"nodes": v} for v in (0, 1.5, "x", None)),
    *({"interval": v} for v in (0, 1, 1.5, np.nan, "x", None)),
    *({"rng": v} for v in ("x", -1, 1.5, [1])),
    *({"people": v} for v in ("knwon", 3, None)),
    *({"uncertainty": v} for v in ("dleta", 3, True)),
    *({"progress": v} for v in (1, "yes", None)),
    {"drws": 3},
]
CALLS = {
    "shares": [{"by": 3}, {"by": ["x"]}, {"by": "z"}, {"products": "z"}, {"products": [1]},
               {"scenario": 3}, {"predict": 3}, {"predict": "x"}],
    "elasticities": [{"attribute": 3}, {"attribute": "z"}, {"attribute": None}, {"kind": "semy"},
                     {"kind": 3}, {"arc": np.nan}, {"arc": 0}, {"arc": -1}, {"arc": "x"},
                     {"arc": np.inf}, {"arc": 0.1, "kind": "semi"}, {"change": np.nan},
                     {"change": [1, 2]}, {"change": "x"}, {"attribute": "who"}],
    "diversion": [{"kind": "removl"}, {"kind": 3}, {"kind": None}, {"kind": "finite"},
                  {"kind": "finite", "attribute": "z", "change": 1}, {"kind": ["removal"]},
                  {"kind": "finite", "attribute": "x", "change": [1, 2]}, {"attribute": "x"}],
    "marginal_consumers": [{"covariates": "x"}, {"covariates": ["z"]}, {"covariates": 3},
                           {"kind": "removl"}],
    "surplus": [{"price": "z"}, {"price": 3}, {"price": "x"}, {"price": ["y"]}],
    "price_curve": [{"alternative": 9}, {"alternative": [1]}, {"alternative": np.ones(2)},
                    {"prices": [1, 2]}, {"prices": "abc"}, {"prices": [1, np.nan, 3]},
                    {"prices": 3}, {"price": "z"}, {"price": 3}],
    "individuals": [{"draws": 0}, {"draws": 2.5}, {"uncertainty": "x"}, {"rng": "x"},
                    {"progress": 3}, {"predict": 3}],
    "wtp": [{"term": 3}, {"term": "z"}, {"price": "z"}, {"price": 3}, {"quantiles": [0.5, 1.5]},
            {"quantiles": "x"}, {"quantiles": []}, {"quantiles": [0.3, 0.3]}, {"quantiles": 3},
            {"quantiles": [np.nan]}, {"mean": "x"}],
    "predict": [{"scenario": 3}, {"predict": 3}],
    "class_probabilities": [{"by": "x"}, {"predict": 3}],
}  # fmt: skip
NEEDED = {
    "price_curve": {"alternative": 1, "price": "y", "prices": [-1, 0, 1]},
    "elasticities": {"attribute": "x"},
    "surplus": {"price": "y"},
    "wtp": {"term": "x", "price": "y"},
}


def call(verb, result, data, **given):
    own = {} if verb == "individuals" else HOW
    if verb == "wtp":
        own = {**own, "data": data}
        return bm.wtp(result, **{**NEEDED["wtp"], **own, **given})
    return getattr(bm, verb)(result, data, **{**NEEDED.get(verb, {}), **own, **given})


@pytest.mark.parametrize("of", [fit, posterior])
@pytest.mark.parametrize("verb", CALLS)
def test_each_argument(verb, of):
    data = sets()[0]
    for given in CALLS[verb]:
        with pytest.raises((SpecificationError, DataError)) as refused:
            call(verb, of(), data, **given)
        assert len(str(refused.value)) > 30
        for name in given if len(given) == 1 else ():
            if name not in ("change",) and given != {"price": "x"} and given != {"mean": True}:
                assert name in str(refused.value) or str(given[name]) in str(refused.value)


@pytest.mark.parametrize("verb", ["shares", "wtp", "predict"])
@pytest.mark.parametrize("given", OPTIONS, ids=str)
def test_options(verb, given):
    (name,) = given
    with pytest.raises(SpecificationError, match=name):
        call(verb, fit(), sets()[0], **given)


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("wrong", [3, None, "x", [1], np.ones(2), xr.DataTree(), xr.Dataset()])
def test_results_and_data(verb, wrong):
    for result, data in ((wrong, sets()[0]), (fit(), wrong)):
        if verb == "wtp" and data is None:
            continue  # of the population
        with pytest.raises((SpecificationError, DataError)):
            call(verb, result, data)


def test_the_nearest_kind_is_offered():
    with pytest.raises(SpecificationError, match=r"'removal', 'quality', .*did you mean 'removal'"):
        bm.diversion(fit(), sets()[0], "removl")
    with pytest.raises(SpecificationError, match="no argument 'drws': did you mean 'draws'"):
        bm.shares(fit(), sets()[0], drws=3)
    with pytest.raises(
        SpecificationError, match=r"diversion has no .* 'price': it has .*'attribute'"
    ):
        bm.diversion(fit(), sets()[0], "price", price="x")
    with pytest.raises(SpecificationError, match=r"predict has no .* 'weigths': it has .*'new'"):
        bm.predict(fit(), sets()[0], weigths="x")


@pytest.mark.parametrize(
    ("verb", "argument"), [("elasticities", "attribute"), ("surplus", "price"),
                           ("price_curve", "price"), ("wtp", "price")]
)  # fmt: skip
def test_a_default_column_is_named_with_its_argument(verb, argument):
    data = choice_data(sets()[0].frame.drop(columns="price"))
    given = {"alternative": 1} if verb == "price_curve" else {}
    if verb == "wtp":
        given = {"term": "x", "data": data}
    else:
        given["data"] = data
    with pytest.raises((DataError, SpecificationError), match=f"argument '{argument}'.*'price'"):
        getattr(bm, verb)(fit(), **given, **HOW)


@pytest.mark.parametrize("verb", [v for v in VERBS if v != "fit.predict"])
def test_draws_that_are_no_numbers(verb):
    tree = posterior().copy(deep=True)
    draws = tree["posterior"].to_dataset()
    tree["posterior"] = xr.DataTree(
        draws.assign(sd=draws["sd"] * np.nan).assign_attrs(tree["posterior"].attrs)
    )
    with pytest.raises(SpecificationError, match="not a number in 'sd', first at chain 0, draw 0"):
        VERBS[verb](tree, sets()[0], draws=2, rng=1)


def test_thinned_selected_and_stripped_posteriors():
    data, tree = sets()[0], posterior()
    whole = bm.shares(tree, data, **HOW)["estimate"]
    draws = tree["posterior"].to_dataset()
    for kept in (draws.isel(draw=0), draws.isel(chain=0), draws.isel(draw=slice(None, None, 10))):
        thinned = xr.DataTree.from_dict({"posterior": kept.assign_attrs(draws.attrs)})
        np.testing.assert_array_equal(bm.shares(thinned, data, **HOW)["estimate"], whole)
        with pytest.raises(SpecificationError, match=r"no group 'observed_data'.*predict="):
            bm.shares(thinned, data, people="known", **HOW)
    for broken, words in (
        ({"posterior": draws.assign_attrs({}).drop_attrs()}, "does not say which model"),
        ({"draws": draws}, "no group 'posterior'"),
    ):
        with pytest.raises(SpecificationError, match=words):
            bm.shares(xr.DataTree.from_dict(broken), data, **HOW)
    for lacking in ("sd", "fixed"):
        part = draws.drop_vars(lacking).assign_attrs(draws.attrs)
        with pytest.raises((SpecificationError, DataError), match=lacking):
            bm.shares(xr.DataTree.from_dict({"posterior": part}), data, **HOW)
