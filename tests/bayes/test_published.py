"""A posterior against one that another program printed: Swissmetro's cross-section.

Biogeme 3.3.4 samples every respondent's coefficient in PyMC, under wide normal priors; it prints
three digits.
"""

import json

import numpy as np
import pandas as pd

import bayesmix as bm
from bayesmix.bayes import importance, posterior_accuracy

NAMES = {
    "mean[tt]": "b_time",
    "sd[tt]": "b_time_s",
    "fixed[cost]": "b_cost",
    "fixed[alt[TRAIN]]": "asc_train",
    "fixed[alt[CAR]]": "asc_car",
}
WIDE = {"mean": (0.0, 10.0), "fixed": (0.0, 10.0), "sd": 10.0}


def test_means_are_those_of_a_hierarchical_sampler(shared_data, shared_file, monkeypatch) -> None:
    frame = shared_data("swissmetro")
    records = json.loads(shared_file("swissmetro", "refs.json").read_text(encoding="utf-8"))
    record = next(r for r in records if r["id"] == "biogeme_bayes_b17_lognormal_mixture")
    frame["alt"] = pd.Categorical(frame["alt"], ["SM", "TRAIN", "CAR"])
    data = bm.ChoiceData.from_long(
        frame.assign(case=frame["id"] * 100 + frame["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )
    monkeypatch.setattr(importance, "FIRST", 300)  # of 6,768 people each evaluation has its price
    monkeypatch.setattr(posterior_accuracy, "DRAWS", 2)
    posterior = bm.sample(
        bm.MixedLogit("C(alt) + tt + cost", random=bm.LogNormal("tt", sign=-1)),
        data,
        method="importance",
        grid=bm.gauss_hermite(40),
        priors=WIDE,
        draws=150,
        rng=1,
        progress=False,
    )
    assert posterior["posterior"].attrs["method"] == "importance"
    table = bm.compare({"own": posterior})
    mean, sd = (pd.Series(record[key])[list(NAMES.values())].to_numpy() for key in ("coef", "se"))
    ours = table.loc[list(NAMES)]
    assert np.abs((ours[("own", "estimate")].to_numpy() - mean) / sd).max() < 0.2
    assert np.abs(ours[("own", "std error")].to_numpy() / sd - 1).max() < 0.2
