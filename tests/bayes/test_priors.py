"""Defaults follow the data's scales; what the user gives is checked and used."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind

from .conftest import MODEL


def test_defaults_follow_the_units_of_an_attribute():
    data = bm.examples.electricity()
    scaled = data.frame.assign(pf=data.frame["pf"] * 100.0)
    rescaled = bm.ChoiceData.from_long(
        scaled, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    model = bm.MixedLogit("pf + cl", random=[bm.Normal("pf")])
    first, second = (make_priors(bind(model, d)).table["scale"] for d in (data, rescaled))
    assert second["mean[pf]"] == pytest.approx(first["mean[pf]"] / 100)
    assert second["sd[pf]"] == pytest.approx(first["sd[pf]"] / 100)
    assert second["fixed[cl]"] == pytest.approx(first["fixed[cl]"])


def test_given_priors_replace_defaults_and_are_shown(panel):
    priors = make_priors(bind(MODEL, panel), {"mean[b]": (-1.0, 0.5), "sd[a]": 2.0})
    assert priors.mean.each[1].values == (-1.0, 0.5)
    assert priors.sd.each[0].values == (2.0,)
    assert priors.table.loc["mean[b]", "location"] == -1.0
    assert priors.table.loc["corr[a, b]", "law"] == "LKJ(eta=3)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mean[bb]": (0.0, 1.0)}, r"no parameter 'mean\[bb\]'; did you mean 'mean\[b\]'"),
        ({"sd[a]": -1.0}, r"priors\['sd\[a\]'\] must be a positive scale, or a law, got -1.0"),
        ({"mean[a]": 3.0}, r"must be \(location, positive scale\), or a law, got 3.0"),
        ({"mean[a]": (0.0, np.nan)}, r"must be \(location, positive scale\)"),
    ],
)
def test_wrong_priors_are_named(panel, given, message):
    with pytest.raises(bm.SpecificationError, match=message):
        make_priors(bind(MODEL, panel), given)
