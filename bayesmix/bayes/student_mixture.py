"""Mixtures of multivariate Student laws: what importance sampling draws from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from bayesmix.arrays import Array

STEPS = 15
"""Steps of expectation and maximisation: a proposal need not be at the last digit of a maximum."""

VAGUE = 0.3
"""Standard deviation of a logarithm from which its lower tail gets draws of its own."""
TAIL_SHARE, TAIL_STEPS = 0.2, 6
"""Share of the draws that are for such tails, and how far these go, in factors of e."""


@dataclass(frozen=True, eq=False)
class StudentMixture:
    """C components in Q dimensions.

    Parameters
    ----------
    shares, centres, roots
        (C,), (C, Q) and lower-triangular roots (C, Q, Q) of the scale matrices.
    df
        Degrees of freedom of all components.
    """

    shares: Array
    centres: Array
    roots: Array
    df: float

    @staticmethod
    def standard(size: int, df: float) -> StudentMixture:
        """One component at 0, whose scale matrix is the identity."""
        return StudentMixture(np.ones(1), np.zeros((1, size)), np.eye(size)[None], df)

    @staticmethod
    def matched(x: Array, weights: Array, df: float) -> StudentMixture:
        """One component with the weighted moments of ``x`` (N, Q); weights (N,) sum to 1."""
        mean, covariance = moments(x, weights)
        root = np.linalg.cholesky(covariance * (df - 2) / df)
        return StudentMixture(np.ones(1), mean[None], root[None], df)

    def with_tails(self, levels: Array) -> StudentMixture:
        """With a fifth of the draws along the lower tails of logarithms, ``levels @ x`` (n,).

        A scale of which little is known has a density that is flat near 0: that of its logarithm
        falls as ``e^t`` does. Components on a line through the mean, at steps of 1 in ``t``, with
        shares that fall so, are as good as that tail; all else moves as it does with ``t``.
        """
        mean = np.einsum("c,cq->q", self.shares, self.centres)
        away = self.centres - mean
        spread = np.einsum("c,cqr,cpr->qp", self.shares, self.roots, self.roots)
        spread *= self.df / (self.df - 2)
        spread += np.einsum("c,cq,cp->qp", self.shares, away, away)
        slopes = np.einsum("qp,np->nq", spread, levels)
        variances = np.einsum("nq,nq->n", slopes, levels)
        vague = np.flatnonzero(variances > VAGUE**2)
        if not len(vague):
            return self
        root = np.linalg.cholesky(spread * (self.df - 2) / self.df)
        steps = np.arange(1.0, TAIL_STEPS + 1)
        centres = [mean - steps[:, None] * slopes[n] / variances[n] for n in vague]
        shares = np.tile(np.exp(-steps), len(vague))
        tails = TAIL_SHARE * self.shares.sum() * shares / shares.sum()
        return StudentMixture(
            np.concatenate([(1 - TAIL_SHARE) * self.shares, tails]),
            np.concatenate([self.centres, *centres]),
            np.concatenate([self.roots, np.repeat(root[None], len(tails), axis=0)]),
            self.df,
        )

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draws (n, Q), component by component; their numbers are nearest to the shares."""
        ends = np.floor(np.cumsum(self.shares / self.shares.sum()) * n + rng.random()).astype(int)
        counts = np.diff(np.append(0, np.append(ends[:-1], n)))
        which = np.repeat(np.arange(len(counts)), counts)
        z = rng.standard_normal((n, self.centres.shape[1]))
        z /= np.sqrt(rng.chisquare(self.df, n) / self.df)[:, None]
        parts = [np.einsum("nq,pq->np", z[which == c], root) for c, root in enumerate(self.roots)]
        return self.centres[which] + np.concatenate(parts)

    def by_component(self, x: Array) -> tuple[Array, Array]:
        """Logarithms (N, C) of shares times densities, and squared distances (N, C)."""
        size, df = x.shape[1], self.df
        known = gammaln((df + size) / 2) - gammaln(df / 2) - size / 2 * math.log(df * math.pi)
        logs, squares = np.empty((2, len(x), len(self.shares)))
        for c, root in enumerate(self.roots):
            # Not by BLAS, whose last bits depend on threads.
            z = np.einsum("nq,pq->np", x - self.centres[c], np.linalg.inv(root))
            squares[:, c] = np.einsum("np,np->n", z, z)
            scale = known - np.log(np.diag(root)).sum() + math.log(self.shares[c])
            logs[:, c] = scale - (df + size) / 2 * np.log1p(squares[:, c] / df)
        return logs, squares

    def log_density(self, x: Array) -> Array:
        """Log-densities (N,) at ``x`` (N, Q)."""
        found: Array = np.logaddexp.reduce(self.by_component(x)[0], axis=1)
        return found


def moments(x: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted mean (Q,) and covariance (Q, Q) of ``x`` (N, Q).

    Covariances are shrunk by as much as so many draws know little of them.
    """
    mean = np.einsum("n,nq->q", weights, x)
    away = x - mean
    covariance = np.einsum("nq,np->qp", away * weights[:, None], away)
    shrink = x.shape[1] / (x.shape[1] + effective_size(weights))
    found: Array = (1 - shrink) * covariance + shrink * np.diag(np.diag(covariance))
    return mean, found


def effective_size(weights: Array) -> float:
    """``1 / sum w^2`` of weights (N,) that sum to 1 (Kong 1992).

    >>> effective_size(np.full(8, 1 / 8))
    8.0
    """
    return float(1.0 / (weights**2).sum())


def fitted(
    x: Array, weights: Array, components: int, df: float, rng: np.random.Generator
) -> StudentMixture:
    """The mixture of highest weighted likelihood from a start at some of ``x`` (N, Q).

    Expectation and maximisation with weights, as in population Monte Carlo (Cappé, Douc, Guillin,
    Marin and Robert 2008); of a Student law, draws far away count for less (Peel and McLachlan
    2000).
    """
    _, covariance = moments(x, weights)
    centres = _apart(x, weights, components, covariance, rng)
    root = np.linalg.cholesky(covariance)
    roots = np.repeat(root[None], components, axis=0)
    found = StudentMixture(np.full(components, 1 / components), centres, roots, df)
    for _ in range(STEPS):
        logs, squares = found.by_component(x)
        total = np.logaddexp.reduce(logs, axis=1)
        own = weights[:, None] * np.exp(logs - total[:, None])
        pull = own * (df + x.shape[1]) / (df + squares)
        shares = np.maximum(own.sum(axis=0), 1e-6)
        centres = np.einsum("nc,nq->cq", pull, x) / pull.sum(axis=0)[:, None]
        roots = np.empty_like(found.roots)
        for c in range(components):
            away = x - centres[c]
            scatter = np.einsum("nq,np->qp", away * pull[:, c : c + 1], away)
            # A component of few draws keeps the shape of all.
            know = own[:, c].sum() ** 2 / max((own[:, c] ** 2).sum(), 1e-300)
            prior = x.shape[1] / (x.shape[1] + know)
            scale = (1 - prior) * scatter / shares[c] + prior * covariance
            roots[c] = np.linalg.cholesky(scale)
        found = StudentMixture(shares / shares.sum(), centres, roots, df)
    return found


def _apart(
    x: Array, weights: Array, components: int, covariance: Array, rng: np.random.Generator
) -> Array:
    """Centres (C, Q) among ``x``, each drawn by its distance from those before."""
    z = np.linalg.solve(np.linalg.cholesky(covariance), x.T).T
    chosen = [int(rng.choice(len(x), p=weights))]
    while len(chosen) < components:
        nearest = np.min([((z - z[c]) ** 2).sum(axis=1) for c in chosen], axis=0)
        far = nearest * weights
        chosen.append(int(rng.choice(len(x), p=far / far.sum())))
    return x[chosen].copy()
