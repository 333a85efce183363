"""Tables as Word documents, through python-docx."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.errors import DataError
from bayesmix.files import write_whole

RULE = "12"
"""Width of a rule, in eighths of a point."""


def write_word(
    frame: pd.DataFrame, path: str | PathLike[str], notes: Sequence[str], caption: str | None
) -> None:
    """A document of one table of words, its index in the first column, with notes below."""
    document = _library("docx").Document()
    if caption is not None:
        document.add_paragraph(caption)
    table = document.add_table(len(frame) + 1, frame.shape[1] + 1)
    rows = [["", *map(str, frame.columns)]]
    rows += [[str(v) for v in row] for row in frame.itertuples(name=None)]
    for cells, words in zip(table.rows, rows, strict=True):
        for number, (cell, word) in enumerate(zip(cells.cells, words, strict=True)):
            _fill(cell, word, right=number > 0)
    _rule(table.rows[0], "top", "bottom")
    _rule(table.rows[-1], "bottom")
    for note in notes:
        run = document.add_paragraph().add_run(note)
        run.font.size = _library("docx.shared").Pt(8)
    write_whole(Path(path), lambda file: document.save(str(file)))


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise DataError(
            "writing Word files needs python-docx, which is not installed: install it by "
            "pip install 'bayesmix[word]'"
        ) from None


def _fill(cell: Any, word: str, *, right: bool) -> None:
    """A cell of small print; numbers to the right, standard errors close below estimates."""
    shared, text = _library("docx.shared"), _library("docx.enum.text")
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(word)
    run.font.size = shared.Pt(9)
    paragraph.paragraph_format.space_after = shared.Pt(0)
    if right:
        paragraph.alignment = text.WD_ALIGN_PARAGRAPH.RIGHT


def _rule(row: Any, *sides: str) -> None:
    """Lines at sides of a row, which python-docx has no words for."""
    oxml = _library("docx.oxml")
    qualified = _library("docx.oxml.ns").qn
    for cell in row.cells:
        borders = oxml.OxmlElement("w:tcBorders")
        for side in sides:
            line = oxml.OxmlElement(f"w:{side}")
            for key, value in (("val", "single"), ("sz", RULE), ("color", "000000")):
                line.set(qualified(f"w:{key}"), value)
            borders.append(line)
        cell._tc.get_or_add_tcPr().append(borders)
