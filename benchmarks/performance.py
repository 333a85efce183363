"""docs/performance.md and its plot, made of results/races.jsonl: see races.py."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from _common import EXACT, EXACT_LOGLIK
from races import rows

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PLOT = DOCS / "performance.md", DOCS / "performance.png"
HEAD = """# Performance

Default fits of bayesmix beside other packages, one process an entry, on one machine ({machine},
{cores} cores; {dates}). `make race` measures what is missing, and writes this page.

How to read the tables:

- *Processor seconds* are those of all threads of the fit, without imports, with whatever a package
  compiles for itself. bayesmix's own code is compiled once on a machine (`bayesmix warm`), which is
  not counted. *Seconds* are the clock's; they depend on the load, the number of processes that
  wanted a processor when an entry began. {busy}
- bayesmix's time is that of four starts (where the setting says no other number), standard errors
  and the certificate of its integration error; the others' is of one start and standard errors.
- *Error* is the log-likelihood less that of exact integration, as the certificate has it, in nats
  that the tolerance of 0.5 is of; on the electricity data with independent normals, for all
  packages, less the exact maximum, {exact}.
- *Deviation* is the largest distance of an estimate from the exact one, in bayesmix's standard
  errors, which are by person.
"""
NOTES = {
    "electricity": "361 persons, 4,308 situations of 4 alternatives; six independent normals. "
    "Log-likelihoods are on the packages' own draws.",
    "electricity, full": "The same data and coefficients, with all 15 correlations.",
    "stress": "Single choices of 12 alternatives, eight independent normals: simulated, of the "
    "kind of torchdcm's own stress test.",
    "panel": "Ten choices of 5 alternatives a person, five correlated normals: simulated, of the "
    "kind on which amortised inference is tried.",
}
COLUMNS = (
    "package",
    "setting",
    "processor seconds",
    "seconds",
    "load",
    "log-likelihood",
    "error",
    "deviation",
    "nodes",
    "GiB",
)


def deviation(row: dict, errors: np.ndarray | None) -> float:
    """Largest distance from the exact estimates of the electricity data, in standard errors."""
    if row["race"] != "electricity" or errors is None or "means" not in row:
        return np.nan
    found = np.array([*row["means"], *row["sds"]])
    return float(np.abs((found - EXACT.to_numpy()) / errors).max())


def number(value: object, form: str) -> str:
    return "" if value is None or np.isnan(float(str(value))) else format(float(str(value)), form)


def cells(row: dict, errors: np.ndarray | None) -> list[str]:
    label = f"{row['package']} {row.get('version', '').split('+')[0]}".strip()
    if "failed" in row:
        words = [label, row["setting"], row["failed"], "", f"{row['load']:.0f}"]
        return words + [""] * (len(COLUMNS) - len(words))
    error = row.get("error")
    if row["race"] == "electricity":
        error = row["loglik"] - EXACT_LOGLIK
    return [
        label,
        row["setting"],
        number(row["processor_seconds"], ".1f"),
        number(row["seconds"], ".1f"),
        number(row["load"], ".0f"),
        number(row["loglik"], ",.2f"),
        number(error, "+.2f"),
        number(deviation(row, errors), ".3f"),
        number(row.get("nodes"), ",.0f"),
        number(row.get("gib"), ".1f"),
    ]


def table(found: list[dict], errors: np.ndarray | None) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|" + "---:|" * (len(COLUMNS) - 2)]
    lines += [f"| {' | '.join(cells(row, errors))} |" for row in found]
    return "\n".join(lines)


def plot(found: list[dict], errors: np.ndarray) -> None:
    """Accuracy against seconds on the electricity data."""
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for package in dict.fromkeys(row["package"] for row in found):
        own = [row for row in found if row["package"] == package]
        x = [row["processor_seconds"] for row in own]
        y = [deviation(row, errors) for row in own]
        axes.plot(x, y, "o-", label=package)
        for row, a, b in zip(own, x, y, strict=True):
            axes.annotate(row["setting"], (a, b), xytext=(6, 6), textcoords="offset points")
    axes.set(xscale="log", yscale="log", xlabel="processor seconds")
    axes.set_ylabel("largest distance from the exact estimates\n(standard errors)")
    axes.margins(0.35, 0.2)
    axes.legend(frameon=False)
    figure.savefig(PLOT, dpi=120)
    plt.close(figure)


def main() -> None:
    found = rows()
    ours = [r for r in found if r["race"] == "electricity" and "std_errors" in r]
    errors = np.array(ours[0]["std_errors"]) if ours else None
    dates = ", ".join(sorted({row["date"] for row in found}))
    loads = [row["load"] for row in found]
    busy = (
        f"It was {min(loads):.0f} to {max(loads):.0f} here, so that processor seconds compare, and"
    )
    busy += " the clock's do not." if max(loads) > 2 * found[0]["cores"] else " the clock's too."
    words = HEAD.format(
        machine=found[0]["machine"],
        cores=found[0]["cores"],
        dates=dates,
        busy=busy,
        exact=f"{EXACT_LOGLIK:,.3f}",
    )
    parts = [words]
    for race in dict.fromkeys(row["race"] for row in found):
        here = [row for row in found if row["race"] == race]
        note = [text for start, text in NOTES.items() if race.startswith(start)][-1]
        parts.append(f"## {race[0].upper()}{race[1:]}\n\n{note}\n\n{table(here, errors)}\n")
        done = [row for row in here if "failed" not in row]
        if race == "electricity" and errors is not None:
            plot(done, errors)
            parts.append("![Accuracy against processor seconds](performance.png)\n")
    PAGE.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
