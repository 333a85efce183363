"""Integration error against nodes for several rules, at the exact estimates; a table and a plot.

Root mean square over persons (and scramblings) of the error in log P_i, electricity, six
independent normals. The plot is written to runs/accuracy_by_nodes.png.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from _common import EXACT, console, electricity, options, table

import bayesmix as bm
from bayesmix.accuracy.pooling import pooled
from bayesmix.centring.grids import centre
from bayesmix.integration.descriptions import Centred, DrawRule
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem

Make = Callable[[int], DrawRule | Centred]
RULES: dict[str, Make] = {
    "monte_carlo": bm.monte_carlo,
    "mlhs": bm.mlhs,
    "halton": bm.halton,
    "sobol": bm.sobol,
    "centred alone": lambda s: bm.centred(bm.sobol(s), population=0.0),
    "centred, a quarter from the population": lambda s: bm.centred(bm.sobol(s)),
    "centred, with moments": lambda s: bm.centred(bm.sobol(s), moments=True),
}
NODES = (16, 64, 256, 1024, 4096)
REFERENCE = 4096
"""Nodes a person and scrambling of the reference: four scramblings, centred."""


def log_integrals(problem: Problem, rule: DrawRule | Centred, seed: int) -> np.ndarray:
    """``log P_i`` (I,) at the exact estimates."""
    theta = problem.parameters.theta(EXACT)
    size, persons = problem.parameters.n_random, problem.n_persons
    grid: Grid
    if isinstance(rule, Centred):
        grid = centre(problem, rule, theta, seed)
    else:
        grid = bm.population_grid(rule, size, persons, seed)
    return Likelihood(problem, grid).by_person(theta)[0]


def errors(problem: Problem, make: Make, nodes: int, exact: np.ndarray, seeds: int) -> np.ndarray:
    """Errors (seeds, I) of a rule."""
    return np.stack([log_integrals(problem, make(nodes), seed) for seed in range(seeds)]) - exact


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def plot(found: dict[str, list[np.ndarray]], nodes: list[int], path: Path) -> None:
    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, values in found.items():
        style = "o-" if name.startswith("centred") else "s--"
        axes.loglog(nodes, [rms(v) for v in values], style, label=name, markersize=4)
    axes.set_xticks(nodes, [str(n) for n in nodes], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("nodes a person")
    axes.set_ylabel("rms error in log P of a person, nats")
    axes.set_title("Electricity, 361 persons, six independent normals")
    axes.legend(frameon=False, fontsize="small")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    asked = options(__doc__)
    nodes = [16, 64, 256] if asked.quick else list(NODES)
    seeds = 2 if asked.quick else 4
    problem = electricity()
    reference = bm.centred(bm.sobol(512 if asked.quick else REFERENCE), moments=True)
    scrambles = np.stack([log_integrals(problem, reference, 100 + s) for s in range(4)])
    exact, variance = pooled(scrambles)
    found = {
        name: [errors(problem, make, n, exact, seeds) for n in nodes]
        for name, make in RULES.items()
    }
    columns = ["rule", *(f"{n} nodes" for n in nodes)]
    table(
        "Rms error in log P_i, nats",
        columns,
        [(name, *(f"{rms(v):.4f}" for v in values)) for name, values in found.items()],
    )
    table(
        "Error of the summed log-likelihood, nats, mean over scramblings",
        columns,
        [
            (name, *(f"{v.sum(axis=1).mean():+.2f}" for v in values))
            for name, values in found.items()
        ],
    )
    console.print(f"rms error of the reference: {np.sqrt(variance.mean() / 4):.5f}")
    path = Path("runs") / "accuracy_by_nodes.png"
    plot(found, nodes, path)
    console.print(f"plot: {path}")


if __name__ == "__main__":
    main()
