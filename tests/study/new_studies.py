"""Files that studies are written of, and the studies."""

from pathlib import Path

import pandas as pd

import bayesmix as bm
from bayesmix.study import check_study, new_study, read_study
from bayesmix.study.build import Built


def written(frame: pd.DataFrame, path: Path, **settings: object) -> Path:
    if path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False, **settings)
    return path


def checked(file: Path) -> Built:
    """The new study of a file, which passes `bayesmix check`."""
    path, _ = new_study(file)
    built = check_study(read_study(path))
    assert bm.check(built.model, built.data).ok
    return built
