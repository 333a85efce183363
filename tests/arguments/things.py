"""What calls of public functions need: data, a fit, results of demand."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xarray as xr

import bayesmix as bm
from bayesmix.study import read_study, run_study

MODEL = bm.MixedLogit("price + quality", random=[bm.Normal("quality")])

CLASSES = bm.MixedLogit("price + quality", random=[bm.LatentClass("quality", classes=2)])

AT = {"mean[quality]": 0.6, "sd[quality]": 0.8, "fixed[price]": -0.5}
LONG = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}


def frame(persons: int = 40, tasks: int = 3) -> pd.DataFrame:
    """Choices among three alternatives at random, from a fixed seed."""
    rng = np.random.default_rng(5)
    rows = pd.MultiIndex.from_product(
        [range(persons), range(tasks), ["a", "b", "c"]], names=["who", "task", "alt"]
    ).to_frame(index=False)
    rows["price"] = rng.uniform(1.0, 3.0, len(rows))
    rows["quality"] = rng.normal(size=len(rows))
    utility = 0.6 * rows["quality"] - 0.5 * rows["price"] + rng.gumbel(size=len(rows))
    best = utility.groupby([rows["who"], rows["task"]]).idxmax()
    rows["choice"] = rows.index.isin(best).astype(int)
    rows["cost"] = rows["price"] + rng.normal(size=len(rows))
    rows["shift"] = rng.normal(size=len(rows))
    rows["group"] = np.where(rows["who"] % 2 == 0, "even", "odd")
    return rows


def wide() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        {
            "bus_price": rng.uniform(1.0, 3.0, 60),
            "car_price": rng.uniform(1.0, 3.0, 60),
            "mode": rng.choice(["bus", "car"], 60),
        }
    )


def csv_file() -> Path:
    """The choices as a file."""
    path = Path(tempfile.mkdtemp(), "choices.csv")
    frame(4).to_csv(path, index=False)
    return path


def parquet_file() -> Path:
    """The choices as a Parquet file."""
    path = Path(tempfile.mkdtemp(), "choices.parquet")
    frame(4).to_parquet(path, index=False)
    return path


STUDY = """
[data]
file = "choices.csv"
person = "who"
situation = "task"
alternative = "alt"
chosen = "choice"
[utility]
formula = "price + quality"
[estimate]
methods = ["msle"]
starts = 1
"""


def run_folder() -> Path:
    """A finished run of a study."""
    study = csv_file().with_name("study.toml")
    study.write_text(STUDY, encoding="utf-8")
    return run_study(read_study(study), study.parent / "run", progress=False).folder


def made() -> SimpleNamespace:
    """What calls need: data, a fit, a posterior, results of demand. Some seconds."""
    data = bm.ChoiceData.from_long(frame(), **LONG)
    fit = bm.msle(MODEL, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    half = bm.msle(MODEL, bm.ChoiceData.from_long(frame(30), **LONG), grid=fit.grid.rule, rng=1)
    fixed = bm.msle(bm.MixedLogit("price + quality"), data)
    control = bm.ControlFunction("price", instruments="cost", on=("who", "task", "alt"))
    controlled = bm.msle(bm.MixedLogit("price + quality", control=control), data)
    control = bm.ControlFunction("price", instruments="cost + shift", on=("who", "task", "alt"))
    overidentified = bm.msle(bm.MixedLogit("price + quality", control=control), data)
    few = {"draws": 4, "nodes": 8, "rng": 1}
    ranks = pd.DataFrame({"sd[price]": [0, 3, 7]})
    logit = bm.MixedLogit("price")
    values = np.random.default_rng(1).normal(size=(2, 50))
    draws = xr.Dataset({"scale": (("chain", "draw"), values)})
    once = {"truth": {"fixed[price]": -1.0}, "simulations": 2, "rng": 1}
    one_price = data.with_attribute("price", lambda r: r.groupby("alt")["price"].transform("mean"))
    firms = bm.Firms("alt")
    posterior = bm.sample(
        MODEL, data, grid=fit.grid, method="importance", draws=100, rng=1, progress=False
    )
    rows = data.frame.copy()
    for name in ("cost", "shift"):
        rows[name] = rows.groupby(["task", "alt"])[name].transform("mean")
    shares = rows.groupby(["task", "alt"])["choice"].mean().rename("share").reset_index()
    by_task = bm.ChoiceData.from_long(rows, **LONG)
    matched = bm.msle(bm.MixedLogit("price"), by_task, market_shares=shares)
    return SimpleNamespace(
        matched=matched,
        draws=xr.DataTree.from_dict({"posterior": draws}),
        ranks=bm.SBC(ranks, ranks, 10, 3, "marginal", {}, pd.Series([20.0, 20.0, 20.0])),
        coverage=bm.coverage(logit, data, processes=1, progress=False, **once),
        data=data,
        once=bm.ChoiceData.from_long(
            frame(tasks=1), **{**LONG, "person": None, "situation": "who"}
        ),
        fit=fit,
        fixed=fixed,
        half=half,
        posterior=posterior,
        controlled=controlled,
        overidentified=overidentified,
        loo=bm.loo(posterior, data, refit=False),
        elasticities=bm.elasticities(fit, data, "price", **few),
        diversion=bm.diversion(fit, data, **few),
        wtp=bm.wtp(fit, "quality", "price", **few),
        curve=bm.price_curve(fit, data, "a", prices=[1.0, 2.0, 3.0], **few),
        one_price=one_price,
        firms=firms,
        merger=bm.merger(fit, one_price, firms, merge=("a", "b"), **few),
        markups=bm.markups(fit, one_price, firms, **few),
        pass_through=bm.pass_through(fit, one_price, firms, **few),
        classes=bm.msle(CLASSES, data, starts=1, rng=1),
        types=bm.nonparametric(
            bm.MixedLogit("price + quality"), data, bm.Types({"quality": [0.0, 1.0]}), adding=False
        ),
        rules=bm.compare_rules(MODEL, data, AT, [bm.sobol(16)], rng=1),
        few=few,
        file=csv_file(),
        parquet=parquet_file(),
        run=run_folder(),
    )
