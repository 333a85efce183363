"""Standard deviations near 0: what a fit says of them."""

import pytest

import bayesmix as bm
from bayesmix.likelihood.bind import bind
from bayesmix.optimise.leave_boundary import boundary_words
from tests.simulated import simulated

FIXED = "sd[x] at the boundary 0: a fixed coefficient fits as well"
NOTHING = "sd[x] at the boundary 0: the model fits as well without this variation"


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (bm.Normal("x"), FIXED),
        (bm.Gamma("x", sign=-1), FIXED),
        (bm.Normal("x", mean="0"), NOTHING),
        (bm.Exponential("x"), NOTHING),
        (bm.Triangular("x", zero_bounded=True), NOTHING),
    ],
    ids=lambda v: str(v)[:24],
)
def test_what_is_left_without_variation(law, words):
    """A law with a mean leaves a fixed coefficient; an error component, or a scale, nothing."""
    made = bm.MixedLogit("x + y", random=bm.Normal("y"))
    data = simulated(made, {"mean[y]": 0.5, "sd[y]": 1.0, "fixed[x]": 0.2}, 20, 3)
    problem = bind(bm.MixedLogit("x + y", random=[law, bm.Normal("y")]), data)
    given = dict.fromkeys(problem.parameters.names, 0.0) | {"sd[y]": 1.0, "sd[x]": 1e-3}
    theta = problem.parameters.theta(given)
    assert boundary_words(problem, theta) == [words]
    assert boundary_words(problem, problem.parameters.theta(given | {"sd[x]": 1.0})) == []
    both = boundary_words(problem, problem.parameters.theta(given | {"sd[y]": 1e-3}))
    apart = [FIXED.replace("[x]", "[y]"), NOTHING]
    assert both == ([FIXED.replace("[x]", "[x], sd[y]")] if words == FIXED else apart)
