"""Estimates within bounds, and what nothing keeps."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical.bounds import _pulled_inwards
from bayesmix.errors import SpecificationError
from tests.classical.constrained import LOGIT, MODEL, data, fit, held


def test_bounds_hold_what_would_cross_them():
    free = fit()
    bounds = {"fixed[z]": (None, 0.2), "mean[x]": (-5, 5)}
    model = replace(MODEL, constraints=bm.Constraints(bounds=bounds))
    bounded, at = fit(model), held(**{"fixed[z]": 0.2})
    assert free.params["fixed[z]"] > 0.2
    np.testing.assert_allclose(bounded.params, at.params, rtol=1e-4)
    assert "Held: fixed[z] at its bound 0.2" in bounded.message
    inside = fit(replace(MODEL, constraints=bm.Constraints(bounds={"mean[x]": (-5, 5)})))
    np.testing.assert_array_equal(inside.params, free.params)


def best_of_active_sets(constraints):
    """Among fits with bounds held in every possible way, the best that keeps all: an oracle."""
    found = []
    ends = [[None, low, high] for _, low, high in constraints.bounds]
    for at in product(*ends):
        names = [name for name, _, _ in constraints.bounds]
        fixed = {n: v for n, v in zip(names, at, strict=True) if v is not None and abs(v) < np.inf}
        under = bm.Constraints(fixed, constraints.equal, constraints.linear)
        try:
            one = fit(replace(LOGIT, constraints=under))
        except SpecificationError:
            continue
        if all(low <= one.params[n] <= high for n, low, high in constraints.bounds):
            found.append(one)
    return max(found, key=lambda one: one.loglik)


@pytest.mark.parametrize(
    "given",
    [
        # Both cross, and only one can be held: the tie leaves the other below its own bound.
        {
            "equal": [("fixed[x]", "fixed[z]")],
            "bounds": {"fixed[x]": (None, 0.3), "fixed[z]": (None, 0.1)},
        },
        {
            "equal": [("fixed[x]", "fixed[z]")],
            "bounds": {"fixed[x]": (None, 0.1), "fixed[z]": (None, 0.3)},
        },
        {
            "linear": "fixed[x] + fixed[y] + fixed[z] = 0.2",
            "bounds": {"fixed[x]": (None, 0.25), "fixed[y]": (-0.2, None), "fixed[z]": (None, 0.2)},
        },
        # Held first, and let go when another is held.
        {
            "linear": "fixed[x] - 2 * fixed[z] = 0.1",
            "bounds": {"fixed[x]": (None, 0.5), "fixed[z]": (0.05, 0.1), "fixed[y]": (-0.1, 0)},
        },
        {"bounds": {"fixed[x]": (0.9, 1), "fixed[y]": (None, -0.8), "fixed[z]": (0, 0.4)}},
    ],
)
def test_bounds_beside_ties_hold_what_the_best_of_all_sets_holds(given):
    constraints = bm.Constraints(**given)
    bounded, best = fit(replace(LOGIT, constraints=constraints)), best_of_active_sets(constraints)
    assert bounded.loglik == pytest.approx(best.loglik, abs=1e-7)
    np.testing.assert_allclose(bounded.params, best.params, rtol=1e-5, atol=1e-7)
    assert "Held: " in bounded.message


def test_a_multiplier_says_whether_a_bound_is_still_needed():
    """Held beyond the free estimate it is, held short of it the log-likelihood rises inwards."""
    free = fit(LOGIT)
    for name in ("fixed[x]", "fixed[y]"):
        value, error = free.params[name], free.std_errors[name]
        for side, ends in ((1, (-5, None)), (-1, (None, 5))):
            short, beyond = value - side * error, value + side * error
            for at, expected in ((short, name), (beyond, None)):
                bounds = {name: tuple(at if end is not None else None for end in ends)}
                model = replace(LOGIT, constraints=bm.Constraints(bounds=bounds))
                held_there = fit(LOGIT, fixed=((name, float(at)),))
                assert _pulled_inwards(model, held_there, {name: float(at)}) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {
                "linear": "fixed[x] + fixed[z] = 1",
                "bounds": {"fixed[x]": (None, 0), "fixed[z]": (None, 0)},
            },
            "no values keep all of .*bounds contradict",
        ),
        (
            {
                "fixed": {"fixed[x]": 1},
                "equal": [("fixed[x]", "fixed[y]")],
                "bounds": {"fixed[y]": (2, 3)},
            },
            "no values keep",
        ),
        ({"bounds": {"sd[x]": (None, -1)}}, "no standard deviation is negative"),
    ],
)
def test_bounds_that_nothing_keeps_are_refused(given, words):
    model = MODEL if "sd[x]" in str(given) else LOGIT
    with pytest.raises(SpecificationError, match=words):
        fit(replace(model, constraints=bm.Constraints(**given)))


def test_bounds_are_for_the_likelihood_alone():
    model = replace(MODEL, constraints=bm.Constraints(bounds={"mean[x]": (0, None)}))
    for estimate in (bm.msm, bm.mss):
        with pytest.raises(SpecificationError, match="knows no bounds"):
            estimate(model, data())
