"""The README's picture: one description of tastes, both traditions, and what it says of demand."""

from __future__ import annotations

from pathlib import Path

import bayesmix as bm
from bayesmix.reporting.forest import forest

HERE = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    data = bm.examples.electricity()
    random = [bm.Normal(name) for name in ("pf", "cl", "loc", "wk", "tod", "seas")]
    model = bm.MixedLogit("pf + cl + loc + wk + tod + seas", random)
    fit = bm.msle(model, data, rng=1)
    posterior = bm.sample(model, data, method="importance", rng=1)
    figure = forest({"MSLE": fit, "posterior": posterior})
    figure.savefig(HERE / "readme.png", dpi=110)


if __name__ == "__main__":
    main()
