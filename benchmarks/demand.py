"""Diversion and elasticities of many alternatives: seconds and memory for the whole matrix.

50 alternatives in 1,000 situations, each of a person, with an outside option and five random
coefficients, at 500 draws of the parameters and 256 nodes a person: the whole matrix is to take
under 60 s on two cores (120 s of core time, whoever else is busy), and the process under 1 GiB.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd
from _common import options, table, timed, verdict

import bayesmix as bm
from bayesmix.demand.options import CheckedOptions
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.simulate import simulate_choices

NAMES = ("price", "a", "b", "c", "d")
MODEL = bm.MixedLogit(
    " + ".join(NAMES), random=[bm.LogNormal("price", sign=-1), bm.Normal(*NAMES[1:])]
)
AT = {f"{kind}[{name}]": 0.5 for kind in ("mean", "sd") for name in NAMES}
GIB = 2.0**30
SECONDS, CORES, MEMORY = 60.0, 2, 1.0


def simulate(situations: int, alternatives: int) -> bm.ChoiceData:
    rng = np.random.default_rng(1)
    rows = situations * alternatives
    frame = pd.DataFrame(rng.standard_normal((rows, len(NAMES))), columns=list(NAMES))
    frame["price"] = rng.uniform(0.5, 3.0, rows)
    frame["id"], frame["alt"] = np.divmod(np.arange(rows), alternatives)
    data = bm.ChoiceData.from_long(
        frame.assign(choice=0),
        person=None,
        situation="id",
        alternative="alt",
        chosen="choice",
        outside_option=True,
    )
    return simulate_choices(MODEL, AT, data, rng)


def bootstrap(fit: bm.Fit, thetas: np.ndarray) -> bm.Bootstrap:
    """A bootstrap whose replications found ``thetas``."""
    params = pd.DataFrame([fit.space.natural(t) for t in thetas], columns=fit.space.names)
    return bm.Bootstrap(fit.params, thetas, params, len(thetas))


def peak() -> float:
    """Highest resident memory of this process so far, GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB


def main() -> None:
    quick = options(__doc__).quick
    draws, nodes = (50 if quick else 500), CheckedOptions().nodes
    data = simulate(1000, 50)
    theta = bind(MODEL, data).parameters.theta(AT)
    # Estimates are beside the point here: the draws lie around the truth.
    thetas = theta + 0.05 * np.random.default_rng(2).standard_normal((draws, len(theta)))
    fit = bm.msle(MODEL, data, grid=bm.sobol(8), starts=1, rng=1)
    common = {"uncertainty": bootstrap(fit, thetas), "rng": 1, "nodes": nodes}
    calls = {
        "elasticities": lambda **o: bm.elasticities(fit, data, **common | o),
        **{
            f"diversion, {kind}": lambda kind=kind, **o: bm.diversion(fit, data, kind, **common | o)
            for kind in ("removal", "price", "quality")
        },
        "diversion, price doubled": lambda **o: bm.diversion(
            fit, data, "price", change=lambda rows: 2 * rows["price"], **common | o
        ),
    }
    few = {"uncertainty": bootstrap(fit, thetas[:1])}
    rows = []
    for name, call in calls.items():
        call(**few)
        spent = time.process_time()
        seconds, _ = timed(call)
        spent = time.process_time() - spent
        good = spent / CORES < SECONDS * draws / 500 and peak() < MEMORY
        rows.append([name, f"{seconds:.1f}", f"{spent:.1f}", f"{peak():.2f}", verdict(good)])
    table(
        f"50 alternatives and the outside option, 1,000 situations, {draws} draws, {nodes} nodes",
        ["what", "seconds", "core seconds", "GiB of the process so far", "good"],
        rows,
    )


if __name__ == "__main__":
    main()
