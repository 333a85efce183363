#!/usr/bin/env bash
# jaxlogit 1.0.0: by default what is printed as "sd.x" is no standard deviation, but what a softplus makes one of.
#
# `force_positive_chol_diag=True` (the default) puts log(1 + exp(.)) around each standard deviation inside of the
# likelihood; `coeff_`, `summary()` and the standard errors beside it are of the number before. Choices simulated with a
# standard deviation of 0.8 print 0.36, whose softplus is 0.89; the same fit with `force_positive_chol_diag=False` prints
# 0.89, at the same log-likelihood.
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

persons, tasks, alternatives = 200, 6, 3
rng = np.random.default_rng(0)
rows = persons * tasks
x, z = rng.normal(size=(2, rows, alternatives))
taste = np.repeat(-0.5 + 0.8 * rng.normal(size=persons), tasks)
utility = taste[:, None] * x + z + rng.gumbel(size=x.shape)
chosen = (utility.argmax(axis=1)[:, None] == np.arange(alternatives)).astype(int).ravel()
panels = np.repeat(np.arange(persons), tasks * alternatives)


def fit(positive):
    model = MixedLogit()
    model.fit(
        np.column_stack([x.ravel(), z.ravel()]),
        chosen,
        ["x", "z"],
        np.tile(np.arange(alternatives), rows),
        np.repeat(np.arange(rows), alternatives),
        {"x": "n"},
        ConfigData(panels=panels, n_draws=200, skip_std_errs=True, force_positive_chol_diag=positive),
    )
    print({str(name): round(float(b), 3) for name, b in zip(model.coeff_names, model.coeff_)})
    print("log-likelihood", round(float(model.loglikelihood), 2))
    return float(model.coeff_[2]), float(model.loglikelihood)


print("jaxlogit", version("jaxlogit"))
default, first = fit(True)
plain, second = fit(False)
print("softplus of the first:", round(float(np.log1p(np.exp(default))), 3))
assert abs(first - second) < 0.05
assert 0.3 < default < 0.45
assert abs(np.log1p(np.exp(default)) - abs(plain)) < 0.02
print("as described")
PYTHON
