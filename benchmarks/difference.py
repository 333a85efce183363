"""Why the electricity posterior's means are not the MSLE: the split, 27 parameters.

Writes results/difference.csv and results/difference.png. What is left over is the distance of the
draws' mean from that of an independent sample on other nodes.
"""

import time
from pathlib import Path

from _common import FULL

import bayesmix as bm

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    data = bm.examples.electricity()
    fit = bm.msle(FULL, data, grid=bm.centred(bm.sobol(256)), rng=1)
    posterior = bm.sample(FULL, data, draws=4000, chains=2, rng=2, progress=False)
    begun = time.process_time()
    split = bm.explain_difference(fit, posterior, data, draws=8000, rng=3)
    print(split)
    print(f"Pareto k {split.pareto_k:.2f}, {time.process_time() - begun:.0f} s of a processor")
    split.parts.round(4).to_csv(RESULTS / "difference.csv")
    split.plot().savefig(RESULTS / "difference.png", dpi=120)


if __name__ == "__main__":
    main()
