"""Products of a market that are wrong are said to be."""

import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from tests.demand.market_cases import CAMERAS, HOW, cameras, fit
from tests.simulated import choice_data

WRONG = [
    (
        [{"price": 1.0, "zoom": 0.0, "brand": "leica"}],
        {},
        "by categories that the model knows",
    ),
    ([{"price": 1.0, "zoom": 0.0}], {}, "no column 'brand' in this market.*describe it for each"),
    ([{"prise": 1.0}], {}, "did you mean 'price'"),
    ([{"price": 1.0, "zoom": 0.0}, {"price": 1.0}], {}, "product 2 has no 'zoom'"),
    ([{"price": "cheap"}], {}, "the data have numbers there"),
    ([{"brand": 3}], {}, "the data have text there"),
    ([{"price": None}], {}, "missing for product 1"),
    ([{"price": [1.0, 2.0]}], {}, "is a list"),
    ([{"price": float("inf")}], {}, "infinite for product"),
    ([{"who": 3}], {}, "says who chose what"),
    ([{}], {}, "have no attributes"),
    ([CAMERAS[0], CAMERAS[0]], {"products": "brand"}, "products 1 and 2 are both called 'canon'"),
    (CAMERAS, {"products": "model"}, "must be a column of the described products"),
    ([{**CAMERAS[0], "alt": 1}], {"products": "brand"}, "leave one of them out"),
]


@pytest.mark.parametrize(("described", "options", "words"), WRONG)
def test_what_is_wrong_with_products_is_said(described, options, words):
    with pytest.raises((DataError, SpecificationError), match=words):
        bm.shares(fit(), bm.market(described, cameras(), **options), **HOW)


def test_other_refusals():
    data = cameras()
    with pytest.raises(SpecificationError, match="argument 'described' must be a list"):
        bm.market("cameras", data)
    with pytest.raises(DataError, match="no model of them says what it is worth"):
        bm.market(CAMERAS, cameras(False), outside_option=True)
    of = choice_data(data.frame, outside_option=True, offset="zoom")
    with pytest.raises(DataError, match="offset 'zoom'"):
        bm.market([{"price": 1.0}], of)
    with pytest.raises(DataError, match="has lost all rows"):
        bm.market(CAMERAS, data.without(0, 1, 2))


def test_a_product_that_the_model_does_not_know_is_named_with_what_to_give():
    frame = cameras().frame
    data = choice_data(frame, outside_option=True)
    found = bm.msle(bm.MixedLogit("price + C(alt)"), data)
    products = [{"alt": 1, "price": 1.0}, {"alt": "tram", "price": 1.0}]
    with pytest.raises(SpecificationError, match=r"no alternatives .*'tram', .*like=.'tram'"):
        bm.shares(found, bm.market(products, data), **HOW)
    of = bm.market(products, data, like={"tram": 0})
    assert bm.shares(found, of, **HOW).sizes["alternative"] == 3
