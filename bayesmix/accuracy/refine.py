"""Which grid: the cheapest whose certificate meets a tolerance, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.integration.descriptions import Centred, DrawRule, Rule
from bayesmix.integration.rules import centred, gauss_hermite, sobol, trapezoid
from bayesmix.likelihood.problem import Problem

MOST_NODES = 8192
FIRST_NODES = 64
DEFENCE = 0.125
"""Share from the population where there are many nodes: a quarter of them wastes some."""
GROWTH = 8
"""Times as many nodes as before in a panel, at most: what a coarse grid says of its own error is
coarse there, and where it ends on nodes that it has climbed on."""
GROSS = 5.0
"""Times the tolerance that such an error is at least."""
CLIMBED = 2.5
"""Nats per effective person too much that only a search leaves which has climbed on its nodes."""
PREDICTABLE = 512
"""Nodes a person whose certificate tells how far away the tolerance is."""
OUT_OF_REACH = 4.0
"""Times its size to which the tolerance of estimates is met where it is out of reach itself.

So many standard errors as that leave an optimum within a few hundredths of a nat of the best."""
ENOUGH_NODES = 4096
"""Nodes a person at least of the last grid where the tolerance is out of reach."""
KINKED_NODES = 512
"""Nodes a person of the first rule where coefficients are censored: with few of them a search ends
on a kink, too far from an optimum to be one."""
ROOT_NODES = 128
"""Nodes a person of the first rule on which scores of posteriors are looked at: their noise is a
third of the others' or less."""
ROOT_WORK, MOST_ROOT_NODES = 2**20, 2048
"""Persons times nodes, and nodes, of the next, as many as take no time: the log-likelihood, whose
noise is as before, is known to 0.11 nats with them on the electricity data, to 0.31 with half."""
FIRST_RULE = centred(sobol(FIRST_NODES))
MANY_PERSONS = 1000
"""Persons from whom on nodes are halved: the bias, the same for everybody, grows with their number,
its noise with the root of it, and halves of nodes, which know the bias, have some more noise."""
POINTS = {1: (64, 128, 256, 512), 2: (24, 48, 96)}
"""Points a dimension of the trapezoidal products that are tried on cross-sections, by number of
random coefficients: with 64 of them single choices on the Swissmetro data are exact to 0.01 nats,
and standard errors to 3 %; with 192, to 0.01 %."""
CENTRED_POINTS = {1: (15, 31, 63), 2: (9, 15, 25), 3: (5, 9, 13)}
"""The same of Gauss-Hermite products centred on persons, for panels and in three dimensions."""
MOST_WORK = 5e7
"""Persons times nodes of a quadrature that is still tried: seconds an evaluation."""
SKEWED_POINTS = {1: (256,), 2: (64, 128)}
"""And of the trapezoidal products that come next: no normal fits the posterior of a wide lognormal
coefficient in a panel, and equally spaced nodes do not need one."""

SINGLE_POINTS = {3: (16, 24)}
"""The same of single choices with three random coefficients. With 16 of them, 4,096 nodes a person,
three normals and a lognormal among two are exact to 0.01 nats and standard errors to 0.2 %, in the
time of draws that meet the tolerance and cannot say how far their standard errors are off."""


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
        depend on the scale of weights; in these units neither do searches, grids nor words. Of more
        than 1,000 effective persons, times the square root of their number in thousands: the
        standard deviation of a log-likelihood over samples grows so, and its integration error is
        to remain as small a part of it.
    std_errors
        Of every standard error, as a part of it, wherever the certificate knows it: against a finer
        quadrature, or between independent scramblings of draws. Not where the curvature is noise.

    References
    ----------
    Kish (1965), Survey Sampling, chapter 11.

    Examples
    --------
    >>> Tolerance(loglik=0.1)
    Tolerance(estimates=0.05, loglik=0.1, std_errors=0.02)
    """

    estimates: float = 0.05
    loglik: float = 0.5
    std_errors: float = 0.02

    def __post_init__(self) -> None:
        arguments.real("estimates", self.estimates, above=0)
        arguments.real("loglik", self.loglik, above=0)
        arguments.real("std_errors", self.std_errors, above=0)

    def met_by(self, certificate: Certificate) -> bool:
        """Whether all errors that the certificate knows are within."""
        unknown = np.isnan(certificate.std_error)
        return certificate.within(
            self.loglik, self.estimates, np.inf if unknown else self.std_errors
        )


DEFAULT_TOLERANCE = Tolerance()


def first_rule(problem: Problem) -> tuple[Rule | Centred, str]:
    """The rule to try first, and why."""
    ladder = _ladder(problem)
    if ladder:
        return ladder[0], _quadrature_reason(ladder[0])
    nodes = KINKED_NODES if problem.kinked else FIRST_NODES
    return centred(sobol(nodes), halves=_many(problem)), _panel_reason(nodes, "a quarter")


def posterior_rules(problem: Problem) -> tuple[list[Centred], str]:
    """Rules on which a root of posteriors' scores is looked for in turn, and why on the last."""
    most = 64 * (ROOT_WORK // (64 * problem.n_persons))
    each = [ROOT_NODES, *({min(most, MOST_ROOT_NODES, MOST_NODES)} if most > ROOT_NODES else ())]
    rules = [
        centred(sobol(nodes), population=DEFENCE, moments=True, halves=_many(problem))
        for nodes in each
    ]
    reason = (
        f"{each[-1]} nodes a person, centred on their own likelihood, with an eighth from the "
        "population: as many as take little time, and the tolerance is met"
    )
    return rules, reason


def _many(problem: Problem) -> bool:
    return problem.n_persons >= MANY_PERSONS


def _ladder(problem: Problem) -> list[Rule | Centred]:
    """Quadratures to be tried in turn, before draws.

    None where coefficients are censored: nodes that all persons share have their kinks at the same
    parameters, on which searches stop, and no normal fits a posterior whose likelihood is level
    beyond a bound.
    """
    size = problem.parameters.n_random
    if problem.kinked:
        return []
    longest = int(np.diff(problem.data.person_start).max())
    if longest == 1 and size in POINTS:
        return [trapezoid(points) for points in _affordable(problem, POINTS)]
    if not problem.normal_posteriors:
        return []
    normal = [centred(gauss_hermite(points)) for points in _affordable(problem, CENTRED_POINTS)]
    skewed = SINGLE_POINTS if longest == 1 else SKEWED_POINTS
    return [*normal, *(trapezoid(points) for points in _affordable(problem, skewed))]


def _affordable(problem: Problem, points: Mapping[int, tuple[int, ...]]) -> list[int]:
    """Points a dimension of the products that are not too dear for so many persons."""
    size, most = problem.parameters.n_random, MOST_WORK / problem.n_persons
    return [number for number in points.get(size, ()) if number**size <= most]


def next_rule(
    problem: Problem, rule: Rule | Centred, certificate: Certificate, tolerance: Tolerance
) -> tuple[Rule | Centred | None, str]:
    """The rule to try after one whose certificate failed, and why.

    None when there is none left, and what to say of the tolerance.
    """
    ladder = _ladder(problem)
    if rule in ladder:
        finer = ladder[ladder.index(rule) + 1 :]
        if problem.parameters.n_random == max(SINGLE_POINTS) and not certificate.worst:
            # What is not identified has parameters without end: no time for large products.
            finer = [one for one in finer if isinstance(one, Centred)]
        if finer:
            return finer[0], _quadrature_reason(finer[0])
        if certificate.within(tolerance.loglik, tolerance.estimates):
            return None, f"even with {certificate.nodes} nodes a person"  # draws would not know
        # The reference was made of such draws: its noise tells how many of them do.
        wanted = 64 * int(np.ceil(_nodes_that_do(certificate, tolerance) / 64))
        nodes = min(MOST_NODES, max(FIRST_NODES, wanted))
    else:
        assert isinstance(rule, Centred)
        assert isinstance(rule.rule, DrawRule)
        unmet = _not_for_nodes(certificate, tolerance)
        if unmet:
            return None, unmet
        single = int(np.diff(problem.data.person_start).max()) == 1
        growth = GROWTH if gross(certificate, tolerance) and not single else MOST_NODES
        more, words = _more_nodes(rule.rule.nodes, certificate, tolerance, growth)
        if more is None:
            return None, words
        nodes = more
    rule = centred(sobol(nodes), population=DEFENCE, moments=True, halves=_many(problem))
    return rule, _panel_reason(nodes, "an eighth")


def _not_for_nodes(certificate: Certificate, tolerance: Tolerance) -> str:
    """Why more draws do not help, where they do not; "" elsewhere.

    Standard errors of draws are taken from as many nodes as they need, whatever the grid's.
    """
    known = certificate.within(tolerance.loglik, tolerance.estimates)
    if known and certificate.std_error > tolerance.std_errors:
        return f"of standard errors, with {certificate.nodes} nodes a person"
    unknown = len(certificate.shift) and not certificate.worst
    if unknown and certificate.within(tolerance.loglik, np.inf):
        return "of estimates as far as it is known, for there are no standard errors"
    return ""


def gross(certificate: Certificate, tolerance: Tolerance) -> bool:
    """Whether an error is so large that the certificate itself is coarse."""
    return abs(certificate.error) > GROSS * tolerance.loglik * certificate.nats


def climbed(certificate: Certificate) -> bool:
    """Whether a log-likelihood is so much too high that its search has climbed on the nodes."""
    return certificate.error > CLIMBED * certificate.nats


def _more_nodes(
    size: int, certificate: Certificate, tolerance: Tolerance, growth: int
) -> tuple[int | None, str]:
    """Nodes a person after ``size`` of them; None, and why, where more are of no use."""
    if size >= MOST_NODES:
        return None, f"even with {MOST_NODES} nodes a person"
    wanted = nodes_needed(certificate, tolerance)
    if size >= PREDICTABLE and wanted > MOST_NODES:
        # Time is spent on what it can buy.
        wider = replace(tolerance, estimates=OUT_OF_REACH * tolerance.estimates)
        met = certificate.within(wider.loglik, wider.estimates)
        if size >= ENOUGH_NODES and met and _nodes_that_do(certificate, wider) <= size:
            return None, f"and would be with {MOST_NODES} nodes a person"
        wanted = max(ENOUGH_NODES, nodes_needed(certificate, wider))
    return min(MOST_NODES, growth * size, wanted), ""


def nodes_needed(certificate: Certificate, tolerance: Tolerance) -> int:
    """Nodes a person that should meet the tolerance, at least half as many again.

    The noise of an own-scramble Sobol rule falls like ``S^-0.8`` on these integrands; the largest
    of several shifts is some 2.5 times their noise.
    """
    wanted = _nodes_that_do(certificate, tolerance)
    return int(64 * np.ceil(max(wanted, 1.5 * certificate.nodes) / 64))


def _nodes_that_do(certificate: Certificate, tolerance: Tolerance) -> float:
    noise = 2.5 * float(np.nanmax(certificate.noise.to_numpy(), initial=0.0))
    spread = (abs(certificate.bias) + 2.0 * certificate.sd) / certificate.nats
    wanted = certificate.reference_nodes * (noise / tolerance.estimates) ** 1.25
    if np.isnan(spread):  # of quadratures, which have no chance in them
        return wanted
    return max(wanted, certificate.nodes * (spread / tolerance.loglik) ** 1.25)


def _quadrature_reason(rule: Rule | Centred) -> str:
    if isinstance(rule, Centred):
        return f"{rule}: quadrature centred on persons, the fewest points tried that do"
    return f"{rule}: equally spaced nodes, the fewest tried that do"


def _panel_reason(nodes: int, defence: str) -> str:
    return (
        f"{nodes} nodes a person, centred on their own likelihood, with {defence} from "
        "the population: the fewest tried that meet the tolerance"
    )
