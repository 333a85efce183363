"""A kernel that was changed never runs from a cache of what it was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import FunctionCache

import bayesmix
from bayesmix.kernels.compiling import kernels_digest, stamped_cache

# One person's log-likelihood, by the estimator and by a graph of PyTensor.
NUMBERS = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
import bayesmix as bm
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.bind import bind
from bayesmix.integration.grids import population_grid
assert Path(bm.__file__).parents[1] == Path.cwd(), bm.__file__
frame = pd.DataFrame({
    "who": np.repeat(np.arange(30), 4), "task": np.repeat(np.arange(60), 2), "alt": [0, 1] * 60,
    "x": np.sin(np.arange(120.0)), "chosen": [1, 0, 0, 1] * 30,
})
data = bm.ChoiceData.from_long(
    frame, person="who", situation="task", alternative="alt", chosen="chosen"
)
model = bm.MixedLogit("x", random=bm.LogNormal("x"))
problem = bind(model, data)
grid = population_grid(bm.gauss_hermite(5), 1, 30)
for mean in (0.3, 0.3 + np.log(2.0)):
    print(Likelihood(problem, grid).by_person(np.array([mean, 0.5]))[0].sum())
pm_model = bm.pymc_model(model, data, likelihood="marginal", grid=grid)
point = pm_model.initial_point()
print(pm_model.compile_logp(mode="NUMBA")(point))
"""


def numbers(folder: Path) -> np.ndarray:
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'graphs'}",
        "NUMBA_OPT": "1",
        "NUMBA_CACHE_DIR": str(folder / "code"),
    }
    run = subprocess.run(
        [sys.executable, "-c", NUMBERS],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return np.array(run.stdout.split(), dtype=float)


@pytest.mark.jit
def test_a_changed_kernel_is_compiled_anew(tmp_path: Path) -> None:
    package = tmp_path / "bayesmix"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(bayesmix.__file__).parent, package, ignore=ignored)
    before = numbers(tmp_path)
    # One nat more of each person, in a kernel that others hold the code of.
    kernel = package / "kernels" / "logit_differences.py"
    source = kernel.read_text(encoding="utf-8")
    assert source.count("logp[s] += 0.0 * b[s]") == 1
    kernel.write_text(
        source.replace("logp[s] += 0.0 * b[s]", "logp[s] += 1.0 + 0.0 * b[s]"), encoding="utf-8"
    )
    changed = numbers(tmp_path)
    np.testing.assert_allclose(np.abs(changed - before), 30.0, rtol=1e-9)
    kept = list((tmp_path / "code").rglob("integrals._integrate-*.nbi"))
    assert len(kept) == 1  # what was compiled before is gone
    # Twice the coefficient, in the file of a law, which no kernel holds the code of.
    law = package / "specification" / "laws" / "lognormal.py"
    source = law.read_text(encoding="utf-8")
    assert source.count("known[0] * math.exp(b[s])") == 1
    law.write_text(
        source.replace("known[0] * math.exp(b[s])", "2.0 * known[0] * math.exp(b[s])"),
        encoding="utf-8",
    )
    doubled = numbers(tmp_path)
    assert doubled[0] == pytest.approx(changed[1], rel=1e-12)
    assert abs(doubled[2] - changed[2]) > 1e-3


def test_a_law_that_is_edited_has_another_stamp_at_once(tmp_path):
    """Laws may be loaded anew in one process: code of the file as it was is not theirs."""
    law = tmp_path / "law.py"
    law.write_text("out[0] = 1.0 * b")
    before = kernels_digest(law)
    assert kernels_digest(law) == before
    law.write_text("out[0] = 2.0 * b")
    assert kernels_digest(law) != before != kernels_digest()


def test_what_another_numba_has_compiled_stays(tmp_path, monkeypatch):
    """Two environments with one tree of sources do not take each other's code for old."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(FunctionCache, "_save_overload", lambda self, sig, data: None)
    cache = stamped_cache(kernels_digest)
    base = cache._impl.filename_base
    name, numbas, stamp = base.rsplit(".", 2)
    folder = Path(cache.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    others, older = f"{name}.9_{numbas}.{stamp}.1.nbc", f"{name}.{numbas}.0{stamp[1:-1]}.1.nbc"
    for file in (others, older, f"{base}.1.nbc"):
        (folder / file).touch()
    cache._save_overload(None, None)
    assert {file.name for file in folder.iterdir()} == {others, f"{base}.1.nbc"}
