"""Valid calls of the estimators."""

from types import SimpleNamespace

import bayesmix as bm
from tests.arguments.call import Call
from tests.arguments.things import MODEL


def estimator_calls(have: SimpleNamespace) -> dict[str, Call]:
    """The estimators, by their names."""
    estimate = {"model": MODEL, "data": have.data}
    rule = bm.sobol(16)
    return {
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
                "client": None,
                "checkpoint": None,
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
    }
