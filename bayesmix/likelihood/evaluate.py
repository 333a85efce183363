"""Evaluations of the integrated likelihood of a problem on a grid, by small blocks of persons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.columns import first_few
from bayesmix.errors import IntegrationError
from bayesmix.kernels.integrals import integrate_parallel
from bayesmix.kernels.situation_scales import scale_scores
from bayesmix.likelihood.class_grid import class_grid
from bayesmix.likelihood.classes import over_classes
from bayesmix.likelihood.mixture import base_at, mixture_at, panel_at, row_scales
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Grid, Problem

SIGNED = "rules with negative weights cannot follow such persons; use centred(sobol(64))"
HUGE = "utilities are not finite; look for a mean or a standard deviation that is far too large"


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The integrated log-likelihood of a problem on a grid, as a function of the free vector.

    Persons are worked through in small blocks, whose nodes are made as they come: memory is that
    of a few numbers a person, and no number depends on the blocks. With ``keep`` nodes of some
    persons stay for the next evaluation, of all where they are few (see `Problem.stored`).
    """

    problem: Problem
    grid: Grid
    keep: bool = True

    @cached_property
    def _kept(self) -> dict[tuple[int, int], tuple[Array, Array]]:
        """Nodes and weights of blocks of persons that stay."""
        return {}

    @cached_property
    def _stored(self) -> int:
        return self.problem.stored(self.grid) if self.keep and not self.grid.shared else 0

    @cached_property
    def _classes(self) -> list[Likelihood]:
        """Of a model with latent classes, the likelihood within each."""
        within = self.problem.within
        assert within is not None
        number = self.problem.classes.classes
        return [Likelihood(within, class_grid(self.grid, c), self.keep) for c in range(number)]

    def release(self) -> None:
        """Drop the nodes that are kept; they are made again when they are asked for."""
        self._kept.clear()
        if "_classes" in self.__dict__:
            for own in self._classes:
                own.release()

    def _nodes(self, start: int, stop: int) -> tuple[Array, Array]:
        found = self._kept.get((start, stop))
        if found is None:
            found = self.grid.block(start, stop)
            if stop <= self._stored:
                self._kept[start, stop] = found
        return found

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Weighted log-likelihood in nats, and its gradient (P,); NaN where it does not exist."""
        logp, scores = self._evaluate(theta, 0, self.problem.n_persons)
        weights = self.problem.data.weights
        return float(weighted_sum(weights, logp)), weighted_sum(weights, scores)

    def by_person(
        self, theta: Array, start: int = 0, stop: int | None = None
    ) -> tuple[Array, Array]:
        """``log P_i`` (n,) and its scores (n, P) with respect to the free vector, unweighted.

        Of persons start .. stop - 1, by default of all.
        """
        return self._evaluate(theta, start, self.problem.n_persons if stop is None else stop)

    def _evaluate(self, theta: Array, start: int, stop: int) -> tuple[Array, Array]:
        logp, scores = np.empty(stop - start), np.empty((stop - start, len(theta)))
        for a, b in self.problem.blocks(self.grid, start, stop):
            here = slice(a - start, b - start)
            if self.problem.within is None:
                logp[here], scores[here] = self._block(theta, a, b)
            else:
                own = self.by_class(theta, a, b)
                logp[here], scores[here] = over_classes(self.problem, theta, *own, a, b)
        return logp, scores

    def _block(self, theta: Array, start: int, stop: int) -> tuple[Array, Array]:
        """`by_person` of a block.

        The chain rule of the graph of `log_integrals`, in NumPy: a graph around the kernel would
        cost a quarter of an evaluation on few nodes.
        """
        problem, space = self.problem, self.problem.parameters
        with_base = problem.x_fixed.shape[1] > 0
        mixture = mixture_at(problem, theta, *self._nodes(start, stop), start, stop)
        base, panel = base_at(problem, theta, start, stop), panel_at(problem, theta, start, stop)
        scale = row_scales(problem, theta, start, stop)
        logp, d_loc, d_chol, d_base = integrate_parallel(panel, base, mixture, with_base)
        last = d_loc.shape[1] - len(space.shapes)
        means = np.delete(d_loc, slice(space.n_random, last), axis=1)
        rest = d_loc[:, space.n_random : last]
        parts = [means[:, space.located], d_chol[:, *space.chol_index], rest]
        rows = problem.rows(start, stop)
        if with_base:
            slopes = d_base if scale is None else d_base * scale
            products = problem.x_fixed[rows] * slopes[:, None]
            first_rows = panel.situation_start[panel.person_start[:-1]]
            parts.append(np.add.reduceat(products, first_rows, axis=0))
        parts.append(means[:, space.shifted] * problem.z[start:stop])
        if scale is not None:
            linear = base if problem.offset is None else base - problem.offset[rows]
            d_scale = scale_scores(panel, base, linear, mixture)
            codes = problem.sources(start, stop)[:, None]
            by_source = d_scale[:, None] * (codes == 1 + np.arange(len(space.scales)))
            parts.append(np.add.reduceat(by_source, panel.person_start[:-1], axis=0))
        return logp, np.concatenate(parts, axis=1)

    def by_class(
        self, theta: Array, start: int = 0, stop: int | None = None
    ) -> tuple[list[Array], list[Array]]:
        """Within each latent class, ``log P_ic`` (n,) and its scores in the class's own vector."""
        thetas = self.problem.classes.class_thetas(theta)
        found = [
            own.by_person(t, start, stop) for own, t in zip(self._classes, thetas, strict=True)
        ]
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
