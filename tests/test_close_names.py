"""A suggestion is close, and says the same attribute; where none is, none is made."""

import pytest

from bayesmix.close_names import close_name


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("cost_bus", ["time_bus", "time_car"], None),  # alike by letters alone
        ("cost_bus", ["time_bus", "cost_car", "cost_buss"], "cost_buss"),
        ("time_tram", ["time_train", "time_bus"], None),
        ("TRAIN_CO", ["TRAIN_TT", "CAR_CO"], None),
        ("train_co", ["TRAIN_TT", "TRAIN_CO"], "TRAIN_CO"),
        ("price1", ["price2", "price3"], None),
        ("travelcost", ["traveltime"], None),
        ("travelTime", ["travel_time", "travel_cost"], "travel_time"),
        ("bus_time", ["time_bus", "time_car"], "time_bus"),
        ("mean[y]", ["sd[y]", "mean[x]"], None),
        ("mean[yy]", ["sd[y]", "mean[y]"], "mean[y]"),
        ("pirce", ["id", "price", "prices"], "price"),
        ("x", [], None),
        (3, [1, 2], None),
        ("größe", ["grösse", "Größe"], "Größe"),
    ],
)
def test_what_is_suggested(name: object, names: list[object], found: str | None) -> None:
    assert close_name(name, names) == found
