"""Mixing laws: what they hold, how they print, what they refuse."""

import pytest

from bayesmix import Correlated, LKJNormal, LogNormal, Normal
from bayesmix.errors import SpecificationError
from bayesmix.specification.laws.coefficient import Coefficient

LAWS = {
    "independent normal: a, b": (Normal("a", "b"), ("a", "b"), None),
    "independent lognormal: exp(a)": (LogNormal("a"), ("a",), None),
    "independent lognormal: -exp(a), -exp(b)": (LogNormal("a", "b", sign=-1), ("a", "b"), None),
    "correlated normal: a, b": (LKJNormal("a", "b"), ("a", "b"), 2.0),
    "correlated lognormal: exp(a), -exp(b)": (
        Correlated(LogNormal("a"), LogNormal("b", sign=-1), eta=1),
        ("a", "b"),
        1.0,
    ),
    "correlated mixed normal and lognormal: a, -exp(b), c": (
        Correlated(Normal("a"), LogNormal("b", sign=-1), Normal("c"), eta=3.5),
        ("a", "b", "c"),
        3.5,
    ),
}


@pytest.mark.parametrize("words", LAWS)
def test_a_law_prints_in_words(words):
    law, terms, eta = LAWS[words]
    assert str(law) == words
    assert law.terms == terms
    assert law.eta == eta
    assert law.correlated == (eta is not None)


def test_coefficients_carry_link_and_sign():
    law = Correlated(Normal("a"), LogNormal("b", sign=-1), LogNormal("c"))
    assert law.coefficients == (
        Coefficient("a", "normal", 1),
        Coefficient("b", "lognormal", -1),
        Coefficient("c", "lognormal", 1),
    )


def test_laws_are_values():
    assert Normal("a", "b") == Normal("a", "b")
    assert Normal("a", "b") != Normal("b", "a")
    assert LKJNormal("a", "b") == Correlated(Normal("a"), Normal("b"))
    assert len({LogNormal("a"), LogNormal("a"), LogNormal("a", sign=-1)}) == 2


@pytest.mark.parametrize("sign", [0, 2, -1.5, "-1", None])
def test_a_sign_is_plus_or_minus_one(sign):
    with pytest.raises(SpecificationError, match=r"'sign' must be 1 or -1, got .*sign=-1 for"):
        LogNormal("a", sign=sign)


@pytest.mark.parametrize("law", [Normal, LogNormal, LKJNormal])
def test_a_law_names_terms_by_text(law):
    with pytest.raises(SpecificationError, match=rf"{law.__name__} names no term: write"):
        law()
    with pytest.raises(SpecificationError, match=rf"{law.__name__}: terms are names .* got 3"):
        law("a", 3)
    with pytest.raises(SpecificationError, match=r"terms are names .* got \['a', 'b'\]"):
        law(["a", "b"])


def test_a_correlation_needs_two():
    for make in (lambda: LKJNormal("a"), lambda: Correlated(Normal("a")), Correlated):
        with pytest.raises(SpecificationError, match=r"needs two or more terms, got [01]: use"):
            make()


@pytest.mark.parametrize("eta", [0, -1.0, float("nan")])
def test_eta_is_positive(eta):
    with pytest.raises(SpecificationError, match="'eta' must be a finite number above 0, got"):
        LKJNormal("a", "b", eta=eta)


def test_only_laws_are_correlated():
    with pytest.raises(SpecificationError, match=r"joins laws, got 'a': write Correlated\(Normal"):
        Correlated("a", "b")


@pytest.mark.parametrize("mean", ["1 +", "1 + C(", "~z", "a b"])
def test_means_that_cannot_be_read_are_refused_when_a_law_is_made(mean) -> None:
    with pytest.raises(SpecificationError, match="Normal: argument 'mean': "):
        Normal("x", mean=mean)
