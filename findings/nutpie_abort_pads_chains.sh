#!/usr/bin/env bash
# nutpie 0.16.11: what `abort()` returns is a rectangle, whatever its chains have drawn.
#
# A run that is stopped early holds chains of different lengths, and some that have not begun: with
# four chains on two cores, two of them. The DataTree has all four. Missing draws are NaN in the
# posterior and in the floating-point statistics, but in the others they look like draws without a
# fault: `diverging` False, `maxdepth_reached` False, `tuning` False, `n_steps` 0. So
#   - means over the posterior skip them, and say nothing;
#   - shares of divergences and mean numbers of steps are diluted by draws that never were;
#   - ArviZ's summary is NaN throughout, R-hat and ESS of the finished chains included.
# Nothing in the tree says which draws are real: the posterior's own NaN do.
#
# Exits with 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    nutpie==0.16.11 pymc==6.4.0 pytensor==3.3.8 arviz==1.3.0 xarray==2026.9.0 numpy==2.5.5 numba==0.68.0
"$work/venv/bin/python" - <<'PYTHON'
import time
import warnings

warnings.simplefilter("ignore")
import arviz as az
import numpy as np
import nutpie
import pymc as pm

values = np.random.default_rng(0).normal(size=2000)
with pm.Model() as model:
    effect = pm.Normal("effect", shape=50)
    # Only the sum is informed: long trajectories, so that there is time to stop.
    pm.Normal("y", effect.sum() * np.ones(2000), 1.0, observed=values)
run = nutpie.sample(
    nutpie.compile_pymc_model(model),
    draws=200_000, tune=300, chains=4, cores=2, seed=1, blocking=False, progress_bar=False,
)
time.sleep(8)
tree = run.abort()

posterior, stats = tree["posterior"], tree["sample_stats"]
real = np.isfinite(posterior["effect"].to_numpy()[:, :, 0])
print("nutpie", nutpie.__version__, "| posterior", dict(posterior.sizes))
print("draws that are numbers, chain by chain:", real.sum(axis=1))
assert real.shape[0] == 4 and real.sum(axis=1).max() > 0
assert sorted(real.sum(axis=1) == 0) == [False, False, True, True], "two chains had not begun"

never = {name: np.unique(stats[name].to_numpy()[~real]) for name in ("diverging", "tuning", "n_steps")}
print("what statistics say of draws that never were:", {k: v.tolist() for k, v in never.items()})
assert {k: v.tolist() for k, v in never.items()} == {"diverging": [False], "tuning": [False], "n_steps": [0]}

steps = stats["n_steps"].to_numpy()
print(f"mean number of steps: {steps.mean():.0f}, of real draws {steps[real].mean():.0f}")
assert steps.mean() < 0.7 * steps[real].mean()
assert np.isfinite(float(posterior["effect"].mean())), "xarray skips NaN"
summary = az.summary(tree, var_names=["effect"])
print("finite numbers in ArviZ's summary:", int(np.isfinite(summary.astype(float)).to_numpy().sum()))
assert summary.astype(float).isna().to_numpy().all()
print("as described")
PYTHON
