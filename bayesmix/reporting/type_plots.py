"""Pictures of types of people: how each coefficient is distributed, and two of them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.types_fit import TypesFit
from bayesmix.errors import SpecificationError
from bayesmix.picture import sheet

MOST_TERMS = 6
AREA = 900.0
"""Area in points of a disc that is everybody."""


def plot_types(found: TypesFit, terms: Sequence[str] | None = None) -> Figure:
    """Marginal and joint distributions of the coefficients of types.

    On the diagonal the share of people whose coefficient is at most a value, with the pointwise
    95 % interval of the bootstrap where there is one; below it each type is a disc, whose area is
    its share.

    Parameters
    ----------
    found
        What ``bm.nonparametric`` returned.
    terms
        Which coefficients, six at most; the first ones by default.

    Returns
    -------
    matplotlib.figure.Figure
        An axis for each coefficient on the diagonal, and for each pair below it.

    Raises
    ------
    SpecificationError
        If ``found`` is something else, or a term is none of its own.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model, data = bm.MixedLogit("pf + cl"), bm.examples.electricity()
    >>> grid = bm.Types({"pf": (-2, 0), "cl": (-2, 1)}, points=50, rng=1)
    >>> found = bm.nonparametric(model, data, grid, adding=False)
    >>> [axis.get_ylabel() for axis in bm.plot_types(found).axes]
    ['share of people below', 'cl', 'share of people below']
    """
    arguments.instance("found", found, TypesFit, "what bm.nonparametric returned")
    chosen = found.terms[:MOST_TERMS] if terms is None else _terms(found, terms)
    size, table = len(chosen), found.types
    figure = sheet(2.2 + 2.3 * size, 1.6 + 2.1 * size)
    axes = figure.subplots(size, size, squeeze=False)
    shares = table["share"].to_numpy()
    for row, term in enumerate(chosen):
        _marginal(axes[row, row], found, term)
        for column, other in enumerate(chosen):
            if column > row:
                axes[row, column].remove()
            elif column < row:
                values = table[other].to_numpy(), table[term].to_numpy()
                axes[row, column].scatter(*values, s=AREA * shares, alpha=0.5, linewidths=0.8)
                axes[row, column].margins(0.15)
                axes[row, column].set_ylabel(term)
        axes[size - 1, row].set_xlabel(chosen[row])
    return figure


def _terms(found: TypesFit, terms: Sequence[str]) -> tuple[str, ...]:
    chosen = arguments.names("terms", terms, "terms of the types, such as ['price', 'time']")
    for term in chosen:
        arguments.one_of("terms", term, found.terms)
    if not 1 <= len(chosen) <= MOST_TERMS:
        raise SpecificationError(
            f"argument 'terms' has {len(chosen)} terms: name one to {MOST_TERMS} of them"
        )
    return chosen


def _marginal(axis: Axes, found: TypesFit, term: str) -> None:
    own = found.distribution(term)
    ends = _with_ends(own.index.to_numpy(dtype=float))
    table = found.distribution(term, ends)
    axis.step(ends, table["estimate"], where="post", color="C0")
    if "low" in table:
        inner = found.distribution(term, np.linspace(ends[0], ends[-1], 400))
        axis.fill_between(inner.index, inner["low"], inner["high"], alpha=0.25, color="C0", lw=0)
    axis.set_ylim(-0.02, 1.02)
    axis.set_ylabel("share of people below")
    axis.set_title(term, fontsize="medium")


def _with_ends(values: Array) -> Array:
    """The values, and a little to both sides."""
    room = 0.08 * (values[-1] - values[0]) or 1.0
    return np.concatenate([[values[0] - room], values, [values[-1] + room]])
