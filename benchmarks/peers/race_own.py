"""One default fit of bayesmix, for benchmarks/races.py, in a process of its own.

Usage: race_own.py MODEL DATA.pickle COLUMNS [NODES STARTS]

MODEL is ``independent`` or ``correlated`` normals of all columns. Prints what `race_fit.py` does,
and the certificate. Code is compiled beforehand, as after ``bayesmix warm``.
"""

import json
import pickle
import resource
import sys
import time

import bayesmix as bm
from bayesmix.identity import package_identity


def main() -> None:
    kind, path, names, *how = sys.argv[1:]
    bm.warm(progress=False)
    with open(path, "rb") as file:
        data = pickle.load(file)
    columns = names.split(",")
    law = {"independent": bm.Normal, "correlated": bm.LKJNormal}[kind]
    model = bm.MixedLogit(" + ".join(columns), random=[law(*columns)])
    options = {"grid": bm.sobol(int(how[0])), "starts": int(how[1])} if how else {}
    begun, clock = time.process_time(), time.perf_counter()
    fit = bm.msle(model, data, rng=1, **options)
    used, passed = time.process_time() - begun, time.perf_counter() - clock
    unit = 1 if sys.platform == "darwin" else 1024
    certificate = fit.integration
    found = {
        "loglik": fit.loglik,
        "means": [fit.params[f"mean[{name}]"] for name in columns],
        "sds": [fit.params[f"sd[{name}]"] for name in columns],
        "processor_seconds": used,
        "seconds": passed,
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30,
        "version": package_identity(),
        "std_errors": list(fit.std_errors),
        "nodes": certificate.nodes,
        "error": certificate.error / certificate.nats,
        "shift": float(certificate.shift["estimate"].abs().max()),
        "met": bool(bm.Tolerance().met_by(certificate)),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
