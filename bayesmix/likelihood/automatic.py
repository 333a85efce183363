"""Which grid: the cheapest whose certificate meets a tolerance, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.integration.descriptions import Centred, GaussHermite, Rule
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.certificate import Certificate
from bayesmix.likelihood.problem import Problem

MOST_NODES = 8192
FIRST_NODES = 64
DEFENCE = 0.125
"""Share from the population where there are many nodes: a quarter of them wastes some."""
GROWTH = 8
"""Times as many nodes as before, at most: what a coarse grid says of its own error is coarse."""
PREDICTABLE = 512
"""Nodes a person whose certificate tells how far away the tolerance is."""
OUT_OF_REACH = 4.0
"""Times its size to which the tolerance of estimates is met where it is out of reach itself.

So many standard errors as that leave an optimum within a few hundredths of a nat of the best."""
FIRST_RULE = centred(sobol(FIRST_NODES))
QUADRATURE = {1: (15, 31, 63), 2: (9, 15, 25)}
"""Points a dimension of Gauss-Hermite products that are tried, by number of random coefficients."""


@dataclass(frozen=True)
class Tolerance:
    """Integration error that may remain.

    Parameters
    ----------
    estimates
        Of every estimate, in its standard errors.
    loglik
        Of the log-likelihood, nats per effective person: with person weights ``w_i`` the error of
        ``sum_i w_i log P_i`` is divided by ``sum w^2 / sum w`` before it is compared. That is the
        log-likelihood of weights that sum to the number of persons that tell as much without
        weights, ``(sum w)^2 / sum w^2`` (Kish 1965). Estimates and robust standard errors do not
        depend on the scale of weights; in these units neither do searches, grids nor words.

    References
    ----------
    Kish (1965), Survey Sampling, chapter 11.
    """

    estimates: float = 0.05
    loglik: float = 0.5


DEFAULT_TOLERANCE = Tolerance()


def first_rule(problem: Problem) -> tuple[Rule | Centred, str]:
    """The rule to try first, and why."""
    size = problem.parameters.n_random
    longest = int(np.diff(problem.data.person_start).max())
    if longest == 1 and size in QUADRATURE:
        rule = gauss_hermite(QUADRATURE[size][0])
        return rule, f"{rule}, for the integrands of a cross-section are smooth"
    return FIRST_RULE, _panel_reason(FIRST_NODES, "a quarter")


def next_rule(
    problem: Problem, rule: Rule | Centred, certificate: Certificate, tolerance: Tolerance
) -> tuple[Rule | Centred | None, str]:
    """The rule to try after one whose certificate failed, and why.

    None when there is none left, and what to say of the tolerance.
    """
    if isinstance(rule, GaussHermite):
        finer = [p for p in QUADRATURE[problem.parameters.n_random] if p > rule.per_dimension]
        if finer:
            return gauss_hermite(finer[0]), f"{gauss_hermite(finer[0])}: the fewest points that do"
        nodes = FIRST_NODES
    else:
        assert isinstance(rule, Centred)
        more, words = _more_nodes(rule.rule.nodes, certificate, tolerance)
        if more is None:
            return None, words
        nodes = more
    rule = centred(sobol(nodes), population=DEFENCE, moments=True)
    return rule, _panel_reason(nodes, "an eighth")


def _more_nodes(
    size: int, certificate: Certificate, tolerance: Tolerance
) -> tuple[int | None, str]:
    """Nodes a person after ``size`` of them; None, and why, where more are of no use."""
    if size >= MOST_NODES:
        return None, f"even with {MOST_NODES} nodes a person"
    wanted = nodes_needed(certificate, tolerance)
    if size >= PREDICTABLE and wanted > MOST_NODES:
        # Time is spent on what it can buy.
        wider = replace(tolerance, estimates=OUT_OF_REACH * tolerance.estimates)
        met = certificate.within(wider.loglik, wider.estimates)
        if met and _nodes_that_do(certificate, wider) <= size:
            return None, f"and would be with {MOST_NODES} nodes a person"
        wanted = nodes_needed(certificate, wider)
    return min(MOST_NODES, GROWTH * size, wanted), ""


def nodes_needed(certificate: Certificate, tolerance: Tolerance) -> int:
    """Nodes a person that should meet the tolerance, at least half as many again.

    The noise of an own-scramble Sobol rule falls like ``S^-0.8`` on these integrands; the largest
    of several shifts is some 2.5 times their noise.
    """
    wanted = _nodes_that_do(certificate, tolerance)
    return int(64 * np.ceil(max(wanted, 1.5 * certificate.nodes) / 64))


def _nodes_that_do(certificate: Certificate, tolerance: Tolerance) -> float:
    noise = 2.5 * float(np.nanmax(certificate.noise.to_numpy(), initial=0.0))
    spread = (abs(certificate.bias) + 2.0 * certificate.sd) / certificate.unit
    wanted = certificate.reference_nodes * (noise / tolerance.estimates) ** 1.25
    return max(wanted, certificate.nodes * (spread / tolerance.loglik) ** 1.25)


def _panel_reason(nodes: int, defence: str) -> str:
    return (
        f"{nodes} nodes a person, centred on their own likelihood, with {defence} from "
        "the population: the fewest tried that meet the tolerance"
    )
