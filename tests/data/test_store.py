"""from_parquet: the data of from_long, in bounded memory, resumed where it stopped."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bayesmix as bm
from bayesmix.data.store import build
from tests.data.stores import ROLES, check_same, frame, in_parts, written


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts(monkeypatch)


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    ranks = table["price"].groupby([table["who"], table["task"]]).rank().astype(int)
    return table.assign(rank=ranks.where(ranks < 3)).drop(columns="choice")


def outside(table: pd.DataFrame) -> pd.DataFrame:
    nothing = table["task"] == 1
    free = (table["seats"] > 2) | (table["choice"] == 1)
    offered = free & ~(nothing & (table["who"] % 4 == 0))
    return table.assign(choice=np.where(nothing, 0, table["choice"]), offered=offered)


OF_ROLES = {
    "panel": (lambda t: t, ROLES),
    "weights": (lambda t: t, {**ROLES, "weights": "weight"}),
    "cross-section": (
        lambda t: t.assign(task=3 * t["who"] + t["task"]),
        {**ROLES, "person": None},
    ),
    "text": (lambda t: t.assign(who="p" + t["who"].astype(str), task=t["task"].astype(str)), ROLES),
    "categories": (
        lambda t: t.assign(mode=pd.Categorical(t["mode"], ["walk", "tram", "car", "bus"])),
        ROLES,
    ),
    "offset": (lambda t: t, {**ROLES, "offset": "price"}),
    "rankings": (ranked, {**ROLES, "chosen": None, "ranked": "rank"}),
    "outside": (outside, {**ROLES, "availability": "offered", "outside_option": True}),
    "sets": (lambda t: t.drop(columns="choice"), {**ROLES, "chosen": None}),
}


@pytest.mark.parametrize("kind", OF_ROLES)
def test_the_store_holds_what_from_long_makes(kind: str, tmp_path: Path) -> None:
    change, roles = OF_ROLES[kind]
    whole = written(change(frame()), tmp_path)
    stored = bm.ChoiceData.from_parquet(tmp_path, **roles)
    check_same(stored, bm.ChoiceData.from_long(whole, **roles))


def test_columns_are_mapped_and_the_source_stays(tmp_path: Path) -> None:
    whole = written(frame(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    data = bm.ChoiceData.from_parquet(str(tmp_path / "*.parquet"), **ROLES)
    base = data.frame["price"].to_numpy()
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    data.weights[:] = 0.0  # reaches no file
    again = bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    check_same(again, bm.ChoiceData.from_long(whole, **ROLES))
    assert {path: path.read_bytes() for path in before} == before


def test_the_fit_is_the_same_to_the_bit(tmp_path: Path) -> None:
    whole = written(frame(), tmp_path)
    model = bm.MixedLogit("price + C(town):price + C(mode)", random=[bm.Normal("price")])
    how = {"grid": bm.sobol(16), "starts": 1, "rng": 1}
    stored = bm.msle(model, bm.ChoiceData.from_parquet(tmp_path, **ROLES), **how)
    memory = bm.msle(model, bm.ChoiceData.from_long(whole, **ROLES), **how)
    assert stored.loglik == memory.loglik
    pd.testing.assert_series_equal(stored.params, memory.params, check_exact=True)


def test_categories_as_polars_writes_them(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    table = frame()
    town = pd.Categorical(table["town"].where(table.index != 5), ["Aue", "Ulm"])  # one is missing
    table = table.assign(mode=pd.Categorical(table["mode"]), town=town)
    polars.from_pandas(table).lazy().sink_parquet(tmp_path / "part.parquet")
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    assert data.frame["town"].isna().sum() == 1
    rows = table.loc[data.rows]
    for name in ("mode", "town"):
        own, given = data.frame[name].astype(object), rows[name].astype(object)
        assert own.fillna("").tolist() == given.fillna("").tolist()
    labels = np.asarray(data.alternatives)[data.alternative_code]
    assert labels.tolist() == rows["mode"].tolist()


def test_files_without_rows(tmp_path: Path) -> None:
    frame().iloc[:0].to_parquet(tmp_path / "none.parquet")
    with pytest.raises(bm.DataError, match="no rows"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)


def test_a_store_is_opened_as_long_as_its_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "of trips"
    table = frame(10)
    written(table, tmp_path)
    bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=folder)
    monkeypatch.setattr(build, "add_range", None)  # nothing is built
    assert bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=folder).n_persons == 10
    with pytest.raises(bm.DataError, match="other files"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=folder, columns=["price"])
    written(table.assign(price=1.0), tmp_path)
    with pytest.raises(bm.DataError, match="changed since"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=folder)
    with pytest.raises(bm.DataError, match="is no store"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES, store=tmp_path)


def test_columns_are_chosen(tmp_path: Path) -> None:
    written(frame(10), tmp_path)
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES, columns=["price"])
    assert list(data.frame) == ["who", "task", "mode", "choice", "price"]


def faulty(table: pd.DataFrame, people: list[int]) -> pd.DataFrame:
    """Without a choice in the second situation of some people."""
    return table.assign(
        choice=np.where(table["who"].isin(people) & (table["task"] == 1), 0, table["choice"])
    )


def test_faults_of_all_ranges_are_named(tmp_path: Path) -> None:
    written(faulty(frame(), [2, 30]), tmp_path)
    with pytest.raises(bm.DataError) as error:
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    said = str(error.value)
    assert said.startswith("2 of 6 ranges of persons are no choice data")
    assert "situation 1 of person 2 has 0 chosen rows" in said
    assert "situation 1 of person 30 has 0 chosen rows" in said
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_rows_are_named_by_file(tmp_path: Path) -> None:
    table = frame(12)
    table["choice"] = table["choice"].astype("Int64")
    table.loc[7, "choice"] = pd.NA
    written(table, tmp_path)
    with pytest.raises(bm.DataError, match=r"1 of \d+ rows \(rows 'part1.parquet: row 3'\)"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    table["choice"], table["who"] = 0, table["who"].astype("Int64")
    table.loc[[3, 4], "who"] = pd.NA
    written(table, tmp_path)
    with pytest.raises(
        bm.DataError, match=r"2 of 108 rows \('part0.parquet: row 2', 'part1.parquet: row 2'\)"
    ):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)


def test_missing_attributes_are_named_by_file(tmp_path: Path) -> None:
    table = frame(12)
    table.loc[40, "price"] = np.nan
    written(table, tmp_path)
    data = bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    with pytest.raises(bm.DataError, match=r"\(part\d.parquet: row \d+\)"):
        bm.msle(bm.MixedLogit("price"), data)


def test_that_files_lose_the_order_of_numbers_is_said(tmp_path: Path) -> None:
    table = frame(12)
    table["size"] = pd.Categorical(np.arange(len(table)) % 3, [2, 0, 1], ordered=True)
    table.to_parquet(tmp_path / "one.parquet", index=False)
    with pytest.warns(UserWarning, match=r"'size' were categories of numbers"):
        bm.ChoiceData.from_parquet(tmp_path / "one.parquet", **ROLES)
    with pytest.warns(UserWarning, match=r"levels=\[...\]"):
        bm.read_table(tmp_path / "one.parquet")


def test_what_files_cannot_be(tmp_path: Path) -> None:
    table = frame(10)
    with pytest.raises(bm.DataError, match="no file"):
        bm.ChoiceData.from_parquet(tmp_path / "none.parquet", **ROLES)
    written(table, tmp_path, files=1)
    with pytest.raises(bm.DataError, match="did you mean 'mode'"):
        bm.ChoiceData.from_parquet(tmp_path, **{**ROLES, "alternative": "mod"})
    with pytest.raises(bm.DataError, match="both chosen and weights"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES, weights="choice")
    other = tmp_path / "part1.parquet"
    table.astype({"price": "float32"}).to_parquet(other)
    with pytest.raises(bm.DataError, match=r"'price' is double in 'part0.parquet' and float in"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    table.drop(columns="price").to_parquet(other)
    with pytest.raises(bm.DataError, match=r"'part1.parquet' has no column 'price'"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    other.write_bytes(b"PAR1 no more")
    with pytest.raises(bm.DataError, match="not a readable Parquet file"):
        bm.ChoiceData.from_parquet(tmp_path, **ROLES)
    pq.write_table(pa.table({**table.to_dict("list"), "l": [[1]] * len(table)}), other)
    with pytest.raises(bm.DataError, match=r"column 'l' is of type list.*columns=\[\.\.\.\]"):
        bm.ChoiceData.from_parquet(other, **ROLES)
    large = table.assign(big=pd.array([2**60, None] * (len(table) // 2), dtype="Int64"))
    large.to_parquet(other)
    with pytest.raises(
        bm.DataError, match="'big' holds the whole number 1152921504606846976, and missing"
    ):
        bm.ChoiceData.from_parquet(other, **ROLES)
    table.assign(big=np.uint64(2**63)).to_parquet(other)
    with pytest.raises(bm.DataError, match=r"9223372036854775808, and whole numbers are exact"):
        bm.ChoiceData.from_parquet(other, **ROLES)
    table.assign(mode=table["direct"]).to_parquet(other)
    with pytest.raises(bm.DataError, match="of labels, alternative=, is True and False"):
        bm.ChoiceData.from_parquet(other, **ROLES)
