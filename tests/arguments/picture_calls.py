"""Valid calls of what draws and prints results."""

from types import SimpleNamespace

import bayesmix as bm
from tests.arguments.call import Call


def picture_calls(have: SimpleNamespace) -> dict[str, Call]:
    """Pictures and tables by their names, with arguments that they accept."""
    return {
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
        "plot_forest": Call(bm.plot_forest, {"fits": {"MSLE": have.fit}}),
        "diagnose": Call(bm.diagnose, {"posterior": have.draws}),
        "plot_trace": Call(bm.plot_trace, {"posterior": have.draws, "parameters": ["scale"]}),
        "plot_sbc": Call(bm.plot_sbc, {"found": have.ranks, "probability": 0.9}),
        "plot_coverage": Call(bm.plot_coverage, {"found": have.coverage}),
        "plot_rules": Call(bm.plot_rules, {"table": have.rules}),
    }
