"""One fit of another package, for benchmarks/races.py: normal coefficients of all columns.

Usage: race_fit.py PACKAGE ROWS.npz DRAWS

Prints a line of JSON: log-likelihood, means, standard deviations, seconds of the clock and of
processors, GiB at most, and the version. Imports are not timed; what a package compiles is.
"""

import json
import os
import resource
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np
import pandas as pd


def xlogit(rows, draws):
    from xlogit import MixedLogit

    names = list(rows["names"])

    def fit():
        model = MixedLogit()
        model.fit(
            X=rows["x"],
            y=rows["chosen"],
            varnames=names,
            alts=rows["alternative"],
            ids=rows["situation"],
            panels=rows["person"],
            randvars=dict.fromkeys(names, "n"),
            n_draws=draws,
            verbose=0,
        )
        return model.loglikelihood, model.coeff_[: len(names)], model.coeff_[len(names) :]

    return fit


def jaxlogit(rows, draws):
    import jax
    from jaxlogit._config_data import ConfigData
    from jaxlogit.mixed_logit import MixedLogit

    jax.config.update("jax_enable_x64", True)
    names = [str(name) for name in rows["names"]]

    # Free signs, as in the other packages: with a transform, what is printed is no deviation.
    config = ConfigData(panels=rows["person"], n_draws=draws, force_positive_chol_diag=False)

    def fit():
        model = MixedLogit()
        model.fit(
            X=rows["x"],
            y=rows["chosen"],
            varnames=names,
            alts=rows["alternative"],
            ids=rows["situation"],
            randvars=dict.fromkeys(names, "n"),
            config=config,
            verbose=0,
        )
        found = dict(zip(map(str, model.coeff_names), np.asarray(model.coeff_), strict=True))
        return model.loglikelihood, [found[n] for n in names], [found[f"sd.{n}"] for n in names]

    return fit


def torchdcm(rows, draws):
    from torchdcm import Beta, ChoiceDataset, UtilitySpec
    from torchdcm.models.mixed_logit import MixedLogit, RandomCoefficient

    names = [str(name) for name in rows["names"]]
    frame = pd.DataFrame(rows["x"], columns=names).assign(
        person=rows["person"],
        situation=rows["situation"],
        alternative=[f"a{number:02d}" for number in rows["alternative"]],
        chosen=rows["chosen"].astype(int),
    )
    spec = UtilitySpec()
    for alternative in sorted(frame["alternative"].unique()):
        terms = [Beta(f"B_{name}") * name for name in names]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        spec.utility(alternative, total)

    def fit():
        data = ChoiceDataset.from_long(
            frame,
            obs_id="situation",
            alt_id="alternative",
            choice="chosen",
            variables=names,
            individual_id="person",
        )
        random = [RandomCoefficient(f"B_{name}", sigma_name=f"S_{name}") for name in names]
        result = MixedLogit(spec, random, n_draws=draws).fit(data)
        params = dict(zip(result.param_names, result.values, strict=True))
        means = [params[f"B_{name}"] for name in names]
        return result.loglike, means, [params[f"S_{name}"] for name in names]

    return fit


def biogeme(rows, draws):
    from biogeme.biogeme import BIOGEME
    from biogeme.database import Database
    from biogeme.expressions import (
        Beta,
        Draws,
        MonteCarlo,
        PanelLikelihoodTrajectory,
        Variable,
        log,
    )
    from biogeme.models import logit

    os.chdir(tempfile.mkdtemp())  # it leaves files where it runs
    names = [str(name) for name in rows["names"]]
    situations, alternatives = rows["situation"].max() + 1, rows["alternative"].max() + 1
    x = rows["x"].reshape(situations, alternatives, len(names))
    chosen = rows["chosen"].reshape(situations, alternatives).argmax(axis=1)
    people = rows["person"].reshape(situations, alternatives)[:, 0]
    frame = pd.DataFrame({"person": people, "choice": chosen}).astype(float)
    for place in range(alternatives):
        for column, name in enumerate(names):
            frame[f"{name}_{place}"] = x[:, place, column]

    def fit():
        database = Database("race", frame)
        database.panel("person")
        beta = {
            name: Beta(name, 0, None, None, 0)
            + Beta(f"sd_{name}", 0.1, None, None, 0) * Draws(f"draw_{name}", "NORMAL_MLHS")
            for name in names
        }
        utility = {
            place: sum(beta[name] * Variable(f"{name}_{place}") for name in names)
            for place in range(alternatives)
        }
        choices = PanelLikelihoodTrajectory(logit(utility, None, Variable("choice")))
        files = dict.fromkeys(("generate_html", "generate_yaml", "save_iterations"), False)
        model = BIOGEME(database, log(MonteCarlo(choices)), number_of_draws=draws, seed=1, **files)
        model.model_name = "race"
        result = model.estimate()
        found = result.get_beta_values()
        sds = [found[f"sd_{name}"] for name in names]
        return result.final_log_likelihood, [found[name] for name in names], sds

    return fit


PACKAGES = {"biogeme": biogeme, "xlogit": xlogit, "jaxlogit": jaxlogit, "torchdcm": torchdcm}


def main():
    package, path, draws = sys.argv[1:4]
    rows = np.load(path)
    fit = PACKAGES[package](rows, int(draws))
    begun, clock = time.process_time(), time.perf_counter()
    loglik, means, sds = fit()
    used, passed = time.process_time() - begun, time.perf_counter() - clock
    unit = 1 if sys.platform == "darwin" else 1024
    found = {
        "loglik": float(loglik),
        "means": [float(value) for value in means],
        "sds": [abs(float(value)) for value in sds],
        "processor_seconds": used,
        "seconds": passed,
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30,
        "version": version(package),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
