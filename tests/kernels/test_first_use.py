"""What is compiled before its first use is what is used, once, and where it may be kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from numba.core.caching import InTreeCacheLocator, NullCache, UserWideCacheLocator

import bayesmix
from bayesmix.kernels import first_use
from bayesmix.kernels.compiling import stamped_cache
from bayesmix.kernels.first_use import DEMAND, QUADRATURE, SAMPLING, Wanted

pytestmark = pytest.mark.jit
PACKAGE = Path(bayesmix.__file__).parents[1]

# Fits, a posterior and demand: every kernel that is prepared for, and the types that it was given.
USE = """
import json, sys
import numpy as np, pandas as pd
import bayesmix as bm
from bayesmix.kernels.first_use import DEMAND, FITS, QUADRATURE, SAMPLING
from bayesmix.kernels.compiling import Kernel
rng = np.random.default_rng(1)
frame = pd.DataFrame({
    "who": np.repeat(np.arange(20), 12), "task": np.repeat(np.arange(80), 3),
    "alt": list("abc") * 80, "price": rng.normal(size=240), "x": rng.normal(size=240),
})
utility = (-frame["price"] + rng.gumbel(size=240)).to_numpy().reshape(80, 3)
frame["chosen"] = np.eye(3)[utility.argmax(axis=1)].ravel()
data = bm.ChoiceData.from_long(
    frame, person="who", situation="task", alternative="alt", chosen="chosen"
)
model = bm.MixedLogit("price + x", random=bm.LKJNormal("price", "x"))
fit = bm.msle(model, data, grid=bm.centred(bm.sobol(8)), starts=1, rng=1)
bm.diversion(fit, data)
bm.marginal_consumers(fit, data)
bm.shares(fit, data)
bm.price_curve(fit, data, "a", prices=[0.9, 1.0, 1.1])
bm.individuals(fit, data)
dear = bm.MixedLogit("price + x", random=bm.LogNormal("price", sign=-1))
bm.surplus(bm.msle(dear, data, grid=bm.gauss_hermite(3), starts=1), data)
from bayesmix.bayes.coordinates import Coordinates, Row
from bayesmix.bayes.frozen_likelihood import FrozenLikelihood, frozen_nodes
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.optimise.freeze import frozen_at_anchor
from bayesmix.likelihood.bind import bind
from bayesmix.centring.grids import centre
problem = bind(model, data)
theta = problem.parameters.theta({name: 0.5 for name in problem.parameters.names})
grid = centre(problem, bm.centred(bm.sobol(8)), theta, 1)
anchored_scores(problem, grid)
nodes = frozen_nodes(problem, frozen_at_anchor(problem, grid), np.zeros(2))
held = FrozenLikelihood(problem, (nodes,), np.zeros(2), 1)
held(theta)
own = Coordinates((Row(0, np.zeros(0, dtype=np.int64)), Row(2, np.array([1]))))
own.gradient(theta, own.point(theta)[0], theta)
held.by_draw(theta[None])
centre(problem, bm.centred(bm.gauss_hermite(3)), theta, 1).block(0, 20)
wanted = {*FITS, *SAMPLING, *QUADRATURE, *DEMAND}
print(json.dumps([
    [each.name, len(each.kernel().overloads), each.signature() in each.kernel().overloads]
    for each in wanted
]))
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err[-2000:]
    return out


def test_kernels_are_compiled_for_the_types_that_they_are_given():
    found = {name: (number, same) for name, number, same in json.loads(output(run(USE)))}
    assert found == {each.name: (1, True) for each in (*SAMPLING, *QUADRATURE, *DEMAND)}


# Two small kernels, by two processes at once.
RACE = """
import json, sys
from bayesmix.kernels.first_use import Wanted, compile_together
import numpy as np
from bayesmix.kernels.laws import law_tables, no_laws
wanted = [
    Wanted("laws", "law_tables", "nn vv vv vv"),
    Wanted("integrals", "_coefficients_everywhere", "n mixture vvv"),
]
compile_together(wanted, processes=1)
assert law_tables(no_laws(2), np.zeros((0, 3)), np.zeros((1, 2)), np.eye(2)).shape == (2, 0)
print(json.dumps([sum(each.kernel().stats.cache_misses.values()) for each in wanted]))
"""


def test_processes_that_start_at_once_share_the_work(tmp_path):
    both = [run(RACE, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_OPT="1") for _ in range(2)]
    compiled = [json.loads(output(process)) for process in both]
    assert [sum(times) for times in zip(*compiled, strict=True)] == [1, 1]
    assert not list(tmp_path.rglob("*.tmp.*"))


def a_kernel() -> object:
    return Wanted("laws", "law_tables", "nn vv vv vv").kernel().py_func


def refuse(*_: object) -> None:
    raise PermissionError("read-only")


def test_code_is_kept_in_the_users_folder_where_the_packages_is_read_only(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert Path(stamped_cache(a_kernel()).cache_path).parent == PACKAGE / "bayesmix" / "kernels"
    monkeypatch.setattr(InTreeCacheLocator, "ensure_cache_path", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in Path(stamped_cache(a_kernel()).cache_path).parents
    monkeypatch.setattr(UserWideCacheLocator, "ensure_cache_path", refuse)
    assert isinstance(stamped_cache(a_kernel()), NullCache)


def test_numbas_folder_is_the_first_choice(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert tmp_path in Path(stamped_cache(a_kernel()).cache_path).parents


def test_where_no_helper_can_be_started_there_is_none(monkeypatch):
    """An embedded interpreter has no name; paths may be objects."""
    monkeypatch.setattr(sys, "executable", "")
    assert first_use._helper(SHORT, 1) is None
    monkeypatch.setattr(sys, "executable", str(Path("nowhere") / "python"))
    monkeypatch.setattr(sys, "path", [*sys.path, Path("somewhere")])
    assert first_use._helper(SHORT, 1) is None


def test_where_nothing_is_kept_nobody_helps(monkeypatch):
    started = []
    monkeypatch.setattr(first_use, "_lock_file", lambda: None)
    monkeypatch.setattr(first_use, "_helper", lambda *of: started.append(of))
    first_use.compile_together(SHORT, processes=2)
    assert not started


SHORT = [Wanted("laws", "law_tables", "nn vv vv vv")] * 2
