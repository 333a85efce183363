"""Panels on which searches have ended on their nodes: what long searches find, and honest words.

References are where Newton's method on 8,192 nodes that follow has come to from several starts,
ends of other searches and moderate values among them; the last digits are those of 4 x 32,768
independent nodes there.
"""

import numpy as np

import bayesmix as bm
from bayesmix.accuracy.pooling import pooled
from bayesmix.centring.grids import centre
from bayesmix.likelihood.evaluate import Likelihood

YOGURT_FIXED_PRICE = -1228.925
"""Four correlated normals (feature and brands) and a fixed price, 100 persons with 2,412 choices.

The maxima on 64, 512 and 4,096 nodes fixed at anchors nearby are 2 to 7 nats higher, and elsewhere.
"""
WITHIN, SCRAMBLES = 0.3, 4


def exact(fit, nodes=8192):
    """The log-likelihood at a fit's estimates on independent nodes, many of them."""
    rule = bm.centred(bm.sobol(nodes), moments=True)
    grid = centre(fit.problem, rule, fit.theta, 12345)
    grids = [grid, *(grid.renewed(seed) for seed in range(1, SCRAMBLES))]
    each = [Likelihood(fit.problem, g, keep=False).by_person(fit.theta)[0] for g in grids]
    logp, variance = pooled(np.stack(each))
    return float((logp + variance / (2 * SCRAMBLES)).sum())


def test_a_long_panel_does_not_end_on_its_nodes(shared_data):
    frame = shared_data("yogurt")
    brands = ["hiland", "weight", "yoplait"]
    frame = frame.assign(**{b: (frame["brand"] == b).astype(float) for b in brands})
    data = bm.ChoiceData.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    model = bm.MixedLogit(
        "price + feat + hiland + weight + yoplait", random=bm.LKJNormal("feat", *brands)
    )
    fit = bm.msle(model, data, rng=1)
    value = exact(fit)
    assert value > YOGURT_FIXED_PRICE - WITHIN
    assert value < YOGURT_FIXED_PRICE + 0.02
    low, high = fit.integration.error_interval
    assert low - 0.01 <= fit.loglik - value <= high + 0.01
    assert fit.integration.within(0.5, 0.05)
    assert np.isfinite(fit.std_errors).all()
    assert (fit.optima["loglik"] == fit.loglik).sum() >= 2
