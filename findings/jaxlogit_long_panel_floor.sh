#!/usr/bin/env bash
# jaxlogit 1.0.0: in single precision, its default, no person's log-likelihood is below -69.08, so long panels have none.
#
# A person's probability is cut from below at 1e-30 (at 1e-300 in double precision). Twenty people who choose 120 times
# out of three alternatives have log-likelihoods near -120: each counts as log(1e-30), the gradient is 0, and the fit
# ends where it started, with `convergence` True. The first twenty choices of each are fitted as they should be.
#
# Exits with 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    jaxlogit==1.0.0 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from jaxlogit.mixed_logit import ConfigData, MixedLogit

persons, tasks, alternatives = 20, 120, 3
rng = np.random.default_rng(0)
x = rng.normal(size=(persons, tasks, alternatives))
taste = -0.5 + 0.2 * rng.normal(size=persons)
utility = taste[:, None, None] * x + rng.gumbel(size=x.shape)
chosen = (utility.argmax(axis=2)[..., None] == np.arange(alternatives)).astype(int)


def fit(tasks):
    rows = persons * tasks
    model = MixedLogit()
    model.fit(
        x[:, :tasks].reshape(-1, 1),
        chosen[:, :tasks].ravel(),
        ["x"],
        np.tile(np.arange(alternatives), rows),
        np.repeat(np.arange(rows), alternatives),
        {"x": "n"},
        ConfigData(panels=np.repeat(np.arange(persons), tasks * alternatives), n_draws=100, skip_std_errs=True),
    )
    estimates = {str(name): round(float(b), 3) for name, b in zip(model.coeff_names, model.coeff_)}
    print(tasks, "choices a person:", estimates, "converged", bool(model.convergence))
    print("log-likelihood a person", round(float(model.loglikelihood) / persons, 2))
    return model


print("jaxlogit", version("jaxlogit"))
short, long = fit(20), fit(tasks)
assert abs(short.coeff_[0] + 0.5) < 0.15
assert bool(long.convergence)
assert (abs(long.coeff_ - 0.1) < 1e-6).all()
assert abs(float(long.loglikelihood) / persons - np.log(1e-30)) < 1e-3
print("as described")
PYTHON
