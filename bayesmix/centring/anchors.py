"""Where each person's nodes are centred, and how normal the person's posterior is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.arrays import Array

FAR, PERSONS = 1.5, 0.9
"""Where a tenth of the persons have posteriors that diverge by so much, no nodes follow them."""


@dataclass(frozen=True, eq=False)
class Anchors:
    """Normal components of each person's mixture, in the space of standard normals.

    Parameters
    ----------
    theta
        The free vector (P,) at which they were placed.
    centres
        Centres (I, M, K) of M components a person (1, or 2 with moments).
    roots
        Lower-triangular square roots (I, M, K, K) of their covariances, without inflation.
    normal
        From 0 to 1, how normal the posteriors are (I,), see `normality`; 1 with one component.
    """

    theta: Array
    centres: Array
    roots: Array
    normal: Array

    def part(self, start: int, stop: int) -> Anchors:
        """Those of persons start .. stop - 1."""
        return replace(
            self,
            centres=self.centres[start:stop],
            roots=self.roots[start:stop],
            normal=self.normal[start:stop],
        )


def divergence(centres: Array, roots: Array) -> Array:
    """Of each person (n,), how far the second component's normal is from the first's.

    With components' centres (n, 2, K) and roots (n, 2, K, K): the divergence D of the one normal
    from the other (Kullback and Leibler 1951).
    """
    mode = roots[:, 0]
    relative = np.linalg.solve(mode, roots[:, 1])
    gap = np.linalg.solve(mode, (centres[:, 1] - centres[:, 0])[..., None])[..., 0]
    squares = (relative**2).sum(axis=(1, 2)) - roots.shape[-1] + (gap**2).sum(axis=1)
    logs = np.log(np.abs(np.diagonal(relative, axis1=1, axis2=2))).sum(axis=1)
    found: Array = np.maximum(squares / 2 - logs, 0.0)
    return found


def normality(divergences: Array) -> Array:
    """How normal posteriors (I,) are, from `divergence`: ``exp(-D)``.

    The less a posterior's moments agree with the normal at its mode, the less normal it is, and 0
    for everybody where posteriors are far from normal, as coefficients in the hundreds make them.
    """
    near = len(divergences) > 0 and np.quantile(divergences, PERSONS) < FAR
    return np.exp(-divergences) if near else np.zeros_like(divergences)
