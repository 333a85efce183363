"""Columns that means multiply: without error components, with the shifts of linear laws."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.simulated import attributes, choice_data


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    frame = attributes(rng, 40, 3)
    frame["nest"] = (frame["alt"] != 0).astype(float)
    frame["flat"] = frame["who"] % 2
    income = rng.normal(size=40)
    frame["inc"] = income[frame["who"]]
    frame["young"] = (income < 0)[frame["who"]].astype(float)
    frame["old"] = 1.0 - frame["young"]
    # Everybody with a young covariate meets x alike everywhere.
    frame["some"] = frame["x"] * frame["old"]
    return choice_data(frame)


NEST = "x + C(alt) + nest"


@pytest.mark.parametrize("law", [bm.Normal, bm.Uniform, bm.Triangular])
def test_a_component_may_stand_beside_the_constants(data, law):
    design = bm.MixedLogit(NEST, random=law("nest", mean="0")).design(data)
    assert design.parameters.names == ("sd[nest]", "fixed[x]", "fixed[alt[1]]", "fixed[alt[2]]")
    assert design.meanless.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    "law",
    [
        bm.Normal("nest"),
        bm.Normal("nest", mean="1 + inc"),
        bm.LogNormal("nest", mean="0"),
        bm.Exponential("nest"),
    ],
    ids=str,
)
def test_what_has_a_mean_may_not(data, law):
    with pytest.raises(DataError, match=r"-1 alt\[1\] -1 alt\[2\] \+1 nest = 0"):
        bm.MixedLogit(NEST, random=law).design(data)


def test_a_mean_of_covariates_alone_leaves_the_column_itself_without_one(data):
    design = bm.MixedLogit(NEST, random=bm.Normal("nest", mean="0 + inc")).design(data)
    assert design.meanless.tolist() == [True, False, False, False]
    with pytest.raises(
        DataError, match=r"-1 alt\[1\]:inc -1 alt\[2\]:inc \+1 shift\[nest, inc\].*one of"
    ):
        bm.MixedLogit(f"{NEST} + C(alt):inc", random=bm.Normal("nest", mean="0 + inc")).design(data)


def test_a_mean_by_groups_is_a_mean(data):
    """Shifts of all groups may be the same; the bare column is not counted beside them."""
    grouped = bm.Normal("x", mean="0 + young + old")
    design = bm.MixedLogit("x + y", random=grouped).design(data)
    assert design.meanless.tolist() == [False, False]
    assert "mean[x]" not in design.parameters.names
    with pytest.raises(DataError, match=r"shift\[nest, young\] \+1 shift\[nest, old\] = 0"):
        bm.MixedLogit(NEST, random=bm.Normal("nest", mean="0 + young + old")).design(data)
    one = bm.MixedLogit("x + y", random=bm.Normal("x", mean="0 + young")).design(data)
    assert one.meanless.tolist() == [True, False]


def test_a_component_must_vary_all_the_same(data):
    model = bm.MixedLogit("x + C(alt) + flat", random=bm.Normal("flat", mean="0"))
    with pytest.raises(DataError, match="'flat' has no variation within any situation"):
        model.design(data)


SAME = r"-1 x:inc \+1 shift\[x, inc\] = 0 .*: leave x:inc out of the formula: shift\[x, inc\] says"


@pytest.mark.parametrize("law", [bm.Normal, bm.Uniform, bm.Triangular])
def test_an_interaction_is_not_counted_twice(data, law):
    with pytest.raises(DataError, match=SAME):
        bm.MixedLogit("x + x:inc + y", random=law("x", mean="1 + inc")).design(data)
    with pytest.raises(DataError, match=SAME):
        bm.MixedLogit("x + x:inc + y", random=law("x", mean="0 + inc")).design(data)


@pytest.mark.parametrize(
    "law",
    [bm.LogNormal("x", mean="1 + inc"), bm.CensoredNormal("x", lower=0, mean="1 + inc")],
    ids=str,
)
def test_where_the_mean_is_not_linear_it_is_another_parameter(data, law):
    names = bm.MixedLogit("x + x:inc + y", random=law).design(data).parameters.names
    assert {"fixed[x:inc]", "shift[x, inc]"} <= set(names)


def test_interactions_with_all_groups_are_counted_twice(data):
    model = bm.MixedLogit("x + x:young + y", random=bm.Normal("x", mean="1 + old"))
    with pytest.raises(DataError, match=r"-1 x \+1 x:young \+1 shift\[x, old\].*leave x:young out"):
        model.design(data)


def test_shifts_of_classes_count(data):
    classes = bm.LatentClass(bm.Normal("x", mean="1 + inc"))
    with pytest.raises(DataError, match=SAME):
        bm.MixedLogit("x + x:inc + y", random=classes).design(data)


def test_two_random_terms_have_no_column_to_leave_out(data):
    law = bm.Normal("x", mean="1 + inc"), bm.Normal("x:inc")
    with pytest.raises(DataError, match=r"shift\[x, inc\] = 0 .*leave the covariate out of mean="):
        bm.MixedLogit("x + x:inc", random=law).design(data)


def test_a_covariate_of_nobody_who_meets_the_attribute(data):
    model = bm.MixedLogit("some + y", random=bm.Normal("some", mean="1 + young"))
    with pytest.raises(DataError, match=r"'shift\[some, young\]' has no variation.*out of mean="):
        model.design(data)


def test_too_few_rows_for_means_are_said_to_be(data):
    few = choice_data(data.frame[data.frame["who"] < 2].assign(inc=lambda f: f["who"] - 0.5))
    polynomial = " + ".join(f"I(x ** {m})" for m in range(1, 19))
    model = bm.MixedLogit(f"x + {polynomial}", random=bm.Normal("x", mean="0 + inc"))
    with pytest.raises(DataError, match="19 columns but only 18 rows: use fewer columns"):
        model.design(few)
