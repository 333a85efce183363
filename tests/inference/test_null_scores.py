"""Scores of variances that are 0 under the null, of people in classes: by hand, in NumPy."""

from types import SimpleNamespace

import numpy as np

import bayesmix as bm
from bayesmix.inference.null_scores import _bounded_entries, _variance_scores
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.inference.ratios import data

MODEL = bm.MixedLogit("x + y + z", [bm.LatentClass("z"), bm.LKJNormal("x", "y")])
AT = {
    "mean[x]": 0.9, "mean[y]": -0.5, "sd[x]": 0.0, "sd[y]": 0.0, "corr[x, y]": 0.0,
    "fixed[z, 1]": 0.8, "fixed[z, 2]": -1.1, "share[2]": 0.4,
}  # fmt: skip


def in_class(problem, coefficients):
    """``P_i`` (I,), and with it the slopes (I, 2) and curvatures (I, 2, 2) of ``log P_i``."""
    own, x = problem.data, np.concatenate([problem.design.random, problem.design.fixed], axis=1)
    logp, slope = np.zeros(own.n_persons), np.zeros((own.n_persons, 2))
    bend = np.zeros((own.n_persons, 2, 2))
    for i in range(own.n_persons):
        for t in range(own.person_start[i], own.person_start[i + 1]):
            rows = slice(own.situation_start[t], own.situation_start[t + 1])
            p = np.exp(x[rows] @ coefficients)
            p /= p.sum()
            chosen, w = own.chosen_row[t] - rows.start, x[rows][:, :2]
            logp[i] += np.log(p[chosen])
            slope[i] += w[chosen] - p @ w
            bend[i] -= (w.T * p) @ w - np.outer(p @ w, p @ w)
    return np.exp(logp), slope, bend


def test_scores_of_variances_that_all_classes_share():
    """``sum_c h_ic (g_ic g_ic' + H_ic)``, half of it on the diagonal."""
    problem = bind(MODEL, data())
    theta = problem.parameters.theta(AT)
    likelihood = Likelihood(problem, population_grid(bm.gauss_hermite(3), 2, data().n_persons))
    value, scores = likelihood.by_person(theta)
    found = _variance_scores(likelihood, theta, value, SimpleNamespace(blocks=(("x", "y"),)))
    assert problem.design.random_names + problem.design.fixed_names == ("x", "y", "z")
    pi = 1 / (1 + np.exp(np.array([0.4, -0.4])))
    parts = [in_class(problem, np.array([0.9, -0.5, z])) for z in (0.8, -1.1)]
    joint = np.stack([share * p for share, (p, *_) in zip(pi, parts, strict=True)])
    np.testing.assert_allclose(value, np.log(joint.sum(axis=0)), rtol=1e-10)
    each = [slope[:, :, None] * slope[:, None, :] + bend for _, slope, bend in parts]
    matrix = np.einsum("ci,cijk->ijk", joint / joint.sum(axis=0), np.stack(each))
    expected = np.stack([matrix[:, 0, 0] / 2, matrix[:, 1, 0], matrix[:, 1, 1] / 2], axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    # Entries of the variances are those whose own scores vanish there.
    bounded = _bounded_entries(problem, ("x", "y"))
    assert bounded.sum() == 3
    np.testing.assert_allclose(scores[:, bounded], 0.0, atol=1e-10)
    assert (np.abs(scores[:, ~bounded]).max(axis=0) > 0.1).all()
