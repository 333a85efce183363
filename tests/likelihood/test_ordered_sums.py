"""The same bits whatever the number of BLAS's threads."""

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
import bayesmix as bm
from bayesmix.likelihood.multinomial import multinomial
from tests.simulated import simulated

model = bm.MixedLogit("x + y + z + v + w", bm.Normal("x"))
at = {"mean[x]": 0.5, "sd[x]": 1.0} | {f"fixed[{c}]": 0.3 for c in "yzvw"}
data = simulated(model, at, 400, 12, columns=("x", "y", "z", "v", "w"), seed=1)
grid = bm.population_grid(bm.sobol(8), 1, 400, 1)
marginal = bm.pymc_model(model, data, likelihood="marginal", grid=grid)
hierarchical = bm.pymc_model(model, data, likelihood="hierarchical")
for made in (marginal, hierarchical):
    point = made.initial_point()
    rng = np.random.default_rng(2)
    point = {k: v + 0.1 * rng.normal(size=np.shape(v)) for k, v in point.items()}
    both = made.compile_logp()(point), *np.ravel(made.compile_dlogp()(point))
    print(*(float(v).hex() for v in both))
fit = bm.msle(bm.MixedLogit("x + y + z + v + w"), data)
print(*(float(v).hex() for v in (fit.loglik, *fit.params)))
"""

SUMS = """
import numpy as np
from bayesmix.likelihood.ordered_sums import weighted_sum

weights, values = np.random.default_rng(1).normal(size=(2, 200_000))
print(float(weighted_sum(weights, values)).hex())
print(float(weighted_sum(weights, values[:, None])[0]).hex())
"""


def bits(threads, program=PROGRAM):
    given = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", program], env=given, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_densities_and_fits_do_not_depend_on_the_threads_of_blas():
    """Once compiled: code just compiled may add in another order than the same from a cache."""
    bits("1")
    one, two = bits("1"), bits("2")
    assert one.count("\n") == 3
    assert one == two


def test_sums_of_many_rows_do_not_depend_on_the_threads_of_blas():
    """Those of BLAS do, where there are fewer columns than threads."""
    assert bits("1", SUMS) == bits("2", SUMS)
