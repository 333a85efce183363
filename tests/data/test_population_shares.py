"""Choice-based samples: weights by population shares, and what becomes of estimates."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm

TRUTH = np.array([-2.0, 0.7, -1.0])
"""Constants of b and c, and the coefficient of x: a few of the population choose b."""
MODEL = bm.MixedLogit("C(alt) + x")
NAMES = ["fixed[alt[b]]", "fixed[alt[c]]", "fixed[x]"]


def population(seed: int, size: int = 100_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attributes (N, 3) and choices (N,) of a population, and the shares of the choices."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 3))
    utility = TRUTH[2] * x + np.array([0.0, *TRUTH[:2]]) + rng.gumbel(size=(size, 3))
    choice = utility.argmax(axis=1)
    return x, choice, np.bincount(choice) / size


def sampled(seed: int) -> tuple[bm.ChoiceData, dict[str, float]]:
    """600 who chose each alternative, and the population's shares."""
    x, choice, shares = population(seed)
    rng = np.random.default_rng(seed + 1)
    who = np.concatenate([rng.choice(np.flatnonzero(choice == j), 600) for j in range(3)])
    frame = pd.DataFrame(
        {
            "task": np.repeat(np.arange(len(who)), 3),
            "alt": np.tile(["a", "b", "c"], len(who)),
            "x": x[who].ravel(),
            "choice": (np.arange(3) == choice[who][:, None]).ravel().astype(int),
        }
    )
    return made(frame), dict(zip("abc", shares.tolist(), strict=True))


def made(frame: pd.DataFrame, **options: Any) -> bm.ChoiceData:
    roles = {"person": None, "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(frame, **{**roles, **options})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_choice_based_samples_recover_the_population(seed: int) -> None:
    data, shares = sampled(seed)
    weighted = data.with_population_shares(shares)
    fit = bm.msle(MODEL, weighted)
    errors = fit.std_errors[NAMES].to_numpy()
    assert (np.abs(fit.params[NAMES].to_numpy() - TRUTH) < 3.0 * errors).all()
    # Unweighted, constants are off by log(H / Q) less the base's, and nothing else.
    plain = bm.msle(MODEL, data)
    off = np.log(np.array([shares["a"] / shares["b"], shares["a"] / shares["c"]]))
    biased = TRUTH + np.append(off, 0.0)
    own = plain.std_errors[NAMES].to_numpy()
    assert (np.abs(plain.params[NAMES].to_numpy() - biased) < 3.5 * own).all()
    assert np.abs(off).min() > 5 * own[:2].max()
    # First-order conditions: with all constants, weighted shares are the population's.
    found = bm.shares(fit, weighted, draws=2, rng=1)["estimate"].to_series()
    np.testing.assert_allclose(found[["a", "b", "c"]], [shares[k] for k in "abc"], rtol=1e-4)


def test_standard_errors_are_the_sandwich_with_squared_weights() -> None:
    data, shares = sampled(4)
    data = data.with_population_shares(shares)
    fit = bm.msle(MODEL, data)
    frame = data.frame
    x = np.column_stack([frame["alt"] == "b", frame["alt"] == "c", frame["x"]]).astype(float)
    odds = np.exp(x @ fit.params[NAMES].to_numpy()).reshape(-1, 3)
    p = odds / odds.sum(axis=1, keepdims=True)
    own = x.reshape(-1, 3, 3)
    mean = np.einsum("tj,tjk->tk", p, own)
    scores = own[np.arange(len(p)), data.chosen_row % 3] - mean
    apart = own - mean[:, None]
    bread = np.linalg.inv(np.einsum("t,tj,tjk,tjl->kl", data.weights, p, apart, apart))
    meat = np.einsum("t,tk,tl->kl", data.weights**2, scores, scores)
    errors = np.sqrt(np.diag(bread @ meat @ bread))
    np.testing.assert_allclose(fit.std_errors[NAMES], errors, rtol=1e-5)


def test_weights_of_the_sample_count_in_its_shares() -> None:
    frame = pd.DataFrame({"task": [1, 2, 3], "alt": "a", "x": 1.0, "choice": [1, 1, 0]})
    data = made(frame.assign(w=[1.0, 3.0, 4.0]), outside_option=True, weights="w")
    found = data.with_population_shares({"a": 0.25, "outside": 0.75})
    np.testing.assert_allclose(found.weights, [0.5, 1.5, 6.0])
    np.testing.assert_allclose(found.weights[:2].sum() / found.weights.sum(), 0.25)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.5, 0.5], "must be shares by alternative"),
        ({"a": 0.5, "b": 0.5}, "no share of 'c'"),
        ({"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.4}, "names 'd'"),
        ({"a": 0.2, "b": 0.2, "c": 0.2}, r"sums to 0\.6"),
        ({"a": 0.2, "b": 0.8, "c": 0.0}, "above 0"),
        ({"a": 0.2, "b": 0.8, "c": True}, "above 0"),
    ],
)
def test_shares_are_checked(shares: Any, words: str) -> None:
    data, _ = sampled(5)
    with pytest.raises(bm.DataError, match=words):
        data.with_population_shares(shares)


def test_data_that_have_no_one_choice_a_person_are_refused() -> None:
    frame = pd.DataFrame(
        {"who": 1, "task": [1, 1, 2, 2], "alt": ["a", "b"] * 2, "choice": [1, 0, 0, 1]}
    )
    shares = {"a": 0.5, "b": 0.5}
    with pytest.raises(bm.DataError, match="person=None"):
        made(frame, person="who").with_population_shares(shares)
    with pytest.raises(bm.DataError, match="nobody in the sample chose 'b'"):
        made(frame[:2]).with_population_shares(shares)
    with pytest.raises(bm.DataError, match="hold none"):
        made(frame, chosen=None).with_population_shares(shares)
    with pytest.raises(bm.DataError, match="rankings"):
        made(
            frame.assign(choice=[1, 2, 2, 1]), chosen=None, ranked="choice"
        ).with_population_shares(shares)
