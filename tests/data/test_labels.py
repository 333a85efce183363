"""Labels of any kind: told apart, kept in memory, and numbers or text where they are stored."""

import datetime
import uuid
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.one_class_model import coordinates
from bayesmix.data.choices import ChoiceData
from bayesmix.data.labels import as_stored
from bayesmix.errors import DataError
from bayesmix.likelihood.bind import bind

START = pd.Timestamp("2024-01-01")
KINDS = {
    "mixed": lambda i: i if i % 2 else f"A{i}",
    "date": lambda i: datetime.date(2024, 1, 1 + i),
    "timestamp": lambda i: START + pd.Timedelta(days=i),
    "time zone": lambda i: START.tz_localize("Europe/Paris") + pd.Timedelta(days=i),
    "UUID": lambda i: uuid.UUID(int=i),
    "Decimal": lambda i: Decimal(i) / 4,
    "bytes": lambda i: f"é{i}".encode(),
    "tuple": lambda i: (i, "north"),
    "period": lambda i: pd.Period("2024-01", "M") + i,
    "interval": lambda i: pd.Interval(i, i + 1),
    "beyond int64": lambda i: 10**25 + i,
}
ROLES = {"person": "id", "situation": "t", "alternative": "alt", "chosen": "y"}


def frame(persons: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = pd.MultiIndex.from_product([range(1, persons + 1), range(3), [1, 2, 3]])
    table = rows.to_frame(index=False, name=["id", "t", "alt"])
    table["price"] = rng.normal(size=len(table))
    table["y"] = (
        np.tile([1, 2, 3], len(table) // 3) == rng.integers(1, 4, 3 * persons).repeat(3)
    ) * 1
    return table


def relabelled(table: pd.DataFrame, column: str, label) -> pd.DataFrame:
    return table.assign(**{column: pd.Series([label(i) for i in table[column]], index=table.index)})


@pytest.fixture(scope="module")
def fit():
    data = ChoiceData.from_long(frame(), **ROLES)
    model = bm.MixedLogit("price", random=[bm.Normal("price")])
    return bm.msle(model, data, grid=bm.centred(bm.sobol(16)), rng=1)


@pytest.mark.parametrize("kind", KINDS)
def test_persons_of_any_kind_are_stored_and_come_back(fit, kind, tmp_path):
    data = ChoiceData.from_long(relabelled(frame(), "id", KINDS[kind]), **ROLES)
    assert sorted(map(str, data.persons)) == sorted(str(KINDS[kind](i)) for i in range(1, 13))
    assert set(data.frame["id"]) == {KINDS[kind](i) for i in range(1, 13)}
    assert all(isinstance(label, str) for label in data.person_labels)
    assert len(set(data.person_labels)) == 12
    model = bm.MixedLogit("price", random=[bm.Normal("price")])
    own = bm.msle(model, data, grid=bm.centred(bm.sobol(16)), rng=1)
    own.save(tmp_path / "fit.json")
    back = bm.Fit.load(tmp_path / "fit.json", data)
    assert back.loglik == pytest.approx(own.loglik, abs=1e-12)
    assert back.integration.pareto_k.index.tolist() == own.integration.pareto_k.index.tolist()
    assert coordinates(bind(model, data))["person"].tolist() == data.person_labels.tolist()
    tastes = bm.individuals(own, data, draws=2, rng=1)
    tastes.to_netcdf(tmp_path / "tastes.nc")
    with xr.open_dataset(tmp_path / "tastes.nc") as stored:
        assert stored["person"].values.tolist() == data.person_labels.tolist()


def test_the_sampler_takes_mixed_labels(tmp_path):
    data = ChoiceData.from_long(relabelled(frame(), "id", KINDS["mixed"]), **ROLES)
    model = bm.MixedLogit("price", random=[bm.Normal("price")])
    posterior = bm.sample(
        model, data, likelihood="hierarchical", draws=5, tune=5, chains=1, rng=1, progress=False
    )
    posterior.to_netcdf(tmp_path / "posterior.nc")
    with xr.open_datatree(tmp_path / "posterior.nc") as stored:
        for group in ("log_likelihood", "constant_data"):
            assert stored[group]["person"].values.tolist() == data.person_labels.tolist()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("mixed", "beyond int64")])
def test_alternatives_of_any_kind_have_names(kind):
    label = KINDS[kind]
    data = ChoiceData.from_long(relabelled(frame(), "alt", label), **ROLES)
    assert len(set(data.alternatives)) == 3
    assert all(isinstance(name, str) for name in data.alternatives)
    names = [data.alternatives[code] for code in data.alternative_code]
    assert data.frame["alt"].tolist() == names
    dearer = data.with_attribute("price", 9.0, alternative=label(2))
    assert dearer.attribute("price")[data.alternative_code == 1].tolist() == [9.0] * 36
    more = data.without(label(3)).with_alternative(label(4), {"price": 0.0}, like=label(1))
    assert more.stand_ins == {more.alternatives[-1]: data.alternatives[0]}
    found = bm.msle(bm.MixedLogit("price + C(alt)"), data, rng=1)
    plain = bm.msle(bm.MixedLogit("price + C(alt)"), ChoiceData.from_long(frame(), **ROLES), rng=1)
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-9)
    assert list(found.params.index)[1] == f"fixed[alt[{data.alternatives[1]}]]"
    assert found.predict(scenario=more).probability.sum() == pytest.approx(36)


def test_text_beside_labels_of_another_kind():
    """The first row's label is its name already; the others are not."""
    kinds = {1: "A", 2: uuid.UUID(int=1), 3: uuid.UUID(int=0)}
    data = ChoiceData.from_long(relabelled(frame(), "alt", kinds.get), **ROLES)
    assert data.alternatives == ("A", str(kinds[2]), str(kinds[3]))
    names = [data.alternatives[code] for code in data.alternative_code]
    assert data.frame["alt"].tolist() == names
    found = bm.msle(bm.MixedLogit("price + C(alt)"), data, rng=1)
    plain = bm.msle(bm.MixedLogit("price + C(alt)"), ChoiceData.from_long(frame(), **ROLES), rng=1)
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-9)
    assert list(found.params.index)[1] == f"fixed[alt[{kinds[2]}]]"


def test_tuples_in_wide():
    wide = pd.DataFrame({"p1": [1.0, 2.0], "p2": [2.0, 1.0], "mode": [("bus", 1), ("bus", 2)]})
    labels = [("bus", 1), ("bus", 2)]
    varying = {"price": dict(zip(labels, ["p1", "p2"], strict=True))}
    data = ChoiceData.from_wide(wide, chosen="mode", alternatives=labels, varying=varying)
    assert data.alternatives == ("('bus', 1)", "('bus', 2)")
    assert data.chosen_row.tolist() == [0, 3]


@pytest.mark.parametrize("column", ["id", "t", "alt"])
@pytest.mark.parametrize("categorical", [False, True])
def test_two_labels_of_one_text_are_refused(column, categorical):
    table = frame()
    labels = table[column].astype(object)
    labels[table[column] == 2] = "1"
    table[column] = labels.astype("category") if categorical else labels
    with pytest.raises(DataError, match=f"'{column}' holds both 1 and '1', int and str: .* text"):
        ChoiceData.from_long(table, **ROLES)


def test_labels_that_cannot_be_told_apart_are_refused():
    table = frame()
    table["id"] = pd.Series([[i] for i in table["id"]], dtype=object)
    with pytest.raises(DataError, match=r"column 'id' holds \[1\] in row 0; expected labels"):
        ChoiceData.from_long(table, **ROLES)


def test_plain_labels_stay_what_they_are():
    data = ChoiceData.from_long(frame(), **ROLES)
    assert data.person_labels.dtype.kind == "i"
    assert data.person_labels.tolist() == data.persons.tolist()
    assert as_stored(pd.Index(["a", "b"])).tolist() == ["a", "b"]
    assert as_stored(pd.Index([1.5, 2.0])).tolist() == [1.5, 2.0]
    assert as_stored(pd.Index(["a\0b", "a\0c"])).tolist() == ["a\\x00b", "a\\x00c"]


@pytest.mark.parametrize(
    ("column", "labels", "said"),
    [
        (
            "alt",
            ["bus", "bus ", "car"],
            "column 'alt' has 'bus' and 'bus ', which differ by blanks",
        ),
        ("alt", ["bus", "Bus", "car"], "'Bus' and 'bus', which differ by blanks or capitals"),
        ("id", ["p 1", "p  1", "p2"], "'p  1' and 'p 1', which differ by blanks alone"),
        ("id", ["p1", "P1", "p2"], None),
        ("alt", ["bus", "tram", "car"], None),
    ],
)
def test_labels_that_people_would_read_as_one_are_said(column, labels, said):
    """They stay two: a note, not a merger."""
    table = frame(3)
    table[column] = table[column].map(dict(zip([1, 2, 3], labels, strict=True)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = ChoiceData.from_long(table, **ROLES)
    assert set(data.frame[column]) == set(labels)
    assert len(caught) == (said is not None)
    assert said is None or said in str(caught[0].message)
