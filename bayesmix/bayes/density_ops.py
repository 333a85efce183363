"""PyTensor Ops that run no choice model: laws at normals, and nodes in coefficient space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayesmix.bayes.ops import VERSION, everybodys, only_first
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import law_table
from bayesmix.likelihood.chain import factor_cotangent, location_cotangent


class LawTable(Op):
    """Coefficients of persons (n, K) from normals, where not all are their indices.

    Inputs: ``d`` (n, K), ``loc`` (1 or n, K + E), ``scale`` (K,), then the laws and what they know.
    The output (4 + E, n, K) holds the coefficients, and their derivatives by the first three
    inputs, see `bayesmix.kernels.laws.law_table`.
    """

    __props__ = ("functions",)

    def __init__(self, functions: tuple[int, ...] = ()) -> None:
        self.functions = functions

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, [pt.as_tensor_variable(v) for v in inputs], [pt.dtensor3()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        ready(self.functions)
        d, loc, scale, laws, known = (np.ascontiguousarray(v) for v in inputs)
        outputs[0][0] = law_table(laws, known, d, loc, scale)

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        # Only the coefficients are used further: the derivatives have no cotangent.
        cotangent, table = cotangents[0][0], outputs[0]
        of_shapes = (cotangent[None] * table[4:]).sum(axis=2).T
        d_loc = pt.concatenate([cotangent * table[2], of_shapes], axis=1)
        if inputs[1].type.broadcastable[0]:
            d_loc = d_loc.sum(axis=0, keepdims=True)
        d_scale = (cotangent * table[3]).sum(axis=0)
        return [cotangent * table[1], d_loc, d_scale, *(DisconnectedType()() for _ in range(2))]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 3] for k in range(len(node.inputs))]


@register_funcify_default_op_cache_key(LawTable)
def _compiled_laws(op: LawTable, **kwargs: Any) -> Any:
    ready(op.functions)

    @numba_njit
    def table(d: Any, loc: Any, scale: Any, laws: Any, known: Any) -> Any:
        return law_table(
            np.ascontiguousarray(laws),
            np.ascontiguousarray(known),
            np.ascontiguousarray(d),
            np.ascontiguousarray(loc),
            np.ascontiguousarray(scale),
        )

    return table, VERSION


class DensityLogProb(Op):
    """``log P_i`` (n,) on nodes fixed in coefficient space; only the density moves.

    Inputs: ``loc`` (1 or n, K), ``chol`` (K, K), ``free`` (K, K), ``nodes`` (n, K, S),
    ``constants`` (n, S).
    """

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        variables = [pt.as_tensor_variable(v) for v in inputs]
        return Apply(self, variables, [pt.dvector(), pt.dmatrix(), pt.dtensor3()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        results = density_integrals(*(np.ascontiguousarray(v) for v in inputs))
        for storage, value in zip(outputs, results, strict=True):
            storage[0] = value

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        cotangent = only_first(cotangents)
        return [
            location_cotangent(cotangent, outputs[1], shared=everybodys(inputs[0])),
            factor_cotangent(cotangent, outputs[2]),
            *(DisconnectedType()() for _ in inputs[2:]),
        ]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 2] * 3 for k in range(len(node.inputs))]


@register_funcify_default_op_cache_key(DensityLogProb)
def _compiled_density(op: DensityLogProb, **kwargs: Any) -> Any:
    @numba_njit
    def density(loc: Any, chol: Any, free: Any, nodes: Any, constants: Any) -> Any:
        return density_integrals(
            np.ascontiguousarray(loc),
            np.ascontiguousarray(chol),
            np.ascontiguousarray(free),
            np.ascontiguousarray(nodes),
            np.ascontiguousarray(constants),
        )

    return density, VERSION
