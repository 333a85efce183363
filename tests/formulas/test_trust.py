"""Stored fits and posteriors are data: what they hold is run for those alone who trust it."""

import json

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas import reading
from bayesmix.specification.record import (
    data_record,
    learnt_from_record,
    model_from_record,
    model_record,
)
from tests.oracles import choice_frame, choices

CODE = "{price.map(lambda v: v ** 3)} + time"


@pytest.fixture(scope="module")
def data():
    return choices(choice_frame(np.random.default_rng(1)))


@pytest.fixture
def elsewhere(monkeypatch):
    """A process that has trusted nothing."""
    monkeypatch.setattr(reading, "_TRUSTED", set())


@pytest.fixture(scope="module")
def stored(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    bm.msle(bm.MixedLogit(CODE, trust=True), data).save(path)
    return path


def test_a_stored_fit_says_that_it_needs_trust(data, stored, elsewhere):
    with pytest.raises(SpecificationError, match=r"a stored model: .* trust=True, of .*Fit\.load"):
        bm.Fit.load(stored, data)
    again = bm.Fit.load(stored, data, trust=True)
    assert again.params.index.tolist()[1] == "fixed[time]"
    assert again.model.trust


def test_a_formula_that_this_session_trusts_is_trusted_in_posteriors(elsewhere):
    model = bm.MixedLogit(CODE, trust=True)
    assert model_from_record(model_record(model)).trust
    changed = {**model_record(model), "formula": CODE.replace("3", "4")}
    with pytest.raises(SpecificationError, match="a stored model"):
        model_from_record(changed)


def test_shares_and_means_are_trusted_with_the_formula(elsewhere):
    plain = bm.LatentClass("price", share="1 + {open('x')}")
    with pytest.raises(SpecificationError, match=r"the class shares: .*function 'open'"):
        bm.MixedLogit("price + time", random=[plain])
    record = model_record(bm.MixedLogit("price", random=[bm.LatentClass("price")]))
    record["random"][0]["share"] = "1 + {open('x')}"
    with pytest.raises(SpecificationError, match="function 'open'"):
        model_from_record(record)
    assert not reading.is_trusted(["1 + {open('x')}"])


def test_the_rule_of_a_stored_grid_is_one_of_a_list(data, stored, tmp_path):
    record = json.loads(stored.read_text())
    for name in ("ABC", "__builtins__", "Rule", None):
        record["grid"]["rule"] = {"type": name}
        path = tmp_path / "other.json"
        path.write_text(json.dumps(record))
        with pytest.raises(DataError, match="rules are Sobol, Halton"):
            bm.Fit.load(path, data, trust=True)


@pytest.mark.parametrize(
    "formula",
    [
        *("scale(price)", "center(price)", "standardize(price)", "poly(price, 3)"),
        *("bs(price, df=5)", "cc(price, df=4, constraints='center')", "{price / price.mean()}"),
        "cr(price, df=4, constraints='center')",
    ],
)
def test_what_formulas_have_learnt_passes_through_a_file(data, formula):
    model = bm.MixedLogit(f"{formula} + time")
    design = model.design(data)
    record = json.loads(json.dumps(data_record(data, design)))
    half = choices(data.frame[data.frame["who"] < 15])
    own = model.design(half, like=design).fixed
    found = model.design(half, learnt=learnt_from_record(record)).fixed
    np.testing.assert_allclose(found, own, rtol=1e-13, atol=1e-13)
    assert not np.allclose(model.design(half).fixed, own)
