"""The page of pictures of a check of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.evaluation.envelope import Envelope
from bayesmix.evaluation.statistics import Statistic
from bayesmix.picture import sheet

WIDE = 3
MOST_ATTRIBUTES, MOST_LABELS, LETTERS = 6, 24, 18
OBSERVED, REPLICATED = "C3", "C0"


def page(statistics: Sequence[Statistic], bands: Sequence[Envelope]) -> Figure:
    """A panel a check: observed values on simultaneous bands of replicated ones."""
    pairs = _shown(list(zip(statistics, bands, strict=True)))
    deep = -(-len(pairs) // WIDE)
    figure = sheet(4.2 * WIDE, 3.1 * deep + 0.6)
    axes = figure.subplots(deep, WIDE, squeeze=False).ravel()
    for axis in axes[len(pairs) :]:
        axis.set_visible(False)
    for axis, (one, band) in zip(axes, pairs, strict=False):
        _curve(axis, one, band) if one.at is not None else _points(axis, one, band)
        axis.set_title(f"{one.name}: p = {band.p_value:.3g}", fontsize=10, loc="left")
        axis.set_ylabel(one.axis, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    return figure


def _shown(pairs: list[tuple[Statistic, Envelope]]) -> list[tuple[Statistic, Envelope]]:
    """All checks but those of the attributes with larger p-values."""
    of = [
        (band.p_value, k) for k, (one, band) in enumerate(pairs) if one.name.startswith("chosen ")
    ]
    dropped = {k for _, k in sorted(of)[MOST_ATTRIBUTES:]}
    return [pair for k, pair in enumerate(pairs) if k not in dropped]


def _points(axis: Axes, one: Statistic, band: Envelope) -> None:
    """A place on the axis for each label."""
    at = np.arange(len(one.labels))
    axis.vlines(at, band.low, band.high, color=REPLICATED, lw=5, alpha=0.35, label="band")
    axis.plot(at, band.expected, "_", color=REPLICATED, ms=8, label="expected")
    axis.plot(at, band.observed, "o", color=OBSERVED, ms=4, label="observed")
    _label(axis, at, one.labels)


def _label(axis: Axes, at: np.ndarray, labels: Sequence[str]) -> None:
    step = -(-len(labels) // MOST_LABELS)
    words = [w if len(w) <= LETTERS else f"{w[: LETTERS - 1]}…" for w in labels[::step]]
    turned = len(words) * max(map(len, words)) > 40
    axis.set_xticks(at[::step], words, rotation=90 if turned else 0)
    axis.set_xlim(-0.6, len(labels) - 0.4)


def _curve(axis: Axes, one: Statistic, band: Envelope) -> None:
    """A curve over numbers; of reliability with the diagonal, on which it is expected."""
    assert one.at is not None
    axis.fill_between(one.at, band.low, band.high, color=REPLICATED, alpha=0.25, lw=0, label="band")
    axis.plot(one.at, band.expected, color=REPLICATED, lw=1, label="expected")
    axis.plot(one.at, band.observed, "o-", color=OBSERVED, ms=3, lw=1, label="observed")
    axis.set_xlabel("predicted probability" if one.name == "reliability" else "u", fontsize=8)
    if one.name == "reliability":
        axis.plot([0, 1], [0, 1], color="0.6", lw=0.8, ls=":")
        top = 1.05 * max(float(one.at.max()), float(band.high.max()), float(band.observed.max()))
        axis.set_xlim(0, top)
        axis.set_ylim(0, top)
    else:
        axis.axhline(0, color="0.6", lw=0.8, ls=":")
