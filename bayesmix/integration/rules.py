"""Integration rules, as users ask for them: a description without dimension or people.

A description prints as the call that makes it (`sobol(64)`). `population_grid` turns it into the
grid of a model and its people.
"""

from collections.abc import Callable

from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import (
    MLHS,
    Centred,
    DrawRule,
    Halton,
    MonteCarlo,
    PlainHalton,
    Product,
    Rule,
    Sobol,
)
from bayesmix.integration.quadrature_rules import gauss_hermite, sparse, trapezoid
from bayesmix.integration.rule_arguments import flag, real, whole

MAX_DRAWS = 2**20


def _draws(value: object) -> int:
    return whole("nodes", value, 1, MAX_DRAWS, "choose the number of nodes a person, such as 64")


def sobol(nodes: int) -> Sobol:
    """Scrambled Sobol points, an own scramble for every person.

    Parameters
    ----------
    nodes : int
        Nodes S a person, from 1 to 2**20. Powers of two keep the balance of the points.

    Returns
    -------
    Sobol
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``nodes`` is no whole number from 1 to 2**20.

    Notes
    -----
    Joe and Kuo's (2008) direction numbers with a random linear matrix scramble and digital shift
    (Matousek 1998): each person's estimate is unbiased, and persons are independent.

    Examples
    --------
    >>> sobol(64)
    sobol(64)
    """
    return Sobol(_draws(nodes))


def halton(nodes: int, scramble: bool = True, skip: int | None = None) -> Halton | PlainHalton:
    """Halton points, scrambled for every person, or one plain sequence dealt out to the people.

    Parameters
    ----------
    nodes : int
        Nodes S a person.
    scramble : bool
        True: every digit of every person and dimension has an own random permutation (Owen 2017).
        False: the deterministic recipe of older software, for replications: person i takes
        elements skip + i*S to skip + (i+1)*S - 1 of one sequence with bases 2, 3, 5, ...
    skip : int, optional
        Elements of the plain sequence dropped at its start (default 100, at least 1: element 0
        is infinite as a normal). Only with `scramble=False`.

    Returns
    -------
    Halton or PlainHalton
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``nodes`` is no whole number from 1 to 2**20, ``skip`` none of at least 1, or given for
        scrambled points.

    Examples
    --------
    >>> halton(100), halton(100, scramble=False)
    (halton(100), halton(100, scramble=False, skip=100))
    """
    count = _draws(nodes)
    if not flag("scramble", scramble):
        remedy = "element 0 of the sequence is not a normal; older software drops 100"
        return PlainHalton(count, whole("skip", 100 if skip is None else skip, 1, 2**31, remedy))
    if skip is not None:
        raise SpecificationError(
            f"argument 'skip': expected none with scramble=True, got {skip!r}: scrambled points "
            "need no burn-in; drop the argument, or give scramble=False"
        )
    return Halton(count)


def mlhs(nodes: int) -> MLHS:
    """Modified Latin hypercube sampling (Hess, Train and Polak 2006).

    Parameters
    ----------
    nodes : int
        Nodes S a person. In every dimension the uniforms are (s + u)/S, s = 0..S-1, with one u
        a person and dimension, in an own random order.

    Returns
    -------
    MLHS
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``nodes`` is no whole number from 1 to 2**20.

    Examples
    --------
    >>> mlhs(100)
    mlhs(100)
    """
    return MLHS(_draws(nodes))


def monte_carlo(nodes: int, antithetic: bool = False) -> MonteCarlo:
    """Independent pseudo-random draws.

    Parameters
    ----------
    nodes : int
        Nodes S a person; even when antithetic.
    antithetic : bool
        True: the second half of a person's nodes is minus the first half.

    Returns
    -------
    MonteCarlo
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``nodes`` is no whole number from 1 to 2**20, or odd though antithetic.

    Examples
    --------
    >>> monte_carlo(500, antithetic=True)
    monte_carlo(500, antithetic=True)
    """
    count, mirrored = _draws(nodes), flag("antithetic", antithetic)
    if mirrored and count % 2:
        raise SpecificationError(
            f"argument 'nodes': expected an even number with antithetic=True, got {count}: "
            f"use {count + 1}"
        )
    return MonteCarlo(count, mirrored)


def centred(
    rule: DrawRule | Product,
    population: float | None = None,
    inflation: float | None = None,
    moments: bool = False,
    halves: bool = False,
) -> Centred:
    """Nodes where each person's own likelihood is.

    Parameters
    ----------
    rule : DrawRule, GaussHermite or Trapezoid
        Where nodes come from: `sobol`, `halton`, `mlhs` or `monte_carlo`; or, for one to three
        random coefficients, `gauss_hermite` or `trapezoid`: adaptive quadrature (Naylor and Smith
        1982; Rabe-Hesketh, Skrondal and Pickles 2005).
    population : float
        Share of the draws from the population density, a defence, in [0, 1); a quarter by default.
        Quadratures have none.
    inflation : float
        Factor on the standard deviations of a person's centred normal, in [0.5, 10); by default
        1.2, and 1 for quadratures.
    moments : bool
        True: add a component with the moments of a first pass, for skewed posteriors; draws alone.
    halves : bool
        True: a person's nodes are two independent scramblings of half as many, whose difference
        takes the leading bias out of the logarithm of their mean, for many persons; an even number
        of draws alone. With the means ``P_a`` and ``P_b`` of the halves and ``P`` of both,
        ``log P_i = log P + ((P_a - P_b) / (P_a + P_b))^2 / 2``: the bias of a log of an average
        (Train 2009, chapter 10) is the same for every person, and its sum outgrows its noise.

    Returns
    -------
    Centred
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``rule`` has no own draws and is no quadrature, a number is out of bounds, or an option
        is of draws alone and ``rule`` is a quadrature.

    Examples
    --------
    >>> centred(sobol(64))
    centred(sobol(64), population=0.25, inflation=1.2)
    >>> centred(gauss_hermite(15))
    centred(gauss_hermite(15))
    """
    if not isinstance(rule, DrawRule | Product):
        raise SpecificationError(
            "argument 'rule': expected a rule with own draws for every person, or gauss_hermite or "
            f"trapezoid, got {rule!r}: use sobol(64)"
        )
    draws = isinstance(rule, DrawRule)
    if not draws and population not in (None, 0):
        raise SpecificationError(
            f"argument 'population': expected none with {rule}, whose nodes are of one normal, got "
            f"{population!r}: leave it out, or use sobol(64)"
        )
    if not draws and moments:
        raise SpecificationError(
            f"argument 'moments': expected none with {rule}, whose nodes are of one normal, got "
            f"{moments!r}: leave it out, or use sobol(64)"
        )
    halves = flag("halves", halves)
    if halves and (not isinstance(rule, DrawRule) or rule.nodes % 2):
        raise SpecificationError(
            f"argument 'halves': expected an even number of draws to be halved, got {rule}: leave "
            "it out, or use sobol(64)"
        )
    population = (0.25 if draws else 0.0) if population is None else population
    inflation = (1.2 if draws else 1.0) if inflation is None else inflation
    share = real("population", population, 0.0, 1.0, "a quarter is a safe share")
    factor = real("inflation", inflation, 0.5, 10.0, "1.2 is a usual factor")
    return Centred(rule, share, factor, flag("moments", moments), halves)


RULES: dict[str, Callable[..., Rule]] = {
    "sobol": sobol,
    "halton": halton,
    "mlhs": mlhs,
    "monte_carlo": monte_carlo,
    "gauss_hermite": gauss_hermite,
    "trapezoid": trapezoid,
    "sparse": sparse,
}
