"""The PyTensor Op of integrals where every situation has a scale; see `bayesmix.bayes.ops`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayesmix.bayes.ops import (
    VERSION,
    as_mixture,
    as_panel,
    compiled_mixture,
    compiled_panel,
    everybodys,
    only_first,
)
from bayesmix.kernels.integrals import integrate, integrate_serial
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.situation_scales import scale_scores, scale_scores_serial
from bayesmix.likelihood.chain import factor_cotangent, location_cotangent, row_cotangent


class ScaledLogProb(Op):
    """``log P_i`` (n,) with utilities ``exp(log_scale_t) (base + x' beta) + offset``.

    Inputs: ``loc`` (1 or n, C), ``chol`` (C, K), ``base`` (R,), ``log_scale`` (T,), ``offset``
    (R,), then the arrays of a panel and its grid. Further outputs are the derivatives with respect
    to the first four inputs, by person, row and situation.
    """

    __props__ = ("outside", "price", "functions")

    def __init__(self, outside: bool, price: int = -1, functions: tuple[int, ...] = ()) -> None:
        self.outside = outside
        self.price = price
        self.functions = functions

    def make_node(self, *inputs: Any) -> Apply:
        variables = [pt.as_tensor_variable(v) for v in inputs]
        outputs = [pt.dvector(), pt.dmatrix(), pt.dtensor3(), pt.dvector(), pt.dvector()]
        return Apply(self, variables, outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        ready(self.functions)
        loc, chol, base, log_scale, offset, x, persons, situations, chosen, _, *given = inputs
        scale = np.repeat(np.exp(log_scale), np.diff(situations))
        panel = as_panel(x * scale[:, None], persons, situations, chosen, self.outside)
        mixture = as_mixture(loc, chol, given, self.price)
        linear = base * scale
        logp, d_loc, d_chol, d_base = integrate(panel, linear + offset, mixture, True)
        d_scale = scale_scores(panel, linear + offset, linear, mixture)
        for storage, value in zip(
            outputs, (logp, d_loc, d_chol, d_base * scale, d_scale), strict=True
        ):
            storage[0] = value

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        cotangent = only_first(cotangents)
        _, d_loc, d_chol, d_base, d_scale = outputs
        row_person, first_row = inputs[9], inputs[7][:-1]
        return [
            location_cotangent(cotangent, d_loc, shared=everybodys(inputs[0])),
            factor_cotangent(cotangent, d_chol),
            row_cotangent(cotangent, d_base, row_person),
            row_cotangent(cotangent, d_scale, row_person[first_row]),
            *(DisconnectedType()() for _ in inputs[4:]),
        ]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 4] * 5 for k in range(len(node.inputs))]


@register_funcify_default_op_cache_key(ScaledLogProb)
def _compiled(op: ScaledLogProb, **kwargs: Any) -> Any:
    outside, price = op.outside, op.price
    ready(op.functions)

    @numba_njit
    def integrals(*inputs: Any) -> Any:
        loc, chol, base, log_scale, offset, x, persons, situations, chosen = inputs[:9]
        scaled, linear = np.empty(x.shape), np.empty(base.shape[0])
        scale = np.empty(base.shape[0])
        for t in range(log_scale.shape[0]):
            for row in range(situations[t], situations[t + 1]):
                scale[row] = np.exp(log_scale[t])
                linear[row] = base[row] * scale[row]
                for k in range(x.shape[1]):
                    scaled[row, k] = x[row, k] * scale[row]
        panel = compiled_panel(scaled, persons, situations, chosen, outside)
        mixture = compiled_mixture(loc, chol, inputs[10:], price)
        whole = linear + offset
        logp, d_loc, d_chol, d_base = integrate_serial(panel, whole, mixture, True)
        d_scale = scale_scores_serial(panel, whole, linear, mixture)
        return logp, d_loc, d_chol, d_base * scale, d_scale

    return integrals, VERSION
