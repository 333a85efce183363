#!/usr/bin/env bash
# jaxlogit 1.0.0: `lrtest` takes the difference the wrong way round, and its p-value is 1 whatever the data say.
#
# The statistic is twice the restricted log-likelihood minus the general one, so it is negative for nested models, and
# the upper tail of a chi-squared variable there is 1. Here a coefficient of 1 is left out, which costs hundreds of
# nats; the p-value of leaving it out is printed as 1.
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
from jaxlogit.utils import lrtest

situations, alternatives = 1000, 3
rng = np.random.default_rng(0)
x, z = rng.normal(size=(2, situations, alternatives))
utility = -0.5 * x + z + rng.gumbel(size=x.shape)
chosen = (utility.argmax(axis=1)[:, None] == np.arange(alternatives)).astype(int).ravel()


def fit(columns):
    model = MixedLogit()
    model.fit(
        np.column_stack([{"x": x, "z": z}[name].ravel() for name in columns]),
        chosen,
        columns,
        np.tile(np.arange(alternatives), situations),
        np.repeat(np.arange(situations), alternatives),
        {"x": "n"},
        ConfigData(n_draws=100, skip_std_errs=True),
    )
    print(columns, "log-likelihood", round(float(model.loglikelihood), 2))
    return model


print("jaxlogit", version("jaxlogit"))
general, restricted = fit(["x", "z"]), fit(["x"])
test = lrtest(general, restricted)
print({name: float(value) for name, value in test.items()})
assert general.loglikelihood > restricted.loglikelihood + 100
assert test["chisq"] < -200
assert test["pval"] == 1
print("as described")
PYTHON
