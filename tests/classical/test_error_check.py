"""Standard errors of draws are checked whatever the model: price space, classes, scales, laws."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.classical.error_check import relative_errors
from bayesmix.classical.information import information_at
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.simulated import choice_data, simulated

MODELS = {
    "willingness to pay": bm.MixedLogit("x + y", random=bm.Normal("x"), wtp="y"),
    "classes": bm.MixedLogit("x + y", bm.LatentClass(bm.Normal("x"), classes=2)),
    "scales": bm.MixedLogit("x + y", random=bm.Normal("x"), scale="source"),
    "a law that is no link": bm.MixedLogit("x + y", random=bm.Triangular("x")),
}


def people():
    at = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -1.0}
    made = simulated(bm.MixedLogit("x + y", random=bm.Normal("x")), at, 80, 6)
    frame = made.frame
    return choice_data(frame.assign(source=np.where(frame["task"] % 2, "SP", "RP")))


@pytest.mark.parametrize("kind", MODELS)
def test_the_error_that_is_said_holds_on_many_more_nodes(kind):
    model, data = MODELS[kind], people()
    fit = bm.msle(model, data, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)
    said = fit.integration
    assert "standard errors were not checked" not in str(said)
    known = said.std_errors["robust"].notna()
    assert known.equals(fit.std_errors.notna())  # of a class whose people are alike there is none
    problem = bind(model, data)
    fine = centre(problem, bm.centred(bm.sobol(1024), moments=True), fit.theta, 7)
    reference = information_at(Likelihood(problem, fine), fit.theta, finer=2)
    true = relative_errors(problem.parameters, fit.theta, fit.information, reference)
    assert np.nanmax(true.abs().to_numpy()) < 2.0 * said.std_error + 0.02
