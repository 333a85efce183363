"""Every mixing law on simulated data: recovery on both paths, and whether the two samplers agree.

300 persons make 8 choices each. Distances of estimates from the truth are in standard errors (MSLE)
and posterior standard deviations (NUTS on the integrated likelihood); means of the marginal and the
hierarchical posterior differ by so many Monte Carlo errors. ``lr p`` is the p-value of the truth by
the likelihood ratio, the same for all parameters of a law: a truncated normal's mean and standard
deviation trade off along a curve, which distances in standard errors do not follow. Rows go to a
file when ready, and the same command goes on from there.
"""

from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
from _common import console, options, table
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.laws.coefficient import Law

PERSONS, SITUATIONS, ALTERNATIVES = 300, 8, 3
LAWS: dict[str, tuple[Law, dict[str, float]]] = {
    "normal": (bm.Normal("x"), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "lognormal": (bm.LogNormal("x", sign=-1), {"mean[x]": -0.2, "sd[x]": 0.8}),
    "uniform": (bm.Uniform("x"), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "triangular": (bm.Triangular("x"), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "triangular, bounded by 0": (bm.Triangular("x", zero_bounded=True, sign=-1), {"sd[x]": 0.5}),
    "truncated below": (bm.TruncatedNormal("x", lower=0), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "truncated": (bm.TruncatedNormal("x", lower=-1, upper=2), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "truncated below, mildly": (
        bm.TruncatedNormal("x", lower=0),
        {"mean[x]": 2.0, "sd[x]": 1.0},
    ),
    "truncated, mildly": (
        bm.TruncatedNormal("x", lower=-2, upper=3),
        {"mean[x]": 0.5, "sd[x]": 1.0},
    ),
    "censored": (bm.CensoredNormal("x", lower=0), {"mean[x]": 0.3, "sd[x]": 1.0}),
    "exponential": (bm.Exponential("x", sign=-1), {"sd[x]": 1.0}),
    "gamma": (bm.Gamma("x", sign=-1), {"mean[x]": 0.0, "sd[x]": 0.7}),
    "johnson": (bm.JohnsonSB("x", lower=-3, upper=0), {"mean[x]": 0.3, "sd[x]": 1.2}),
    "gamma, correlated": (
        bm.Correlated(bm.Gamma("x", sign=-1), bm.Normal("z")),
        {"mean[x]": 0.0, "sd[x]": 0.7, "mean[z]": -0.4, "sd[z]": 0.7, "corr[x, z]": 0.5},
    ),
}
COMMON = {"mean[y]": 0.6, "sd[y]": 0.8}
FILE = Path("runs/laws.csv")


def model(law: Law) -> bm.MixedLogit:
    formula = " + ".join(("y", *law.terms))
    return bm.MixedLogit(formula, random=[law, bm.Normal("y")])


def simulate(law: Law, truth: dict[str, float], seed: int) -> bm.ChoiceData:
    """Standard normal attributes, and choices of the model."""
    rng = np.random.default_rng(seed)
    rows = np.arange(PERSONS * SITUATIONS * ALTERNATIVES)
    frame = pd.DataFrame(rng.normal(size=(len(rows), 3)), columns=["x", "y", "z"]).assign(
        person=rows // (SITUATIONS * ALTERNATIVES),
        situation=rows // ALTERNATIVES,
        alternative=rows % ALTERNATIVES,
        choice=(rows % ALTERNATIVES == 0).astype(int),
    )
    data = bm.ChoiceData.from_long(
        frame,
        person="person",
        situation="situation",
        alternative="alternative",
        chosen="choice",
    )
    return bm.simulate_choices(model(law), truth, data, rng=seed)


def posterior(found: Any) -> pd.DataFrame:
    """Mean, standard deviation, Monte Carlo error of the mean, R-hat and ESS by flat name."""
    kinds = [k for k in ("mean", "sd", "corr") if k in found["posterior"].data_vars]
    return az.summary(found, var_names=kinds, round_to="none")


def likelihood_ratio(fit: bm.Fit, data: bm.ChoiceData, truth: dict[str, float]) -> float:
    """P-value of the true parameters by the likelihood ratio, on plain Sobol nodes."""
    problem = bind(fit.model, data)
    nodes = bm.population_grid(bm.sobol(4096), problem.parameters.n_random, problem.n_persons, 1)
    likelihood = Likelihood(problem, nodes)
    best, true = (
        likelihood.value_and_gradient(at)[0] for at in (fit.theta, problem.parameters.theta(truth))
    )
    return float(chi2.sf(2 * (best - true), len(truth)))


def study(name: str, seed: int, draws: int) -> pd.DataFrame:
    """Rows by parameter of one law."""
    law, own = LAWS[name]
    truth = own | COMMON
    data = simulate(law, truth, seed)
    fit = bm.msle(model(law), data, rng=seed, progress=False)
    p_value = likelihood_ratio(fit, data, truth)
    sample = {"draws": draws, "chains": 2, "rng": seed, "progress": False}
    marginal = posterior(bm.sample(model(law), data, likelihood="marginal", **sample))
    whole = posterior(bm.sample(model(law), data, likelihood="hierarchical", **sample))
    rows = []
    for parameter, value in truth.items():
        m, h = marginal.loc[parameter], whole.loc[parameter]
        rows.append(
            {
                "law": name,
                "seed": seed,
                "parameter": parameter,
                "truth": value,
                "msle": fit.params[parameter],
                "msle z": (fit.params[parameter] - value) / fit.std_errors[parameter],
                "lr p": p_value,
                "nuts": m["mean"],
                "nuts z": (m["mean"] - value) / m["sd"],
                "gap": (m["mean"] - h["mean"]) / np.hypot(m["mcse_mean"], h["mcse_mean"]),
                "gap, sd": (m["mean"] - h["mean"]) / m["sd"],
                "ess": min(m["ess_bulk"], h["ess_bulk"]),
                "r_hat": max(m["r_hat"], h["r_hat"]),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Rows of all laws, or of three with --quick."""
    quick = options(__doc__).quick
    names = [n for n in LAWS if not quick or n in ("uniform", "censored", "gamma")]
    FILE.parent.mkdir(exist_ok=True)
    done = set(pd.read_csv(FILE)["law"]) if FILE.is_file() else set()
    for name in names:
        if name not in done:
            rows = study(name, seed=3, draws=300 if quick else 1000)
            rows.to_csv(FILE, mode="a", header=not FILE.is_file(), index=False)
    found = pd.read_csv(FILE)
    columns = [c for c in found.columns if c not in ("seed", "truth")]
    cells = found[columns].round(3).astype(str).to_numpy()
    table("Laws: recovery, and agreement of samplers", columns, cells.tolist())
    worst = found[["msle z", "nuts z", "gap", "gap, sd"]].abs().max()
    console.print(worst.round(2).to_string())


if __name__ == "__main__":
    main()
