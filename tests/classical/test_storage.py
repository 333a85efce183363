"""Fits on disk: everything comes back, grids to the bit; wrong data and versions are refused."""

import json
import os
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayesmix.classical.fit import Fit
from bayesmix.classical.msle import msle
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.rules import (
    centred,
    gauss_hermite,
    halton,
    mlhs,
    monte_carlo,
    sobol,
    sparse,
)
from bayesmix.specification.model import MixedLogit
from tests.classical.stored_fits import MODEL, data, stored
from tests.classical.test_older_builds import RESOURCES
from tests.simulated import choice_data

RULES = [
    sobol(40),
    halton(40),
    halton(40, scramble=False),
    mlhs(40),
    monte_carlo(40, antithetic=True),
    gauss_hermite(6),
    sparse(4, "gqn"),
    centred(sobol(32)),
    centred(halton(48), population=0.5, inflation=1.5),
    centred(sobol(32), moments=True),
]


@pytest.fixture(scope="module", params=RULES, ids=str)
def pair(request, tmp_path_factory):
    """A fit, and what comes back from its file."""
    fit = msle(MODEL, data(), grid=request.param, starts=1, rng=3)
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    fit.save(path)
    return fit, Fit.load(path, data())


def test_numbers_come_back_as_they_were(pair):
    fit, again = pair
    for name in ("estimator", "model", "loglik", "loglik_multinomial", "converged", "message"):
        assert getattr(again, name) == getattr(fit, name)
    assert (again.n_persons, again.n_situations, again.seconds) == (80, 400, fit.seconds)
    pd.testing.assert_series_equal(again.params, fit.params, rtol=0)
    pd.testing.assert_series_equal(again.std_errors, fit.std_errors, rtol=0)
    for kind in ("robust", "hessian", "opg"):
        pd.testing.assert_frame_equal(again.covariance(kind), fit.covariance(kind), rtol=0)
    pd.testing.assert_frame_equal(again.summary(), fit.summary(), rtol=0)
    pd.testing.assert_frame_equal(again.optima, fit.optima, rtol=0)


def test_the_grid_comes_back_node_by_node(pair):
    fit, again = pair
    assert again.grid.rule == fit.grid.rule
    stop = 1 if fit.grid.shared else 80
    for a, b in zip(again.grid.block(0, stop), fit.grid.block(0, stop), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_certificate_comes_back(pair):
    one, other = (fit.integration for fit in pair)
    pd.testing.assert_frame_equal(one.shift, other.shift, rtol=0)
    pd.testing.assert_series_equal(one.noise, other.noise, rtol=0)
    pd.testing.assert_series_equal(one.pareto_k, other.pareto_k, rtol=0)
    np.testing.assert_equal((one.bias, one.sd), (other.bias, other.sd))
    assert (one.error, one.error_interval) == (other.error, other.error_interval)
    assert str(one) == str(other)
    assert one.within(0.5, 0.05) == other.within(0.5, 0.05)


def test_the_text_is_the_same(pair):
    fit, again = pair
    assert repr(again) == repr(fit)
    assert again._repr_html_() == fit._repr_html_()


def test_scores_and_clusters_come_back(tmp_path):
    frame = data().frame.assign(region=data().frame["who"] % 7)
    regional = choice_data(frame)
    fit = msle(MODEL, regional, grid=gauss_hermite(6), starts=1, cluster="region")
    fit.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json", regional)
    np.testing.assert_array_equal(again.information.scores, fit.information.scores)
    np.testing.assert_array_equal(again.information.groups, fit.information.groups)
    pd.testing.assert_frame_equal(again.covariance("cluster"), fit.covariance(), rtol=0)
    assert repr(again) == repr(fit)


def test_a_multinomial_logit_comes_back(tmp_path):
    fit = msle(MixedLogit("x + y"), data())
    fit.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json", data())
    assert again.integration is None
    pd.testing.assert_frame_equal(again.summary(), fit.summary(), rtol=0)


def test_what_is_not_a_number_is_stored_as_null(tmp_path):
    path = tmp_path / "fit.json"
    fit = msle(MODEL, data(), grid=gauss_hermite(6), starts=1)
    assert np.isnan(fit.integration.bias)
    fit.save(path)
    assert json.loads(path.read_text())["integration"]["bias"] is None
    assert np.isnan(Fit.load(path, data()).integration.bias)


def test_other_data_are_refused(tmp_path):
    path = tmp_path / "fit.json"
    stored().save(path)
    frame = data().frame
    fewer = choice_data(frame[frame["who"] < 79])
    with pytest.raises(DataError, match="80 persons and 400 situations, the data have 79 and 395"):
        Fit.load(path, fewer)
    chosen_last = frame.assign(choice=(frame["alt"] == 2).astype(int))
    for changed in (chosen_last, frame.assign(x=2 * frame["x"])):
        with pytest.raises(DataError, match="other choices, attributes or weights; pass its data"):
            Fit.load(path, choice_data(changed))


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "fit.json"
    stored().save(path)
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"format": 99}))
    with pytest.raises(DataError, match="format 99, this version reads 4: fit again"):
        Fit.load(path, data())


def test_the_file_is_made_for_people(tmp_path):
    path = tmp_path / "fit.json"
    stored().save(path)
    record = json.loads(path.read_text())
    assert record["params"] == dict(stored().params)
    assert record["model"]["formula"] == "x + y"
    assert record["grid"]["rule"]["rule"] == {"type": "Sobol", "nodes": 32}


@pytest.mark.parametrize(
    "content", [b"hello", b"[1]", b'{"format": 4}', b"\xff\xfe\x00", b"[" * 10**5]
)
def test_what_is_no_fit_is_refused(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.json is not a fit: give a file that fit\.save"):
        Fit.load(path, data())


DAY = pd.Timestamp("2024-01-01")
LABELS = {
    "dates": [DAY + pd.Timedelta(days=k) for k in range(24)],
    "UUIDs": [uuid.UUID(int=k) for k in range(24)],
    "decimals": [Decimal(k) / 10 for k in range(24)],
    "numbers": [0.1 + k for k in range(24)],
    "time zones": [(DAY + pd.Timedelta(days=k)).tz_localize("Europe/Berlin") for k in range(24)],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_json_does_not_know_come_back(tmp_path, kind):
    frame = pd.read_csv(RESOURCES / "choices.csv")
    try:
        labelled = choice_data(frame.assign(who=[LABELS[kind][k] for k in frame["who"]]))
    except DataError:
        pytest.skip("refused where data are read")
    fit = msle(MODEL, labelled, grid=centred(sobol(16)), starts=1, rng=1)
    fit.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json", labelled)
    pd.testing.assert_series_equal(again.integration.pareto_k, fit.integration.pareto_k, rtol=0)
    assert list(again.integration.pareto_k.index) == list(fit.integration.pareto_k.index)


def damaged(change):
    record = json.loads((RESOURCES / "format_4_centred.json").read_text(encoding="utf-8"))
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("grid"),
        lambda r: r.update(grid=None),
        lambda r: r.update(theta=["a", 1]),
        lambda r: r.update(theta=[1.0]),
        lambda r: r.update(model={"formula": 3}),
        lambda r: r.update(information=[]),
        lambda r: r["information"]["scores"].update(float64="AAAA"),
        lambda r: r["information"]["scores"].update(shape=[1, 1]),
        lambda r: r["information"]["scores"].update(float64=7),
        lambda r: r.update(optima={"start": [1, 2], "loglik": [0]}),
        lambda r: r["integration"].update(error_interval=3),
        lambda r: r["integration"].pop("shift"),
        lambda r: r.update(loglik="much"),
        lambda r: r.update(n_persons=None),
        lambda r: r["grid"].update(key="one"),
        lambda r: r["grid"].update(key=str(10**60)),
        lambda r: r["grid"]["rule"].update(type="Path"),
        lambda r: r["grid"]["rule"].update(type=["Sobol"]),
        lambda r: r["grid"]["rule"].update(nodes=10),
        lambda r: r["model"]["random"][0]["coefficients"][0].update(family="secret"),
        lambda r: r["model"]["random"][0]["coefficients"][0].update(more=1),
        lambda r: r.update(overidentification={"more": 1}),
        lambda r: r.update(message=3),
        lambda r: r.update(converged="no"),
        lambda r: r.update(estimator=None),
        lambda r: r.update(estimator="nuts"),
        lambda r: r.update(at_bounds="x"),
        lambda r: r.update(seconds="long"),
        lambda r: r["information"].update(hessian=[[1.0]]),
        lambda r: r["grid"]["rule"].update(rule={"type": "Sobol", "nodes": 2**50}),
    ],
)
def test_a_damaged_fit_is_refused_in_words(tmp_path, change):
    data = choice_data(pd.read_csv(RESOURCES / "choices.csv"))
    path = tmp_path / "fit.json"
    path.write_text(damaged(change))
    with pytest.raises((DataError, SpecificationError)) as caught:
        Fit.load(path, data)
    assert "fit" in str(caught.value) or "law" in str(caught.value)


def test_a_fit_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "fit.json"
    stored().save(path)
    before = path.read_text()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match=r"full: '.*fit\.json'"):
            stored().save(path)
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fit.json"]
