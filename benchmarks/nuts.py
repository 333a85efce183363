"""NUTS on the electricity data: least bulk ESS a second, compilation included, against peers.

Effective sample sizes are of population means and covariances. Each sampler runs in a process of
its own, and compiles its model within its time; with --cold it compiles bayesmix's kernels too,
as happens once an installation.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _common import (
    EXACT_MEANS,
    PEERS,
    console,
    mixing,
    moments,
    options,
    peer_python,
    table,
    verdict,
    write_rows,
)

import bayesmix as bm

OWN = Path(__file__).parent / "peers" / "own_sample.py"


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of population means (C, D, K) and covariances (C, D, K, K), and what they cost."""

    name: str
    mean: np.ndarray
    covariance: np.ndarray
    seconds: float

    def rate(self, independent: bool) -> tuple[float, float, float]:
        """Least bulk ESS, the same a second, largest R-hat."""
        if independent:
            variances = np.diagonal(self.covariance, axis1=-2, axis2=-1)
            ess, rhat = mixing(np.concatenate([self.mean, variances], axis=-1))
        else:
            ess, rhat = mixing(moments(self.mean, self.covariance))
        return ess, ess / self.seconds, rhat


def compiled_anew(folder: Path) -> dict[str, str]:
    """An environment in which no model is compiled yet."""
    fresh = {"PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}"}
    if "--cold" in sys.argv:
        fresh["NUMBA_CACHE_DIR"] = str(folder / "numba")
    return os.environ | fresh


def run(name: str, command: list[object], folder: Path) -> Draws | None:
    """Run a script that leaves an npz file of draws."""
    out = folder / "draws.npz"
    with tempfile.TemporaryDirectory() as caches:
        console.print(f"running: {name}", style="dim")
        done = subprocess.run(
            [*map(str, command), str(out)],
            env=compiled_anew(Path(caches)),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        console.print(f"{name} failed:\n{done.stderr[-2000:]}", markup=False)
        return None
    found = np.load(out)
    return Draws(name, found["mean"], found["covariance"], float(found["seconds"]))


def own(name: str, what: str, law: str, size: tuple[int, int], folder: Path) -> Draws | None:
    """One of `own_sample.py`'s samplers, in a process of its own."""
    return run(name, [sys.executable, OWN, what, law, *size], folder)


def partworth(size: tuple[int, int], folder: Path) -> Draws | None:
    python = peer_python("partworth")
    if python is None:
        return None
    rows = write_rows(bm.examples.electricity(), folder)
    return run("partworth 0.0.1", [python, PEERS / "partworth_sample.py", rows, *size], folder)


def bayesm(draws: int, folder: Path) -> Draws | None:
    """Two chains of the Gibbs sampler at once, a core each; a tenth is dropped."""
    library = "if (!requireNamespace('bayesm', quietly = TRUE)) quit(status = 1)"
    rscript = shutil.which("Rscript")
    if rscript is None or subprocess.run([rscript, "-e", library], check=False).returncode:
        console.print("bayesm is absent, and left out: install R and its package bayesm.")
        return None
    console.print("running: bayesm", style="dim")
    data = bm.examples.electricity()
    rows = np.load(write_rows(data, folder))
    frame = pd.DataFrame({k: rows[k] for k in ("person", "situation", "chosen")})
    frame[[str(n) for n in rows["names"]]] = rows["x"]
    frame.to_csv(folder / "rows.csv", index=False)
    script = str(PEERS / "bayesm_sample.R")
    outs = [folder / f"bayesm{seed}.csv" for seed in (1, 2)]
    chains = [
        subprocess.Popen([rscript, script, str(folder / "rows.csv"), str(draws), str(s), str(out)])
        for s, out in enumerate(outs, start=1)
    ]
    codes = [chain.wait() for chain in chains]
    if any(codes):
        console.print("bayesm failed")
        return None
    values = np.stack([np.loadtxt(out, delimiter=",") for out in outs])
    kept = values[:, draws // 10 :]
    covariance = kept[..., 6:42].reshape(*kept.shape[:2], 6, 6)
    return Draws("bayesm, two chains at once", kept[..., :6], covariance, values[..., 42].max())


def report(title: str, found: list[Draws | None], independent: bool) -> None:
    """A table of all that ran; the first is the marginal sampler, the reference of ratios."""
    present = [draws for draws in found if draws is not None]
    _, reference, _ = present[0].rate(independent)
    rows = []
    for draws in present:
        ess, rate, rhat = draws.rate(independent)
        flat = draws.mean.reshape(-1, draws.mean.shape[-1])
        rows.append(
            (
                draws.name,
                f"{draws.mean.shape[0]} x {draws.mean.shape[1]}",
                f"{draws.seconds:.1f}",
                f"{ess:.0f}",
                f"{rhat:.3f}",
                f"{rate:.2f}",
                f"{reference / rate:.1f}",
                " ".join(f"{m:.2f}" for m in flat.mean(axis=0)),
            )
        )
    columns = ("", "draws", "seconds", "min ESS", "R-hat", "ESS/s", "ours over it", "means")
    table(title, columns, rows)


def nodes_report(few: Draws | None, many: Draws | None) -> None:
    """Whether few nodes give the posterior of many: means in posterior sd, sds relatively."""
    if few is None or many is None:
        return
    a, b = (moments(d.mean, d.covariance) for d in (few, many))
    a, b = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])
    shift = np.abs(a.mean(axis=0) - b.mean(axis=0)) / b.std(axis=0)
    spread = np.abs(a.std(axis=0) / b.std(axis=0) - 1)
    ess = min(d.rate(independent=False)[0] for d in (few, many))
    table(
        "Full covariance: the posterior on 64 anchored nodes against that on 512",
        ["", "largest", "target", "Monte Carlo error"],
        [
            ("means, posterior sd", f"{shift.max():.3f}", "0.1", f"{np.sqrt(2 / ess):.3f}"),
            ("sds, relative", f"{spread.max():.3f}", "0.05", f"{np.sqrt(1 / ess):.3f}"),
        ],
    )


def independent(size: tuple[int, int], folder: Path) -> None:
    marginal = own("marginal", "marginal", "independent", size, folder)
    plain = own("hierarchical, plain PyMC", "plain", "independent", size, folder)
    fused = own("hierarchical, bayesmix", "hierarchical", "independent", size, folder)
    report("Independent normals", [marginal, plain, fused], independent=True)
    for draws in filter(None, (plain, fused)):
        flat = draws.mean.reshape(-1, 6)
        shift = (np.abs(flat.mean(axis=0) - np.array(EXACT_MEANS)) / flat.std(axis=0)).max()
        console.print(
            f"{draws.name}: posterior means against the exact maximum, at most {shift:.2f} "
            f"posterior sd (target 0.5: {verdict(shift <= 0.5)})"
        )


def full_covariance(size: tuple[int, int], gibbs: int, peers: bool, folder: Path) -> None:
    marginal = own("marginal", "marginal", "full", size, folder)
    others = [partworth((size[0], 2 * size[1]), folder), bayesm(gibbs, folder)] if peers else []
    report("Full covariance", [marginal, *others], independent=False)
    if marginal is not None:
        ess, _, rhat = marginal.rate(independent=False)
        good = ess > 400 and rhat < 1.01 and marginal.seconds < 60
        console.print(
            f"marginal, full covariance: min ESS {ess:.0f}, R-hat {rhat:.4f} in "
            f"{marginal.seconds:.0f} s (target over 400, under 1.01, under 60 s: {verdict(good)})"
        )


def main() -> None:
    asked = options(__doc__, "no-peers", "cold")
    size, gibbs = ((100, 100), 400) if asked.quick else ((1000, 1000), 20_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        independent(size, folder)
        full_covariance(size, gibbs, not (asked.no_peers or asked.quick), folder)
        if not asked.quick:
            few, many = (
                own(f"{nodes} nodes", f"marginal-{nodes}", "full", (5000, 400), folder)
                for nodes in (64, 512)
            )
            nodes_report(few, many)


if __name__ == "__main__":
    main()
