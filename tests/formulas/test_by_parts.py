"""Columns evaluated a part of rows at a time are those of all rows at once."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.data import parts
from bayesmix.formulas import by_parts
from bayesmix.formulas.by_parts import CodedRows
from bayesmix.formulas.formula import columns_like, evaluate
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.multinomial import multinomial
from tests.data.stores import ROLES, frame, written

FORMULAS = (
    "price + seats",
    "C(mode) + price",
    "C(town):price + seats",  # a town is a person's: its levels are far apart
    "C(mode):C(level) + price",
    "scale(price) + poly(seats, 2)",
    "{price - price.mean()}:direct + {(town == 'Ulm') * seats}",
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The same choices in a store and in memory, text as categories in both."""
    folder = tmp_path_factory.mktemp("stored")
    table = frame()
    for name in ("mode", "town"):
        table[name] = table[name].astype("category")
    whole = written(table, folder)
    return bm.ChoiceData.from_parquet(folder, **ROLES), bm.ChoiceData.from_long(whole, **ROLES)


@pytest.fixture
def few(monkeypatch):
    """Parts of a few situations."""
    monkeypatch.setattr(parts, "PART", 60)
    monkeypatch.setattr(by_parts, "PART", 60)


@pytest.mark.parametrize("formula", FORMULAS)
def test_columns_are_those_of_all_rows(pair, few, monkeypatch, formula):
    stored, memory = pair
    taken = []
    kept = CodedRows.kept
    monkeypatch.setattr(CodedRows, "kept", lambda *given: taken.append(1) or kept(*given))
    own, other = evaluate(formula, stored), evaluate(formula, memory)
    assert taken  # it was done in parts
    assert own.names == other.names
    assert isinstance(own.values.base, np.memmap)
    np.testing.assert_array_equal(own.values, other.values)
    again = columns_like(formula, stored, other.state)
    assert len(taken) == 2
    np.testing.assert_array_equal(again.values, other.values)


def test_faults_are_told_of_all_rows(pair, few):
    stored, memory = pair
    said = []
    for data in (stored, memory):
        with pytest.raises(bm.DataError) as caught:
            evaluate("price + gaps", data)
        said.append(str(caught.value))
    missing = int(memory.frame["gaps"].isna().sum())
    assert f"'gaps' is missing in {missing} of {memory.n_rows} rows" in said[0]
    with pytest.raises(bm.DataError, match="NaN or infinite in"):
        evaluate("price + {log(seats - 1)}", stored)


@pytest.mark.parametrize("outside", [False, True])
def test_a_problem_of_parts_is_that_of_all_rows(pair, few, outside, monkeypatch):
    """Sums are of parts, in their order: equal but for rounding."""
    constants = "" if outside else " + C(mode)"  # nobody has chosen the outside option
    model = bm.MixedLogit("price + seats" + constants, random=[bm.Normal("seats")])
    folder = pair[0].folder.parent
    roles = ROLES | {"outside_option": outside}
    stored = bm.ChoiceData.from_parquet(folder, store=folder / f"store{outside}", **roles)
    own = bind(model, stored)
    logit = multinomial(own)
    monkeypatch.setattr(parts, "PART", 2**17)
    monkeypatch.setattr(by_parts, "PART", 2**17)
    whole = bind(model, stored)
    np.testing.assert_array_equal(own.design.random, whole.design.random)
    np.testing.assert_array_equal(own.design.fixed, whole.design.fixed)
    np.testing.assert_allclose(own.design.spread, whole.design.spread, rtol=1e-14)
    other = multinomial(whole)
    np.testing.assert_allclose(logit.coefficients, other.coefficients, rtol=1e-10)
    assert logit.loglik == pytest.approx(other.loglik, rel=1e-14)


def test_collinear_columns_are_found_across_parts(pair, few):
    stored, _ = pair
    with pytest.raises(bm.DataError, match="collinear"):
        bind(bm.MixedLogit("price + seats + {2 * price - seats}"), stored)
