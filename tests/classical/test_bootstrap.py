"""The bootstrap: against the sandwich, by processes, interrupted, with failures, clusters."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix import processes as pool
from bayesmix.classical import resampling as module
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.errors import ConvergenceError, DataError, SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.optimise.leave_boundary import settled
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 0.9, "fixed[y]": -0.6}


@cache
def data(weighted=False):
    sample = simulated(MODEL, AT, 250, 6, seed=3)
    if not weighted:
        return sample
    return choice_data(sample.frame.assign(w=0.5 + sample.frame["who"] % 4), weights="w")


@cache
def fit(weighted=False):
    return bm.msle(MODEL, data(weighted), grid=bm.centred(bm.sobol(64)), starts=1, rng=1)


@cache
def run(weighted=False, replications=300):
    return bm.bootstrap(fit(weighted), data(weighted), replications, rng=1, processes=1)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_bootstrap_agrees_with_the_sandwich(weighted):
    """300 replications know a standard error within 4 %; its own sampling adds some."""
    found = run(weighted)
    assert found.params.shape == (300, 3)
    ratio = found.std_errors / fit(weighted).std_errors
    assert ratio.between(0.87, 1.15).all(), ratio.to_string()
    off = (found.params.mean() - fit(weighted).params) / fit(weighted).std_errors
    assert off.abs().max() < 0.3
    inside = found.intervals(0.9)
    assert (inside.iloc[:, 0] < fit(weighted).params).all()
    half = (inside.iloc[:, 1] - inside.iloc[:, 0]) / 2 / 1.645
    np.testing.assert_allclose(half, found.std_errors, rtol=0.15)


def test_a_replication_is_a_fit_to_the_persons_drawn():
    frame = data().frame
    job = module.make_job(fit(), data(), 5)
    count = job.weights(7)
    assert count.sum() == 250
    assert (count == np.round(count)).all()
    assert (count == 0).mean() == pytest.approx(np.exp(-1), abs=0.08)
    persons = np.repeat(np.arange(250), count.astype(int))
    copies = [
        frame[frame["who"] == p].assign(who=c, task=lambda f, c=c: f["task"] % 6 + 6 * c)
        for c, p in enumerate(persons)
    ]
    drawn = bm.msle(
        MODEL, choice_data(pd.concat(copies, ignore_index=True)), grid=bm.gauss_hermite(31)
    )
    off = (job.space.series(module.replicate(job, 7)) - drawn.params) / drawn.std_errors
    # The grids differ, and so the estimates by integration error.
    assert off.abs().max() < 0.1


def test_processes_do_not_matter():
    found = bm.bootstrap(fit(), data(), 12, rng=1, processes=2)
    np.testing.assert_allclose(found.thetas, run().thetas[:12], rtol=1e-12)
    pd.testing.assert_frame_equal(found.params, run().params.iloc[:12])
    other = bm.bootstrap(fit(), data(), 2, rng=2, processes=1)
    assert (other.thetas != run().thetas[:2]).any()


def test_clusters_are_drawn_whole():
    frame = data().frame.assign(pair=data().frame["who"] // 2)
    pairs = choice_data(frame)
    weights = module.make_job(fit().clustered(pairs, "pair"), pairs, 1).weights(0)
    np.testing.assert_array_equal(weights[::2], weights[1::2])


def interrupted(job, number):
    if number == 3:
        raise KeyboardInterrupt
    return job.theta + number


def test_an_interrupted_run_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(module, "replicate", interrupted)
    found = bm.bootstrap(fit(), data(), 20, rng=1, processes=1)
    assert found.interrupted
    assert found.params.index.tolist() == [0, 1, 2]
    assert "3 of 20 replications; interrupted" in str(found)
    monkeypatch.setattr(module, "replicate", lambda job, number: interrupted(job, 3))
    with pytest.raises(KeyboardInterrupt):
        bm.bootstrap(fit(), data(), 20, rng=1, processes=1)


def test_an_interrupted_run_of_processes_keeps_what_it_has(monkeypatch):
    as_completed = pool.as_completed

    def pressed(futures):
        for number, future in enumerate(as_completed(futures)):
            if number == 4:
                raise KeyboardInterrupt
            yield future

    monkeypatch.setattr(pool, "as_completed", pressed)
    found = bm.bootstrap(fit(), data(), 400, rng=1, processes=2)
    assert found.interrupted
    assert len(found.params) == 4
    same = found.params.index
    pd.testing.assert_frame_equal(found.params, run().params.reindex(same), rtol=1e-12)


def test_what_does_not_converge_is_counted_and_named(monkeypatch):
    monkeypatch.setattr(
        module, "replicate", lambda job, number: None if number % 4 == 1 else job.theta
    )
    found = bm.bootstrap(fit(), data(), 8, rng=1, processes=1)
    assert found.failed == (1, 5)
    assert found.params.index.tolist() == [0, 2, 3, 4, 6, 7]
    assert "6 of 8 replications; 2 did not converge (numbers 1, 5)" in found._repr_html_()
    monkeypatch.setattr(module, "replicate", lambda job, number: None)
    with pytest.raises(ConvergenceError, match="none of 8 replications converged"):
        bm.bootstrap(fit(), data(), 8, rng=1, processes=1)


def test_a_standard_deviation_at_the_boundary_can_leave_it():
    flat = bm.MixedLogit("x + y")
    sample = simulated(flat, {"fixed[x]": 0.8, "fixed[y]": -0.6}, 120, 4, seed=3)
    start = bm.msle(MODEL, sample, grid=bm.gauss_hermite(9), starts=1)
    assert start.params["sd[x]"] < 0.01
    found = bm.bootstrap(start, sample, 40, rng=1, processes=1)
    assert len(found.params) > 36
    assert 5 < (found.params["sd[x]"] > 0.2).sum() < 30
    # Where the optimiser stops on its way to 0 is no estimate.
    zero = int((found.params["sd[x]"] == 0).sum())
    assert zero > 5
    assert found.params["sd[x]"].loc[lambda s: s > 0].min() > 0.05
    table = found.summary()
    words = f"at the boundary 0 in {zero} of {len(found.params)} replications"
    assert table["note"].to_dict() == {"mean[x]": "", "sd[x]": words, "fixed[y]": ""}
    assert table["2.5 %"]["sd[x]"] == 0.0
    np.testing.assert_array_equal(
        [start.space.natural(theta) for theta in found.thetas], found.params.to_numpy()
    )
    assert "note" not in run().summary()


def test_errors_that_tell_what_is_at_the_boundary_do_not_depend_on_the_scale_of_weights(
    monkeypatch,
):
    model, found = bm.MixedLogit("x + y", random=bm.Normal("x")), []

    def spied(problem, theta, errors):
        found.append(errors)
        return theta

    monkeypatch.setattr("bayesmix.classical.bootstrap.settled", spied)
    sample = simulated(model, {"mean[x]": 0.8, "sd[x]": 0.7, "fixed[y]": -0.6}, 120, 4, seed=3)
    for weight in (1.0, 1e4):
        weighted = choice_data(sample.frame.assign(weight=weight), weights="weight")
        start = bm.msle(model, weighted, grid=bm.gauss_hermite(9), starts=1)
        bm.bootstrap(start, weighted, 1, rng=1, processes=1)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3)


def test_standard_deviations_of_classes_are_settled_each():
    model = bm.MixedLogit("x + y", [bm.LatentClass(bm.Normal("x")), bm.Normal("y")])
    problem = bind(model, data())
    given = {"mean[x, 1]": 1, "mean[x, 2]": -1, "sd[x, 1]": 0.01, "sd[x, 2]": 0.8}
    given |= {"mean[y]": 0.5, "sd[y]": 0.9, "share[2]": -0.3}
    space = problem.parameters
    theta = space.theta(given)
    found = space.series(space.natural(settled(problem, theta, np.full(space.size, 0.1))))
    assert found.to_dict() == pytest.approx(given | {"sd[x, 1]": 0.0})
    # In a large sample it is small, and clear of 0.
    assert settled(problem, theta, np.full(space.size, 0.004)) is theta


def test_correlations_with_what_does_not_vary_have_no_value():
    model = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y"))
    start = bm.msle(model, data(), grid=bm.gauss_hermite(5), starts=1)
    problem = bind(model, data())
    near = start.space.theta(start.params.to_dict() | {"sd[y]": 0.01})
    flat = settled(problem, near, np.full(len(near), 0.1))
    params = start.space.series(start.space.natural(flat))
    assert params["sd[y]"] == 0.0
    assert np.isnan(params["corr[x, y]"])
    assert params["sd[x]"] == pytest.approx(start.params["sd[x]"])
    both = pd.DataFrame([params, start.params])
    thetas = np.stack([flat, start.theta])
    notes = Bootstrap(start.params, thetas, both, start.space, 2).summary()["note"]
    assert notes["corr[x, y]"] == "no value in 1 of 2 replications: a standard deviation is 0"
    assert notes["sd[y]"] == "at the boundary 0 in 1 of 2 replications"
    still = Bootstrap(start.params, thetas[[0, 0]], both.iloc[[0, 0]], start.space, 2)
    assert np.isnan(still.std_errors["sd[y]"])
    assert still.intervals()["97.5 %"]["sd[y]"] == 0.0


def test_arguments_are_checked():
    for arguments, words in (
        ({"replications": 0}, "'replications' must be a whole number of at least 1"),
        ({"processes": 0}, "'processes' must be a whole number of at least 1"),
    ):
        with pytest.raises(SpecificationError, match=words):
            bm.bootstrap(fit(), data(), **arguments)
    with pytest.raises(SpecificationError, match="got a fit by MSM"):
        bm.bootstrap(replace(fit(), estimator="MSM"), data())
    with pytest.raises(DataError, match="not those of the fit"):
        bm.bootstrap(fit(), data(True))
    with pytest.raises(SpecificationError, match="'level'"):
        run().intervals(95)


def test_the_problem_of_a_fit_is_not_changed():
    assert (bind(MODEL, data()).data.weights == 1).all()
    assert (fit().problem.data.weights == 1).all()
