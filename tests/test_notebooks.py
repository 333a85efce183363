"""Notebooks run from top to bottom, at reduced size, and are committed without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
REDUCED = {"01-quickstart": "nodes, draws = 32, 50", "02-demand": "nodes, draws = 32, 4"}


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_every_notebook_has_a_reduced_size() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(REDUCED)


@pytest.mark.parametrize("name", REDUCED)
def test_runs_without_a_warning(name: str) -> None:
    notebook = read(name)
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    parameters.source = REDUCED[name]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(FOLDER))
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 4


@pytest.mark.parametrize("name", REDUCED)
def test_is_committed_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert [cell.execution_count for cell in code] == [None] * len(code)
