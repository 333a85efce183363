"""MixedLogit: what it refuses, its design, its words."""

import numpy as np
import pytest

from bayesmix import Correlated, LKJNormal, LogNormal, Normal
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.variation import spread
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices


@pytest.fixture(scope="module")
def data():
    return choices(choice_frame(np.random.default_rng(1)))


def test_a_model_is_a_value():
    first, second = (MixedLogit("price", random=[Normal("price")]) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != MixedLogit("price", random=LogNormal("price"))
    with pytest.raises(AttributeError):
        first.formula = "time"


def test_one_law_needs_no_list():
    assert MixedLogit("price", random=Normal("price")).random == (Normal("price"),)
    assert MixedLogit("price").random == ()


@pytest.mark.parametrize(
    ("random", "message"),
    [
        ([Normal("price"), LogNormal("price")], "'price' is given two laws: name it in one law"),
        ([Normal("price", "price")], "'price' is given two laws"),
        ([Correlated(Normal("price"), LogNormal("price"))], "'price' is given two laws"),
        (["price"], r"'random' must be laws, such as .*, got \['price'\]"),
        ("price", "'random' must be laws, such as .*, got 'price'"),
    ],
)
def test_laws_are_checked(random, message):
    with pytest.raises(SpecificationError, match=message):
        MixedLogit("price + time", random=random)


@pytest.mark.parametrize("formula", ["", "0", "choice ~ price", "price +"])
def test_a_formula_that_cannot_be_read_is_refused_at_once(formula):
    with pytest.raises(SpecificationError, match="formula"):
        MixedLogit(formula)


@pytest.mark.parametrize(
    ("formula", "term", "message"),
    [
        ("price + time", "prise", "'prise' is not in the formula .*did you mean 'price'"),
        ("price + C(mode)", "mode[bus]", r"'mode\[bus\]' is not in .*: its columns are \['price'"),
        ("price + C(mode)", "mode", r"'mode' is not in the formula .*columns are \['price'"),
        (
            "time",
            "price",
            r"'price' is not .* 'time': write 'time \+ price'; its columns are \['ti",
        ),
    ],
)
def test_a_random_term_that_is_no_column_is_named_with_the_nearest(data, formula, term, message):
    with pytest.raises(SpecificationError, match=message):
        MixedLogit(formula, random=Normal(term)).design(data)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("price + income", r"'income' has no variation within any situation.*C\(mode\):income"),
        ("C(mode) * income", r"'income' has no variation .*alone, C\(mode\):income"),
        ("price + time + {price - 2 * time}", r"-1 price \+2 time \+1 price - 2 \* time = 0"),
        ("0 + C(mode)", r"\+1 mode\[bus\] \+1 mode\[car\] \+1 mode\[train\] = 0"),
        ("price + fare", "no column 'fare'"),
    ],
)
def test_columns_that_choices_cannot_inform_are_refused(data, formula, message):
    with pytest.raises(DataError, match=message):
        MixedLogit(formula).design(data)


def test_a_design_has_random_columns_in_the_order_of_the_laws(data):
    law = [Normal("time"), Correlated(LogNormal("price", sign=-1), Normal("mode[train]"))]
    design = MixedLogit("price + C(mode) + time", random=law).design(data)
    frame = data.frame
    train = (frame["mode"] == "train").astype(float)
    expected = np.column_stack([frame["time"], frame["price"], train])
    np.testing.assert_array_equal(design.random, expected)
    np.testing.assert_array_equal(design.fixed[:, 0], frame["mode"] == "car")
    assert design.random_names == ("time", "price", "mode[train]")
    assert design.fixed_names == ("mode[car]",)
    kinds = [(c.family, c.sign) for c in design.coefficients]
    assert kinds == [("normal", 1), ("lognormal", -1), ("normal", 1)]
    assert design.parameters.blocks == ((0,), (1, 2))
    both = np.column_stack([design.random, design.fixed])
    np.testing.assert_array_equal(design.spread, spread(both, data))
    for array in (design.random, design.fixed):
        assert array.flags.c_contiguous


def test_names_of_the_parameters(data):
    law = [LKJNormal("price", "time"), Normal("mode[car]")]
    names = MixedLogit("price + time + C(mode)", random=law).design(data).parameters.names
    assert names == (
        *("mean[price]", "mean[time]", "mean[mode[car]]"),
        *("sd[price]", "sd[time]", "sd[mode[car]]"),
        "corr[price, time]",
        "fixed[mode[train]]",
    )


def test_a_model_without_random_terms_has_fixed_ones_alone(data):
    design = MixedLogit("price + time").design(data)
    assert design.random.shape == (data.n_rows, 0)
    assert design.parameters.names == ("fixed[price]", "fixed[time]")


def test_a_model_prints_in_words(data):
    law = [LKJNormal("price", "time"), LogNormal("mode[car]", sign=-1)]
    model = MixedLogit("price + time + C(mode)", random=law)
    assert str(model) == (
        "Mixed logit\n"
        "  utility   price + time + C(mode)\n"
        "  random    correlated normal: price, time\n"
        "  random    independent lognormal: -exp(mode[car])"
    )
    assert model.describe(data) == f"{model}\n  fixed     mode[train]\n  8 parameters"
    assert model._repr_html_() == f"<pre>{model}</pre>"
    assert str(MixedLogit("price")) == "Multinomial logit\n  utility   price"


def test_text_in_html_is_escaped():
    assert "price &lt; 3" in MixedLogit("I(price < 3)")._repr_html_()
