"""Types of people: seconds of weights of 1,000 points, and a bimodal truth against a normal law.

Steps are never near a smooth distribution function at their jumps: the largest distance between
them says less than the area, and both are printed.
"""

import time

import numpy as np
import pandas as pd
from scipy.stats import norm

import bayesmix as bm

BOX = {
    "pf": (-2.0, 0.0),
    "cl": (-2.0, 1.0),
    "loc": (-3.0, 8.0),
    "wk": (-3.0, 6.0),
    "tod": (-20.0, 0.0),
    "seas": (-20.0, 0.0),
}


def electricity() -> pd.DataFrame:
    """Shares of 1,000 points in a box, by two methods."""
    data, model = bm.examples.electricity(), bm.MixedLogit(" + ".join(BOX))
    bm.nonparametric(model, data, bm.Types(BOX, points=16, rng=1), adding=False)
    rows = {}
    for method in ("newton", "em"):
        wall, core = time.perf_counter(), time.process_time()
        found = bm.nonparametric(
            model, data, bm.Types(BOX, points=1000, rng=1), adding=False, method=method
        )
        rows[method] = {
            "log-likelihood": found.loglik,
            "largest derivative": found.gap,
            "types": len(found.types),
            "seconds": time.perf_counter() - wall,
            "CPU seconds": time.process_time() - core,
        }
    return pd.DataFrame(rows).T


def bimodal(seed: int, persons: int = 300, tasks: int = 8) -> dict[str, float]:
    """Two modes at 1.5 and -1.5, standard deviation 0.3: types and a normal law against them."""
    rng = np.random.default_rng(seed)
    high = rng.random(persons) < 0.5
    own = np.where(high[:, None], [-1.0, 1.5], [-2.5, -1.5]) + 0.3 * rng.normal(size=(persons, 2))
    x = rng.normal(size=(persons * tasks, 3, 2))
    utility = np.einsum("tjk,tk->tj", x, np.repeat(own, tasks, axis=0))
    choice = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    frame = pd.DataFrame(x.reshape(-1, 2), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(persons), 3 * tasks)
    frame["task"], frame["alt"] = np.divmod(np.arange(len(frame)), 3)
    frame["choice"] = (np.arange(3) == choice[:, None]).ravel().astype(int)
    data = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice"
    )
    types = bm.Types({"x": (-5, 2), "y": (-4, 4)}, points=64, rng=seed)
    found = bm.nonparametric(bm.MixedLogit("x + y"), data, types, rng=seed)
    fit = bm.msle(bm.MixedLogit("x + y", [bm.Normal("x", "y")]), data, rng=seed)
    at = np.linspace(-3.9, 3.9, 400)
    true = norm.cdf((at[:, None] - [1.5, -1.5]) / 0.3) @ [0.5, 0.5]
    laws = {
        "types": found.distribution("y", at)["estimate"].to_numpy(),
        "normal": norm.cdf(at, fit.params["mean[y]"], fit.params["sd[y]"]),
    }
    rows = {
        "largest derivative": found.largest,
        "log-likelihood, types": found.loglik,
        "log-likelihood, normal": fit.loglik,
    }
    for name, law in laws.items():
        rows[f"largest distance, {name}"] = np.abs(law - true).max()
        rows[f"area, {name}"] = np.abs(law - true).mean() * (at[-1] - at[0])
    return rows


if __name__ == "__main__":
    print(electricity().to_string())
    print(pd.DataFrame({seed: bimodal(seed) for seed in (3, 4, 5)}).to_string())
