"""Standard errors of draws are checked whatever the model: price space, classes, scales, laws."""

import numpy as np
import pandas as pd
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
    assert (said.std_errors["hessian"].dropna() != 0).all()  # curvatures of their own
    assert known.equals(fit.std_errors.notna())  # of a class whose people are alike there is none
    problem = bind(model, data)
    fine = centre(problem, bm.centred(bm.sobol(1024), moments=True), fit.theta, 7)
    reference = information_at(Likelihood(problem, fine), fit.theta, finer=2)
    true = relative_errors(problem.parameters, fit.theta, fit.information, reference)
    assert np.nanmax(true.abs().to_numpy()) < 2.0 * said.std_error + 0.02


def four_normals():
    """Two choices each of 500 people: curvatures differ fast from place to place."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(500, 2, 4, 4)), rng.normal(size=(500, 2, 4))
    tastes = np.array([1, -0.5, 0.5, 0.8]) + rng.normal(size=(500, 4)) * [1, 0.7, 0.5, 1.2]
    utility = np.einsum("ntjk,nk->ntj", x, tastes) + 0.5 * y + rng.gumbel(size=y.shape)
    person, task, alternative = (own.ravel() for own in np.indices(y.shape))
    columns = {f"x{k}": x[..., k].ravel() for k in range(4)} | {"y": y.ravel()}
    chosen = (utility.argmax(axis=2)[:, :, None] == np.arange(4)).ravel()
    frame = pd.DataFrame({"alternative": alternative, "chosen": chosen, **columns})
    return bm.ChoiceData.from_long(
        frame.assign(person=person, task=2 * person + task),
        person="person",
        situation="task",
        alternative="alternative",
        chosen="chosen",
    )


def test_at_a_root_of_scores_the_error_that_is_said_holds():
    """Curvatures that were known a tenth of a standard error away made this 6 % for 1.6 % said.

    And what two of them differ by in sum is little by luck in many fits: not so in parts of it.
    """
    model, data = (
        bm.MixedLogit("x0 + x1 + x2 + x3 + y", bm.Normal("x0", "x1", "x2", "x3")),
        four_normals(),
    )
    fit = bm.msle(model, data, starts=1, rng=1)
    said = fit.integration
    problem = bind(model, data)
    fine = centre(problem, bm.centred(bm.sobol(1024), moments=True), fit.theta, 12)
    reference = information_at(Likelihood(problem, fine), fit.theta, finer=4)
    true = relative_errors(problem.parameters, fit.theta, fit.information, reference)
    assert (said.std_errors["hessian"] > 0).all()
    assert said.std_error < 0.02
    assert true.abs().max(axis=None) < 0.02
    assert (true["hessian"].abs() < 3 * said.std_errors["hessian"] + 0.01).all()
