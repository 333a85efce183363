"""The likelihood's kernel: ns a row, node and core, against the machine's floor and against xlogit.

Electricity, six independent normals (K = 6, J = 4), log-likelihood with its gradient.
"""

import json
from collections.abc import Callable
from functools import partial

import numba
import numpy as np
from _common import (
    EXACT,
    FULL,
    INDEPENDENT,
    Peer,
    electricity,
    interleaved,
    options,
    peer_python,
    table,
    verdict,
)

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.integrals import integrate
from bayesmix.kernels.logit import BLOCK, utility
from bayesmix.kernels.logit_differences import choice_scores, others
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.threads import use_threads
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freeze

NODES = 600
CORES = 2
EXP_FLOPS = 31
"""Of one polynomial exp: 11 multiply-adds of the polynomial, 3 of the reduction, 3 others."""


def kernel(problem: Problem, theta: np.ndarray, grid: Grid, cores: int) -> Callable[[], object]:
    """A call of the compiled kernel alone, on a number of cores."""
    chunk = problem.chunk(grid, 0, problem.n_persons)
    mean, chol, _ = problem.parameters.unpack(theta)
    mixture = Mixture(mean[None, :], chol, problem.laws, chunk.nodes, chunk.node_weights)
    panel, base = problem.panel_of(chunk), np.zeros(problem.data.n_rows)
    return on_cores(cores, lambda: integrate(panel, base, mixture, False))


def on_cores(cores: int, call: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        use_threads(cores)
        return call()

    return run


# -- the machine's floor ----------------------------------------------------------------------


@numba.njit(fastmath=True)
def triad(a, b, c, scale):
    """Memory: 24 bytes an element, two read and one written."""
    for i in range(a.shape[0]):
        a[i] = b[i] + scale * c[i]


@numba.njit(fastmath={"contract"})
def multiply_adds(x, repeats):
    """Arithmetic: 32 operations an element and repeat, on four independent chains in L1."""
    quarter = x.shape[0] // 4
    for _ in range(repeats):
        for i in range(quarter):
            a, b = x[i], x[quarter + i]
            c, d = x[2 * quarter + i], x[3 * quarter + i]
            for _ in range(16):
                a = a * 0.999 + 0.001
                b = b * 0.998 + 0.002
                c = c * 0.997 + 0.003
                d = d * 0.996 + 0.004
            x[i], x[quarter + i] = a, b
            x[2 * quarter + i], x[3 * quarter + i] = c, d


@numba.njit(fastmath={"contract"}, error_model="numpy")
def exponentials(x, y, repeats):
    """The package's exp alone, in L1."""
    for r in range(repeats):
        shift = r * 1e-9
        for i in range(x.shape[0]):
            y[i] = exp(x[i] - shift)


@numba.njit(error_model="numpy")
def utilities(x, beta, v, repeats):
    for _ in range(repeats):
        utility(x, beta, 0.0, v, v.shape[0])


@numba.njit(error_model="numpy")
def gradients(left, prob, score, repeats):
    for _ in range(repeats):
        choice_scores(left, prob, score.shape[1], score)


def floor_calls(problem: Problem) -> tuple[dict[str, Callable[[], object]], dict[str, int]]:
    """Calls that measure the machine and the kernel's main loops, and the elements of each."""
    large, small = np.ones((3, 4_000_000)), np.full(BLOCK, -0.5)
    panel, size = problem.panel(0, 1), problem.parameters.n_random
    left = others(panel, np.zeros(len(panel.x)), 0)
    rows = len(left.row)
    prob, score = np.full((rows, BLOCK), 0.25), np.zeros((size, BLOCK))
    repeats = 20_000
    calls = {
        "triad": partial(triad, large[0], large[1], large[2], 0.5),
        "multiply-adds": partial(multiply_adds, np.ones(1024), repeats // 8),
        "exp": partial(exponentials, small, np.empty(BLOCK), repeats),
        "utility": partial(utilities, panel.x[0], score.copy(), small.copy(), repeats),
        "gradient": partial(gradients, left, prob, score, repeats // rows),
    }
    elements = {
        "triad": large.shape[1],
        "multiply-adds": 1024 * (repeats // 8),
        "exp": BLOCK * repeats,
        "utility": BLOCK * repeats,
        "gradient": BLOCK * rows * (repeats // rows),
    }
    return calls, elements


def operations(size: int) -> int:
    """Floating-point operations an alternative not chosen and node.

    Utility, bound, exp, sum, share, gradient.
    """
    return 2 * size + 1 + EXP_FLOPS + 2 + 2 * size


def kernel_report(seconds: dict[str, float], problem: Problem, elements: dict[str, int]) -> None:
    size, work = problem.parameters.n_random, problem.data.n_rows * NODES
    one = seconds["kernel, 1 core"] / work * 1e9
    two = seconds[f"kernel, {CORES} cores"] / work * 1e9 * CORES
    each = {name: seconds[name] / count * 1e9 for name, count in elements.items()}
    # Nodes and weights come from memory once; everything else stays in cache.
    bytes_each = 8 * (size + 1) * problem.n_persons / problem.data.n_rows
    memory, rate = bytes_each * each["triad"] / 24, 32 / each["multiply-adds"]
    # Of a situation's rows, that of the chosen alternative costs nothing.
    share = 1 - problem.data.n_situations / problem.data.n_rows
    count = share * operations(size)
    loops = share * (each["utility"] + each["exp"] + each["gradient"])
    rows = [
        ("kernel, 1 core", one, f"target 3: {verdict(one <= 3)}"),
        (f"kernel, {CORES} cores", two, f"target 3: {verdict(two <= 3)}"),
        ("floor: memory", memory, f"{bytes_each:.2f} bytes, triad {24 / each['triad']:.1f} GB/s"),
        ("floor: arithmetic", count / rate, f"{count:.0f} operations at {rate:.1f} Gflop/s"),
        ("its main loops alone, in L1", loops, f"{one / loops:.2f} times this"),
        ("  utilities", share * each["utility"], ""),
        ("  exp", share * each["exp"], ""),
        ("  gradient", share * each["gradient"], ""),
    ]
    table(
        f"Log-likelihood and gradient, K = {size}, J = 4, {NODES} own Sobol draws",
        ["", "ns a row, node and core", ""],
        [(name, f"{value:.2f}", note) for name, value, note in rows],
    )


# -- against xlogit, and on person-centred nodes ----------------------------------------------


def xlogit_report(seconds: dict[str, float], ours: float, peer: dict) -> None:
    ratio = seconds["xlogit"] / seconds["bayesmix"]
    table(
        f"One log-likelihood and gradient, {NODES} draws, in turns in the same run",
        ["", "ms", "log-likelihood", "ratio"],
        [
            ("xlogit 0.2.7", f"{seconds['xlogit'] * 1e3:.1f}", f"{peer['loglik']:.3f}", ""),
            (
                f"bayesmix, {CORES} cores",
                f"{seconds['bayesmix'] * 1e3:.1f}",
                f"{ours:.3f}",
                f"{ratio:.1f} times faster (targets 10: {verdict(ratio >= 10)}, "
                f"25: {verdict(ratio >= 25)})",
            ),
        ],
    )


def density_call(problem: Problem, theta: np.ndarray, grid: Grid) -> Callable[[], object]:
    """An evaluation with nodes fixed in coefficient space; it has one thread."""
    nodes = freeze(problem, grid)
    assert nodes is not None
    mean, chol, _ = problem.parameters.unpack(theta)
    free = np.zeros(chol.shape, dtype=bool)
    free[problem.parameters.chol_index] = True
    return lambda: density_integrals(mean[None, :], chol, free, nodes.nodes, nodes.constants)


def centred_report(rounds: int) -> None:
    calls: dict[str, Callable[[], object]] = {}
    for name, model in (("independent", INDEPENDENT), ("full covariance", FULL)):
        problem = electricity(model)
        theta = parameters(problem)
        grid = centre(problem, bm.centred(bm.sobol(64)), theta, 1)
        calls[f"{name}: nodes fixed in coefficient space, 1 core"] = on_cores(
            1, density_call(problem, theta, grid)
        )
        for cores in (1, CORES):
            plural = "s" if cores > 1 else ""
            calls[f"{name}: nodes fixed in standard normals, {cores} core{plural}"] = kernel(
                problem, theta, grid, cores
            )
    seconds = interleaved(calls, 10 * rounds)
    table(
        "One evaluation with gradient on 64 person-centred nodes",
        ["", "ms"],
        [(name, f"{value * 1e3:.3f}") for name, value in seconds.items()],
    )


def parameters(problem: Problem) -> np.ndarray:
    """The exact estimates; with a full covariance matrix, and small correlations."""
    names = problem.parameters.names
    return problem.parameters.theta({n: EXACT.get(n, 0.1) for n in names})


def main() -> None:
    asked = options(__doc__, "no-peers")
    rounds = 3 if asked.quick else 11
    problem = electricity()
    theta = parameters(problem)
    grid = bm.population_grid(bm.sobol(NODES), 6, problem.n_persons, 1)
    likelihood = Likelihood(problem, grid)
    floor, elements = floor_calls(problem)
    calls = {
        "kernel, 1 core": kernel(problem, theta, grid, 1),
        f"kernel, {CORES} cores": kernel(problem, theta, grid, CORES),
        "bayesmix": on_cores(CORES, lambda: likelihood.value_and_gradient(theta)),
        **floor,
    }
    python = None if asked.no_peers else peer_python("xlogit")
    if python is None:
        kernel_report(interleaved(calls, rounds), problem, elements)
    else:
        peer = Peer(python, "xlogit_work.py", NODES, "evaluation", json.dumps(list(theta)))
        seconds = interleaved({**calls, "xlogit": peer.work}, rounds)
        kernel_report(seconds, problem, elements)
        xlogit_report(seconds, likelihood.value_and_gradient(theta)[0], peer.work())
        peer.close()
    centred_report(rounds)


if __name__ == "__main__":
    main()
