"""Fits on a Dask cluster have the numbers of one machine, whatever becomes of workers."""

import os
import signal
from collections.abc import Iterator
from functools import cache
from typing import Any

import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.likelihood import cluster
from bayesmix.study import workers
from tests.simulated import simulated

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.jit


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each a process."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as workers,
        distributed.Client(workers) as own,
    ):
        yield own


@cache
def data() -> bm.ChoiceData:
    truth = {"mean[x]": 1.0, "sd[x]": 0.8, "mean[y]": -0.5, "sd[y]": 0.6}
    return simulated(MODEL, truth, 60, 5)


MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x"), bm.Normal("y")])
HOW = {"grid": bm.centred(bm.sobol(64)), "starts": 1, "rng": 1}


@cache
def alone() -> bm.Fit:
    return bm.msle(MODEL, data(), **HOW)


def check_same(fit: bm.Fit) -> None:
    assert fit.loglik == alone().loglik
    pd.testing.assert_frame_equal(fit.covariance(), alone().covariance(), check_exact=True)
    pd.testing.assert_series_equal(fit.params, alone().params, check_exact=True)


def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from bayesmix.likelihood import persons

    monkeypatch.setattr(persons, "BLOCK_PERSONS", 7)


def test_the_fit_is_the_same_to_the_bit(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone()
    small_blocks(monkeypatch)
    check_same(bm.msle(MODEL, data(), **HOW, client=client))


def test_a_worker_that_is_killed_costs_its_persons_anew(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone()
    small_blocks(monkeypatch)
    calls, killed, real = [], [], cluster.Workers._send

    def kills(self: Any, *arguments: Any) -> Any:
        calls.append(1)
        sent = real(self, *arguments)
        if len(calls) in (30, 90, 150):
            pid = next(iter(client.run(os.getpid).values()))
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)
        return sent

    monkeypatch.setattr(cluster.Workers, "_send", kills)
    check_same(bm.msle(MODEL, data(), **HOW, client=client))
    assert len(killed) == 3


def test_demand_and_posteriors_are_the_same(client: Any) -> None:
    fit = alone()
    once = {"draws": 4, "nodes": 8, "rng": 1}
    here = bm.diversion(fit, data(), **once), bm.elasticities(fit, data(), "x", **once)
    with bm.on_workers(client):
        there = bm.diversion(fit, data(), **once), bm.elasticities(fit, data(), "x", **once)
    for own, other in zip(here, there, strict=True):
        assert own.identical(other)


def test_a_cluster_that_is_gone_ends_the_fit_in_words() -> None:
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as workers:
        gone = distributed.Client(workers)
        gone.close()
        with pytest.raises(RuntimeError, match=r"the cluster is gone.*repeat the call"):
            bm.msle(MODEL, data(), **HOW, client=gone)


def test_what_is_no_client() -> None:
    for wrong in ("tcp://127.0.0.1:8786", 2, True, object(), None):
        with pytest.raises(bm.SpecificationError, match=r"'client' must be a distributed.Client"):
            bm.on_workers(wrong)
    with pytest.raises(bm.SpecificationError, match=r"'client' must be a distributed.Client"):
        bm.msle(MODEL, data(), client="here")


def test_a_command_finds_a_scheduler_by_its_address(client: Any) -> None:
    with workers.cluster(None, client.scheduler.address) as own, bm.on_workers(own):
        check_same(bm.msle(MODEL, data(), **HOW))
    with workers.cluster(None, None) as nobody:
        assert nobody is None


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://"])
def test_an_address_without_a_scheduler_is_said(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    with dask.config.set(scheduler=None):
        with (
            pytest.raises(bm.SpecificationError, match="no scheduler answers at"),
            workers.cluster(None, address),
        ):
            pass
        # Where dask's default is a client that nobody answered, xarray writes no file any more.
        assert dask.config.get("scheduler") is None


def test_a_command_says_what_is_kept_where_its_cluster_goes() -> None:
    with (
        pytest.raises(bm.SpecificationError, match="give one"),
        workers.cluster(2, "tcp://127.0.0.1:9"),
    ):
        pass
    with pytest.raises(OSError, match="same command goes on"), workers.gone_is_said():
        raise cluster.ClusterGoneError("the cluster is gone")
