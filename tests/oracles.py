"""Reference implementations in NumPy, and simulated choices, for the tests of every layer.

The references accept complex arguments: the imaginary part of ``f(x + ih) / h`` is a derivative to
machine precision (Squire and Trapp 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.kernels.laws import MAP
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.specification.laws.lognormal import LogNormal
from bayesmix.specification.laws.normal import Normal
from bayesmix.specification.laws.rows import laws_of

Array = np.ndarray
Indices = np.ndarray
NO_BASE = np.zeros(0)


def logsumexp(a: Array, weights: Array | float = 1.0) -> Array:
    """``log sum_s w_s exp a_s`` over the first axis; weights of either sign."""
    top = a.real.max(axis=0)
    return top + np.log((weights * np.exp(a - top)).sum(axis=0))


def log_probability(panel: Panel, i: int, base: Array, beta: Array) -> Array:
    """Log-probability (S,) of all the choices of person i, ``beta`` (K, S)."""
    total = np.zeros(beta.shape[1], dtype=np.result_type(beta, base))
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        rows = np.arange(panel.situation_start[t], panel.situation_start[t + 1])
        v = base[rows, None] + panel.x[rows] @ beta
        if panel.outside:
            v = np.vstack([v, np.zeros(v.shape[1])])
        chosen = panel.chosen_row[t]
        total = total + v[-1 if chosen < 0 else chosen - rows[0]] - logsumexp(v)
    return total


def person(a: Array, i: int) -> Array:
    """The part of person i, of an array that may be shared by everyone."""
    return a[min(i, len(a) - 1)]


def coefficients(mixture: Mixture, i: int) -> Array:
    """``beta`` (K, S) of person i."""
    b = person(mixture.loc, i)[:, None] + mixture.chol @ person(mixture.nodes, i)
    linked = mixture.laws[:, [MAP]] != 0  # lognormal, see `lognormals`
    sign = mixture.known[:, [0]] if len(mixture.known) else 1.0
    return np.where(linked, sign * np.exp(np.where(linked, b, 0.0)), b)


def log_integral(panel: Panel, i: int, base: Array, mixture: Mixture) -> Any:
    """``log sum_s w_s P(y_i | beta_s)`` of person i."""
    values = log_probability(panel, i, base, coefficients(mixture, i))
    return logsumexp(values, person(mixture.weights, i))


def slopes(function: Callable[[Array], Any], x: Array) -> Array:
    """Derivatives (of the shape of ``x``) of a function that accepts complex arguments."""
    out = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        out[index] = function(moved).imag / 1e-30
    return out


def differences(function: Callable[[Array], Any], x: Array, step: float = 1e-5) -> Array:
    """Central differences, one row of results for each entry of ``x``."""
    rows = []
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        rows.append((np.asarray(function(up)) - np.asarray(function(down))) / (2 * step))
    return np.array(rows)


def random_panel(
    rng: np.random.Generator, persons: int, size: int, *, outside: bool = False, largest: int = 5
) -> Panel:
    """Ragged choices at random: 1 to 4 situations a person, 1 to ``largest`` alternatives each."""
    person_start = np.append(0, np.cumsum(rng.integers(1, 5, persons)))
    sets = rng.integers(1, largest + 1, person_start[-1])
    situation_start = np.append(0, np.cumsum(sets))
    chosen = situation_start[:-1] + rng.integers(0, sets)
    if outside:
        chosen = np.where(rng.random(len(sets)) < 0.4, -1, chosen)
    return Panel(
        rng.normal(size=(situation_start[-1], size)),
        person_start,
        situation_start,
        chosen.astype(np.int64),
        outside,
    )


def random_mixture(
    rng: np.random.Generator,
    persons: int,
    size: int,
    n_nodes: int,
    *,
    shared: bool = False,
    link: int = 0,
) -> Mixture:
    """Full covariance, every other coefficient with ``link``; own or shared nodes, weights >= 0."""
    n = 1 if shared else persons
    laws, known = lognormals(np.where(np.arange(size) % 2 == 0, link, 0))
    weights = rng.random((n, n_nodes))
    return Mixture(
        rng.normal(size=(1, size)),
        np.tril(rng.normal(scale=0.5, size=(size, size))),
        laws,
        rng.normal(size=(n, size, n_nodes)),
        weights / weights.sum(axis=1, keepdims=True),
        known=known,
    )


def lognormals(signs: Sequence[int]) -> tuple[Indices, Array]:
    """``laws`` and ``known`` of lognormal coefficients with these signs; 0 is a normal one."""
    made = [LogNormal("x", sign=sign) if sign else Normal("x") for sign in signs]
    laws, _ = laws_of([law.coefficients[0] for law in made])
    known = [[sign or 1, -np.inf, np.inf] for sign in signs]
    return laws, np.array(known, dtype=float).reshape(-1, 3)


def choice_frame(
    rng: np.random.Generator, persons: int = 30, situations: int = 4, *, outside: bool = False
) -> pd.DataFrame:
    """A long frame: 2 or 3 of bus, car, train; price, time; income and group of the person."""
    rows = [
        (i, t, alternative)
        for i in range(persons)
        for t in range(situations)
        for alternative in ("bus", "car", "train")
        if alternative != "train" or (i + t) % 3
    ]
    frame = pd.DataFrame(rows, columns=["who", "task", "mode"])
    frame["price"], frame["time"] = rng.normal(size=(2, len(frame)))
    frame["income"] = rng.normal(size=persons)[frame["who"]]
    frame["group"] = rng.choice(["young", "old"], persons)[frame["who"]]
    frame["weight"] = rng.uniform(0.5, 2.0, persons)[frame["who"]]
    taste = rng.normal(size=persons)[frame["who"]]
    utility = (taste - 1) * frame["price"] - 0.5 * frame["time"] + rng.gumbel(size=len(frame))
    best = utility.groupby([frame["who"], frame["task"]]).transform("max")
    frame["choice"] = ((utility == best) & (not outside or best > 1.0)).astype(int)
    return frame


def choices(frame: pd.DataFrame, person: str | None = "who", **options: Any) -> ChoiceData:
    """`ChoiceData` of a frame with the columns of `choice_frame`."""
    return ChoiceData.from_long(
        frame, person=person, situation="task", alternative="mode", chosen="choice", **options
    )
