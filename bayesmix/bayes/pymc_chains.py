"""Chains that PyMC runs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.step_methods.hmc.quadpotential import QuadPotentialFull

from bayesmix.arrays import Array
from bayesmix.bayes.chains import Chains
from bayesmix.bayes.pointwise import FIRST_STAGE


def pymc_chains(
    pymc: pm.Model,
    how: Chains,
    initial: Any,
    rng: np.random.Generator,
    scales: Array | None = None,
) -> xr.DataTree:
    """Run the chains, and keep the parameters of the population.

    ``scales`` is the covariance of the sampler's coordinates, where that is known.
    """
    with pymc, warnings.catch_warnings():
        # Of PyTensor's C compiler, which does nothing here but check PyMC's starting point.
        warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")
        # With the posterior's scales known there is nothing to learn but the step.
        step = (
            None
            if scales is None
            else pm.NUTS(potential=QuadPotentialFull(scales), target_accept=0.9)
        )
        tree = pm.sample(
            how.draws,
            tune=how.tune,
            chains=how.chains,
            random_seed=int(rng.integers(2**31)),
            initvals=initial,
            step=step,
            # Chains that are given a start each are scattered by the posterior's own scales.
            init="adapt_diag" if isinstance(initial, list) else "auto",
            progressbar=how.progress,
            compute_convergence_checks=False,
            quiet=not how.progress,
        )
    kinds = ("mean", "shape", "sd", "corr", "fixed", "shift", "scale", "share", FIRST_STAGE)
    kept = [v for v in kinds if v in tree["posterior"].data_vars]
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset()[kept])
    return tree
