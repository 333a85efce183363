"""Scenarios: what changes, what stays, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind, bind_scenario


def small(outside=False, sets=None):
    """Three situations of two persons; ``sets`` gives the alternatives of each."""
    rows = []
    for t, (person, labels) in enumerate(
        zip(["p", "p", "q"], sets or ["abc", "ab", "abc"], strict=True)
    ):
        for j, label in enumerate(labels):
            rows.append((person, t, label, int(j == 0), 1.0 + t + 2 * j, 5 * t, j - t**2))
    frame = pd.DataFrame(rows, columns=["id", "t", "alt", "y", "price", "income", "size"])
    return bm.ChoiceData.from_long(
        frame, person="id", situation="t", alternative="alt", chosen="y", outside_option=outside
    )


def test_an_attribute_changes_where_it_is_asked_to_and_nowhere_else():
    data = small()
    dearer = data.with_attribute("price", lambda rows: rows["price"] * 1.5, alternative="b")
    isb = data.frame["alt"] == "b"
    expected = data.frame["price"].where(~isb, data.frame["price"] * 1.5)
    np.testing.assert_array_equal(dearer.frame["price"], expected)
    others = ["id", "t", "alt", "income", "size"]
    pd.testing.assert_frame_equal(dearer.frame[others], data.frame[others])
    np.testing.assert_array_equal(data.frame["price"], small().frame["price"])
    whole = data.with_attribute("income", 0.5, where=lambda rows: rows["t"] == 2)
    np.testing.assert_array_equal(
        whole.frame["income"], np.where(data.frame["t"] == 2, 0.5, data.frame["income"])
    )
    text = data.with_attribute("price", "low", alternative=["a", "c"])
    assert text.frame["price"].tolist() == ["low", 3.0, "low", "low", 4.0, "low", 5.0, "low"]


def test_a_removed_alternative_is_gone_and_the_others_keep_their_places():
    data = small()
    gone = data.without("b")
    assert gone.alternatives == ("a", "c")
    kept = data.frame["alt"] != "b"
    assert gone.frame["price"].tolist() == data.frame.loc[kept, "price"].tolist()
    assert np.diff(gone.situation_start).tolist() == [2, 1, 2]
    assert gone.situations.equals(data.situations)
    assert list(gone.summary().alternatives["available"]) == [3, 2]


def test_a_new_alternative_has_a_row_in_every_situation_that_offers_it():
    data = small()
    more = data.with_alternative(
        "d", {"price": lambda now: now["income"] + 1.0, "size": 7}, where=lambda now: now["t"] > 0
    )
    new = more.frame[more.frame["alt"] == "d"]
    assert more.alternatives == ("a", "b", "c", "d")
    assert np.diff(more.situation_start).tolist() == [3, 3, 4]
    assert new["price"].tolist() == [6.0, 11.0]
    assert new["id"].tolist() == ["p", "q"]
    assert new["t"].tolist() == [1, 2]
    assert new["size"].tolist() == [7, 7]
    like = data.with_alternative("e", {"price": 9.0}, like="a")
    new = like.frame[like.frame["alt"] == "e"]
    assert new["size"].tolist() == data.frame.loc[data.frame["alt"] == "a", "size"].tolist()


def test_scenarios_chain_and_order_does_not_matter():
    data = small()
    one = data.without("c").with_attribute("price", 2.0, alternative="a")
    other = data.with_attribute("price", 2.0, alternative="a").without("c")
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert not one.observed
    assert data.observed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.with_attribute("prize", 1), "no column 'prize'.*'price'"),
        (lambda d: d.with_attribute("y", 1), "'y' says who chose what"),
        (lambda d: d.with_attribute("price", 1, alternative="z"), "no alternative 'z'"),
        (lambda d: d.with_attribute("price", [1.0, 2.0]), r"\(2,\) values.*expected one or \(8,\)"),
        (lambda d: d.with_attribute("price", np.nan), "hold missing ones"),
        (lambda d: d.with_attribute("price", 1, where=d.frame["t"] > 9), "select none"),
        (lambda d: d.with_attribute("price", 1, where=[1]), "expected .8,. of True and False"),
        (lambda d: d.with_attribute("price", pd.Series([1.0])), "no value for rows 1, 2"),
        (lambda d: d.without(), "names no alternative"),
        (lambda d: d.without("a", "b"), "nothing is left to choose in situation 1 of person 'p'"),
        (lambda d: d.with_alternative("a", {}), "'a' is in the data already"),
        (lambda d: d.with_alternative("d", {"price": 1}), "no value for column 'size'"),
        (lambda d: d.with_alternative("d", {}, like="c"), "not offered in 1 situations, first"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    with pytest.raises(DataError, match=words):
        change(small())


def test_with_an_outside_option_everything_may_go():
    data = small(outside=True)
    none = data.without("a", "b")
    assert np.diff(none.situation_start).tolist() == [1, 0, 1]


def test_nobody_fits_to_a_scenario():
    data = bm.examples.electricity()
    model = bm.MixedLogit("pf + cl", random=[bm.Normal("cl")])
    with pytest.raises(DataError, match="a scenario, which has no observed choices"):
        bm.msle(model, data.without(1))
    there = bind_scenario(bind(model, data), data.without(1))
    with pytest.raises(DataError, match="no likelihood"):
        there.chunk(bm.population_grid(bm.sobol(4), 1, data.n_persons, 1), 0, 1)


def test_formulas_keep_what_they_have_learnt():
    """A centred or scaled column moves with the attribute; constants keep base and levels."""
    data = bm.examples.electricity()
    problem = bind(bm.MixedLogit("center(pf) + scale(cl) + C(alt)"), data)
    dearer = bind_scenario(
        problem, data.with_attribute("pf", lambda rows: rows["pf"] + 1.0, alternative=2)
    )
    second = (data.frame["alt"] == 2).to_numpy()
    moved = dearer.design.fixed - problem.design.fixed
    np.testing.assert_allclose(moved[:, 0], second, atol=1e-12)
    assert (moved[:, 1:] == 0).all()
    fewer = bind_scenario(problem, data.without(1))
    kept = (data.frame["alt"] != 1).to_numpy()
    np.testing.assert_array_equal(fewer.design.fixed, problem.design.fixed[kept])
    assert fewer.parameters is problem.parameters


def test_knots_of_splines_are_kept():
    frame = small(sets=["abc", "abc", "abc"]).frame
    rng = np.random.default_rng(1)
    wide = pd.concat([frame.assign(id=f"{n}") for n in range(20)])
    wide["price"] = rng.uniform(1, 9, len(wide))
    data = bm.ChoiceData.from_long(wide, person="id", situation="t", alternative="alt", chosen="y")
    problem = bind(bm.MixedLogit("bs(price, df=4)"), data)
    cheap = data.with_attribute("price", 3.0, alternative="a")
    there = bind_scenario(problem, cheap)
    rest = (data.frame["alt"] != "a").to_numpy()
    np.testing.assert_allclose(there.design.fixed[rest], problem.design.fixed[rest], atol=1e-12)


def test_a_new_alternative_needs_constants_of_its_own():
    data = bm.examples.electricity()
    problem = bind(bm.MixedLogit("pf + C(alt)"), data)
    values = dict.fromkeys(("pf", "cl", "loc", "wk", "tod", "seas"), 1.0)
    with pytest.raises(SpecificationError, match=r"with_alternative\(\.\.\., like="):
        bind_scenario(problem, data.with_alternative(5, values))
    there = bind_scenario(problem, data.with_alternative(5, values, like=3))
    five = (there.data.frame["alt"] == 5).to_numpy()
    names = list(problem.parameters.fixed)
    assert (there.design.fixed[five][:, names.index("alt[3]")] == 1).all()
    assert (there.design.fixed[five][:, names.index("pf")] == 1).all()


def test_a_scenario_of_other_data_is_refused():
    data = bm.examples.electricity()
    problem = bind(bm.MixedLogit("pf"), data)
    with pytest.raises(DataError, match="other persons or situations"):
        bind_scenario(problem, small().without("c"))
    with pytest.raises(DataError, match=r"such as data\.without.*got str"):
        bind_scenario(problem, "without 1")
