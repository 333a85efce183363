"""Progress of long work: bars on terminals, lines elsewhere, nothing of what takes a moment."""

import pytest

import bayesmix as bm
from bayesmix import progress
from bayesmix.progress import progress_line, tracked
from tests.simulated import simulated

MODEL = bm.MixedLogit("x", random=bm.Normal("x"))
AT = {"mean[x]": 0.8, "sd[x]": 1.0}


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setattr(progress, "LINES", -1.0)


def test_what_takes_a_moment_is_not_spoken_of(capsys):
    assert list(tracked("abc", "letters", total=3, show=True)) == ["a", "b", "c"]
    with progress_line(True, "fit") as line:
        line.phase("standard errors")
    assert capsys.readouterr().err == ""


def test_lines_where_nothing_can_be_drawn(capsys, impatient):
    assert list(tracked("abc", "letters", total=3, show=True)) == ["a", "b", "c"]
    with progress_line(True, "fit", 2.0) as line:
        line.phase("start 1")
        line.value(-1.5)
    assert capsys.readouterr().err.splitlines() == [
        "letters: 0 of 3",
        "letters: 1 of 3",
        "letters: 2 of 3",
        "fit: start 1",
        "fit: start 1, log-likelihood -3.00",
    ]
    assert list(tracked("abc", "letters", total=3, show=False)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal_is_taken_away_whoever_stops(capsys, impatient, monkeypatch):
    monkeypatch.setattr(progress, "_drawn", lambda console: True)
    letters = tracked("abc", "letters", total=3, show=True)
    assert next(letters) == "a"
    letters.close()
    assert list(tracked("abc", "letters", total=3, show=True)) == ["a", "b", "c"]
    assert "letters" in capsys.readouterr().err


def test_importance_sampling_and_demand_say_how_far_they_are(capsys, impatient):
    data = simulated(MODEL, AT, 60, 4)
    posterior = bm.sample(MODEL, data, method="importance", draws=100, chains=2, rng=1)
    told = capsys.readouterr().err
    assert "posterior: mode and curvature" in told
    assert "importance sampling: " in told
    assert "independent draws, Pareto k" in told
    bm.elasticities(posterior, data, "x", draws=3, nodes=16, rng=1)
    assert "1 of 3" in capsys.readouterr().err


@pytest.mark.parametrize("show", [None, True, False])
def test_on_a_terminal_a_fit_speaks_unless_it_is_told_not_to(capsys, monkeypatch, show):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal
    monkeypatch.setattr(progress, "UNASKED", -1.0)
    bm.msle(MODEL, simulated(MODEL, AT, 30, 2), grid=bm.sobol(8), starts=1, progress=show)
    assert ("MSLE" in capsys.readouterr().err) == (show is not False)


def test_unasked_nothing_is_said_soon_nor_in_files_nor_inside_of_other_work(capsys, monkeypatch):
    def said(*, inside=False):
        with progress_line(None, "fit") as line:
            line.tell("start 1")
            if inside:
                list(tracked("a", "letters", total=1, show=False))
                with progress_line(None, "part") as part:
                    part.tell("start 2")
        return capsys.readouterr().err

    monkeypatch.setattr(progress, "UNASKED", -1.0)
    assert said() == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "fit" in said()
    text = said(inside=True)
    assert "fit" in text
    assert "part" not in text
    for _ in tracked("a", "folds", total=1, show=False):  # who asked for silence has it
        assert said() == ""
    monkeypatch.setattr(progress, "parent_process", lambda: "another")
    assert said() == ""
    monkeypatch.undo()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert said() == ""


def test_a_notebook_has_a_line_that_goes_away(monkeypatch):
    shown = []

    class Handle:
        def update(self, content, *, raw):
            shown.append(content["text/plain"])

    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    monkeypatch.setattr(progress, "EVERY", -1.0)
    monkeypatch.setattr(progress, "UNASKED", -1.0)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with progress_line(None, "fit") as line:
        line.tell("start 1")
    assert shown == ["fit: start 1", ""]
