"""Persons left out: weights against exact refits, and cross-validation of a true and a wrong model.

    python benchmarks/left_out.py [--quick]

Panels with a random coefficient are simulated, and the true model and the multinomial logit scored
by folds. Then persons of the electricity data are left out of a posterior of six independent
normals, by Pareto-smoothed weights, and the posterior sampled without each of them. Differences are
in units of the Monte Carlo errors of both.
"""

import time
from functools import partial

import numpy as np
import pandas as pd
from _common import INDEPENDENT, console, options

import bayesmix as bm

PERSONS, TASKS = 400, 5
TRUE = bm.MixedLogit("x + y", random=bm.Normal("x"))
WRONG = bm.MixedLogit("x + y")
TRUTH = {"mean[x]": 1.0, "sd[x]": 0.5, "fixed[y]": -0.5}


def refits(number: int) -> None:
    """Weights against refits, for persons spread over the ranks of k, the worst among them."""
    data = bm.examples.electricity()
    posterior = bm.sample(INDEPENDENT, data, method="importance", draws=1000, rng=1, progress=False)
    begun = time.perf_counter()
    weighed = bm.loo(posterior, data, refit=False).rows
    order = weighed["pareto_k"].sort_values(ascending=False).index
    some = order[np.unique(np.geomspace(1, len(order), number).round().astype(int)) - 1]
    some = some.union(order[:number], sort=False)[:number]
    exact = bm.loo(posterior, data, exact=list(some), rng=2, progress=True).rows
    seconds = time.perf_counter() - begun
    gap = (weighed["log score"] - exact["log score"])[some]
    z = gap / np.hypot(weighed["mcse"], exact["mcse"])[some]
    console.print(
        f"{len(some)} of {len(data.persons)} persons, "
        f"refits {dict(exact['method'][some].value_counts())}, "
        f"k from {weighed['pareto_k'][some].min():.2f} to {weighed['pareto_k'][some].max():.2f}: "
        f"largest difference {gap.abs().max():.3f} nats, {z.abs().max():.2f} standard errors, "
        f"{int((z.abs() < 2).sum())} within 2; "
        f"sum of differences {gap.sum():+.3f}; {seconds:.0f} s"
    )


def panel(seed: int) -> bm.ChoiceData:
    """Choices of ``TRUE`` at ``TRUTH``."""
    rng = np.random.default_rng(seed)
    rows = PERSONS * TASKS * 3
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(PERSONS), TASKS * 3)
    frame["task"] = np.repeat(np.arange(PERSONS * TASKS), 3)
    frame["alt"] = np.tile(np.arange(3), PERSONS * TASKS)
    frame["choice"] = (frame["alt"] == 0).astype(int)
    blank = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice"
    )
    return bm.simulate_choices(TRUE, TRUTH, blank, rng)


def folds(simulations: int) -> None:
    """How often the true model's log score is ahead."""
    method = partial(bm.msle, grid=bm.centred(bm.sobol(32)), starts=1)
    begun, apart = time.perf_counter(), []
    for seed in range(simulations):
        found = bm.cross_validate(
            {"true": TRUE, "wrong": WRONG}, panel(seed), folds=5, method=method, rng=seed
        )
        table = found.compare()
        apart.append(found["true"].log_score - found["wrong"].log_score)
        console.print(f"simulation {seed}: {apart[-1]:+.2f}, {table.index[0]}")
    ahead = int((np.array(apart) > 0).sum())
    console.print(
        f"{PERSONS} persons x {TASKS} choices, sd {TRUTH['sd[x]']}, 5 folds: the true model is "
        f"ahead in {ahead} of {simulations} simulations, by {np.mean(apart):.1f} nats on average "
        f"(least {np.min(apart):+.1f}); {time.perf_counter() - begun:.0f} s"
    )


def main() -> None:
    given = options(__doc__)
    folds(3 if given.quick else 100)
    refits(3 if given.quick else 20)


if __name__ == "__main__":
    main()
