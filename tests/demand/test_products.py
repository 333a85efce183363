"""Products of rows in the place of alternatives: brands where alternatives are positions."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.demand.test_elasticities import QUICK
from tests.simulated import choice_data

MAKES = np.array(["p", "q", "p", "r"])
MINE = {"p": (0, 2), "q": (1,), "r": (3,)}


def made(data, makes):
    """The data with a column of makes."""
    frame = data.frame.assign(choice=0)
    frame.loc[frame.index[data.chosen_row[data.chosen_row >= 0]], "choice"] = 1
    return choice_data(frame.assign(make=makes), outside_option=True, weights="w")


@pytest.fixture(scope="module")
def brands(fit, data):
    """The makes are MAKES by alternative; the fit's own data, with a further column."""
    return fit, made(data, MAKES[data.alternative_code])


def test_products_that_are_the_alternatives_change_nothing(fit, data):
    there = made(data, np.array(["0", "1", "2", "3"])[data.alternative_code])
    for call in (bm.shares, bm.elasticities, bm.diversion):
        one, other = call(fit, data, **QUICK), call(fit, there, products="make", **QUICK)
        for name in one.data_vars:
            np.testing.assert_allclose(one[name], other[name], atol=1e-14)


@pytest.mark.parametrize("people", ["population", "known"])
def test_removal_takes_all_of_a_product_away(brands, people):
    fit, data = brands
    options = {"products": "make", "people": people, **QUICK}
    found = bm.diversion(fit, data, **options)
    now = bm.shares(fit, data, **options)["estimate"]
    by_row = bm.shares(fit, data, people=people, **QUICK)["estimate"]
    assert found["destination"].to_numpy().tolist() == ["p", "q", "r", "outside"]
    assert float(now.sel(alternative="p")) == pytest.approx(float(by_row[[0, 2]].sum()), abs=1e-14)
    for make, mine in MINE.items():
        gone = data.without(*mine)
        then = bm.shares(fit, data, scenario=gone, **options)["estimate"]
        others = then["alternative"].to_numpy()
        assert make not in others
        expected = (then - now.sel(alternative=others)) / now.sel(alternative=make)
        here = found["estimate"].sel(origin=make)
        np.testing.assert_allclose(here.sel(destination=others), expected, atol=1e-12)
        assert float(here.sel(destination=make)) == 0.0
    for name in ("estimate", "logit"):
        np.testing.assert_allclose(found[name].sum("destination"), 1.0, atol=1e-12)


def test_a_price_rises_for_all_of_a_product(brands):
    fit, data = brands
    options = {"products": "make", **QUICK}
    found = bm.elasticities(fit, data, **options)["estimate"]
    arc = bm.elasticities(fit, data, arc=0.3, **options)["estimate"]
    now = bm.shares(fit, data, **options)["estimate"].to_numpy()
    for make, mine in MINE.items():
        then = []
        for change in (1e-5, -1e-5, 0.3):
            there = data
            for label in mine:
                there = there.with_attribute(
                    "price", lambda r, c=change: (1 + c) * r["price"], alternative=label
                )
            then.append(bm.shares(fit, data, scenario=there, **options)["estimate"].to_numpy())
        slope = (then[0] - then[1]) / 2e-5
        np.testing.assert_allclose(found.sel(changed=make), slope / now, atol=1e-6)
        expected = (then[2] - now) / ((then[2] + now) / 2) * (1.15 / 0.3)
        np.testing.assert_allclose(arc.sel(changed=make), expected, atol=1e-11)


def test_positions_do_not_matter(brands):
    """The same brands in other places, where a brand may stand twice in a situation."""
    fit, data = brands
    codes = data.alternative_code
    moved = data.frame.assign(alt=(3 - codes))
    assert not (moved["alt"].to_numpy() == data.frame["alt"].to_numpy()).all()
    frame = made(data, MAKES[codes]).frame.assign(alt=3 - codes, choice=0)
    frame.loc[frame.index[data.chosen_row[data.chosen_row >= 0]], "choice"] = 1
    there = choice_data(frame, outside_option=True, weights="w")
    for call in (bm.diversion, bm.shares):
        one, other = (call(fit, d, products="make", **QUICK)["estimate"] for d in (data, there))
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_who_leaves_a_product_are_those_who_leave_its_rows(brands):
    fit, data = brands
    rows = bm.marginal_consumers(fit, data, covariates=["price"], **QUICK)["estimate"]
    share = bm.shares(fit, data, **QUICK)["estimate"]
    whole = bm.marginal_consumers(fit, data, covariates=["price"], products="make", **QUICK)
    for make, mine in MINE.items():
        w = share.to_numpy()[list(mine)]
        expected = w @ rows.to_numpy()[list(mine)] / w.sum()
        np.testing.assert_allclose(whole["estimate"].sel(origin=make), expected, atol=1e-12)


def test_products_are_checked(brands, data):
    fit, with_makes = brands
    with pytest.raises(DataError, match="no column 'brand'"):
        bm.diversion(fit, with_makes, products="brand")
    gaps = np.where(np.arange(data.n_rows) == 7, None, "p")
    with pytest.raises(DataError, match=r"'make' has missing values, first in row 7"):
        bm.shares(fit, made(data, gaps), products="make")
    names = np.where(data.alternative_code == 1, "outside", "p")
    with pytest.raises(DataError, match="name of the outside option"):
        bm.shares(fit, made(data, names), products="make")
