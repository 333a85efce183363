"""Yogurt's long panels with correlated normals: CPU seconds, and how near they come to the best.

100 persons with 2,412 choices, read from the folder in $BAYESMIX_DATA. The maxima on any number of
nodes that are fixed at an anchor are nats too high here; references are where Newton's method on
8,192 nodes that follow has come to from several starts, by 4 x 32,768 independent nodes there.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _common import options, table, verdict

import bayesmix as bm
from bayesmix.accuracy.pooling import pooled
from bayesmix.centring.grids import centre
from bayesmix.classical.fit import Fit
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood

BRANDS = ("hiland", "weight", "yoplait")
REFERENCES = {"fixed price": -1228.925, "random price": -1204.241}
NODES, SCRAMBLES = 32_768, 4
WITHIN = 0.3
"""Nats from the best that count as having found it."""


def exact(model: bm.MixedLogit, data: bm.ChoiceData, fit: Fit) -> float:
    """The log-likelihood at a fit's estimates on independent nodes."""
    problem = bind(model, data)
    grid = centre(problem, bm.centred(bm.sobol(NODES), moments=True), fit.theta, 777)
    grids = [grid, *(grid.renewed(seed) for seed in range(1, SCRAMBLES))]
    each = [Likelihood(problem, g, keep=False).by_person(fit.theta)[0] for g in grids]
    logp, variance = pooled(np.stack(each))
    return float((logp + variance / (2 * SCRAMBLES)).sum())


def main() -> None:
    asked = options(__doc__)
    frame = pd.read_csv(Path(os.environ["BAYESMIX_DATA"]) / "yogurt" / "yogurt_long.csv")
    frame = frame.assign(**{b: (frame["brand"] == b).astype(float) for b in BRANDS})
    data = bm.ChoiceData.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    rows = []
    for name, best in REFERENCES.items():
        random = ("feat", *BRANDS) if name == "fixed price" else ("price", "feat", *BRANDS)
        model = bm.MixedLogit(" + ".join(("price", "feat", *BRANDS)), random=bm.LKJNormal(*random))
        for seed in (1,) if asked.quick else (1, 2, 3):
            begun = time.process_time()
            fit = bm.msle(model, data, rng=seed)
            seconds = time.process_time() - begun
            value = exact(model, data, fit)
            assert fit.integration is not None
            low, high = fit.integration.error_interval
            off = fit.loglik - value
            rows.append(
                [
                    f"{name}, seed {seed}",
                    f"{seconds:.1f}",
                    str(fit.integration.nodes),
                    f"{fit.loglik:.3f}",
                    f"{value - best:+.3f}",
                    verdict(value > best - WITHIN),
                    f"{off:+.3f}",
                    f"{low:+.3f} to {high:+.3f}",
                    verdict(low - 0.01 <= off <= high + 0.01),
                ]
            )
    columns = ["", "CPU s", "nodes", "log-lik.", "to best", "in 0.3", "error", "certified", "held"]
    table("Yogurt, four and five correlated normals", columns, rows)


if __name__ == "__main__":
    main()
