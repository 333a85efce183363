"""What parameters of one name mean: laws, units, bases, classes."""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.inference.meaning import meanings
from tests.inference.fits import data, fit
from tests.simulated import choice_data, simulated


@cache
def of(model):
    return bm.msle(model, data(), grid=bm.gauss_hermite(5), starts=1, rng=1)


def mixed(*laws, **options):
    return bm.MixedLogit("x + y + z", random=laws, **options)


OTHERS = {
    "law": (bm.Normal("x"), bm.LogNormal("x"), r"mean\[x\], sd\[x\] \(normal and lognormal\)"),
    "bounds": (
        bm.CensoredNormal("x", lower=0.0),
        bm.CensoredNormal("x", lower=-1.0),
        r"bounds 0 and none and censored normal bounds -1 and none",
    ),
    "mean": (bm.Normal("x"), bm.Normal("x", mean="1 + w"), r"normal and normal mean 1 \+ w"),
}


@pytest.mark.parametrize("case", list(OTHERS))
def test_other_laws_of_one_name_are_left_out(case):
    law, other, words = OTHERS[case]
    frame = data().frame.assign(w=data().frame["who"] % 5 / 5)
    fits = [
        bm.msle(mixed(one), choice_data(frame), grid=bm.gauss_hermite(5), starts=1, rng=1)
        for one in (law, other)
    ]
    test = bm.hausman_test(*fits, kind="joint")
    assert test.null == "MSLE and MSLE estimate the same fixed[y], fixed[z]"
    assert re.search(words, test.notes[0])
    with pytest.raises(SpecificationError, match=r"are not one quantity: mean\[x\] "):
        bm.hausman_test(*fits, params=["mean[x]"])


def test_willingness_to_pay_is_no_coefficient():
    plain, space = of(mixed(bm.Normal("y"))), of(mixed(wtp="z"))
    test = bm.hausman_test(plain, space)
    assert test.null.endswith("the same fixed[z]")
    assert test.notes[0].endswith("fixed[x] (in utils and in units of z)")
    with pytest.raises(SpecificationError, match="fit both with the same laws"):
        bm.hausman_test(of(bm.MixedLogit("x")), of(bm.MixedLogit("x + y", wtp="y")))


def test_one_model_by_two_laws_is_one_estimator():
    """Laws that shrink to a point: the rest differs by where optimisers end, no more."""
    flat = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 0.8, "fixed[y]": -0.6}, 120, 4, seed=3)
    one, other = (
        bm.msle(bm.MixedLogit("x + y", random=law), flat, grid=bm.gauss_hermite(7), starts=1)
        for law in (bm.Normal("x"), bm.LogNormal("x"))
    )
    assert max(one.params["sd[x]"], other.params["sd[x]"]) < 1e-3
    with pytest.raises(SpecificationError, match="both fits are one estimator here"):
        bm.hausman_test(one, other)


def test_meanings_of_classes_and_scales():
    two = of(bm.MixedLogit("x + y + z", random=bm.LatentClass("x", bm.Normal("y"), share="1")))
    found = meanings(two)
    assert list(found) == list(two.space.names)
    assert found["fixed[x, 2]"].differs(found["fixed[z]"]) == "2 classes of x, y and none"
    assert found["sd[y, 1]"].law == "normal"
    assert found["share[2]"].differs(meanings(fit())["fixed[z]"]) != ""
    signs = mixed(bm.Correlated(bm.Normal("x"), bm.LogNormal("z", sign=-1)))
    assert meanings(of(signs))["corr[x, z]"].law == "normal, lognormal sign -1"


@cache
def constants(formula, *random, **options):
    """A fit to choices with an outside option, groups of persons, and two sources."""
    frame = data().frame.rename(columns={"alt": "number"})
    frame["alt"] = frame["number"].map({0: "a", 1: "b", 2: "c"})
    frame["group"] = np.where(frame["who"] % 2 == 0, "old", "young")
    if options:
        frame.loc[frame["task"] % 4 == 0, "choice"] = 0
    second = frame["task"] % 2 == 1
    orders = {"first": ["RP", "SP"], "second": ["SP", "RP"]}
    for name, order in orders.items():
        labels = np.where(second, "SP", "RP")
        frame[f"{name}_source"] = pd.Categorical(labels, categories=order)
    drawn = choice_data(frame, **options)
    return lambda scale=None: bm.msle(
        bm.MixedLogit(formula, random=random, scale=scale),
        drawn,
        **({"grid": bm.gauss_hermite(5), "starts": 1} if random else {}),
    )


def test_constants_against_other_bases_are_not_compared():
    default = constants("x + C(alt)")()
    other = constants("x + C(alt, contr.treatment(base='b'))")()
    same = constants("x + z + C(alt, contr.treatment('a'))")()
    with pytest.raises(SpecificationError, match=r"both fits are one estimator here"):
        bm.hausman_test(default, other)  # x alone is left, the same in both
    with pytest.raises(SpecificationError, match=r"alt\[c\]\] \(alt against a and alt against b\)"):
        bm.hausman_test(default, other, params=["fixed[alt[c]]"])
    assert bm.hausman_test(default, same, params=["fixed[alt[c]]"]).df == 1
    at_base = constants("x * C(alt)")()
    assert meanings(at_base)["fixed[x]"].differs(meanings(default)["fixed[x]"])


def test_the_constant_of_all_is_that_of_the_base():
    alone, base = (constants(f, outside_option=True)() for f in ("1 + x", "1 + x + C(alt)"))
    words = meanings(alone)["fixed[Intercept]"].differs(meanings(base)["fixed[Intercept]"])
    assert words == "none and alt against a"
    assert bm.hausman_test(alone, base).null == "MSLE and MSLE estimate the same fixed[x]"


def test_means_in_categories_are_those_of_their_base():
    found = meanings(constants("x + y", bm.Normal("x", mean="1 + C(group)"))())
    assert found["mean[x]"].law == "normal mean 1 + C(group) (group against old)"


def test_sources_with_another_reference_have_other_units():
    fit_of = constants("x + y")
    first, second, none = (fit_of(s) for s in ("first_source", "second_source", None))
    assert first.params["fixed[x]"] != pytest.approx(second.params["fixed[x]"], rel=1e-3)
    one, two, plain = (meanings(f)["fixed[x]"] for f in (first, second, none))
    assert one.differs(two) == "relative to RP and relative to SP"
    assert one.differs(plain) == ""
    scales = meanings(first)["scale[SP]"], meanings(second)["scale[RP]"]
    assert "'first_source' and sources by 'second_source'" in scales[0].differs(scales[1])
