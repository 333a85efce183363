"""The camera survey: a posterior under bayesm's priors against bayesm's own, and brands' diversion.

332 people choose 16 times between four cameras and none; ten correlated normal coefficients. The
data are not part of the package: the script reads the folder that BAYESMIX_SHARED_DATA names.
Posteriors and fits are kept in `runs/camera/`, and read again where they exist.
"""

import json
import os
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from _common import console, options, table, timed, verdict

import bayesmix as bm

BRANDS = ("canon", "sony", "nikon", "panasonic")
NAMES = (*BRANDS, "pixels", "zoom", "video", "swivel", "wifi", "price")
MODEL = bm.MixedLogit(" + ".join(NAMES), random=[bm.LKJNormal(*NAMES)])
PRIORS = {
    "bayesm's priors": {"cov": bm.InverseWishart(mean_precision=0.01)},
    "default priors": None,
}
NODES, DRAWS, TUNE = 512, 400, 200
FIT_NODES = 1024
"""On 256 the fit's log-likelihood is 23 nats above the exact one at its estimates."""
CLOSE = 0.5
"""Largest difference of a mean from the recorded run's, in its posterior standard deviations."""
OUT = Path("runs") / "camera"


def read(folder: Path) -> tuple[bm.ChoiceData, dict]:
    """Choices with an outside option and a column of brands; and the run of bayesm."""
    frame = pd.read_csv(folder / "camera" / "camera_long.csv")
    frame = frame[frame["alt"] != 5].reset_index(drop=True)
    frame["brand"] = np.array(BRANDS)[frame[list(BRANDS)].to_numpy().argmax(axis=1)]
    data = bm.ChoiceData.from_long(
        frame, person="id", situation="task", alternative="alt", chosen="choice",
        outside_option=True,
    )  # fmt: skip
    records = json.loads((folder / "camera" / "refs.json").read_text(encoding="utf-8"))
    return data, next(r for r in records if r["id"] == "bayesm_normal")


def posterior(name: str, data: bm.ChoiceData, nodes: int, draws: int) -> xr.DataTree:
    """NUTS on so many person-centred nodes, anchored at the posterior mode."""
    path = OUT / f"{name.split()[0].removesuffix("'s")}-{nodes}-{draws}.nc"
    if path.exists():
        return xr.open_datatree(path)
    seconds, found = timed(
        lambda: bm.sample(
            MODEL,
            data,
            likelihood="marginal",
            grid=bm.centred(bm.sobol(nodes), moments=True),
            draws=draws,
            tune=TUNE,
            chains=2,
            priors=PRIORS[name],
            rng=1,
            progress=False,
        )
    )
    found["posterior"].attrs["seconds"] = seconds
    found.to_netcdf(path)
    return found


def show_sampling(posteriors: dict[str, xr.DataTree]) -> None:
    """Time, mixing and integration error of each run."""
    rows = []
    for name, tree in posteriors.items():
        quantities = tree["posterior"].to_dataset()[["mean", "sd", "corr"]]
        ess = min(float(v.min()) for v in az.ess(quantities).data_vars.values())
        rhat = max(float(v.max()) for v in az.rhat(quantities).data_vars.values())
        attrs = tree["posterior"].attrs
        rows.append(
            [name, f"{attrs['seconds'] / 60:.1f}", f"{ess:.0f}", f"{rhat:.3f}",
             f"{attrs['integration_error_mean']:+.2f}", f"{attrs['integration_error_sd']:.2f}",
             f"{attrs['integration_pareto_k']:.2f}"]
        )  # fmt: skip
    table(
        "Sampling: 2 chains, 65 parameters, all means, standard deviations and correlations",
        ["posterior", "minutes", "least bulk ESS", "R-hat", "error of log L, nats",
         "its sd over the posterior", "Pareto k"],
        rows,
    )  # fmt: skip


def show_means(posteriors: dict[str, xr.DataTree], reference: dict) -> None:
    """Posterior means of the population means, and their distances from the recorded run."""
    names = list(PRIORS)
    ours = {n: posteriors[n]["posterior"]["mean"].mean(("chain", "draw")) for n in names}
    sds = {n: posteriors[n]["posterior"]["mean"].std(("chain", "draw")) for n in names}
    rows, distances = [], []
    for term in NAMES:
        at, sd = reference["coef"][term], reference["se"][term]
        row = [term, f"{at:.3f}", f"{sd:.3f}"]
        for name in names:
            value = float(ours[name].sel(random=term))
            distance = (value - at) / sd
            row += [f"{value:.3f}", f"{float(sds[name].sel(random=term)):.3f}", f"{distance:+.2f}"]
            if name == names[0]:
                distances.append(distance)
        rows.append(row)
    table(
        "Population means: mean and sd of bayesm's run; ours, and the distance in its sds",
        ["mean", "bayesm", "sd", names[0], "sd", "distance", names[1], "sd", "distance"],
        rows,
    )
    worst = float(np.abs(distances).max())
    console.print(f"largest distance {worst:.2f}, at most {CLOSE}: {verdict(worst <= CLOSE)}")


def show_variances(posteriors: dict[str, xr.DataTree], reference: dict) -> None:
    """Posterior means of the population variances."""
    rows = []
    for term in NAMES:
        at, sd = reference["var"][term], reference["var_sd"][term]
        row = [term, f"{at:.2f}", f"{sd:.2f}"]
        for tree in posteriors.values():
            value = float((tree["posterior"]["sd"].sel(random=term) ** 2).mean())
            row += [f"{value:.2f}", f"{(value - at) / sd:+.2f}"]
        rows.append(row)
    first, second = posteriors
    table(
        "Population variances: mean and sd of bayesm's run; ours, and the distance in its sds",
        ["variance", "bayesm", "sd", first, "distance", second, "distance"],
        rows,
    )


def likelihood_fit(data: bm.ChoiceData, nodes: int) -> bm.Fit:
    """MSLE of the same model."""
    path = OUT / f"msle-{nodes}.json"
    if not path.exists():
        seconds, fit = timed(
            lambda: bm.msle(
                MODEL, data, grid=bm.centred(bm.sobol(nodes), moments=True), starts=1, rng=1
            )
        )
        console.print(f"MSLE: {seconds / 60:.1f} minutes, log-likelihood {fit.loglik:.2f}")
        fit.save(path)
    fit = bm.Fit.load(path, data)
    console.print(f"MSLE: log-likelihood {fit.loglik:.2f}; {fit.integration}")
    return fit


def show_diversion(results: dict[str, xr.DataTree | bm.Fit], data: bm.ChoiceData) -> None:
    """Where the buyers of a brand go when all its cameras are gone; a table and a plot."""
    found = {
        name: bm.diversion(result, data, "removal", products="brand", draws=100, nodes=128, rng=1)
        for name, result in results.items()
    }
    first, second = found.values()
    # Intervals of independent results would hold their difference; these share the data.
    half = [(one["high"] - one["low"]) / 2 for one in found.values()]
    joint = np.abs(first["estimate"] - second["estimate"]) / np.hypot(*half)
    for name, one in found.items():
        text = bm.demand_table(one)
        table(
            f"Removal diversion of brands, {name}: of those who chose the row, the share that "
            "goes to the column",
            ["brand", *map(str, text.columns)],
            [
                [str(brand), *cells]
                for brand, cells in zip(text.index, text.to_numpy(), strict=True)
            ],
        )
    benchmark = first["logit"].to_pandas().round(3)
    table(
        "The same without differences between people (logits with each situation's shares)",
        ["brand", *map(str, benchmark.columns)],
        [[str(brand), *cells] for brand, cells in zip(benchmark.index, benchmark.to_numpy(),
                                                      strict=True)],
    )  # fmt: skip
    worst = float(joint.max())
    console.print(
        f"largest difference {float(np.abs(first['estimate'] - second['estimate']).max()):.3f}; "
        f"{worst:.2f} of the joint half-width, at most 1: {verdict(worst <= 1)}"
    )
    figure = bm.plot_diversion(found)
    figure.savefig(OUT / "diversion.png")
    console.print(OUT / "diversion.png")


def main() -> None:
    quick = options(__doc__).quick
    named = os.environ.get("BAYESMIX_SHARED_DATA")
    if not named or not (Path(named) / "camera" / "camera_long.csv").exists():
        console.print("no camera data: set BAYESMIX_SHARED_DATA to the folder that holds camera/")
        return
    data, reference = read(Path(named))
    OUT.mkdir(parents=True, exist_ok=True)
    nodes, draws = (128, 100) if quick else (NODES, DRAWS)
    first = next(iter(PRIORS))
    nuts = posterior(first, data, nodes, draws)
    show_diversion(
        {f"NUTS, {first}": nuts, "MSLE": likelihood_fit(data, nodes if quick else FIT_NODES)}, data
    )
    posteriors = {name: posterior(name, data, nodes, draws) for name in PRIORS}
    show_sampling(posteriors)
    show_means(posteriors, reference)
    show_variances(posteriors, reference)


if __name__ == "__main__":
    main()
