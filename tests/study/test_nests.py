"""Studies with nests of alternatives."""

from collections.abc import Callable
from pathlib import Path

import pytest

import bayesmix as bm
from bayesmix.study import check_study, read_study
from bayesmix.study.keys import subject_key
from tests.study.demand_study import STUDY, written

PLAIN = STUDY[: STUDY.index("[priors]")] + STUDY[STUDY.index("[grid]") :]
PLAIN = PLAIN[: PLAIN.index("[demand]")].replace(', "importance"]', "]")


def study(nests: str, text: str = PLAIN) -> Path:
    path = written()
    path.write_text(f"{text}\n[nests]\n{nests}\n", encoding="utf-8")
    return path


def test_nests_are_those_of_the_model() -> None:
    built = check_study(read_study(study('low = [1, "2"]\nbounded = false')))
    assert built.model.nests == bm.Nests({"low": [1, 2]}, bounded=False)
    assert "nest[low]" in built.model.design(built.data).parameters.names
    assert "nests     low: 1, 2" in str(built)


def test_parts_of_cross_nested_alternatives_are_tables() -> None:
    path = study(
        "low = {1 = 1, 2 = 0.25}\nhigh = {2 = 0.75, 3 = 0.5}\nnone = {3 = 0.5, outside = 1}"
    )
    nests = check_study(read_study(path)).model.nests
    assert nests == bm.Nests(
        {"low": {1: 1, 2: 0.25}, "high": {2: 0.75, 3: 0.5}, "none": {3: 0.5, "outside": 1}}
    )


def test_coefficients_are_held_by_name() -> None:
    text = PLAIN.replace("[grid]", '[fixed]\n"nest[low]" = 0.5\n\n[grid]')
    built = check_study(read_study(study("low = [1, 2]", text)))
    assert dict(built.model.constraints.fixed) == {"nest[low]": 0.5}


def test_other_nests_are_another_subject() -> None:
    keys = {subject_key(read_study(study(own))) for own in ("a = [1, 2]", "a = [1, 3]")}
    path = written()
    path.write_text(PLAIN, encoding="utf-8")
    assert len(keys | {subject_key(read_study(path))}) == 3


@pytest.mark.parametrize(
    ("nests", "edit", "words"),
    [
        ("low = [1, 9]", str, r"\[nests\]: .*'low' has 9, which is no alternative"),
        ("low = [1]", str, r"\[nests\]: .*two alternatives at least"),
        ("low = {1 = 0.5, 2 = 1}", str, r"\[nests\]: .*sum to 0.5, expected 1"),
        ("low = 1", str, r"\[nests\]: low: expected a list of labels"),
        ("low = {1 = 'a', 2 = 1}", str, r"\[nests\].*low: expected a table such as"),
        ('a = [1, 2]\nbounded = "no"', str, r"\[nests\].*bounded: expected true or false"),
        ("bounded = true", str, r"\[nests\]: .*one nest at least"),
        (
            "low = [1, 2]",
            lambda t: t.replace('["msle"]', '["msle", "msm"]'),
            r"'msm' does not know",
        ),
    ],
)
def test_what_is_no_nest_is_refused_with_its_table(
    nests: str, edit: Callable[[str], str], words: str
) -> None:
    path = study(nests, edit(PLAIN))
    with pytest.raises(bm.SpecificationError, match=words):
        check_study(read_study(path))
