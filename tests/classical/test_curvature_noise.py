"""What groups of persons differ by tells the noise of a sum, which one difference does not."""

import numpy as np

from bayesmix.classical.curvature_noise import added_noise, curvature_errors, noisy_curvatures


def scrambled(seed, groups=32, noise=0.05):
    """Curvatures (2, G, 3, 3) of groups whose sum is known up to independent noise."""
    rng = np.random.default_rng(seed)
    truth = np.diag([4.0, 9.0, 25.0]) / groups
    found = rng.normal(size=(2, groups, 3, 3)) * noise
    return truth + (found + np.swapaxes(found, 2, 3)) / 2


def test_the_noise_that_is_said_is_the_spread_of_standard_errors_over_scramblings():
    each = [scrambled(seed) for seed in range(400)]
    errors = np.array([np.sqrt(np.diag(np.linalg.inv(c.mean(axis=0).sum(axis=0)))) for c in each])
    said = np.array([curvature_errors(np.eye(3), c, None) for c in each])
    spread = errors.std(axis=0) / errors.mean(axis=0)
    np.testing.assert_allclose(np.median(said, axis=0), spread, rtol=0.15)
    assert said.min() > spread.min() / 3  # not by luck, as one difference of sums is in 1 of 5
    alone = np.array(
        [curvature_errors(np.eye(3), c.sum(axis=1, keepdims=True), None) for c in each]
    )
    assert (alone < spread / 3).mean() > 0.2


def test_a_part_that_leaves_no_maximum_is_no_small_noise():
    curvatures = np.stack([np.eye(2)[None] * -1.0, np.eye(2)[None] * 3.0])
    errors = curvature_errors(np.eye(2), curvatures, np.array([False, True]))
    assert np.isinf(errors[0])
    assert np.isnan(errors[1])  # it is held
    assert np.isnan(added_noise(np.zeros((1, 1)), np.zeros(1))).all()


def test_parts_add_to_the_curvatures_of_scramblings():
    curvatures = scrambled(1)
    parts = noisy_curvatures(curvatures) - curvatures.mean(axis=0).sum(axis=0)
    np.testing.assert_allclose(
        parts.sum(axis=0), (curvatures[0] - curvatures[1]).sum(axis=0) / 2, atol=1e-12
    )
