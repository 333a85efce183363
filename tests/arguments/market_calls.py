"""Valid calls of functions of markets and firms."""

from types import SimpleNamespace

import bayesmix as bm
from tests.arguments.call import Call, options


def market_calls(have: SimpleNamespace) -> dict[str, Call]:
    """Shares and prices of markets, by their names."""
    data, fit, few = have.data, have.fit, have.few
    supply = {"result": fit, "data": have.one_price, "firms": have.firms, "predict": None}
    demand = {"result": fit, "data": data}
    return {
        "match_shares": Call(
            bm.match_shares,
            {
                **demand,
                "shares": {"a": 0.5, "b": 0.3, "c": 0.2},
                "market": None,
                "scenario": None,
                "predict": None,
                "column": "xi",
                **options(few),
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
        "markups": Call(bm.markups, {**supply, **options(few)}),
        "pass_through": Call(bm.pass_through, {**supply, **options(few)}),
        "merger": Call(
            bm.merger,
            {**supply, "merge": ("a", "b"), "efficiencies": None, "by": None, **options(few)},
        ),
        "pricing_pressure": Call(
            bm.pricing_pressure,
            {**supply, "merge": ("a", "b"), "efficiencies": None, **options(few)},
        ),
        "tax": Call(
            bm.tax, {**supply, "specific": 0.1, "ad_valorem": None, "by": None, **options(few)}
        ),
        "entry_and_exit": Call(
            bm.entry_and_exit,
            {
                **supply,
                "scenario": have.one_price.without("c"),
                "costs": None,
                "by": None,
                **options(few),
            },
        ),
    }
