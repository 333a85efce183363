"""Integration error against nodes, for several rules: which grid is worth its cost here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.accuracy.pooling import pooled
from bayesmix.arrays import Array
from bayesmix.centring.grids import centre
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import Seed, population_grid
from bayesmix.integration.rules import centred, halton, monte_carlo, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.picture import sheet
from bayesmix.specification.model import MixedLogit

NODES = (16, 32, 64, 128, 256, 512)
REFERENCE = 2048
REFERENCE_SCRAMBLES = 4
MOST_TICKS = 10


def default_rules(nodes: Sequence[int] = NODES) -> list[Rule | Centred]:
    """Monte Carlo, Halton, Sobol, and Sobol centred on the person, at several numbers of nodes."""
    return [
        rule(n) for rule in (monte_carlo, halton, sobol, lambda n: centred(sobol(n))) for n in nodes
    ]


def compare_rules(
    model: MixedLogit,
    data: ChoiceData,
    params: Mapping[str, float] | pd.Series,
    rules: Sequence[Rule | Centred] | None = None,
    *,
    rng: Seed = None,
) -> pd.DataFrame:
    """Errors of rules at one set of parameters, against a fine person-centred grid.

    Parameters
    ----------
    model, data
        The model and the data.
    params
        Parameters by flat name, such as ``fit.params``.
    rules
        Rules to compare; `default_rules` by default.
    rng
        Seed or Generator.

    Returns
    -------
    pandas.DataFrame
        One row a rule: ``rule``, ``nodes``, ``rms`` (root mean square over persons of the error of
        ``log P_i``) and ``loglik`` (error of the log-likelihood), both in nats. Integrals that are
        not positive count as NaN.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("cl", random=[bm.Normal("cl")])
    >>> params = {"mean[cl]": -0.2, "sd[cl]": 0.3}
    >>> found = bm.compare_rules(model, data, params, [bm.sobol(16), bm.sobol(64)], rng=1)
    >>> few, many = found["rms"]
    >>> bool(many < few / 2)
    True
    """
    arguments.seed("rng", rng)
    rules = default_rules() if rules is None else _rules(rules)
    problem = bind(model, data)
    theta = problem.parameters.theta(params)
    generator = np.random.default_rng(rng)
    fine = centre(problem, centred(sobol(REFERENCE), moments=True), theta, generator)
    grids = [fine, *(fine.renewed(generator) for _ in range(REFERENCE_SCRAMBLES - 1))]
    exact = pooled(np.stack([Likelihood(problem, g).by_person(theta)[0] for g in grids]))[0]
    rows = []
    for rule in rules:
        grid = grid_at(problem, rule, theta, generator)
        error = Likelihood(problem, grid).by_person(theta)[0] - exact
        rms = float(np.sqrt((error**2).mean()))
        rows.append((_family(rule), grid.size, rms, float(problem.data.weights @ error)))
    return pd.DataFrame(rows, columns=["rule", "nodes", "rms", "loglik"])


def _family(rule: Rule | Centred) -> str:
    """What rules of other numbers of nodes share: the sequence or quadrature, and where it is."""
    if not isinstance(rule, Centred):
        return _spaced(rule)
    moments = " with moments" if rule.moments else ""
    halves = " in halves" if rule.halves else ""
    return f"centred {_spaced(rule.rule)}{moments}{halves}"


def _spaced(rule: Rule) -> str:
    """The name of a rule's record in words: ``"monte carlo"`` of ``MonteCarlo``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(rule).__name__).lower()


def _rules(rules: Sequence[Rule | Centred]) -> list[Rule | Centred]:
    meaning = "a list of rules, such as [bm.sobol(64), bm.centred(bm.sobol(64))]"
    listed = list(rules) if isinstance(rules, list | tuple) else []
    if not listed or not all(isinstance(rule, Rule | Centred) for rule in listed):
        raise arguments.refused("rules", meaning, rules)
    return listed


def grid_at(problem: Problem, rule: Rule | Centred, theta: Array, rng: np.random.Generator) -> Grid:
    """Nodes of a rule, at ``theta`` where it is centred on persons."""
    if isinstance(rule, Centred):
        return centre(problem, rule, theta, rng)
    return population_grid(rule, problem.parameters.n_random, problem.n_persons, rng)


def plot_rules(table: pd.DataFrame) -> Figure:
    """Root mean square error of ``log P_i`` against nodes, both on log scales, a line a rule.

    Parameters
    ----------
    table
        What `compare_rules` returned.

    Returns
    -------
    matplotlib.figure.Figure
        An axis.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("cl", random=[bm.Normal("cl")])
    >>> params = {"mean[cl]": -0.2, "sd[cl]": 0.3}
    >>> found = bm.compare_rules(model, data, params, [bm.sobol(16), bm.sobol(64)], rng=1)
    >>> [axis.get_xlabel() for axis in bm.plot_rules(found).axes]
    ['nodes a person']
    """
    made = {"rule", "nodes", "rms"}
    if not isinstance(table, pd.DataFrame) or not made <= set(table.columns):
        raise arguments.refused("table", "what bm.compare_rules returned", table)
    figure = sheet(6.4, 4.2)
    axes = figure.subplots()
    for rule, rows in table.groupby("rule", sort=False):
        ordered = rows.sort_values("nodes")
        axes.loglog(ordered["nodes"], ordered["rms"], marker="o", markersize=4, label=str(rule))
    nodes = table["nodes"].to_numpy(float)
    powers = np.arange(np.ceil(np.log2(nodes.min())), np.floor(np.log2(nodes.max())) + 1)
    step = max(1, -(-len(powers) // MOST_TICKS))
    axes.set_xscale("log", base=2)
    axes.set_xticks(2.0 ** powers[::step], [f"{int(2**p):,}" for p in powers[::step]])
    axes.minorticks_off()
    axes.set_xlabel("nodes a person")
    axes.set_ylabel("rms error of log P (nats)")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, labelspacing=0.8)
    return figure
