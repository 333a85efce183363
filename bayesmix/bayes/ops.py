"""PyTensor Ops around the compiled integrals: stateless, with hand-written pullbacks.

The kernels return value and derivatives together; the pullback only scales the derivatives. In
compiled PyTensor code (samplers) they run serially on the sampler's thread, otherwise with threads
over persons.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayesmix.kernels.compiling import kernels_digest
from bayesmix.kernels.given_coefficients import conditional_log_probabilities
from bayesmix.kernels.integrals import integrate, integrate_serial
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import law_tables
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood.chain import factor_cotangent, location_cotangent, row_cotangent

HERE = Path(__file__)
OTHERS = ("density_ops.py", "scaled_ops.py")
VERSION = int(kernels_digest(HERE, *(HERE.with_name(name) for name in OTHERS)), 16)
"""Changes with any kernel and with these Ops: PyTensor keeps compiled graphs by it."""


def everybodys(loc: Variable) -> bool:
    """Whether locations (1, C) are those of all persons."""
    return bool(loc.type.broadcastable[0])


def only_first(cotangents: Sequence[Variable]) -> Any:
    """The cotangent of an Op's value; of its derivatives, further outputs, there is none."""
    if any(not isinstance(c.type, DisconnectedType) for c in cotangents[1:]):
        raise NotImplementedError(
            "no second derivatives of an integrated likelihood: use differences"
        )
    return cotangents[0]


def as_panel(x: Any, persons: Any, situations: Any, chosen: Any, outside: bool) -> Panel:
    """A panel of an Op's inputs."""
    return Panel(
        np.ascontiguousarray(x),
        np.ascontiguousarray(persons),
        np.ascontiguousarray(situations),
        np.ascontiguousarray(chosen),
        outside,
    )


def as_mixture(loc: Any, chol: Any, given: Any, price: int) -> Mixture:
    """A mixture of an Op's inputs; ``given`` are laws, what they know, nodes and weights."""
    locs, factor = np.ascontiguousarray(loc), np.ascontiguousarray(chol)
    laws, known = np.ascontiguousarray(given[0]), np.ascontiguousarray(given[1])
    return Mixture(
        locs,
        factor,
        laws,
        np.ascontiguousarray(given[2]),
        np.ascontiguousarray(given[3]),
        price,
        known,
        law_tables(laws, known, locs, factor),
    )


compiled_panel, compiled_mixture = numba_njit(as_panel), numba_njit(as_mixture)


class IntegratedLogProb(Op):
    """``log P_i`` (n,) on nodes in the space of standard normals; the kernel runs every time.

    Inputs: ``loc`` (1 or n, C), ``chol`` (C, K), ``base`` (R,), then the arrays of a panel and its
    grid; C is K but in WTP space. Further outputs are the derivatives with respect to the first
    three inputs, by person (by row for ``base``).
    """

    __props__ = ("outside", "with_base", "price", "functions")

    def __init__(
        self, outside: bool, with_base: bool, price: int = -1, functions: tuple[int, ...] = ()
    ) -> None:
        self.outside = outside
        self.with_base = with_base
        self.price = price
        self.functions = functions

    def make_node(self, *inputs: Any) -> Apply:
        variables = [pt.as_tensor_variable(v) for v in inputs]
        outputs = [pt.dvector(), pt.dmatrix(), pt.dtensor3(), pt.dvector()]
        return Apply(self, variables, outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        ready(self.functions)
        loc, chol, base, x, persons, situations, chosen, _, *given = inputs
        panel = as_panel(x, persons, situations, chosen, self.outside)
        mixture = as_mixture(loc, chol, given, self.price)
        results = integrate(panel, np.ascontiguousarray(base), mixture, self.with_base)
        for storage, value in zip(outputs, results, strict=True):
            storage[0] = value

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        cotangent = only_first(cotangents)
        _, d_loc, d_chol, d_base = outputs
        row_person = inputs[7]
        d_base = (
            row_cotangent(cotangent, d_base, row_person)
            if self.with_base
            else inputs[2].zeros_like()
        )
        return [
            location_cotangent(cotangent, d_loc, shared=everybodys(inputs[0])),
            factor_cotangent(cotangent, d_chol),
            d_base,
            *(DisconnectedType()() for _ in inputs[3:]),
        ]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 3] * 4 for k in range(len(node.inputs))]


@register_funcify_default_op_cache_key(IntegratedLogProb)
def _compiled_integrals(op: IntegratedLogProb, **kwargs: Any) -> Any:
    outside, with_base, price = op.outside, op.with_base, op.price
    ready(op.functions)

    @numba_njit
    def integrals(*inputs: Any) -> Any:
        loc, chol, base, x, persons, situations, chosen, _, laws, known, nodes, weights = inputs
        panel = compiled_panel(x, persons, situations, chosen, outside)
        mixture = compiled_mixture(loc, chol, (laws, known, nodes, weights), price)
        return integrate_serial(panel, np.ascontiguousarray(base), mixture, with_base)

    return integrals, VERSION


class ConditionalLogProb(Op):
    """``log P(y_i | beta_i)`` (n,), nothing integrated.

    Inputs: ``beta`` (n, K), ``base`` (R,), then the arrays of a panel. Further outputs are the
    derivatives with respect to the first two inputs.
    """

    __props__ = ("outside",)

    def __init__(self, outside: bool) -> None:
        self.outside = outside

    def make_node(self, *inputs: Any) -> Apply:
        variables = [pt.as_tensor_variable(v) for v in inputs]
        return Apply(self, variables, [pt.dvector(), pt.dmatrix(), pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        beta, base, x, persons, situations, chosen, _ = inputs
        panel = as_panel(x, persons, situations, chosen, self.outside)
        results = conditional_log_probabilities(
            panel, np.ascontiguousarray(base), np.ascontiguousarray(beta)
        )
        for storage, value in zip(outputs, results, strict=True):
            storage[0] = value

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        cotangent = only_first(cotangents)
        return [
            cotangent[:, None] * outputs[1],
            row_cotangent(cotangent, outputs[2], inputs[6]),
            *(DisconnectedType()() for _ in inputs[2:]),
        ]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 2] * 3 for k in range(len(node.inputs))]


@register_funcify_default_op_cache_key(ConditionalLogProb)
def _compiled_conditional(op: ConditionalLogProb, **kwargs: Any) -> Any:
    outside = op.outside

    @numba_njit
    def conditional(*inputs: Any) -> Any:
        beta, base, x, persons, situations, chosen, _ = inputs
        panel = compiled_panel(x, persons, situations, chosen, outside)
        return conditional_log_probabilities(
            panel, np.ascontiguousarray(base), np.ascontiguousarray(beta)
        )

    return conditional, VERSION
