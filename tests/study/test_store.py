"""Studies of Parquet files whose rows stay on the disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesmix.errors import DataError, SpecificationError
from bayesmix.study import check_study, read_study
from bayesmix.study.keys import subject_key
from tests.study.conftest import choices

Write = Callable[..., Path]


@pytest.fixture
def write_stored(write_study: Write, tmp_path: Path) -> Write:
    """The small study, of two files in a folder, the rows of persons in both."""

    def write(*replacements: tuple[str, str], seed: int = 1) -> Path:
        (tmp_path / "parts").mkdir(exist_ok=True)
        frame = choices(seed)
        frame.iloc[::2].to_parquet(tmp_path / "parts" / "a.parquet")
        frame.iloc[1::2].to_parquet(tmp_path / "parts" / "b.parquet")
        file = ('file = "choices.csv"', 'file = "parts"\nstore = "kept"')
        return write_study(file, *replacements)

    return write


def test_data_are_those_of_one_file(write_stored: Write, tmp_path: Path) -> None:
    stored = check_study(read_study(write_stored())).data
    text = (tmp_path / "small.toml").read_text()
    whole = text.replace('file = "parts"\nstore = "kept"', 'file = "choices.csv"')
    (tmp_path / "whole.toml").write_text(whole)
    data = check_study(read_study(tmp_path / "whole.toml")).data
    np.testing.assert_array_equal(stored.chosen_row, data.chosen_row)
    np.testing.assert_array_equal(stored.attribute("price"), data.attribute("price"))
    assert (tmp_path / "kept" / "store.json").is_file()


def test_steps_are_known_by_the_content_of_all_files(write_stored: Write, tmp_path: Path) -> None:
    key = subject_key(read_study(write_stored()))
    elsewhere = write_stored(('store = "kept"', 'store = "elsewhere"'))
    assert subject_key(read_study(elsewhere)) == key
    assert subject_key(read_study(write_stored(seed=2))) != key


def test_another_folder_of_work_is_the_same_store(
    write_stored: Write, tmp_path: Path, monkeypatch: Any
) -> None:
    path = write_stored()
    check_study(read_study(path))
    monkeypatch.chdir(tmp_path)
    assert check_study(read_study(Path("small.toml"))).data.n_persons == 12


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        (('person = "id"', 'person = "id"\nlabels = ["alt"]'), "key 'labels'.*with a store"),
        (('chosen = "choice"', ""), "key 'chosen' is missing"),
        (('situation = "chid"', ""), "key 'situation' is missing"),
        (('"parts"', '"none"'), "no file"),
        (('chosen = "choice"', 'chosen = "chose"'), r"\[data\]: chosen='chose'"),
    ],
)
def test_what_is_wrong_is_said(write_stored: Write, replaced: tuple[str, str], words: str) -> None:
    with pytest.raises((DataError, SpecificationError), match=words):
        check_study(read_study(write_stored(replaced)))
