"""Where searches begin: values that are given, in whole or in part."""

import numpy as np
import pytest

import bayesmix as bm
from tests.classical.constrained import AT, GRID, MODEL, data, fit


def test_searches_begin_where_they_are_told(monkeypatch):
    from bayesmix.classical import msle as module

    free = fit()  # before searches are counted, whichever test runs first
    names = list(free.params.index)
    begun = []
    real = module.best_of

    def best_of(search, grid, origins):
        begun.append([search.problem.parameters.natural(o) for o in origins])
        return real(search, grid, origins)

    monkeypatch.setattr(module, "best_of", best_of)
    some = {"mean[x]": 0.1, "sd[y]": 1.4}
    bm.msle(MODEL, data(), start=some, starts=1, grid=GRID, rng=1)
    bm.msle(MODEL, data(), start=free, starts=2, grid=GRID, rng=1)
    bm.msle(MODEL, data(), starts=[some, free.params, AT], grid=GRID, rng=1)
    assert [len(b) for b in begun] == [1, 2, 3]
    for first in (begun[0][0], begun[2][0]):
        values = dict(zip(names, first, strict=True))
        assert values["mean[x]"] == pytest.approx(0.1)
        assert values["sd[y]"] == pytest.approx(1.4)
    np.testing.assert_allclose(begun[1][0], free.params, rtol=1e-12)
    np.testing.assert_allclose(begun[2][1], free.params, rtol=1e-9)
    np.testing.assert_allclose(begun[2][2], [AT[name] for name in names], rtol=1e-12)


def test_a_fit_of_another_model_starts_what_they_have_in_common():
    from bayesmix.classical.given_starts import completed

    problem, small = fit().problem, fit(bm.MixedLogit("x + y + z", random=bm.Normal("x")))
    theta = completed(problem, problem.parameters.theta(AT), small)
    values = problem.parameters.series(problem.parameters.natural(theta))
    for name in ("mean[x]", "sd[x]", "fixed[z]"):
        assert values[name] == pytest.approx(small.params[name])
    for name in ("mean[y]", "sd[y]", "corr[x, y]"):
        assert values[name] == pytest.approx(AT[name])
