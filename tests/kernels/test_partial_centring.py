"""Persons centred by their information, against NumPy's linear algebra and differences."""

import numpy as np
import pytest

from bayesmix.kernels.partial_centring import centred_normals, centred_slopes

N, K = 4, 3


def given(rng: np.random.Generator, persons: int) -> tuple[np.ndarray, ...]:
    root = rng.normal(size=(N, K, K))
    chol = np.tril(rng.normal(size=(K, K)))
    chol[np.diag_indices(K)] = np.exp(chol[np.diag_indices(K)])
    loc = rng.normal(size=(persons, K))
    return root @ root.transpose(0, 2, 1), rng.normal(size=(N, K)), loc, chol


def oracle(
    information: np.ndarray, pull: np.ndarray, loc: np.ndarray, chol: np.ndarray, z: np.ndarray
) -> tuple[float, np.ndarray]:
    total, u = 0.0, np.empty((N, K))
    for i, (h, p) in enumerate(zip(information, pull, strict=True)):
        root = np.linalg.cholesky(np.eye(K) + chol.T @ h @ chol)
        g = chol.T @ (p - h @ loc[min(i, len(loc) - 1)])
        u[i] = np.linalg.solve(root.T, np.linalg.solve(root, g) + z[i])
        total -= 0.5 * u[i] @ u[i] + np.log(np.diag(root)).sum()
    return total, u


@pytest.mark.parametrize("persons", [1, N])
def test_values_and_slopes(persons: int) -> None:
    rng = np.random.default_rng(3)
    information, pull, loc, chol = given(rng, persons)
    z, weights = rng.normal(size=(N, K)), rng.normal(size=(N, K))
    total, u, factor = centred_normals(information, pull, loc, chol, z)
    expected = oracle(information, pull, loc, chol, z)
    assert total == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(u, expected[1], rtol=1e-12)

    # Something of d = L u with constant slopes: its chain rule has all three of them.
    def value(loc: np.ndarray, chol: np.ndarray, z: np.ndarray) -> float:
        total, u = oracle(information, pull, loc, chol, z)
        return total + float((weights * (u @ chol.T)).sum())

    def slope(place: int) -> np.ndarray:
        at = [loc, chol, z]
        found = np.zeros(at[place].shape)
        for index in np.ndindex(found.shape):
            if place == 1 and index[1] > index[0]:
                continue
            step = np.zeros(found.shape)
            step[index] = 1e-6
            up, down = ([*at[:place], at[place] + s, *at[place + 1 :]] for s in (step, -step))
            found[index] = (value(*up) - value(*down)) / 2e-6
        return found

    by_z, by_loc, by_chol = centred_slopes((information, pull, loc, chol), u, factor, weights)
    by_loc = by_loc.sum(axis=0, keepdims=True) if persons == 1 else by_loc
    for mine, theirs in ((by_loc, slope(0)), (by_chol, slope(1)), (by_z, slope(2))):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)


def test_without_information_nothing_is_centred() -> None:
    _, _, loc, chol = given(np.random.default_rng(1), 1)
    z = np.random.default_rng(2).normal(size=(N, K))
    total, u, _ = centred_normals(np.zeros((N, K, K)), np.zeros((N, K)), loc, chol, z)
    np.testing.assert_array_equal(u, z)
    assert total == pytest.approx(-0.5 * (z**2).sum(), rel=1e-14)
