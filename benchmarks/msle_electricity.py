"""Maximum simulated likelihood on the electricity data, from a cold start to standard errors."""

from statistics import median

import numpy as np
import pandas as pd
from _common import (
    EXACT,
    EXACT_LOGLIK,
    FULL,
    INDEPENDENT,
    LOGNORMAL,
    Peer,
    console,
    deviations,
    options,
    peer_python,
    table,
    timed,
    verdict,
)

import bayesmix as bm
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData

DRAWS = 100
"""What xlogit is given: few draws, so that it is quick."""


def largest(estimates: pd.Series, std_errors: pd.Series) -> tuple[float, str]:
    """The largest distance from the exact estimates, in standard errors, and whose it is."""
    distance = deviations(estimates, std_errors).abs()
    return float(distance.max()), str(distance.idxmax())


def against_xlogit(data: ChoiceData, rounds: int, python: str | None) -> None:
    """The default fit and xlogit's, in turns; the first of ours loads compiled kernels too.

    Imports are not timed, ours nor xlogit's.
    """
    assert callable(bm.msle)
    ours: list[tuple[float, Fit]] = []
    theirs: list[dict] = []
    peer = None if python is None else Peer(python, "xlogit_work.py", DRAWS, "fit")
    for seed in range(1, rounds + 1):
        ours.append(timed(lambda seed=seed: bm.msle(INDEPENDENT, data, rng=seed)))
        if peer is not None:
            theirs.append(peer.work())
    if peer is not None:
        peer.close()
    rows = [default_row(seed, *pair) for seed, pair in enumerate(ours, start=1)]
    if theirs:
        rows.append(xlogit_row(theirs, ours[0][1].std_errors))
    table(
        "Independent normals, from a cold start to standard errors, in turns in the same run",
        ["", "seconds", "log-likelihood", "error", "within 0.4", "largest deviation", "within 0.1"],
        rows,
    )
    if theirs:
        ratio = median(t["seconds"] for t in theirs) / median(s for s, _ in ours)
        console.print(f"median of xlogit's seconds over ours: {ratio:.1f} (target: over 1)\n")
    console.print(f"{ours[0][1].message}\n{ours[0][1].integration}\n", markup=False)


def default_row(seed: int, seconds: float, fit: Fit) -> tuple[object, ...]:
    error = fit.loglik - EXACT_LOGLIK
    distance, where = largest(fit.params, fit.std_errors)
    return (
        f"bayesmix, default grid, seed {seed}",
        f"{seconds:.1f}",
        f"{fit.loglik:.3f}",
        f"{error:+.3f}",
        verdict(abs(error) <= 0.4),
        f"{distance:.3f} {where}",
        verdict(distance <= 0.1),
    )


def xlogit_row(results: list[dict], std_errors: pd.Series) -> tuple[object, ...]:
    """In our standard errors: xlogit's own are by situation, and too small for a panel."""
    estimates = pd.Series(results[0]["estimates"], EXACT.index)
    error = results[0]["loglik"] - EXACT_LOGLIK
    distance, where = largest(estimates, std_errors)
    return (
        f"xlogit 0.2.7, {DRAWS} draws",
        f"{median(r['seconds'] for r in results):.1f}",
        f"{results[0]['loglik']:.3f}",
        f"{error:+.3f}",
        verdict(abs(error) <= 0.4),
        f"{distance:.3f} {where}",
        verdict(distance <= 0.1),
    )


def other_laws(data: ChoiceData) -> None:
    rows = []
    for name, model in (
        ("full covariance", FULL),
        ("lognormal tod, seas", LOGNORMAL),
    ):
        seconds, fit = timed(lambda model=model: bm.msle(model, data, rng=1))
        found = fit.integration
        assert found is not None
        low, high = found.error_interval
        shift = found.shift["estimate"].abs().max()
        rows.append(
            (
                name,
                f"{seconds:.1f}",
                f"{fit.loglik:.3f}",
                str(found.nodes),
                f"{found.error:+.2f} ({low:+.2f} to {high:+.2f})",
                f"{shift:.3f} {found.worst}",
                verdict(found.within(0.5, 0.05)),
            )
        )
    table(
        "Other laws, default grid",
        ["", "seconds", "log-likelihood", "nodes", "error (95 %)", "largest shift", "certified"],
        rows,
    )


def plain_sobol(data: ChoiceData, nodes: int, seeds: int) -> None:
    rows = []
    for seed in range(1, seeds + 1):
        seconds, fit = timed(
            lambda seed=seed: bm.msle(INDEPENDENT, data, grid=bm.sobol(nodes), rng=seed)
        )
        error = fit.loglik - EXACT_LOGLIK
        distance, where = largest(fit.params, fit.std_errors)
        rows.append(
            (
                f"seed {seed}",
                f"{seconds:.1f}",
                f"{fit.loglik:.3f}",
                f"{error:+.2f}",
                verdict(abs(error) <= 6),
                f"{distance:.3f} {where}",
                verdict(distance <= 0.6),
                ", ".join(f"{value:.1f}" for value in np.sort(fit.optima["loglik"])),
            )
        )
    table(
        f"Independent normals on sobol({nodes}), four starts",
        ["", "s", "log-likelihood", "error", "in 6", "largest deviation", "in 0.6", "optima"],
        rows,
    )


def main() -> None:
    asked = options(__doc__, "no-peers")
    data = bm.examples.electricity()
    python = None if asked.no_peers else peer_python("xlogit")
    against_xlogit(data, 1 if asked.quick else 5, python)
    if asked.quick:
        plain_sobol(data, 250, 1)
    else:
        other_laws(data)
        plain_sobol(data, 2000, 5)


if __name__ == "__main__":
    main()
