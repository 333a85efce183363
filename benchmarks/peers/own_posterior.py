"""One posterior of the electricity data, 27 parameters, by whichever bayesmix is imported.

Usage: own_posterior.py nuts|importance DRAWS AGAIN OUT.json

Prints nothing; writes seconds and CPU seconds of a first call (models compiled within them where
they are), of a second call in the same process, the least bulk ESS a parameter and the largest
R-hat. AGAIN is 0 to leave out the second call.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import arviz as az

import bayesmix as bm

NAMES = ("pf", "cl", "loc", "wk", "tod", "seas")
MODEL = bm.MixedLogit(" + ".join(NAMES), random=[bm.LKJNormal(*NAMES)])


def main() -> None:
    warnings.simplefilter("ignore")
    method, draws, again, out = sys.argv[1:]
    data = bm.examples.electricity()
    # The build before knows NUTS alone.
    options = {} if method == "nuts" else {"method": method}
    found: dict[str, float] = {}
    for number in range(1 + int(again)):
        begun, used = time.perf_counter(), time.process_time()
        tree = bm.sample(
            MODEL, data, draws=int(draws), chains=4, rng=1 + number, progress=False, **options
        )
        word = "again " if number else ""
        found[f"{word}seconds"] = time.perf_counter() - begun
        found[f"{word}cpu"] = time.process_time() - used
        table = az.summary(tree, kind="diagnostics", round_to="none")
        if not number:
            found["ess"] = float(table["ess_bulk"].min())
            found["r_hat"] = float(table["r_hat"].max())
            # Of draws with weights, what these say where it is less: resampled draws look fresh.
            found["ess"] = min(found["ess"], tree["posterior"].attrs.get("ess", found["ess"]))
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
