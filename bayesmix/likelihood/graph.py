"""One graph for all paths: parameters to the integrated log-likelihood, in PyTensor.

The marginal posterior is this graph with priors, the maximum simulated likelihood is this graph
without them: `Likelihood` evaluates it by the same kernel, and tests hold the two equal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode

from bayesmix.likelihood.density import CoefficientNodes
from bayesmix.likelihood.ops import ConditionalLogProb, DensityLogProb, IntegratedLogProb
from bayesmix.likelihood.problem import Chunk, Problem
from bayesmix.specification.parameters import ParameterSpace


# The graph around the kernel is a handful of small operations: where it is called a few hundred
# times, compiling them would not pay.
INTERPRETED = Mode(linker="py", optimizer="fast_compile")


def shared_chunk(chunk: Chunk) -> Chunk:
    """Arrays as shared variables: samplers compile the graph around them."""
    return Chunk(*(pytensor.shared(array, borrow=True) for array in chunk))


def free_parameters(theta: Any, space: ParameterSpace) -> tuple[Any, Any, Any, Any]:
    """``theta`` (P,) -> means (K,), Cholesky factor (K, K), fixed coefficients, shifts (M,)."""
    k, rows, columns = space.n_random, *space.chol_index
    m = len(space.located)
    mean, chol = theta[:m], pt.zeros((k, k))
    if k:
        chol = chol[rows, columns].set(theta[m : m + len(rows)])
    if m < k:
        mean = pt.zeros(k)[space.located].set(mean)
    linear = theta[m + len(rows) :]
    return mean, chol, linear[: len(space.fixed)], linear[len(space.fixed) :]


def locations(problem: Problem, mean: Any, shift: Any, z: Any = None) -> Any:
    """Means of the indices (n, K) of the persons of ``z`` (n, M), of all by default; or (1, K)."""
    space = problem.parameters
    if shift is None or not space.shifts:
        return mean[None, :]
    z = pt.constant(problem.z) if z is None else z
    where = np.zeros((len(space.shifts), space.n_random))
    where[np.arange(len(space.shifts)), space.shifted] = 1.0
    return mean[None, :] + (z * shift[None, :]) @ pt.constant(where)


def log_integrals(
    problem: Problem, chunk: Chunk, mean: Any, chol: Any, fixed: Any, shift: Any = None
) -> Any:
    """Log-probability (n,) of each person's choices, integrated over the grid of ``chunk``.

    ``log P_i = log sum_s w_is prod_t P(y_it | beta_is)`` with
    ``beta_is = link(mean + L u_is)``.

    Parameters
    ----------
    problem
        The model bound to data.
    chunk
        Symbolic arrays of the persons.
    mean, chol, fixed, shift
        Symbolic means (K,), Cholesky factor (K, K), fixed coefficients (F,), and shifts of the
        means by covariates of persons (M,).
    """
    with_base = problem.x_fixed.shape[1] > 0
    base = chunk.x_fixed @ fixed if with_base else pt.zeros(chunk.x.shape[0])
    loc = locations(problem, mean, shift, chunk.z)
    link = problem.link
    if problem.price >= 0:
        n_fixed = len(problem.parameters.fixed)
        loc = pt.concatenate([loc, pt.tile(fixed[None, :], (loc.shape[0], 1))], axis=1)
        chol = pt.concatenate([chol, pt.zeros((n_fixed, len(link)))])
        link = np.concatenate([link, np.zeros(n_fixed, dtype=np.int64)])
    op = IntegratedLogProb(problem.data.outside_option, with_base, problem.price)
    return op(
        loc,
        chol,
        base,
        chunk.x,
        chunk.person_start,
        chunk.situation_start,
        chunk.chosen_row,
        chunk.row_person,
        pt.constant(link),
        chunk.nodes,
        chunk.node_weights,
    )[0]


def density_log_integrals(
    problem: Problem, nodes: CoefficientNodes, mean: Any, chol: Any, shift: Any = None
) -> Any:
    """Log-probability (I,) of each person's choices, on nodes fixed in coefficient space.

    ``log P_i = log sum_s exp(c_is) N(b_is; mean, L L')``; right near the nodes' anchor.
    """
    size = problem.parameters.n_random
    free = np.zeros((size, size), dtype=bool)
    free[problem.parameters.chol_index] = True
    return DensityLogProb()(locations(problem, mean, shift), chol, pt.constant(free), *nodes)[0]


def conditional_log_probabilities(problem: Problem, indices: Any, fixed: Any) -> Any:
    """Log-probability (I,) of each person's choices given their indices (I, K)."""
    link = problem.link
    beta = indices
    if link.any():
        signed = pt.constant(np.where(link != 0, link, 1))
        exponent = pt.where(pt.constant(link != 0), indices, 0.0)
        beta = pt.where(pt.constant(link != 0), signed * pt.exp(exponent), indices)
    if problem.price >= 0:
        everyone = pt.tile(fixed[None, :], (problem.n_persons, 1))
        beta = pt.concatenate([beta, everyone], axis=1)
        price = beta[:, [problem.price]]
        is_price = np.arange(len(problem.x_names)) == problem.price
        beta = pt.where(pt.constant(is_price), beta, -price * beta)
    chunk = shared_chunk(
        problem.chunk(PointGrid(problem.parameters.n_random), 0, problem.n_persons)
    )
    with_base = problem.x_fixed.shape[1] > 0
    base = chunk.x_fixed @ fixed if with_base else pt.zeros(chunk.x.shape[0])
    return ConditionalLogProb(problem.data.outside_option)(beta, base, *chunk[:5])[0]


class PointGrid(NamedTuple):
    """One node of weight 1 at the origin: the integrals become plain probabilities."""

    dimension: int
    size: int = 1
    shared: bool = True

    def block(self, start: int, stop: int) -> tuple[Any, Any]:
        return np.zeros((1, self.dimension, 1)), np.ones((1, 1))
