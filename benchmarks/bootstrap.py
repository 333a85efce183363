"""The bootstrap over persons against robust standard errors, on the electricity data.

Replications know a standard error within ``1 / sqrt(2 D)`` of it from their standard deviation, and
within 1.65 times that from their quartiles, which a few stray replications would leave alone: where
the two agree there are none.
"""

import numpy as np
import pandas as pd
from _common import INDEPENDENT, console, options, table, timed, verdict

import bayesmix as bm

WITHIN = 0.1
QUARTILES = 1.349
"""Distance of a normal law's quartiles, in standard deviations."""


def ratios(fit: bm.Fit, found: bm.Bootstrap) -> pd.DataFrame:
    """Bootstrap's over robust standard errors: from standard deviations, and from quartiles."""
    low, high = found.params.quantile(0.25), found.params.quantile(0.75)
    return pd.DataFrame(
        {
            "robust": fit.std_errors,
            "sd": found.std_errors / fit.std_errors,
            "quartiles": (high - low) / QUARTILES / fit.std_errors,
            "skewness": found.params.skew(),
        }
    )


def measure(nodes: int, replications: int) -> None:
    """Ratios for all parameters on a grid of ``nodes``."""
    data = bm.examples.electricity()
    fit = bm.msle(INDEPENDENT, data, grid=bm.centred(bm.sobol(nodes)), rng=1)
    seconds, found = timed(lambda: bm.bootstrap(fit, data, replications, rng=1, processes=1))
    rows = ratios(fit, found)
    table(
        f"{nodes} nodes a person, {found.headline()}, {seconds:.0f} s",
        ["", "robust", "bootstrap / robust", "from quartiles", "skewness"],
        [
            [name, f"{r['robust']:.4f}", f"{r['sd']:.3f}", f"{r['quartiles']:.3f}",
             f"{r['skewness']:+.2f}"]
            for name, r in rows.iterrows()
        ],
    )  # fmt: skip
    worst = rows["sd"].sub(1).abs()
    console.print(
        f"largest distance from 1: {worst.idxmax()} by {worst.max():.3f}, of which about "
        f"{1 / np.sqrt(2 * replications):.3f} is the replications' noise; within {WITHIN}: "
        f"{verdict(worst.max() <= WITHIN)}",
        markup=False,
    )


def main() -> None:
    asked = options(__doc__.splitlines()[0])
    for nodes, replications in ((64, 200), (256, 100 if asked.quick else 1000)):
        measure(nodes, replications)


if __name__ == "__main__":
    main()
