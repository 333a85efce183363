"""Evaluations of the integrated likelihood of a problem on a grid, chunk by chunk of persons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmix.data.columns import first_few
from bayesmix.errors import IntegrationError
from bayesmix.likelihood.class_grid import class_grid
from bayesmix.likelihood.classes import over_classes
from bayesmix.likelihood.integrate import integrate_parallel
from bayesmix.likelihood.mixture import base_at, mixture_at, row_scales
from bayesmix.likelihood.problem import Chunk, Grid, Problem
from bayesmix.likelihood.scaled import scale_scores

Array = NDArray[np.float64]


SIGNED = "rules with negative weights cannot follow such persons; use centred(sobol(64))"
HUGE = "utilities are not finite; look for a mean or a standard deviation that is far too large"


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The integrated log-likelihood of a problem on a grid, as a function of the free vector.

    Chunks of persons are kept where they fit into one, and made anew at each evaluation where
    they do not: memory is bounded, each person's numbers are the same, and totals differ by the
    order of the additions alone.
    """

    problem: Problem
    grid: Grid

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        return self.problem.cuts(self.grid)

    @cached_property
    def _single(self) -> Chunk:
        return self.problem.chunk(self.grid, 0, self.problem.n_persons)

    @cached_property
    def _classes(self) -> list[Likelihood]:
        """Of a model with latent classes, the likelihood within each."""
        within = self.problem.within
        assert within is not None
        number = self.problem.classes.classes
        return [Likelihood(within, class_grid(self.grid, c)) for c in range(number)]

    def _chunks(self) -> Iterator[Chunk]:
        if len(self._cuts) == 1:
            yield self._single
        else:
            for start, stop in self._cuts:
                yield self.problem.chunk(self.grid, start, stop)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Weighted log-likelihood in nats, and its gradient (P,); NaN where it does not exist."""
        if self.problem.within is not None:
            weights, (logp, scores) = self.problem.data.weights, self.by_person(theta)
            return float(weights @ logp), weights @ scores
        total, gradient = 0.0, np.zeros(len(theta))
        for chunk, logp, scores in self._evaluations(theta):
            total += float(chunk.person_weights @ logp)
            gradient += chunk.person_weights @ scores
        return total, gradient

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,) and its scores (I, P) with respect to the free vector, unweighted."""
        if self.problem.within is not None:
            return over_classes(self.problem, theta, *self.by_class(theta))
        parts = [(logp, scores) for _, logp, scores in self._evaluations(theta)]
        logp, scores = zip(*parts, strict=True)
        return np.concatenate(logp), np.concatenate(scores)

    def _evaluations(self, theta: Array) -> Iterator[tuple[Chunk, Array, Array]]:
        """Chunks, with log-integrals and scores of their persons.

        The chain rule of the graph of `log_integrals`, in NumPy: a graph around the kernel would
        cost a quarter of an evaluation on few nodes.
        """
        space = self.problem.parameters
        with_base = self.problem.x_fixed.shape[1] > 0
        for (start, stop), chunk in zip(self._cuts, self._chunks(), strict=True):
            mixture = mixture_at(self.problem, theta, chunk.nodes, chunk.node_weights, start, stop)
            base = base_at(self.problem, theta, start, stop)
            scale = row_scales(self.problem, theta, start, stop)
            panel = self.problem.panel_of(chunk)
            if scale is not None:
                panel = panel._replace(x=panel.x * scale[:, None])
            logp, d_loc, d_chol, d_base = integrate_parallel(panel, base, mixture, with_base)
            means, rest = np.split(d_loc, [space.n_random], axis=1)
            parts = [means[:, space.located], d_chol[:, *space.chol_index], rest]
            if with_base:
                products = chunk.x_fixed * (d_base if scale is None else d_base * scale)[:, None]
                first_rows = chunk.situation_start[chunk.person_start[:-1]]
                parts.append(np.add.reduceat(products, first_rows, axis=0))
            parts.append(means[:, space.shifted] * chunk.z)
            if scale is not None:
                d_scale = scale_scores(panel, base, base - chunk.offset, mixture)
                by_source = d_scale[:, None] * (
                    chunk.source[:, None] == 1 + np.arange(len(space.scales))
                )
                parts.append(np.add.reduceat(by_source, chunk.person_start[:-1], axis=0))
            yield chunk, logp, np.concatenate(parts, axis=1)

    def by_class(self, theta: Array) -> tuple[list[Array], list[Array]]:
        """Within each latent class, ``log P_ic`` (I,) and its scores in the class's own vector."""
        thetas = self.problem.classes.class_thetas(theta)
        found = [own.by_person(t) for own, t in zip(self._classes, thetas, strict=True)]
        return [logp for logp, _ in found], [scores for _, scores in found]

    def check(self, theta: Array) -> tuple[Array, Array]:
        """Refuse a grid whose integrals are not positive; what it saw is that of `by_person`.

        Raises
        ------
        IntegrationError
            If some person's integral is zero, negative or not a number.
        """
        logp, scores = self.by_person(theta)
        bad = np.flatnonzero(~np.isfinite(logp))
        if len(bad):
            persons = first_few(self.problem.data.persons[bad])
            cause = SIGNED if (self.grid.block(0, 1)[1] < 0).any() else HUGE
            raise IntegrationError(
                f"the integrated probability of the choices of {len(bad)} of {len(logp)} persons "
                f"is not positive on {self.grid} (persons {persons}): {cause}"
            )
        return logp, scores
