"""A price that nobody minds: elasticities are 0, and ratios of its effects are refused."""

import numpy as np
import pytest

import bayesmix as bm
from tests.oracles import choice_frame, choices

HELD = {"fixed": {"fixed[price]": 0.0}, "random": {"mean[price]": 0.0, "sd[price]": 0.0}}


@pytest.fixture(scope="module", params=list(HELD))
def held(request):
    data = choices(choice_frame(np.random.default_rng(1)))
    law = [bm.Normal("price")] if request.param == "random" else []
    model = bm.MixedLogit("price + time", law)
    return bm.msle(model, data, fixed=HELD[request.param], rng=1), data


def test_elasticities_are_0(held):
    found = bm.elasticities(*held, "price", draws=4, rng=1)["estimate"]
    np.testing.assert_array_equal(found, 0.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda fit, data: bm.diversion(fit, data, "price", draws=4, rng=1),
        lambda fit, data: bm.marginal_consumers(fit, data, "price", draws=4, rng=1),
        lambda fit, data: bm.wtp(fit, "time", price="price", data=data, draws=4, rng=1),
    ],
)
def test_what_would_be_0_over_0_is_refused(held, call):
    with pytest.raises(bm.SpecificationError, match=r"held at 0: 'price' matters to nobody"):
        call(*held)
