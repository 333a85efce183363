"""One-dimensional quadrature rules for the standard normal: Gauss-Hermite and nested ones.

Rules are symmetric, and written by their non-negative nodes: `nodes (n,)` ascending from zero or
above, `weights (n,)` of each of +node and -node.
"""

from functools import lru_cache

import numpy as np
from scipy.special import roots_hermitenorm

# (node, weight) by number of points. Genz and Keister's (1996) nested extensions 1, 3, 9, 19 of the
# three-point Gauss-Hermite rule, and the delayed rules with 7 and 17 of these points (Heiss and
# Winschel 2008). Derived in 80 digits: an extension's polynomial is orthogonal to all lower powers
# under the normal density times the polynomial of the nodes before it; weights match the moments.
NESTED: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.0, 1.0),),
    3: (
        (0.0, 0.6666666666666666),
        (1.7320508075688772, 0.16666666666666666),
    ),
    7: (
        (0.0, 0.45874486825749183),
        (0.7410953499945409, 0.13137860698313567),
        (1.7320508075688772, 0.13855327472974927),
        (4.184956017672732, 0.0006956841583691405),
    ),
    9: (
        (0.0, 0.25396825396825395),
        (0.7410953499945409, 0.27007432957793787),
        (1.7320508075688772, 0.0948509485094851),
        (2.861279576057058, 0.007996325470893533),
        (4.184956017672732, 9.426945755651748e-05),
    ),
    17: (
        (0.0, 0.2669222303350528),
        (0.7410953499945409, 0.25456123204171227),
        (1.230423634027306, 0.01419265482644936),
        (1.7320508075688772, 0.08868100215202805),
        (2.5960831150492023, 0.001965677093877749),
        (2.861279576057058, 0.00703348023782791),
        (4.184956017672732, 0.00010563783615416955),
        (5.187016039913656, -8.204920754150917e-07),
        (6.36339449433637, 2.1136499505424237e-08),
    ),
    19: (
        (0.0, 0.3034671998542059),
        (0.7410953499945409, 0.20832499164960888),
        (1.230423634027306, 0.061151730125247675),
        (1.7320508075688772, 0.06409605468680758),
        (2.5960831150492023, 0.018085234254798452),
        (2.861279576057058, -0.0063372247933737354),
        (3.2053337944991944, 0.002884880436506751),
        (4.184956017672732, 6.012336945984782e-05),
        (5.187016039913656, 6.094808731468983e-07),
        (6.36339449433637, 8.629684602229886e-10),
    ),
}
WIDEST = 8.5
"""A normal lies beyond with probability 2e-17."""
NESTED_POINTS = (1, 3, 3, 7, 9, 9, 9, 9, 17, 19, 19, 19, 19, 19, 19)  # fewest, by level


def gauss_hermite(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite rule with n points, exact up to degree 2n - 1: non-negative half.

    >>> nodes, weights = gauss_hermite(3)
    >>> bool(np.allclose(nodes, [0, 3**0.5])), bool(np.allclose(weights, [2 / 3, 1 / 6]))
    (True, True)
    """
    nodes, weights = roots_hermitenorm(points)
    weights /= weights.sum()
    return nodes[points // 2 :], weights[points // 2 :]


def trapezoid(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced nodes with weights in proportion to the normal density: non-negative half.

    On functions that are analytic in a strip of half-width d around the real line the error falls
    like ``exp(-2 pi d / h)`` with the step h (Trefethen and Weideman 2014). The nodes end at
    ``min((pi n)^(1/3), 8.5)``, where what lies beyond weighs as little as that with d = 1/2.

    >>> nodes, weights = trapezoid(64)
    >>> bool(abs(2 * weights @ nodes**2 - 1) < 1e-6)
    True
    """
    reach = min(np.cbrt(np.pi * points), WIDEST) if points > 1 else 0.0
    nodes = np.linspace(-reach, reach, points)
    nodes = (nodes - nodes[::-1]) / 2  # symmetric to the last bit
    weights = np.exp(-0.5 * nodes**2)
    weights /= weights.sum()
    return nodes[points // 2 :], weights[points // 2 :]


def nested(level: int) -> tuple[np.ndarray, np.ndarray]:
    """Nested rule exact up to degree 2*level - 1 with the fewest points: non-negative half."""
    nodes, weights = np.array(NESTED[NESTED_POINTS[level - 1]]).T
    return nodes, weights


@lru_cache
def increments(family: str, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences between the rules of successive levels, on the nodes of all of them.

    Returns
    -------
    nodes : ndarray (n,)
        Non-negative nodes of levels 1..level, ascending: the first is zero.
    changes : ndarray (n, level)
        Weight of a node (and of its mirror image) at level l less that at level l - 1.
    """
    rules = [nested(m) if family == "kpn" else gauss_hermite(m) for m in range(1, level + 1)]
    nodes = np.unique(np.concatenate([rule[0] for rule in rules]))
    weights = np.zeros((nodes.size, level + 1))
    for m, (x, w) in enumerate(rules, start=1):
        weights[np.searchsorted(nodes, x), m] = w
    return nodes, np.diff(weights, axis=1)
