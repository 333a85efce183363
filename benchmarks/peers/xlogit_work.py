"""xlogit on the electricity data: one evaluation, or one fit, for each line of standard input.

Usage: xlogit_work.py ROWS.npz DRAWS evaluation|fit
"""

import json
import sys
import time

import numpy as np
from xlogit import MixedLogit, mixed_logit


class _Stop(Exception):
    pass


def arguments(rows, draws):
    names = [str(name) for name in rows["names"]]
    return {
        "X": rows["x"],
        "y": rows["chosen"],
        "varnames": names,
        "alts": rows["alternative"],
        "ids": rows["situation"],
        "panels": rows["person"],
        "randvars": dict.fromkeys(names, "n"),
        "n_draws": draws,
        "verbose": 0,
    }


def objective(rows, draws):
    """What xlogit's own ``fit`` hands to the optimiser: the function, and its data and draws."""
    found = {}

    def catch(function, start, args, **others):
        found.update(function=function, args=args)
        raise _Stop

    mixed_logit._minimize = catch
    start = np.full(2 * rows["x"].shape[1], 0.1)
    try:
        MixedLogit().fit(**arguments(rows, draws), init_coeff=start)
    except _Stop:
        return found["function"], found["args"]


def evaluation(rows, draws):
    function, args = objective(rows, draws)
    at = np.array(json.loads(sys.argv[4]))

    def work():
        value, gradient, _ = function(at, *args)
        return {"loglik": -float(value), "gradient": (-gradient).tolist()}

    return work


def fit(rows, draws):
    def work():
        model = MixedLogit()
        model.fit(**arguments(rows, draws))
        means = rows["x"].shape[1]
        return {
            "loglik": float(model.loglikelihood),
            "estimates": [*model.coeff_[:means], *np.abs(model.coeff_[means:])],
            "std_errors": model.stderr.tolist(),
            "converged": bool(model.convergence),
        }

    return work


def main():
    rows, draws = np.load(sys.argv[1]), int(sys.argv[2])
    work = {"evaluation": evaluation, "fit": fit}[sys.argv[3]](rows, draws)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        result = work()
        print(json.dumps({**result, "seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main()
