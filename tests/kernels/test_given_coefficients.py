"""One beta a person: the same numbers as the kernel of the integrals gives at one node."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from bayesmix import LogNormal, Normal
from bayesmix.bayes.graph import conditional_log_probabilities as symbolic
from bayesmix.kernels.given_coefficients import conditional_log_probabilities
from bayesmix.likelihood.bind import bind
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.values import Parameters
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices, differences, log_probability, random_panel


@pytest.mark.parametrize("outside", [False, True])
def test_values_and_derivatives_against_numpy(outside):
    rng = np.random.default_rng(3)
    panel = random_panel(rng, 12, 3, outside=outside)
    n = len(panel.person_start) - 1
    beta, base = rng.normal(size=(n, 3)), rng.normal(size=len(panel.x))
    logp, d_beta, d_base = conditional_log_probabilities(panel, base, beta)
    expected = [log_probability(panel, i, base, beta[i][:, None])[0] for i in range(n)]
    assert logp == pytest.approx(expected, abs=1e-12)

    def total(b, v):
        return sum(log_probability(panel, i, v, b[i][:, None])[0] for i in range(n))

    assert d_beta.ravel() == pytest.approx(differences(lambda b: total(b, base), beta), abs=1e-7)
    assert d_base == pytest.approx(differences(lambda v: total(beta, v), base), abs=1e-7)


@pytest.mark.parametrize("mode", [INTERPRETED, pytest.param("NUMBA", marks=pytest.mark.jit)])
def test_graph_follows_the_links_and_its_gradient_is_right(mode):
    data = choices(choice_frame(np.random.default_rng(5)))
    model = MixedLogit("price + time + income:time", [Normal("price"), LogNormal("time", sign=-1)])
    problem = bind(model, data)
    indices, fixed = pt.dmatrix(), pt.dvector()
    value = symbolic(problem, indices, Parameters(pt.zeros(2), pt.eye(2), fixed)).sum()
    gradients = pytensor.grad(value, [indices, fixed])
    function = pytensor.function([indices, fixed], [value, *gradients], mode=mode)
    rng = np.random.default_rng(6)
    b, f = rng.normal(size=(problem.n_persons, 2)), rng.normal(size=1)
    beta = np.column_stack([b[:, 0], -np.exp(b[:, 1])])
    panel = problem.panel()
    base = problem.design.fixed @ f
    here, d_indices, d_fixed = function(b, f)
    persons = range(problem.n_persons)
    assert here == pytest.approx(
        sum(log_probability(panel, i, base, beta[i][:, None])[0] for i in persons), abs=1e-10
    )
    assert d_indices.ravel() == pytest.approx(differences(lambda x: function(x, f)[0], b), abs=1e-6)
    assert d_fixed == pytest.approx(differences(lambda x: function(b, x)[0], f), abs=1e-6)
