"""Classes with a law that is censored at 0: the share told is of those who are not there."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.classical.implied import implied_moments
from bayesmix.likelihood.bind import bind


@pytest.mark.parametrize("side", [1, -1])
def test_of_a_law_with_nobody_above_0_those_below_are_told(side: int) -> None:
    data = bm.examples.electricity()
    bound = {"lower": 0.0} if side > 0 else {"upper": 0.0}
    law = bm.LatentClass(bm.CensoredNormal("cl", **bound), classes=2)
    problem = bind(bm.MixedLogit("pf + cl", law), data)
    means, sds, share = (0.4, -0.3), (0.5, 0.8), 0.25
    params = pd.Series(0.0, index=list(problem.parameters.names))
    for c, (mean, sd) in enumerate(zip(means, sds, strict=True), 1):
        params[f"mean[cl, {c}]"], params[f"sd[cl, {c}]"] = side * mean, sd
    params["share[2]"] = np.log(share / (1 - share))
    quantities = implied_moments(problem)
    assert quantities is not None
    found = quantities(params)
    named = {str(name): value for name, value in found.items()}
    apart = norm.cdf(means[0] / sds[0]), norm.cdf(means[1] / sds[1])
    kind = "share positive" if side > 0 else "share negative"
    other = "share negative" if side > 0 else "share positive"
    assert named[f"{kind}[cl]"] == pytest.approx((1 - share) * apart[0] + share * apart[1])
    assert not [name for name in named if name.startswith(other)]
