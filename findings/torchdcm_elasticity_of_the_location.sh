#!/usr/bin/env bash
# torchdcm 0.1.2: `elasticity` and `wtp` of a mixed logit take a lognormal's location for the coefficient.
#
# A coefficient that is minus a lognormal is negative for everybody, and its parameter is the mean of a logarithm. Where
# its median is beyond one, that mean is positive, and every own elasticity with respect to the attribute comes out
# positive, though raising the attribute lowers the alternative's probability as the same result's `predict_proba` says.
# Willingness to pay has the sign of the location too. Nothing is said.
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
taste = -np.exp(0.5 + rng.normal(size=persons))
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

result = fit(frame)
location, other = result.values[:2]
print(dict(zip(result.param_names, result.values.round(3).tolist())))
assert location > 0.2
elasticity = result.elasticity("x", "B_X")
print("own elasticities, least and largest:", round(elasticity.min(), 3), round(elasticity.max(), 3))
assert elasticity.min() > 0
raised = frame.assign(x=frame["x"] * np.where(frame["alternative"] == "a", 1.01, 1.0))
data = ChoiceDataset.from_long(
    raised, obs_id="task", alt_id="alternative", choice="chosen", variables=["x", "z"], individual_id="person"
)
first = frame["alternative"] == "a"
before, after = result.predict_proba()[first], result.predict_proba(data)[first]
changes = 100 * (after / before - 1)
print("arc elasticities of the same probabilities:", round(changes.min(), 3), round(changes.max(), 3))
assert changes.max() < 0
wtp = result.wtp("B_Z", "B_X")["estimate"]
print("willingness to pay for z, which all want and x costs:", round(wtp, 3))
assert abs(wtp + other / location) < 1e-6 and wtp < 0
print("as described")
PYTHON
