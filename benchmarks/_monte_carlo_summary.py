"""What a Monte Carlo study of estimators says: bias, noise and coverage, and a picture of bias."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

mpl.use("Agg")

TICKS = (10, 25, 100)


def summary(estimates: pd.DataFrame) -> pd.DataFrame:
    """Bias and its noise, error and coverage of 95 % intervals over fits; what has no numbers.

    ``coverage`` is of the intervals that `Fit.summary` prints, ``wald`` of the estimate and 1.96
    standard errors to either side. An estimate without a standard error has no interval that could
    cover: it counts as missed, and is counted in ``no error``. Failed fits are in ``failed`` alone.
    """
    made = estimates["error"].notna()
    wald = (estimates["error"].abs() < 1.96 * estimates["std error"]).astype(float)
    grouped = estimates.assign(
        square=estimates["error"] ** 2,
        wald=wald.where(made),
        unknown=made & estimates["std error"].isna(),
        failed=~made,
    ).groupby(["design", "estimator", "draws", "parameter"], sort=False)
    found = grouped.agg(
        fits=("error", "size"),
        bias=("error", "mean"),
        noise=("error", "sem"),
        rmse=("square", lambda s: np.sqrt(s.mean())),
        spread=("error", "std"),
        claimed=("std error", "mean"),
        coverage=("inside", "mean"),
        wald=("wald", "mean"),
        unknown=("unknown", "sum"),
        failed=("failed", "sum"),
        seconds=("seconds", "median"),
    )
    return found.rename(columns={"unknown": "no error"}).reset_index()


def plot(
    found: pd.DataFrame, truths: Mapping[str, Sequence[str]], estimators: Sequence[str], path: Path
) -> None:
    """Bias by draws, a panel for each parameter, a row for each design.

    Estimators are drawn side by side, for their intervals would hide one another.
    """
    width = max(map(len, truths.values()))
    names = list(found["design"].unique())
    figure, axes = plt.subplots(
        len(names), width, figsize=(3 * width, 2.6 * len(names)), squeeze=False
    )
    for line, name in zip(axes, names, strict=True):
        for axis in line[len(truths[name]) :]:
            axis.set_visible(False)
        for axis, parameter in zip(line, truths[name], strict=False):
            here = found[(found["design"] == name) & (found["parameter"] == parameter)]
            for estimator, part in here.groupby("estimator", sort=False):
                number = list(estimators).index(estimator)
                axis.errorbar(
                    part["draws"] * 1.12 ** (number - 2),
                    part["bias"],
                    1.96 * part["noise"],
                    marker="o",
                    color=f"C{number}",
                    label=estimator,
                )
            axis.axhline(0.0, color="black", linewidth=0.6)
            axis.set(xscale="log", title=parameter, xlim=(7, 160))
            axis.set_xticks(TICKS, labels=map(str, TICKS))
            axis.minorticks_off()
        line[0].set_ylabel(f"{name}\nbias", fontsize=8)
    known = [axis.get_legend_handles_labels() for axis in axes[:, 0]]
    shown = {label: handle for pair in known for handle, label in zip(*pair, strict=True)}
    names = [name for name in estimators if name in shown]
    axes[0, 0].legend([shown[name] for name in names], names, fontsize=7)
    figure.supxlabel("draws or nodes a person")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
