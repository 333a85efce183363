"""Nodes frozen in coefficient space: values and moments against sums in NumPy."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from bayesmix.kernels.frozen_nodes import frozen_log_integrals, frozen_moments

PERSONS, NODES = 5, 37


def case(size: int, shared: bool, draws: int = 3):
    """Nodes, laws and constants of ``size`` coefficients, padded to rows of three."""
    rng = np.random.default_rng(size)
    room = -(-size // 3) * 3
    nodes, loc = np.zeros((PERSONS, room, NODES)), np.zeros((draws, PERSONS, room))
    nodes[:, :size] = rng.normal(size=(PERSONS, size, NODES))
    loc[..., :size] = rng.normal(size=(draws, PERSONS, size))
    loc = loc[:, :1] if shared else loc
    half = rng.normal(size=(draws, size, size + 3))
    covariance = half @ np.swapaxes(half, 1, 2) / 3
    precision = np.zeros((draws, room, room))
    precision[:, :size, :size] = np.linalg.inv(covariance)
    constant = -0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    constants = 30.0 * rng.normal(size=(PERSONS, NODES)) - 200.0
    linked = np.ones((room // 3, room // 3), dtype=bool)
    return loc, covariance, precision, constant, nodes, constants, linked


def terms(loc, covariance, nodes, constants):
    """Logarithms (n, S) of the terms of every integral, by SciPy's density."""
    size = len(covariance)
    own = np.broadcast_to(loc, (PERSONS, loc.shape[1]))[:, :size]
    density = multivariate_normal(np.zeros(size), covariance)
    return constants + np.stack(
        [density.logpdf((nodes[i, :size] - own[i][:, None]).T) for i in range(PERSONS)]
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("shared", [True, False])
def test_integrals_and_moments_are_sums_over_nodes(size: int, shared: bool) -> None:
    loc, covariance, precision, constant, nodes, constants, linked = case(size, shared)
    logp = frozen_log_integrals(loc, precision, constant, nodes, constants, linked)
    for d in range(len(loc)):
        logs = terms(loc[d], covariance[d], nodes, constants)
        np.testing.assert_allclose(logp[d], np.logaddexp.reduce(logs, axis=1), atol=1e-10)
        one, first, second = frozen_moments(
            loc[d], precision[d], constant[d], nodes, constants, linked
        )
        assert (one == logp[d]).all()
        weights = np.exp(logs - logp[d][:, None])
        away = nodes - loc[d][:, :, None]
        np.testing.assert_allclose(first, np.einsum("is,iks->ik", weights, away), atol=1e-9)
        whole = np.einsum("is,iks,ijs->ikj", weights, away, away)
        np.testing.assert_allclose(second, np.tril(whole), atol=1e-9)


def test_blocks_without_covariances_are_left_out() -> None:
    loc, _, precision, constant, nodes, constants, linked = case(6, shared=True)
    precision[:, 3:, :3] = precision[:, :3, 3:] = 0.0
    whole = frozen_log_integrals(loc, precision, constant, nodes, constants, linked)
    apart = np.eye(2, dtype=bool)
    assert (frozen_log_integrals(loc, precision, constant, nodes, constants, apart) == whole).all()
    _, first, second = frozen_moments(loc[0], precision[0], constant[0], nodes, constants, linked)
    _, alone, own = frozen_moments(loc[0], precision[0], constant[0], nodes, constants, apart)
    assert (alone == first).all()
    assert (own[:, 3:, :3] == 0.0).all()
    assert (own[:, :3, :3] == second[:, :3, :3]).all()
    assert (own[:, 3:, 3:] == second[:, 3:, 3:]).all()
