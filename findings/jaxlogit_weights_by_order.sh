#!/usr/bin/env bash
# jaxlogit 1.0.0: in panels weights go to other persons where labels do not ascend.
#
# Persons are numbered by the order of their labels, weights kept in the order in which persons appear. The data here
# are the same row for row; only the labels of the sixty persons count up in one fit and down in the other. Without
# weights the log-likelihoods agree up to the draws. With a weight of 5 for the first thirty persons and of 0.2 for the
# others, the fit with descending labels is the one in which these weights are the other way round.
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

persons, tasks, alternatives = 60, 4, 3
rng = np.random.default_rng(0)
rows = persons * tasks
x = rng.normal(size=(rows, alternatives))
taste = np.repeat(-0.5 + 0.8 * rng.normal(size=persons), tasks)
utility = taste[:, None] * x + rng.gumbel(size=x.shape)
chosen = (utility.argmax(axis=1)[:, None] == np.arange(alternatives)).astype(int).ravel()


def fit(labels, weights=None):
    def long(values):
        return np.repeat(values, tasks * alternatives)

    model = MixedLogit()
    model.fit(
        x.reshape(-1, 1),
        chosen,
        ["x"],
        np.tile(np.arange(alternatives), rows),
        np.repeat(np.arange(rows), alternatives),
        {"x": "n"},
        ConfigData(
            panels=long(labels),
            weights=None if weights is None else long(weights),
            n_draws=500,
            skip_std_errs=True,
        ),
    )
    estimates = {str(name): round(float(b), 3) for name, b in zip(model.coeff_names, model.coeff_)}
    print("  ", estimates, round(float(model.loglikelihood), 2))
    return float(model.coeff_[0]), float(model.loglikelihood)


up, down = np.arange(persons), np.arange(persons)[::-1]
weights = np.where(up < persons // 2, 5.0, 0.2)
print("jaxlogit", version("jaxlogit"))
print("no weights, labels ascending and descending")
assert abs(fit(up)[1] - fit(down)[1]) < 0.5
print("weights, labels ascending")
ascending = fit(up, weights)
print("weights, labels descending")
descending = fit(down, weights)
print("weights the other way round, labels ascending")
reversed_ = fit(up, weights[::-1])
assert abs(descending[1] - ascending[1]) > 50
assert abs(descending[1] - reversed_[1]) < 1
assert abs(descending[0] - reversed_[0]) < 0.02
print("as described")
PYTHON
