"""A store goes on where a call was interrupted, with nothing of other files or columns."""

from pathlib import Path

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.data.store import build, finish
from tests.data.stores import ROLES, check_same, frame, in_parts, written


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts(monkeypatch)


def test_an_interrupted_store_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(frame(), tmp_path)
    real, calls = build.add_range, []

    def stops(*arguments: object) -> None:
        calls.append(1)
        if len(calls) in (3, 4):
            arguments[2].append(".sizes", np.arange(3))  # half of what belongs to a range
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(build, "add_range", stops)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    ranges = -(-len(whole) // 60)
    assert len(calls) <= ranges + 2  # none twice but those that were cut off
    check_same(data, bm.ChoiceData.from_long(whole, **ROLES))
    stores = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert [path.suffix for path in stores] == [".store"]
    assert not [path for path in stores[0].iterdir() if "unit" in path.name]


def stopped(folder: Path, module: object, name: str, **more: object) -> None:
    """A call that is interrupted where a function would be called."""

    def stops(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, stops)
        with pytest.raises(KeyboardInterrupt):
            bm.ChoiceData.from_parquet(folder, **ROLES, **more)


def test_what_an_interrupted_call_left_of_other_files_is_not_used(tmp_path: Path) -> None:
    store = tmp_path / "store"
    table = frame()
    written(table, tmp_path)
    stopped(tmp_path, build, "_check_ranges", store=store)
    whole = written(table.assign(price=100.0 * table["price"]), tmp_path)
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=store)
    check_same(data, bm.ChoiceData.from_long(whole, **ROLES))


def test_what_an_interrupted_call_left_of_other_columns_is_not_used(tmp_path: Path) -> None:
    store = tmp_path / "store"
    written(frame(), tmp_path)
    stopped(tmp_path, build, "_check_ranges", store=store, columns=["price"])
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=store, columns=["seats"])
    assert list(data.frame) == ["who", "task", "mode", "choice", "seats"]


def test_labels_are_right_where_the_last_step_was_interrupted(tmp_path: Path) -> None:
    table = frame()
    offered = table["mode"].ne("bus") | table["choice"].eq(1)
    table["offered"] = offered.astype(int)
    # Labels that no row left has are taken out, and codes change.
    table["zone"] = np.where(offered, np.where(table["who"] % 2, "b", "c"), "a")
    whole = written(table, tmp_path)
    stopped(tmp_path, finish, "write_record", availability="offered")
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES, availability="offered")
    expected = bm.ChoiceData.from_long(whole, **ROLES, availability="offered")
    assert data.frame["zone"].astype(str).tolist() == expected.frame["zone"].tolist()
    assert (data.alternative_code == expected.alternative_code).all()


def test_units_of_which_some_were_taken_away_are_made_again(tmp_path: Path) -> None:
    whole = written(frame(), tmp_path)
    stopped(tmp_path, build, "_check_ranges")
    next(tmp_path.glob(".*.partial/unit-0.arrow")).unlink()
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    check_same(data, bm.ChoiceData.from_long(whole, **ROLES))
