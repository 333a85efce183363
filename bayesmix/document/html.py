"""Words, tables and pictures as HTML; whatever comes from data is escaped here, and only here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import groupby
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bayesmix.data.display import LARGE as LARGE_NUMBER
from bayesmix.data.display import number as estimate
from bayesmix.document.style import CSS

DPI = 110
LARGE = 8.0
"""Inches from which a picture is too wide for a phone."""


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, its heading (plain text), and its content (HTML)."""

    anchor: str
    heading: str
    content: str


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole file. The policy in its head forbids whatever is not in the file itself."""
    links = "".join(f'<li><a href="#{s.anchor}">{text(s.heading)}</a></li>' for s in sections)
    parts = "\n".join(
        f'<section id="{s.anchor}">\n<h2>{text(s.heading)}</h2>\n{s.content}\n</section>'
        for s in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{text(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{text(title)}</h1>\n{lead}\n</header>\n"
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n<main>\n{parts}\n</main>\n'
        "</body>\n</html>\n"
    )


def text(words: Any) -> str:
    """Plain text as HTML."""
    return escape(str(words))


def paragraph(words: Any, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def listed(lines: Iterable[Any]) -> str:
    """Plain lines as a list; nothing where there are none."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def verbatim(words: Any) -> str:
    """Plain text as it stands."""
    return f"<pre>{text(words)}</pre>"


def folded(summary: str, content: str) -> str:
    """Content behind a line that opens it."""
    return f"<details><summary>{text(summary)}</summary>\n{content}\n</details>"


def number(value: Any) -> str:
    """A cell: four decimals of usual numbers, no false zeros, nothing where there is no number.

    >>> [number(v) for v in (-1.23456, 0.0, 3e-7, 123456.7, 12, float("nan"), "a")]
    ['-1.2346', '0.0000', '3.0e-07', '123,456.7', '12', '', 'a']
    """
    if not isinstance(value, float):
        return "" if value is None or value is pd.NA or value is pd.NaT else str(value)
    size = abs(value)
    return f"{value:,.1f}" if 1e4 <= size < LARGE_NUMBER else estimate(value)


def table(frame: pd.DataFrame) -> str:
    """A frame with all its rows and columns; two levels of columns are two lines of heading."""
    index = frame.index
    names = [("" if n is None else str(n)) for n in index.names]
    depth = frame.columns.nlevels
    corner = "".join(f'<th rowspan="{depth}">{text(name)}</th>' for name in names)
    head = []
    for level in range(depth):
        # Neighbours are one where all levels above agree too.
        labels = [c[: level + 1] if isinstance(c, tuple) else (c,) for c in frame.columns]
        cells = ""
        for key, run in groupby(labels):
            count = len(list(run))
            span = f' colspan="{count}"' if level + 1 < depth else ""
            cells += f"<th{span}>{text(key[-1])}</th>" * (1 if span else count)
        head.append(f"<tr>{corner if level == 0 else ''}{cells}</tr>")
    body = []
    for label, row in zip(index, frame.itertuples(index=False, name=None), strict=True):
        keys = label if isinstance(label, tuple) else (label,)
        heads = "".join(f'<th scope="row">{text(key)}</th>' for key in keys)
        body.append(f"<tr>{heads}{''.join(_cell(value) for value in row)}</tr>")
    return (
        f'<div class="wide"><table><thead>{"".join(head)}</thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    words = number(value)
    long = isinstance(value, str) and len(words) > 32
    return f'<td class="words">{text(words)}</td>' if long else f"<td>{text(words)}</td>"


def picture(figure: Figure, caption: str) -> str:
    """A figure, inside of the page; what it shows is said for who cannot see it."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    return stored_picture(stream.getvalue(), caption, large=figure.get_figwidth() > LARGE)


def stored_picture(png: bytes, caption: str, *, large: bool = True) -> str:
    """A picture from a file, inside of the page."""
    code = base64.b64encode(png).decode("ascii")
    size = "large" if large else "small"  # on phones it scrolls, not shrinks
    return (
        f'<figure><img class="{size}" src="data:image/png;base64,{code}" alt="{text(caption)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def enclosed(name: str, content: bytes, kind: str = "application/json") -> str:
    """A file inside of the page, which a click saves."""
    code = base64.b64encode(content).decode("ascii")
    href = f"data:{kind};base64,{code}"
    return f'<a class="screen" download="{text(name)}" href="{href}">{text(name)}</a>'
