"""Files that are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from bayesmix.files import save_text, write_text, write_whole


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    path.write_text("old")

    def fail(partial: Path) -> None:
        partial.write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device", str(partial))

    with pytest.raises(OSError, match=r"No space left on device: '.*[/\\\\]result\.txt'") as caught:
        write_whole(path, fail)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["result.txt"]


def test_it_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("sync"), sync(number))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("name"), rename(a, b))[1])
    write_text(tmp_path / "result.txt", "new")
    assert done[:2] == ["sync", "name"]


def test_a_link_is_followed_where_a_user_named_it(tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    target.write_text("old")
    (tmp_path / "link.json").symlink_to(target)
    save_text(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert target.read_text() == "new"


def test_a_folder_that_is_not_there_is_named_as_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent[/\\\\]fit\.json"):
        save_text(tmp_path / "absent" / "fit.json", "{}")
    with pytest.raises(IsADirectoryError):
        save_text(tmp_path, "{}")
