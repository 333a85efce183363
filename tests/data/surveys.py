"""A survey's alternatives as files hold them: codes with labels."""

import pandas as pd

MODES = {1: "walk", 2: "bus", 3: "car"}  # not in the order of the alphabet


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    """The alternatives as R and Parquet have them, levels in the order of codes."""
    modes = pd.Categorical(frame["alt"].map(MODES), categories=list(MODES.values()))
    return frame.assign(alt=modes)
