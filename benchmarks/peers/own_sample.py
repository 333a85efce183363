"""Our samplers, and a plain PyMC model, on the electricity data: draws to an npz file.

Usage: own_sample.py marginal|marginal-NODES|hierarchical|plain independent|full DRAWS TUNE OUT.npz
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm

sys.path.insert(0, str(Path(__file__).parents[1]))
from _common import FULL, INDEPENDENT, NAMES

import bayesmix as bm
from bayesmix.bayes.priors import make_priors
from bayesmix.data.choices import ChoiceData
from bayesmix.likelihood.bind import bind


def plain_model(data: ChoiceData) -> pm.Model:
    """Six independent normals as one writes them in PyMC, with bayesmix's priors."""
    table = make_priors(bind(INDEPENDENT, data)).table
    means, sds = (table.loc[[f"{kind}[{n}]" for n in NAMES]] for kind in ("mean", "sd"))
    attributes = data.frame[list(NAMES)].to_numpy(float).reshape(data.n_situations, 4, 6)
    chosen = data.chosen_row - data.situation_start[:-1]
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    with pm.Model() as model:
        mean = pm.Normal("mean", means["location"].to_numpy(), means["scale"].to_numpy())
        sd = pm.HalfNormal("sd", sds["scale"].to_numpy())
        z = pm.Normal("z", shape=(data.n_persons, 6))
        beta = mean + sd * z
        utility = (attributes * beta[person][:, None, :]).sum(axis=-1)
        pm.Categorical("choice", logit_p=utility, observed=chosen)
    return model


def sample(what: str, law: str, draws: int, tune: int) -> Any:
    data = bm.examples.electricity()
    if what == "plain":
        with plain_model(data):
            return pm.sample(
                draws,
                tune=tune,
                chains=4,
                nuts_sampler="nutpie",
                random_seed=1,
                progressbar=False,
                compute_convergence_checks=False,
            )
    kind, _, nodes = what.partition("-")
    return bm.sample(
        FULL if law == "full" else INDEPENDENT,
        data,
        likelihood="hierarchical" if kind == "hierarchical" else "marginal",
        grid=bm.centred(bm.sobol(int(nodes)), moments=True) if nodes else "auto",
        draws=draws,
        tune=None if kind == "marginal" else tune,
        rng=1,
        progress=False,
    )


def covariances(posterior: Any) -> np.ndarray:
    """Covariance matrices (C, D, K, K) of draws of ``sd`` and, where there is one, ``corr``."""
    sd = posterior["sd"].transpose("chain", "draw", ...).to_numpy()
    size = sd.shape[-1]
    correlation = np.broadcast_to(np.eye(size), (*sd.shape, size)).copy()
    if "corr" in posterior:
        corr = posterior["corr"].transpose("chain", "draw", ...).to_numpy()
        first, second = np.triu_indices(size, 1)
        correlation[..., first, second] = correlation[..., second, first] = corr
    return sd[..., :, None] * sd[..., None, :] * correlation


def main() -> None:
    warnings.simplefilter("ignore")
    what, law, draws, tune, out = sys.argv[1:]
    assert callable(bm.sample)  # imported before the clock starts, as PyMC is
    begun = time.perf_counter()
    tree = sample(what, law, int(draws), int(tune))
    seconds = time.perf_counter() - begun
    posterior = tree["posterior"].to_dataset()
    np.savez(
        out,
        mean=posterior["mean"].transpose("chain", "draw", ...).to_numpy(),
        covariance=covariances(posterior),
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
