"""What a study holds, ties and bounds reaches the model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bayesmix.errors import SpecificationError
from bayesmix.specification.constraints import Constraints
from bayesmix.study import check_study, read_study
from bayesmix.study.keys import subject_key

Write = Callable[..., Path]

HELD = '[estimate]\nmethods = ["msle"]\n'


def test_what_is_held_and_tied_reaches_the_model(write_study: Write) -> None:
    held = '[fixed]\n"sd[time]" = 0\n"fixed[price]" = -1.5\n\n'
    tied = '[constraints]\nlinear = ["mean[time] = 2"]\n\n'
    built = check_study(read_study(write_study(("[estimate]\n", held + HELD))))
    assert built.model.constraints == Constraints({"sd[time]": 0, "fixed[price]": -1.5})
    assert "held      sd[time] = 0; fixed[price] = -1.5" in str(built)
    built = check_study(read_study(write_study(("[estimate]\n", tied + HELD))))
    assert built.model.constraints == Constraints(linear="mean[time] = 2")
    equal = '[constraints]\nequal = [["mean[time]", "fixed[price]"]]\n\n'
    built = check_study(read_study(write_study(("[estimate]\n", equal + HELD))))
    assert built.model.constraints.equal == (("mean[time]", "fixed[price]"),)


def test_what_is_held_is_part_of_what_is_estimated(write_study: Write) -> None:
    plain = subject_key(read_study(write_study(("[estimate]\n", HELD))))
    keys = [
        subject_key(read_study(write_study(("[estimate]\n", f"[fixed]\n{held}\n\n{HELD}"))))
        for held in ('"sd[time]" = 0', '"sd[time]" = 1.0')
    ]
    assert len({plain, *keys}) == 3


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[fixed]\n"sd[tim]" = 0', r"\[fixed\]: .*'sd\[tim\]'.*did you mean 'sd\[time\]'"),
        ('[fixed]\n"sd[time]" = -1', r"\[fixed\]: .*expected 0 at least"),
        ('[fixed]\n"sd[time]" = "0"', r"\[fixed\], key 'sd\[time\]': expected a number"),
        ('[constraints]\nequal = [["mean[time]"]]', r"\[constraints\]: .*two at least"),
        ('[constraints]\nlinear = ["a = 1"]', r"\[constraints\]: .*cannot read 'a = 1'"),
        ("[constraints]\nequals = []", r"\[constraints\]: unknown key 'equals'"),
        (
            '[constraints]\nequal = ["mean[time]", "fixed[price]"]',
            r"key 'equal': .*write \[\[\"mean\[time\]\", \"fixed\[price\]\"\]\]",
        ),
        ("[fixed]\nsd[time] = 0", r'names of parameters stand in quotes: "sd\[time\]" = '),
        (
            '[constraints.bounds]\n"fixed[price]" = 0',
            r"\[bounds\], key 'fixed\[price\]': expected a lower and an upper bound",
        ),
        ('[constraints.bounds]\n"fixed[x]" = [0, 1]', r"\[constraints\]: .*names 'fixed\[x\]'"),
        ('[constraints.bounds]\n"fixed[price]" = [1, 0]', "a lower bound below the upper"),
    ],
)
def test_what_cannot_be_held_is_refused_with_its_place(
    write_study: Write, table: str, words: str
) -> None:
    with pytest.raises(SpecificationError, match=words):
        check_study(read_study(write_study(("[estimate]\n", f"{table}\n\n{HELD}"))))


def test_bounds_reach_the_model(write_study: Write) -> None:
    bounds = '[constraints.bounds]\n"fixed[price]" = [-inf, 0]\n"mean[time]" = [-2, 2.5]\n\n'
    path = write_study(("[estimate]\n", bounds + HELD))
    expected = {"fixed[price]": (None, 0), "mean[time]": (-2, 2.5)}
    assert check_study(read_study(path)).model.constraints == Constraints(bounds=expected)
    key = subject_key(read_study(path))
    assert key != subject_key(read_study(write_study(("[estimate]\n", HELD))))


def test_posteriors_do_not_tie_parameters(write_study: Write) -> None:
    held = '[constraints]\nlinear = ["mean[time] = 2"]\n\n[estimate]\n'
    with pytest.raises(SpecificationError, match=r"leave 'nuts' out of the methods"):
        check_study(read_study(write_study(("[estimate]\n", held))))
