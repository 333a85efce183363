"""A correlated multinomial probit, reproduced by a mixed logit with error components.

McFadden and Train (2000): a mixed logit is near to any random utility model. Four alternatives,
normal errors of unequal variances and correlations up to 0.7, two attributes: a mixed logit whose
constants vary with a full covariance matrix is fitted to the choices of very many people at each
of 1,500 designs, whose shares are weights, and its probabilities are compared with the probit's on
designs that nobody chose from.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from _common import options, table, timed, verdict

import bayesmix as bm

COVARIANCE = np.array(
    [[1.0, 0.6, 0.0, 0.0], [0.6, 1.5, 0.0, 0.0], [0.0, 0.0, 0.8, 0.8], [0.0, 0.0, 0.8, 1.6]]
)
CONSTANTS, SLOPES = np.array([0.0, 0.3, -0.2, 0.4]), np.array([1.0, -0.7])
ALTERNATIVES = list("abcd")
DESIGNS, FRESH, WITHIN = 1_500, 40, 0.005
PEOPLE, EXACT = 100_000, 1_000_000
"""People who choose at each design, and draws of a probability that is compared."""
SCALE = 5.0
"""Standard deviation that a constant is held at: utility is in a unit in which Gumbel errors are
small beside normal ones."""
FORMULA = "0 + b + c + d + x + z"


def probabilities(x: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Of the probit (n, 4), at attributes (n, 4, 2)."""
    errors = rng.normal(size=(draws // 2, 4)) @ np.linalg.cholesky(COVARIANCE).T
    errors = np.concatenate([errors, -errors])
    best = [np.bincount((v + errors).argmax(axis=1), minlength=4) for v in CONSTANTS + x @ SLOPES]
    return np.array(best) / len(errors)


def choices(x: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> bm.ChoiceData:
    """One choice of each person, who has a weight."""
    n = len(x)
    rows = pd.DataFrame({"who": np.repeat(np.arange(n), 4), "alt": np.tile(ALTERNATIVES, n)})
    for name in ALTERNATIVES[1:]:
        rows[name] = (rows["alt"] == name).astype(float)
    rows["x"], rows["z"] = x[..., 0].ravel(), x[..., 1].ravel()
    rows["choice"] = (np.arange(4) == chosen[:, None]).astype(int).ravel()
    rows["w"] = np.repeat(weights, 4)
    roles = {"person": None, "situation": "who", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(rows[rows["w"] > 0], **roles, weights="w")


def compared(model: bm.MixedLogit, designs: int, **how: object) -> tuple[float, float]:
    """Largest and root mean squared difference of probabilities on fresh designs."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(designs, 4, 2))
    weights = probabilities(x, PEOPLE, rng).ravel()
    data = choices(np.repeat(x, 4, axis=0), np.tile(np.arange(4), designs), weights)
    fit = bm.msle(model, data, rng=1, progress=False, **how)
    fresh = rng.normal(size=(FRESH, 4, 2))
    sets = choices(fresh, np.zeros(FRESH, dtype=int), np.ones(FRESH))
    asked = {"by": "who", "predict": sets, "nodes": 4096, "draws": 2, "rng": 1}
    found = bm.shares(fit, data, **asked)["estimate"].to_numpy().reshape(FRESH, 4)
    gaps = found - probabilities(fresh, EXACT, rng)
    return float(np.abs(gaps).max()), float(np.sqrt((gaps**2).mean()))


def main() -> None:
    designs = 300 if options(__doc__).quick else DESIGNS
    mixed = bm.MixedLogit(FORMULA, [bm.LKJNormal(*ALTERNATIVES[1:])])
    how = {"grid": bm.centred(bm.sobol(128)), "fixed": {"sd[b]": SCALE}, "starts": 1}
    rows = []
    for name, model, own in (("mixed", mixed, how), ("multinomial", bm.MixedLogit(FORMULA), {})):
        seconds, (largest, mean) = timed(
            lambda model=model, own=own: compared(model, designs, **own)
        )
        rows.append(
            [name, f"{largest:.4f}", f"{mean:.4f}", verdict(largest <= WITHIN), f"{seconds:.0f}"]
        )
    title = f"Correlated probit, {designs} designs, differences on {FRESH} fresh ones"
    table(title, ["logit", "largest", "rms", f"within {WITHIN}", "seconds"], rows)


if __name__ == "__main__":
    main()
