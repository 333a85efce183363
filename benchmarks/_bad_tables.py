"""Frames that are no choices, or odd ones that are."""

# One case a line, however long.
# ruff: noqa: E501

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from _bad_case import Case, near

import bayesmix as bm
from tests.arguments.things import LONG, frame

ROLES = {"who": "person", "task": "situation", "alt": "alternative", "choice": "chosen"}
MODEL = bm.MixedLogit("price + quality")


@cache
def base() -> pd.DataFrame:
    rows = frame()
    rows["task"] += 3 * rows["who"]
    return rows


def estimated(rows: Any, **roles: Any) -> list[float]:
    """Log-likelihood and estimates of the multinomial logit."""
    fit = bm.msle(MODEL, bm.ChoiceData.from_long(rows, **{**LONG, **roles}))
    return [fit.loglik, *fit.params]


@cache
def right() -> Callable[[Any], bool]:
    return near(estimated(base()))


def put(column: str, value: Any, place: Any = 4) -> pd.DataFrame:
    """The frame with one odd value."""
    rows = base().copy()
    rows[column] = rows[column].astype(object)
    rows.loc[place, column] = value
    return rows


def whole(column: str, change: Callable[[pd.Series], Any]) -> pd.DataFrame:
    return base().assign(**{column: change(base()[column])})


def table_cases() -> Iterator[Case]:
    for name, rows, words in BAD():
        yield Case("table", name, lambda rows=rows: estimated(rows), words=words)
    for name, rows, roles, words in BAD_ROLES():
        yield Case("role", name, lambda r=rows, k=roles: estimated(r, **k), words=words)
    for name, rows in FINE():
        yield Case("table", name, lambda rows=rows: estimated(rows), right())
    for name, rows, said in SAID():
        yield Case("table", name, lambda rows=rows: estimated(rows), right(), said=said)


def BAD() -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    rows = base()
    for column in ROLES:
        yield f"no column {column}", rows.drop(columns=column), (column,)
        yield (
            f"{column} misspelt",
            rows.rename(columns={column: column + "s"}),
            (column, column + "s"),
        )
        yield f"{column} missing in one row", put(column, np.nan), (column,)
    for column in ("price", "quality"):
        yield f"no column {column}", rows.drop(columns=column), (column,)
        for name, value in ODD_VALUES.items():
            yield f"{column} {name}", put(column, value), (column,)
        yield f"{column} constant", whole(column, lambda s: 0 * s + 3.0), (column,)
        yield f"{column} all missing", whole(column, lambda s: s * np.nan), (column,)
        yield f"{column} varies between situations only", whole(
            column, lambda s: s.groupby(rows["task"]).transform("mean")), (column,)  # fmt: skip
        yield f"{column} as text with commas", whole(
            column, lambda s: s.round(2).astype(str).str.replace(".", ",")), (column,)  # fmt: skip
        yield f"{column} of dates", whole(
            column, lambda s: pd.Timestamp("2024-01-01") + pd.to_timedelta(s, "h")), (column,)  # fmt: skip
        yield f"{column} of complex numbers", whole(column, lambda s: s + 1j), (column,)
        yield f"{column} of lists", whole(column, lambda s: [[v] for v in s]), (column,)
    yield "price is quality", whole("price", lambda s: 2.0 * rows["quality"]), ("price", "quality")
    yield "two chosen", put("choice", 1, [0, 1, 2]), ("choice",)
    yield "none chosen", put("choice", 0, [0, 1, 2]), ("choice",)
    for value in (2, -1, 0.5, "maybe", np.inf):
        yield f"choice {value}", put("choice", value), ("choice",)
    yield (
        "choice always the first row's",
        whole("choice", lambda s: (rows["alt"] == "a") * 1 + (rows["alt"] == "b")),
        ("choice",),
    )
    yield "an alternative twice", put("alt", "a", [1]), ("alt",)
    yield "a row twice", pd.concat([rows, rows.iloc[:1]]), ("alt",)
    yield "no rows", rows.iloc[:0], ("row",)
    yield "one alternative each", rows[rows["choice"] == 1], ("alternative",)
    yield "two columns of one name", pd.concat([rows, rows[["price"]]], axis=1), ("price",)
    yield "headings of two levels", pd.concat({"x": rows}, axis=1), ("column",)
    yield "an array", rows.to_numpy(), ("frame",)
    yield "a list of rows", rows.to_dict("records"), ("frame",)
    yield "a path", "choices.csv", ("frame", "read_choices")
    yield "a series", rows["price"], ("frame",)
    yield "None", None, ("frame",)
    yield "perfect prediction", whole("price", lambda s: 1.0 - rows["choice"]), ("price",)
    yield "alternatives as dictionaries", whole("alt", lambda s: [{"a": v} for v in s]), ("alt",)
    yield "persons as lists", whole("who", lambda s: [[v] for v in s]), ("who",)


ODD_VALUES: dict[str, Any] = {
    "missing": np.nan, "infinite": np.inf, "minus infinite": -np.inf, "None": None, "text": "cheap",
    "empty text": "", "NA": "NA", "a list": [1], "a date": pd.Timestamp("2024-01-01"), "NaT": pd.NaT,
    "a complex number": 1j, "pd.NA": pd.NA, "a function": len, "bytes": b"1",
}  # fmt: skip


def BAD_ROLES() -> Iterator[tuple[str, pd.DataFrame, dict[str, Any], tuple[str, ...]]]:
    rows = base()
    person = rows["who"]
    for name, values in {
        "negative": person - 20.0, "zero for all": 0.0 * person, "missing": person.where(person > 3),
        "text": "w" + person.astype(str), "infinite": person + np.inf, "complex": person + 1j,
        "varying within a person": 1.0 + np.arange(len(rows)), "dates": pd.Timestamp("2024-01-01"),
    }.items():  # fmt: skip
        yield f"weights {name}", rows.assign(w=values), {"weights": "w"}, ("'w'",)
    for name, values in {
        "0.5": 0.5, "2": 2, "missing": np.nan, "text": "yes!", "0 for what was chosen": 1 - rows["choice"],
        "0 for all": 0, "-1": -1, "dates": pd.Timestamp("2024-01-01"),
    }.items():  # fmt: skip
        yield f"availability {name}", rows.assign(on=values), {"availability": "on"}, ("'on'",)
    for name, values in {
        "missing": np.nan, "text": "none", "infinite": np.inf, "complex": 1j, "lists": None,
    }.items():  # fmt: skip
        yield f"offset {name}", rows.assign(o=values), {"offset": "o"}, ("'o'",)
    for role in ("weights", "availability", "offset", "sampling", "ranked", "correction"):
        yield f"{role} of no column", rows, {role: "absent"}, ("absent",)
    for role in ("person", "situation", "alternative", "chosen"):
        for name, value in {"a number": 3, "a list": ["who"], "True": True, "nothing": ""}.items():
            yield f"{role} is {name}", rows, {role: value}, (role,)
    yield "person is situation", rows, {"person": "task"}, ("task",)
    yield "situation is alternative", rows, {"situation": "alt"}, ("alt",)
    yield "alternative is chosen", rows, {"alternative": "choice"}, ("choice",)
    yield "chosen is a label", rows, {"chosen": "alt"}, ("alt",)
    yield "outside option is text", rows, {"outside_option": "yes"}, ("outside_option",)
    yield "outside option is 1", rows, {"outside_option": 1}, ("outside_option",)
    out = rows.assign(alt=rows["alt"].replace("c", "outside"))
    yield "an alternative called as our outside option", out, {"outside_option": True}, ("outside",)


def FINE() -> Iterator[tuple[str, Any]]:
    rows = base()
    yield "polars", pl.from_pandas(rows)
    yield "arrow", pa.Table.from_pandas(rows)
    yield "a dictionary of columns in a frame", pd.DataFrame(rows.to_dict("list"))
    yield "rows shuffled", rows.sample(frac=1.0, random_state=3)
    yield "one index for all rows", rows.set_axis([0] * len(rows))
    yield "an index of dates", rows.set_axis(pd.date_range("2024-01-01", periods=len(rows)))
    yield "labels in the index", rows.set_index(["who", "task"]).reset_index()
    yield "names of columns in other columns", rows.assign(Intercept=1.0, center=2.0, C=3.0, mean=0)
    yield "an unused column of junk", rows.assign(junk=[object()] * len(rows))
    yield "prices as Float64", rows.astype({"price": "Float64"})
    yield "prices as objects", rows.astype({"price": object})
    yield "Decimals", whole("price", lambda s: [decimal.Decimal(repr(float(v))) for v in s])
    yield "through its transpose", rows.T.T
    yield "choice as True and False", whole("choice", lambda s: s == 1)
    yield "choice as 0.0 and 1.0", whole("choice", lambda s: s.astype(float))
    yield "choice as Int8", whole("choice", lambda s: s.astype("Int8"))
    yield (
        "persons as dates",
        whole("who", lambda s: pd.Timestamp("2024-01-01") + pd.to_timedelta(s, "D")),
    )
    yield (
        "persons as days",
        whole("who", lambda s: [datetime.date.fromordinal(730000 + v) for v in s]),
    )
    yield "persons as UUIDs", whole("who", lambda s: [uuid.UUID(int=int(v)) for v in s])
    yield "persons as Decimals", whole("who", lambda s: [decimal.Decimal(int(v)) for v in s])
    yield "persons as pairs", whole("who", lambda s: [(int(v), "x") for v in s])
    yield "persons with an accent", whole("who", lambda s: "é" + s.astype(str))
    yield "persons as categories", whole("who", lambda s: pd.Categorical(s, categories=range(99)))
    yield (
        "alternatives as categories",
        whole("alt", lambda s: pd.Categorical(s, categories=list("abcd"))),
    )
    yield "alternatives as numbers", whole("alt", lambda s: s.map({"a": 1, "b": 2, "c": 3}))
    yield (
        "alternatives called None and nan",
        whole("alt", lambda s: s.map({"a": "None", "b": "nan", "c": "NA"})),
    )
    yield "a situation called as another person's", put("task", 3, [0, 1, 2])
    yield "situations numbered anew for each person", whole("task", lambda s: s % 3)
    yield "prices moved by 1e6", whole("price", lambda s: s + 1e6)
    yield "an infinite value in an unused column", rows.assign(other=np.inf)


def SAID() -> Iterator[tuple[str, Any, str]]:
    rows = base()
    yield "labels that differ by a blank", put("alt", "a ", [0]), "'a '"
    yield "labels that differ by a capital", put("alt", "A", [0]), "'A'"
    yield "persons that differ by a blank", whole(
        "who", lambda s: ("p" + s.astype(str)).where(rows.index > 2, "p0 ")), "'p0 '"  # fmt: skip
