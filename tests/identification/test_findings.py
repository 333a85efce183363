"""What data, columns and sizes tell about identification, and how it is printed."""

import numpy as np
import pytest

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.errors import DataError, Fault, SpecificationError
from bayesmix.identification.findings import Finding, of_error, of_fault, report
from bayesmix.identification.habits import choice_findings
from bayesmix.identification.sizes import size_findings
from bayesmix.identification.utility_columns import column_findings
from bayesmix.specification.component_findings import dummies_on_alternatives
from bayesmix.specification.means import Terms
from bayesmix.specification.model_space import space_of
from tests.simulated import attributes, choice_data


def frame(persons=60, situations=5, alternatives=3, seed=1):
    """Choices at random among alternatives 0, 1, 2."""
    rng = np.random.default_rng(seed)
    long = attributes(rng, persons, situations, alternatives=alternatives)
    return choose(long, rng.integers(alternatives, size=persons * situations))


def choose(long, alternative):
    tasks = long["task"].to_numpy()
    return long.assign(choice=(long["alt"] == np.asarray(alternative)[tasks]).astype(int))


def words(findings):
    return [(f.severity, f.what) for f in findings]


# -- choices -------------------------------------------------------------------------------------


def test_choices_at_random_give_no_findings():
    assert list(choice_findings(choice_data(frame()))) == []


def test_alternatives_never_and_always_chosen():
    long = frame()
    long = choose(long, np.arange(300) % 2)
    ((never, text),) = words(choice_findings(choice_data(long)))
    assert (never, text) == ("warning", "1 of 3 alternatives are never chosen")
    offered = (long["alt"] != 2) | (long["task"] % 3 == 0)
    always = choose(long, np.where(np.arange(300) % 3 == 0, 2, np.arange(300) % 2))[offered]
    ((_, text),) = words(choice_findings(choice_data(always)))
    assert text == "1 of 3 alternatives are always chosen where they are offered with others"


def test_an_alternative_offered_alone_is_not_always_chosen():
    long = frame()
    alone = choose(long, np.where(np.arange(300) < 20, 2, np.arange(300) % 3))
    alone = alone[(alone["task"] >= 20) | (alone["alt"] == 2)]
    (finding,) = choice_findings(choice_data(alone))
    assert finding.what.startswith("20 of 300 situations have a single alternative")
    assert finding.where == "first in situation 0 of person 0"


def test_the_outside_option_counts_as_an_alternative():
    (finding,) = choice_findings(choice_data(frame(), outside_option=True))
    assert finding.where == "alternatives 'outside'"
    some = frame()
    some.loc[some["task"] % 4 == 0, "choice"] = 0
    assert list(choice_findings(choice_data(some, outside_option=True))) == []


@pytest.mark.parametrize(("rare", "found"), [(14, 1), (15, 0)])
def test_alternatives_rarely_offered(rare, found):
    long = choose(frame(), np.where(np.arange(300) < 7, 2, np.arange(300) % 2))
    data = choice_data(long[(long["alt"] != 2) | (long["task"] < rare)])
    findings = list(choice_findings(data))
    assert len(findings) == found  # below 5 % of 300
    assert all("offered in less than 5%" in f.what for f in findings)


@pytest.mark.parametrize(("loyal", "severity"), [(5, None), (6, "note"), (31, "warning")])
def test_persons_who_always_choose_the_same(loyal, severity):
    person = np.arange(300) // 5
    data = choice_data(choose(frame(), np.where(person < loyal, person % 3, np.arange(300) % 3)))
    findings = list(choice_findings(data))
    assert [f.severity for f in findings] == [severity] * (severity is not None)
    for finding in findings:
        assert f"{loyal} of the 60 persons" in finding.what
        assert finding.where == f"persons 0, 1, 2 and {loyal - 3} more"


def test_what_chance_does_is_no_habit():
    # Two choices out of two alternatives: half of the persons choose the same twice.
    assert list(choice_findings(choice_data(frame(400, 2, 2)))) == []


# -- columns -------------------------------------------------------------------------------------


def columns(long, names):
    return long[list(names)].to_numpy(float)


def with_constants(long):
    return long.assign(**{f"asc{a}": (long["alt"] == a).astype(float) for a in range(3)})


def found(long, names, laws=(), **options):
    data = choice_data(long, **options)
    coefficients = [c for law in laws for c in law.coefficients]
    terms = Terms(columns(data.frame, names), names, coefficients)
    return list(column_findings(terms, laws, data))


def test_columns_in_general_position_give_no_findings():
    assert found(with_constants(frame()), ("x", "y", "asc1", "asc2"), [Normal("x")]) == []


def test_constants_of_all_alternatives_have_no_base():
    (finding,) = found(with_constants(frame()), ("asc0", "x", "asc1", "asc2"))
    assert (finding.severity, finding.where) == ("error", "asc0, asc1, asc2")
    assert finding.remedy.endswith("the one left out is the base)")
    assert found(with_constants(frame()), ("asc0", "asc1", "asc2"), outside_option=True) == []


def test_collinear_attributes_are_not_said_to_be_constants():
    long = frame()
    (finding,) = found(long.assign(z=long["x"] - long["y"]), ("x", "y", "z"))
    assert finding.remedy == "leave one of them out"
    twice = with_constants(long).assign(again=lambda f: f["asc1"])
    assert found(twice, ("asc1", "again", "asc2"))[0].remedy == "leave one of them out"


def test_alternatives_without_a_constant():
    long = with_constants(frame())
    (finding,) = found(long, ("x", "asc1"))
    assert (finding.severity, finding.where) == ("note", "alternatives 0, 2")
    (finding,) = found(long, ("x", "asc1", "asc2"), outside_option=True)
    assert "the outside option is the base" in finding.what
    assert finding.where == "alternatives 0"
    assert found(long, ("x",)) == []


def test_no_constant_against_the_outside_option():
    long = frame().assign(one=1.0, old=lambda f: f["who"] % 2, young=lambda f: 1 - f["who"] % 2)
    (finding,) = found(long, ("x", "old"), outside_option=True)
    assert finding.severity == "note"
    assert finding.remedy == "write C(alt), or '1 + ...' for one of all alternatives"
    for names in (("x", "one"), ("x", "old", "young")):
        assert found(long, names, outside_option=True) == []


@pytest.mark.parametrize(("factor", "number"), [(500.0, 0), (5000.0, 1)])
def test_scales(factor, number):
    long = frame()
    findings = found(long.assign(y=long["y"] * factor), ("x", "y"))
    assert [f.severity for f in findings] == ["note"] * number
    assert all(f.where == "x, y" for f in findings)


def test_random_terms_that_persons_always_meet_with_the_same_values():
    long = frame()
    first = long.groupby(["who", "alt"])["x"].transform("first")
    still = long.assign(x=np.where(long["who"] < 31, first, long["x"]))
    (finding,) = found(still, ("x", "y"), [Normal("x")])
    assert finding.severity == "warning"
    assert "for 52% of the persons" in finding.what
    assert finding.where == "x; persons 0, 1, 2 and 28 more"
    assert found(still, ("x", "y"), [Normal("y")]) == []
    half = long.assign(x=np.where(long["who"] < 30, first, long["x"]))
    assert found(half, ("x", "y"), [Normal("x")]) == []


def test_error_components_are_random_normal_dummies_on_alternatives():
    long = with_constants(frame(300, 1, 2))
    (finding,) = found(long, ("x", "asc1"), [Normal("x", "asc1")])
    assert (finding.severity, finding.where) == ("error", "sd[asc1]")
    assert found(long, ("x", "asc1"), [Normal("x"), LogNormal("asc1")]) == []
    three = with_constants(frame(300, 1, 3))
    assert found(three, ("asc1", "asc2"), [Normal("asc1", "asc2")]) == []
    (joint,) = found(three, ("asc1", "x", "asc2"), [LKJNormal("asc1", "x", "asc2")])
    assert joint.where == "sd[asc1], sd[asc2], corr[asc1, asc2]"


def test_a_dummy_that_differs_between_situations_is_none():
    long = with_constants(frame())
    long["mixed"] = long["asc1"] * (long["who"] % 2)
    long["two"] = 2 * long["asc1"]
    data = choice_data(long)
    _, dummy = dummies_on_alternatives(columns(data.frame, ("asc1", "mixed", "two", "x")), data)
    assert dummy.tolist() == [True, False, False, False]


# -- sizes ---------------------------------------------------------------------------------------


def sizes(laws, data, fixed=("y",)):
    return list(size_findings(space_of(laws, fixed), data))


@pytest.mark.parametrize(("persons", "severity"), [(3, "warning"), (29, "note"), (30, None)])
def test_persons_against_parameters(persons, severity):
    findings = sizes([Normal("x")], choice_data(frame(persons)))  # mean, sd, fixed
    assert [f.severity for f in findings] == [severity] * (severity is not None)


def test_unequal_weights_count_as_fewer_persons():
    long = frame(40)
    heavy = np.where(long["who"] < 4, 100.0, 1.0)
    (finding,) = sizes([Normal("x")], choice_data(long.assign(w=heavy), weights="w"))
    effective = (400 + 36) ** 2 / (40_000 + 36)
    assert f"and {effective:.0f} persons (their weights allowed for)" in finding.what
    assert sizes([Normal("x")], choice_data(long.assign(w=2.0), weights="w")) == []


def test_persons_who_choose_once():
    once = choice_data(frame(200, 1))
    ((severity, text),) = words(sizes([Normal("x")], once))
    assert severity == "note"
    assert "1 standard deviation must be" in text
    ((severity, text),) = words(sizes([LKJNormal("x", "z")], once))
    assert severity == "warning"
    assert "2 standard deviations and 1 correlation must be" in text
    assert sizes([], once) == []


@pytest.mark.parametrize(("single", "number"), [(100, 0), (101, 1)])
def test_most_persons_choose_once(single, number):
    long = frame(200, 3)
    data = choice_data(long[(long["who"] >= single) | (long["task"] % 3 == 0)])
    findings = sizes([LKJNormal("x", "z")], data)
    assert [f.severity for f in findings] == ["warning"] * number
    assert all(f.severity == "note" for f in sizes([Normal("x", "z")], data))


@pytest.mark.parametrize("law", [LKJNormal, Normal])
def test_fewer_choices_than_random_terms(law):
    terms = ("a", "b", "c", "d")
    (finding,) = sizes([law(*terms)], choice_data(frame(300, 3)))
    assert finding.severity == "note"
    assert finding.what.startswith("all persons choose 3 times, and there are 4 random terms: ")
    assert ("correlations" in finding.what) == (law is LKJNormal)
    assert sizes([law(*terms)], choice_data(frame(300, 4))) == []


def test_the_median_person_has_fewer_choices_than_random_terms():
    long = frame(200, 5)
    # 101 persons choose twice, the others five times.
    data = choice_data(long[(long["who"] >= 101) | (long["task"] % 5 < 2)])
    (finding,) = sizes([Normal("a", "b", "c")], data)
    assert finding.what.startswith("the median person chooses twice, and there are 3 random terms")
    assert sizes([Normal("a", "b")], data) == []


# -- words ---------------------------------------------------------------------------------------


def test_an_error_and_its_fault_have_the_same_words():
    fault = Fault("columns clash", "drop one", ("a", "b"))
    error = DataError(fault)
    assert str(error) == "columns clash: drop one"
    assert of_error(error) == of_fault("error", fault)
    plain = of_error(SpecificationError("no term 'x': write 'y'"))
    assert (plain.what, plain.remedy) == ("no term 'x'", "write 'y'")
    assert of_error(DataError("nothing")).what == "nothing"


FINDINGS = [
    Finding("note", "a note", "", ""),
    Finding("error", "x < y & z", "x", "drop it"),
    Finding("note", "again", "persons 1, 2", "look"),
]


def test_report():
    found = report(FINDINGS, 12.3456, ("mean[x]", "sd[x]"))
    assert [f.severity for f in found.findings] == ["error", "note", "note"]
    assert not found.ok
    assert report(FINDINGS[:1]).ok
    assert found.table["where"].tolist() == ["x", "", "persons 1, 2"]
    assert str(found) == "\n".join(
        [
            "Identification: 1 error, 2 notes",
            "  error    x < y & z: drop it",
            "           where: x",
            "  note     a note",
            "  note     again: look",
            "           where: persons 1, 2",
            "  condition number 12.3 of the scaled outer product of scores at the starting values; "
            "weakest",
            "  direction: mean[x], sd[x]",
        ]
    )
    html = found._repr_html_()
    assert "<td>x &lt; y &amp; z</td>" in html
    assert html.endswith("weakest direction: mean[x], sd[x]</p>")


def test_an_empty_report():
    found = report([])
    assert (str(found), found.ok) == ("Identification: nothing found", True)
    assert found.table.columns.tolist() == ["severity", "what", "where", "remedy"]
    assert found._repr_html_() == "<p>Identification: nothing found</p>"
