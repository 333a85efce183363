"""Persons left out: weights against exact refits, and cross-validation of a true and a wrong model.

    python benchmarks/left_out.py folds [--simulations 100]
    python benchmarks/left_out.py refits [--simulations 20]

`folds` simulates panels of 400 persons with a random coefficient, and scores the true model and the
multinomial logit by five folds of persons. `refits` samples the posterior of one panel of 100
persons with two correlated coefficients, and compares the log scores of some persons, by
Pareto-smoothed weights, with those of the posterior sampled without each of them; differences are
in units of the Monte Carlo errors of both. The persons are spread over the ranks of k, the worst
among them. What is finished is kept in `runs/`: the same command goes on where it was ended.
"""

import argparse
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from _common import console

import bayesmix as bm
from bayesmix.repeated import Repeated, run_all

PERSONS, TASKS, FOLDS = 400, 5, 5
TRUE = bm.MixedLogit("x + y", random=bm.Normal("x"))
WRONG = bm.MixedLogit("x + y")
TRUTH = {"mean[x]": 1.0, "sd[x]": 0.5, "fixed[y]": -0.5}
FEW, OFTEN = 100, 6
CORRELATED = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y"))
AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 0.8, "corr[x, y]": 0.4}
OUT = Path("runs")


def panel(
    model: bm.MixedLogit, truth: dict[str, float], persons: int, tasks: int, seed: int
) -> bm.ChoiceData:
    """Choices of ``model`` at ``truth``, among three alternatives of normal attributes."""
    rng = np.random.default_rng(seed)
    rows = persons * tasks * 3
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(persons), tasks * 3)
    frame["task"] = np.repeat(np.arange(persons * tasks), 3)
    frame["alt"] = np.tile(np.arange(3), persons * tasks)
    frame["choice"] = (frame["alt"] == 0).astype(int)
    blank = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice"
    )
    return bm.simulate_choices(model, truth, blank, rng)


def score(_job: None, seed: int, number: int) -> dict[str, float]:
    """Log scores of the true and the wrong model on a panel of its own."""
    own = int(np.random.default_rng([seed, number]).integers(2**31))
    found = bm.cross_validate(
        {"true": TRUE, "wrong": WRONG},
        panel(TRUE, TRUTH, PERSONS, TASKS, own),
        folds=FOLDS,
        method=partial(bm.msle, grid=bm.centred(bm.sobol(32)), starts=1),
        rng=own,
        progress=False,
    )
    return {name: found[name].log_score for name in ("true", "wrong")}


@cache
def posterior(seed: int) -> tuple:
    """A panel, draws of its posterior, and scores of its persons by weights."""
    data = panel(CORRELATED, AT, FEW, OFTEN, seed)
    tree = bm.sample(CORRELATED, data, method="importance", draws=1000, rng=seed, progress=False)
    return data, tree, bm.loo(tree, data, refit=False).rows


def refit(asked: int, seed: int, number: int) -> dict[str, object]:
    """A person's score by weights and by a refit."""
    data, tree, rows = posterior(seed)
    order = rows["pareto_k"].sort_values(ascending=False).index
    person = order[np.linspace(0, len(order) - 1, asked).round().astype(int)[number]]
    own = int(np.random.default_rng([seed, number]).integers(2**31))
    exact = bm.loo(tree, data, exact=[person], rng=own).rows.loc[person]
    weighed = rows.loc[person]
    return {
        "person": int(person),
        "pareto_k": float(weighed["pareto_k"]),
        "weights": float(weighed["log score"]),
        "weights_error": float(weighed["mcse"]),
        "refit": float(exact["log score"]),
        "refit_error": float(exact["mcse"]),
        "method": str(exact["method"]),
    }


def shown(frame: pd.DataFrame, what: str) -> str:
    """What the figures say."""
    n = len(frame)
    if what == "folds":
        apart = frame["true"] - frame["wrong"]
        return (
            f"{PERSONS} persons x {TASKS} choices, sd {TRUTH['sd[x]']}, {FOLDS} folds: the true "
            f"model is ahead in {int((apart > 0).sum())} of {n} simulations, by "
            f"{apart.mean():.1f} nats on average (least {apart.min():+.1f})"
        )
    gap = frame["weights"] - frame["refit"]
    z = gap / np.hypot(frame["weights_error"], frame["refit_error"])
    return (
        f"{n} of {FEW} persons, k from {frame['pareto_k'].min():.2f} to "
        f"{frame['pareto_k'].max():.2f}, refits {dict(frame['method'].value_counts())}: largest "
        f"difference {gap.abs().max():.3f} nats, {z.abs().max():.2f} standard errors; "
        f"{int((z.abs() < 2).sum())} within 2; sum of differences {gap.sum():+.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("folds", "refits"))
    parser.add_argument("--simulations", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    number = given.simulations or {"folds": 100, "refits": 20}[given.what]
    work, job = {"folds": (score, None), "refits": (refit, number)}[given.what]
    OUT.mkdir(exist_ok=True)
    key = {"what": given.what, "job": str(job), "design": str((PERSONS, TASKS, FOLDS, FEW, OFTEN))}
    found = run_all(
        Repeated(work, job, given.what, key),
        number,
        rng=1,
        processes=given.processes,
        file=OUT / f"left_out_{given.what}.jsonl",
        progress=True,
    )
    frame = pd.DataFrame.from_dict(found.records, orient="index")
    frame.to_csv(OUT / f"left_out_{given.what}.csv", index_label="number")
    console.print(shown(frame, given.what), markup=False)


if __name__ == "__main__":
    main()
