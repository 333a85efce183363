"""Integrals over nodes in coefficient space against SciPy's normal density."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.kernels.logit import BLOCK
from tests.oracles import logsumexp, slopes

PERSONS = 4
ROUNDING = 1e-11


def problem(seed, size=3, n_nodes=9, own_loc=False, diagonal=False):
    """Locations, factor, free entries, nodes and constants."""
    rng = np.random.default_rng(seed)
    chol = np.tril(rng.normal(scale=0.4, size=(size, size)))
    np.fill_diagonal(chol, rng.uniform(0.3, 2.0, size))
    chol = np.diag(np.diag(chol)) if diagonal else chol
    return (
        rng.normal(size=(PERSONS if own_loc else 1, size)),
        chol,
        chol != 0,
        rng.normal(size=(PERSONS, size, n_nodes)),
        rng.normal(scale=3.0, size=(PERSONS, n_nodes)),
    )


def oracle(loc, chol, nodes, constants):
    """``log sum_s exp(c_s) N(b_s; loc, L L')`` of one person, for complex arguments too."""
    y = np.linalg.solve(chol, nodes - loc[:, None])
    log_det = np.log(np.diag(chol)).sum() + 0.5 * len(loc) * np.log(2 * np.pi)
    return logsumexp(constants - 0.5 * (y**2).sum(axis=0) - log_det)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("n_nodes", [1, BLOCK, BLOCK + 1, 300])
def test_the_value_is_a_mixture_of_scipys_densities(n_nodes, diagonal):
    loc, chol, free, nodes, constants = problem(n_nodes, n_nodes=n_nodes, diagonal=diagonal)
    logp, *_ = density_integrals(loc, chol, free, nodes, constants)
    law = multivariate_normal(loc[0], chol @ chol.T)
    for i in range(PERSONS):
        density = law.pdf(nodes[i].T).reshape(-1)
        expected = np.log((np.exp(constants[i]) * density).sum())
        np.testing.assert_allclose(logp[i], expected, rtol=ROUNDING)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("own_loc", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_derivatives_are_exact(size, own_loc, diagonal):
    loc, chol, free, nodes, constants = problem(size, size, 150, own_loc, diagonal)
    _, d_loc, d_chol = density_integrals(loc, chol, free, nodes, constants)
    for i in range(PERSONS):
        here = loc[i if own_loc else 0]
        expected = slopes(lambda a, i=i: oracle(a, chol, nodes[i], constants[i]), here)
        np.testing.assert_allclose(d_loc[i], expected, rtol=ROUNDING, atol=ROUNDING)
        expected = slopes(lambda c, i=i, m=here: oracle(m, c, nodes[i], constants[i]), chol)
        np.testing.assert_allclose(d_chol[i], expected * free, rtol=ROUNDING, atol=ROUNDING)


def test_correlated_blocks_have_derivatives_in_their_own_entries_alone():
    loc, chol, _, nodes, constants = problem(1, size=4)
    free = np.tril(np.kron(np.eye(2), np.ones((2, 2)))).astype(bool)
    chol = chol * free
    _, _, d_chol = density_integrals(loc, chol, free, nodes, constants)
    assert (d_chol[:, ~free] == 0).all()
    for i in range(PERSONS):
        expected = slopes(lambda c, i=i: oracle(loc[0], c, nodes[i], constants[i]), chol)
        np.testing.assert_allclose(d_chol[i], expected * free, rtol=ROUNDING, atol=ROUNDING)


def test_constants_far_apart_are_summed_without_overflow():
    loc, chol, free, nodes, constants = problem(2, n_nodes=300)
    constants = 1e3 * constants - 1e4
    logp, *_ = density_integrals(loc, chol, free, nodes, constants)
    expected = [oracle(loc[0], chol, nodes[i], constants[i]) for i in range(PERSONS)]
    np.testing.assert_allclose(logp, expected, rtol=ROUNDING)


def test_a_person_does_not_depend_on_the_others():
    loc, chol, free, nodes, constants = problem(3, n_nodes=200, own_loc=True)
    together = density_integrals(loc, chol, free, nodes, constants)
    for i in range(PERSONS):
        part = slice(i, i + 1)
        alone = density_integrals(loc[part], chol, free, nodes[part], constants[part])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a[0], b[i])
