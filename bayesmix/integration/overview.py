"""A table of integration rules in one dimension: what each costs and what it integrates exactly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bayesmix import arguments
from bayesmix.errors import IntegrationError
from bayesmix.integration.descriptions import Rule
from bayesmix.integration.rules import gauss_hermite, halton, sobol, sparse

if TYPE_CHECKING:
    import pandas as pd


def usual_rules() -> list[Rule]:
    """The rules of the default table."""
    products = [gauss_hermite(points) for points in (3, 5, 7)]
    grids = [sparse(level, family) for family in ("kpn", "gqn") for level in (3, 4, 5)]
    return [*products, *grids, halton(128), sobol(64), sobol(512)]


def rule_table(dimension: int, rules: Iterable[Rule] | None = None) -> pd.DataFrame:
    """Nodes, exactness and condition of integration rules for K random coefficients.

    Parameters
    ----------
    dimension : int
        Number K of random coefficients.
    rules : iterable of Rule, optional
        Default: `usual_rules()`. Rules with too many nodes in this dimension are left out.

    Returns
    -------
    DataFrame
        One row a rule. `nodes`: S (of a person, for draws). `exact degree`: the total degree up to
        which all polynomials are sure to be exact. `sum |w|`: 1 unless weights are negative; the
        factor by which rounding and roughness of the integrand can be magnified. `own nodes`:
        whether each person has own nodes.

    Examples
    --------
    >>> from bayesmix.integration.rules import sparse
    >>> rule_table(5, [sparse(3), sparse(3, "gqn")])[["nodes", "exact degree"]]
                                  nodes  exact degree
    rule
    sparse(level=3, family='kpn')    51             5
    sparse(level=3, family='gqn')    61             5
    """
    import pandas as pd

    arguments.whole("dimension", dimension, most=1000)
    rows = []
    for rule in usual_rules() if rules is None else _checked(rules):
        try:
            size, condition = rule.size(dimension), rule.condition(dimension)
        except IntegrationError:
            continue
        rows.append((str(rule), size, rule.degree(), condition, not rule.shared))
    columns = ["rule", "nodes", "exact degree", "sum |w|", "own nodes"]
    return pd.DataFrame(rows, columns=columns).set_index("rule")


def _checked(rules: Iterable[Rule]) -> list[Rule]:
    listed = list(rules) if isinstance(rules, list | tuple) else []
    if not listed or not all(isinstance(rule, Rule) for rule in listed):
        raise arguments.refused("rules", "a list of rules, such as [bm.sobol(64)]", rules)
    return listed
