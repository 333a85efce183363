"""One graph for all paths: parameters to the integrated log-likelihood, in PyTensor.

The marginal posterior is this graph with priors, the maximum simulated likelihood is this graph
without them: `Likelihood` evaluates it by the same kernel, and tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from bayesmix.bayes.density_ops import DensityLogProb, LawTable
from bayesmix.bayes.ops import ConditionalLogProb, IntegratedLogProb
from bayesmix.bayes.scaled_ops import ScaledLogProb
from bayesmix.integration.grids import OneGrid
from bayesmix.kernels.coefficient_space import CoefficientNodes
from bayesmix.kernels.laws import functions_of, with_fixed
from bayesmix.likelihood.problem import Chunk, Problem
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.values import Parameters


def shared_chunk(chunk: Chunk) -> Chunk:
    """Arrays as shared variables: samplers compile the graph around them."""
    return Chunk(*(pytensor.shared(array, borrow=True) for array in chunk))


def mean_dimension(problem: Problem) -> str:
    """Dimension of ``mean``: all random coefficients, or those whose mean is not 0."""
    return "located" if problem.parameters.within.centred else "random"


def shared_nodes(nodes: CoefficientNodes) -> CoefficientNodes:
    """The same of nodes fixed in coefficient space."""
    return CoefficientNodes(*(pytensor.shared(array, borrow=True) for array in nodes))


def free_parameters(theta: Any, space: ParameterSpace) -> Parameters:
    """`ParameterSpace.unpack` of a variable ``theta`` (P,)."""
    k, rows, columns = space.n_random, *space.chol_index
    m = len(space.located)
    mean, chol = theta[:m], pt.zeros((k, k))
    if k:
        chol = chol[rows, columns].set(theta[m : m + len(rows)])
    if m < k + len(space.shapes):
        mean = pt.zeros(k + len(space.shapes))[space.located].set(mean)
    linear = theta[m + len(rows) :]
    fixed, end = len(space.fixed), len(space.fixed) + len(space.shifts)
    return Parameters(mean, chol, linear[:fixed], linear[fixed:end], linear[end:])


def locations(problem: Problem, parameters: Parameters, z: Any = None) -> Any:
    """Means of the indices (n, K) of the persons of ``z`` (n, M), of all by default; or (1, K)."""
    space, mean, shift = problem.parameters.within, parameters.mean, parameters.shift
    if not space.shifts:
        return mean[None, :]
    z = pt.constant(problem.z) if z is None else z
    where = np.zeros((len(space.shifts), space.n_random + len(space.shapes)))
    where[np.arange(len(space.shifts)), space.shifted] = 1.0
    return mean[None, :] + product(z * shift[None, :], pt.constant(where))


def product(a: Any, b: Any) -> Any:
    """``a @ b`` of a matrix with a vector or matrix, its sums and its gradients' in a fixed order.

    Those of BLAS depend, in their last bits, on the number of its threads, and with them chains.
    """
    if b.ndim == 1:
        return (a * b[None, :]).sum(axis=1)
    return (a[:, :, None] * b[None, :, :]).sum(axis=1)


def log_integrals(problem: Problem, chunk: Chunk, parameters: Parameters) -> Any:
    """Log-probability (n,) of each person's choices, integrated over the grid of ``chunk``.

    ``log P_i = log sum_s w_is prod_t P(y_it | beta_is)`` with
    ``beta_is = T(L u_is; mean, s)``, for normal laws ``mean + L u_is``.

    Parameters
    ----------
    problem
        The model bound to data.
    chunk
        Symbolic arrays of the persons.
    parameters
        Variables.
    """
    with_base = problem.x_fixed.shape[1] > 0
    loc, chol, fixed = locations(problem, parameters, chunk.z), parameters.chol, parameters.fixed
    laws = problem.laws
    if problem.price >= 0:
        n_fixed = len(problem.parameters.fixed)
        everyone, k = pt.tile(fixed[None, :], (loc.shape[0], 1)), len(laws)
        loc = pt.concatenate([loc[:, :k], everyone, loc[:, k:]], axis=1)
        chol = pt.concatenate([chol, pt.zeros((n_fixed, len(laws)))])
        laws = with_fixed(laws, n_fixed)
    panel = chunk[:5]
    grid = (pt.constant(laws), pt.constant(problem.known), chunk.nodes, chunk.node_weights)
    if problem.design.sources is not None:
        scaled = ScaledLogProb(problem.data.outside_option, problem.price, functions_of(laws))
        linear = _linear(problem, chunk, fixed)
        scales = _log_scales(chunk, parameters.log_scale)
        return scaled(loc, chol, linear, scales, chunk.offset, *panel, *grid)[0]
    op = IntegratedLogProb(
        problem.data.outside_option, with_base, problem.price, functions_of(laws)
    )
    return op(loc, chol, _base(problem, chunk, fixed), *panel, *grid)[0]


def on_halves(each: Sequence[Any]) -> Any:
    """Log-probabilities (n,) from those on a grid, or on its halves: `likelihood.halves`."""
    if len(each) == 1:
        return each[0]
    first, second = each
    tangent = pt.tanh((first - second) / 2)
    return pt.logaddexp(first, second) - np.log(2.0) + tangent**2 / 2


def _linear(problem: Problem, chunk: Chunk, fixed: Any) -> Any:
    """Utilities (R,) of the columns with coefficients that are the same everywhere."""
    if problem.x_fixed.shape[1] > 0:
        return product(chunk.x_fixed, fixed)
    return pt.zeros(chunk.x.shape[0])


def _base(problem: Problem, chunk: Chunk, fixed: Any) -> Any:
    """Utilities (R,) of what does not vary over nodes."""
    linear = _linear(problem, chunk, fixed)
    return linear if problem.offset is None else linear + chunk.offset


def _log_scales(chunk: Chunk, log_scale: Any) -> Any:
    """Logarithm (T,) of the scale of each situation's source; the first source's is 0."""
    return pt.concatenate([pt.zeros(1), log_scale])[chunk.source]


def density_log_integrals(problem: Problem, nodes: CoefficientNodes, parameters: Parameters) -> Any:
    """Log-probability (I,) of each person's choices, on nodes fixed in coefficient space.

    ``log P_i = log sum_s exp(c_is) N(b_is; mean, L L')``; right near the nodes' anchor.
    """
    size = problem.parameters.n_random
    free = np.zeros((size, size), dtype=bool)
    free[problem.parameters.within.chol_index] = True
    loc = locations(problem, parameters)
    return DensityLogProb()(loc, parameters.chol, pt.constant(free), *nodes)[0]


def conditional_log_probabilities(
    problem: Problem, deviations: Any, parameters: Parameters, x_fixed: Any = None
) -> Any:
    """Log-probability (I,) of each person's choices given their deviations ``d = L z`` (I, K).

    ``x_fixed`` (R, F) are columns with fixed coefficients, where these are variables.
    """
    loc, chol, fixed = locations(problem, parameters), parameters.chol, parameters.fixed
    beta = _coefficients(problem, deviations, loc, chol)
    if problem.price >= 0:
        everyone = pt.tile(fixed[None, :], (problem.n_persons, 1))
        beta = pt.concatenate([beta, everyone], axis=1)
        price = beta[:, [problem.price]]
        is_price = np.arange(len(problem.x_names)) == problem.price
        beta = pt.where(pt.constant(is_price), beta, -price * beta)
    chunk = shared_chunk(
        problem.chunk(PointGrid(problem.parameters.n_random), 0, problem.n_persons)
    )
    chunk = chunk if x_fixed is None else chunk._replace(x_fixed=x_fixed)
    if problem.design.sources is not None:
        # With the scale, all of the utility goes where any derivative by row is known.
        own = (chunk.x * beta[chunk.row_person]).sum(axis=1) + _linear(problem, chunk, fixed)
        scales = pt.exp(_log_scales(chunk, parameters.log_scale))[
            pt.constant(problem.data.row_situation)
        ]
        empty = chunk._replace(x=pt.zeros((chunk.x.shape[0], 0)))
        nobody = pt.zeros((problem.n_persons, 0))
        op = ConditionalLogProb(problem.data.outside_option)
        return op(nobody, scales * own + chunk.offset, *empty[:5])[0]
    base = _base(problem, chunk, fixed)
    return ConditionalLogProb(problem.data.outside_option)(beta, base, *chunk[:5])[0]


def _coefficients(problem: Problem, deviations: Any, loc: Any, chol: Any) -> Any:
    """Coefficients (I, K) with laws of their own."""
    laws = problem.laws
    if laws.any():
        scale = pt.sqrt((chol**2).sum(axis=1))
        table = LawTable(functions_of(laws))
        return table(deviations, loc, scale, pt.constant(laws), pt.constant(problem.known))[0]
    return loc + deviations


@dataclass(frozen=True)
class PointGrid(OneGrid):
    """One node of weight 1 at the origin: the integrals become plain probabilities."""

    dimension: int

    size = 1
    shared = True
    halves = ()

    def block(self, start: int, stop: int) -> tuple[Any, Any]:
        return np.zeros((1, self.dimension, 1)), np.ones((1, 1))

    def part(self, start: int, stop: int) -> PointGrid:
        return self
