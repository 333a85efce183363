"""Notebooks run from top to bottom, at reduced size; stored outputs are small and agree."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
LARGEST = 250_000  # bytes, pictures and all
NUMBER = r"-?\d+\.\d+"
REDUCED = {
    "01-quickstart": "nodes, draws = 32, 50",
    "02-demand": "people, nodes, draws = 30, 32, 4",
    "03-integration": "people, repeats = 40, 100",
    "04-substitution": "people, draws = 200, 4",
    "05-laws": "people, nodes, starts, folds, draws, points = 100, 3, 1, 2, 20, 40",
    "06-estimators": "people, samples = 200, 2",
    "07-willingness": "people, draws = 60, 4",
    "08-conjoint": "people, draws = 100, 4",
    "09-checks": "people, draws, simulations = 40, 20, 2",
    "10-lecture": "people, draws, repeats = 40, 3, 10",
    "11-markets": "markets, buyers, draws, samples = 12, 20, 2, 2",
}
BARE = ["01-quickstart", "02-demand"]  # kept without output
STORED = [name for name in REDUCED if name not in BARE]


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def pictures(outputs: list[nbformat.NotebookNode]) -> int:
    return sum("image/png" in o.get("data", {}) for o in outputs)


def outputs_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [o for cell in notebook.cells for o in cell.get("outputs", [])]


def test_every_notebook_has_a_reduced_size_and_a_line_in_the_guide() -> None:
    names = {path.stem for path in FOLDER.glob("*.ipynb")}
    guide = (FOLDER.parent / "docs" / "guide.md").read_text(encoding="utf-8")
    assert names == set(REDUCED) == set(re.findall(r"^\| `(.+?)` \|", guide, re.MULTILINE))


@pytest.mark.parametrize("name", REDUCED)
def test_runs_without_a_warning(name: str) -> None:
    notebook = read(name)
    stored = pictures(outputs_of(notebook))
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    parameters.source = REDUCED[name]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(FOLDER))
    outputs = outputs_of(notebook)
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    assert pictures(outputs) == (4 if name in BARE else stored)


@pytest.mark.parametrize("name", BARE)
def test_is_committed_without_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert [cell.execution_count for cell in code] == [None] * len(code)


@pytest.mark.parametrize("name", STORED)
def test_outputs_are_stored_whole_and_small(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {o.output_type for o in outputs_of(notebook)} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert pictures(outputs_of(notebook)) >= 1
    assert (FOLDER / f"{name}.ipynb").stat().st_size < LARGEST


@pytest.mark.parametrize("name", STORED)
def test_numbers_in_prose_are_those_of_cells(name: str) -> None:
    """Every decimal in the text is in code, or a number that a cell printed, rounded."""
    notebook = read(name)
    shown = [o.get("text") or o.data.get("text/plain", "") for o in outputs_of(notebook)]
    given = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    known = [float(one) for text in (*shown, *given) for one in re.findall(NUMBER, text)]
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for text in re.findall(NUMBER, prose):
        unit = 10.0 ** -len(text.split(".")[1])
        assert any(abs(abs(one) - abs(float(text))) <= 0.5001 * unit for one in known), text
