#!/usr/bin/env bash
# torchdcm 0.1.2: in a mixed logit a weight of 2 is not two people of a kind.
#
# Weights multiply a choice's log-probability at each draw, before the average over draws is taken: what is raised to the
# power of the weight is the probability given the taste, not the integral. All rows given a weight of 2 have another
# maximum, and other estimates, than all people entered twice; these have exactly the estimates of the unweighted fit and
# twice its log-likelihood, as maximum likelihood should.
#
# Exits with 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torchdcm==0.1.2 torch==2.13.0 numpy==2.4.6 pandas==3.1.1
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pandas as pd
from torchdcm.data.choice_dataset import ChoiceDataset
from torchdcm.models.mixed_logit import MixedLogit, RandomCoefficient

persons, tasks, alternatives = 150, 8, ["a", "b", "c"]
rng = np.random.default_rng(0)
shape = (persons, tasks, len(alternatives))
x, z = rng.uniform(1, 3, size=shape), rng.normal(size=shape)
taste = -np.exp(-1 + rng.normal(size=persons))
utility = taste[:, None, None] * x + z + rng.gumbel(size=shape)
frame = pd.DataFrame(
    {
        "person": np.repeat(np.arange(persons), tasks * len(alternatives)),
        "task": np.repeat(np.arange(persons * tasks), len(alternatives)),
        "alternative": np.tile(alternatives, persons * tasks),
        "x": x.ravel(),
        "z": z.ravel(),
        "chosen": (utility.argmax(axis=2)[..., None] == np.arange(len(alternatives))).astype(int).ravel(),
    }
)


def fit(rows, **columns):
    data = ChoiceDataset.from_long(
        rows,
        obs_id="task",
        alt_id="alternative",
        choice="chosen",
        variables=["x", "z"],
        individual_id="person",
        **columns,
    )
    model = MixedLogit.from_formula(
        {name: "B_X * x + B_Z * z" for name in alternatives},
        [RandomCoefficient("B_X", 0.5, distribution="negative_lognormal")],
        n_draws=200,
    )
    return model.fit(data)


print("torchdcm", version("torchdcm"))

def show(words, result):
    print(words, dict(zip(result.param_names, result.values.round(3).tolist())), round(result.loglike, 2))


once = fit(frame)
show("once:", once)
moved = frame.assign(person=frame["person"] + persons, task=frame["task"] + persons * tasks)
twice = fit(pd.concat([frame, moved]))
show("everybody twice:", twice)
weighted = fit(frame.assign(weight=2.0), weight="weight")
show("weights of 2:", weighted)
assert abs(twice.loglike - 2 * once.loglike) < 0.01
assert np.abs(twice.values - once.values).max() < 0.01
assert weighted.loglike > twice.loglike + 40
assert np.abs(weighted.values - once.values).max() > 0.3
print("as described")
PYTHON
