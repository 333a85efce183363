"""Latent classes: names and layout of parameters, records, refusals."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.specification.record import model_from_record, model_record
from tests.oracles import choice_frame, choices, differences

MODEL = bm.MixedLogit(
    "price + time + C(mode)",
    random=[
        bm.LatentClass("price", bm.Normal("time"), classes=2, share="1 + income"),
        bm.Normal("mode[car]"),
    ],
)
NAMES = (
    "mean[time, 1]", "mean[time, 2]", "mean[mode[car]]",
    "sd[time, 1]", "sd[time, 2]", "sd[mode[car]]",
    "fixed[price, 1]", "fixed[price, 2]", "fixed[mode[train]]",
    "share[2]", "share[2, income]",
)  # fmt: skip


@pytest.fixture
def frame():
    return choice_frame(np.random.default_rng(1))


@pytest.fixture
def space(frame):
    return MODEL.design(choices(frame)).parameters


def test_parameters_of_classes_carry_the_class(space):
    assert space.names == NAMES
    assert space.random == ("time", "mode[car]", "price")
    assert space.fixed == ("mode[train]",)


def test_names_values_and_derivatives_agree(space):
    theta = np.random.default_rng(2).normal(size=space.size)
    values = space.series(space.natural(theta))
    np.testing.assert_allclose(space.theta(values), space.canonical(theta), atol=1e-14)
    np.testing.assert_allclose(
        space.jacobian(theta), differences(space.natural, theta).T, atol=1e-8
    )
    second = space.class_params(values, 1)
    assert second["mean[time]"] == values["mean[time, 2]"]
    assert second["mean[mode[car]]"] == values["mean[mode[car]]"]


def test_renumbering_twice_is_none(space):
    theta = np.random.default_rng(3).normal(size=space.size)
    turned = space.series(space.natural(space.permuted(theta, [1, 0])))
    values = space.series(space.natural(theta))
    assert turned["fixed[price, 1]"] == values["fixed[price, 2]"]
    assert turned["share[2, income]"] == -values["share[2, income]"]
    np.testing.assert_allclose(space.permuted(space.permuted(theta, [1, 0]), [1, 0]), theta)


def test_records_return_the_model():
    assert model_from_record(model_record(MODEL)) == MODEL


def test_a_mixture_of_normals_is_a_law_in_classes():
    correlated = bm.LatentClass(bm.LKJNormal("price", "time"), classes=3)
    assert bm.NormalMixture("price", "time", components=3) == correlated
    each = bm.NormalMixture("price", "time", correlated=False, share="1 + age")
    assert each == bm.LatentClass(bm.Normal("price", "time"), share="1 + age")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bm.NormalMixture(), "names no term"),
        (lambda: bm.NormalMixture("price", components=1), "components"),
        (lambda: bm.LatentClass("price", classes=1), "one class is the model without LatentClass"),
        (lambda: bm.LatentClass(classes=2), "names no term"),
        (lambda: bm.LatentClass(3), "names of columns"),
        (lambda: bm.LatentClass("price", share=" "), "'share' is a formula"),
        (lambda: bm.LatentClass("price", share="1 +* age"), "the class shares"),
        (
            lambda: bm.MixedLogit("price", [bm.LatentClass("price"), bm.Normal("price")]),
            "'price' is given two laws",
        ),
        (
            lambda: bm.MixedLogit("a + b", [bm.LatentClass("a"), bm.LatentClass("b")]),
            "name all terms in one",
        ),
    ],
)
def test_refusals(make, words):
    with pytest.raises(SpecificationError, match=words.replace("*", r"\*")):
        make()


def test_terms_and_covariates_are_checked_with_the_data(frame):
    data = choices(frame)
    with pytest.raises(SpecificationError, match="'pryce' is not in the formula"):
        bm.MixedLogit("price", bm.LatentClass("pryce")).design(data)
    with pytest.raises(DataError, match=r"'time' of the class shares varies within .* persons"):
        bm.MixedLogit("price", bm.LatentClass("price", share="1 + time")).design(data)


def test_the_remedy_for_scales_beside_classes_is_accepted(frame):
    """Where a source varies within persons, on which class shares cannot depend."""
    frame["source"] = np.where(frame["task"] % 2 == 0, "RP", "SP")
    with pytest.raises(
        SpecificationError, match=r"such as 'price \+ price:C\(source\)', or leave out"
    ):
        bm.MixedLogit("price", bm.LatentClass("price"), scale="source")
    design = bm.MixedLogit("price + price:C(source)", bm.LatentClass("price")).design(
        choices(frame)
    )
    assert design.fixed_names == ("price:source[SP]",)
