"""Tables on the terminal and in CSV files."""

from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from bayesmix.reporting.tables import rich_table, write_csv

FRAME = pd.DataFrame(
    {
        ("MSLE", "estimate"): [-1.01, 0.5],
        ("MSLE", "std error"): [0.02, np.nan],
        ("NUTS", "estimate"): [-1.0, np.nan],
    },
    index=pd.Index(["mean[pf]", "corr[pf, cl]"], name="parameter"),
)


def shown(frame: pd.DataFrame) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(rich_table(frame, title="Comparison"))
    return capture.get()


def test_terminal_shows_names_in_brackets_and_blanks() -> None:
    lines = {line.split("  ")[1]: line.split() for line in shown(FRAME).splitlines() if "[" in line}
    assert lines["mean[pf]"][1:] == ["-1.0100", "0.0200", "-1.0000"]
    assert lines["corr[pf, cl]"][2:] == ["0.5000"]


def test_a_label_stands_once_above_its_columns() -> None:
    assert shown(FRAME).count("MSLE") == 1
    assert shown(FRAME).count("estimate") == 2


def test_whole_numbers_stay_whole() -> None:
    assert " 3 " in shown(pd.DataFrame({"divergences": [3]}, index=["a"]))


def test_csv_keeps_full_precision(tmp_path: Path) -> None:
    frame = FRAME / 3.0
    write_csv(frame, tmp_path / "table.csv")
    back = pd.read_csv(tmp_path / "table.csv", index_col="parameter")
    assert list(back.columns) == ["MSLE estimate", "MSLE std error", "NUTS estimate"]
    assert np.array_equal(back.to_numpy(), frame.to_numpy(), equal_nan=True)
    assert isinstance(frame.columns, pd.MultiIndex)
