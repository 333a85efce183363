"""Valid calls of what simulates or resamples, and of laws on points."""

from types import SimpleNamespace

import bayesmix as bm
from tests.arguments.call import Call
from tests.arguments.things import AT, MODEL


def repeated_calls(have: SimpleNamespace) -> dict[str, Call]:
    """The bootstrap, simulations of methods, and laws whose points are given, by their names."""
    data, fit, rule = have.data, have.fit, bm.sobol(16)
    return {
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
        "logit_mixed": Call(
            bm.logit_mixed,
            {
                "model": bm.MixedLogit("price + quality"),
                "data": data,
                "weights": bm.LogitWeights(
                    bm.Types({"price": [-2.0, -1.0, 0.0]}), basis="steps", size=1
                ),
                "replications": 2,
                "rng": 1,
                "progress": False,
            },
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
    }
