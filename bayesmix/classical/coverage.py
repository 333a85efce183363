"""How often intervals of maximum simulated likelihood cover the truth, in simulated choices."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from bayesmix import arguments
from bayesmix.centring.grids import check_grid
from bayesmix.classical.fit import Fit
from bayesmix.classical.intervals import intervals
from bayesmix.classical.msle import GridChoice, msle
from bayesmix.data.choices import ChoiceData
from bayesmix.data.display import html, whole
from bayesmix.errors import SpecificationError
from bayesmix.identity import package_versions
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.design_key import design_key
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.repeated import Record, Repeated, result_file, run_all
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import Parameter
from bayesmix.specification.record import model_record

LEVELS = (0.5, 0.8, 0.9, 0.95)
CERTAINTY = 0.99
"""Of the binomial interval of a coverage."""
MOST_SIMULATIONS, MOST_PROCESSES = 1_000_000, 1024
TRUTH = (
    "a fit, a mapping from flat names to numbers, or a DataFrame with a column a parameter and a "
    "row a draw from their law"
)
Truth = Fit | Mapping[str, float] | pd.DataFrame


@dataclass(frozen=True, eq=False)
class Coverage:
    """Estimates and standard errors in simulated choices, and whether intervals cover the truth.

    Parameters
    ----------
    truth, estimates, std_errors
        By simulation and flat name, (N, P). A standard error is NaN where an estimate is at a
        boundary.
    parameters
        Names and kinds of the parameters.
    simulations
        How many were asked for.
    failed
        By number, why a simulation has no estimates.
    interrupted
        Whether the run was ended before all had been made.
    """

    truth: pd.DataFrame
    estimates: pd.DataFrame
    std_errors: pd.DataFrame
    parameters: tuple[Parameter, ...]
    simulations: int
    failed: dict[int, str]
    interrupted: bool = False

    def covered(self, level: float = 0.95) -> pd.DataFrame:
        """Whether the interval of a level covers the truth (N, P); missing where there is none.

        Intervals are those of a fit's summary: of standard deviations on the log scale, of
        correlations on Fisher's.
        """
        arguments.real("level", level, above=0, below=1)
        n, columns = len(self.estimates), self.estimates.columns
        kinds = [parameter.kind for parameter in self.parameters] * n
        each = {"estimate": self.estimates, "std error": self.std_errors}
        flat = {name: frame.to_numpy(float).ravel() for name, frame in each.items()}
        low, high = intervals(pd.DataFrame(flat), kinds, level).iloc[:, -2:].to_numpy(float).T
        true = self.truth.to_numpy(float).ravel()
        inside = ((low <= true) & (true <= high)).astype(float)
        inside[~(np.isfinite(low) & np.isfinite(high))] = np.nan
        return pd.DataFrame(inside.reshape(n, -1), self.estimates.index, columns)

    def summary(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Coverage by parameter and level, with its binomial interval (Clopper and Pearson 1934).

        Returns
        -------
        DataFrame
            ``coverage`` with ``lower`` and ``upper`` (99 %), ``intervals``, of how many, and
            ``none``, in how many simulations there is no interval.
        """
        if isinstance(levels, str) or not isinstance(levels, Sequence) or not levels:
            raise arguments.refused("levels", "levels between 0 and 1", levels)
        rows = []
        for level in levels:
            arguments.real("levels", level, above=0, below=1)
            inside = self.covered(float(level))
            for name in inside.columns:
                known = inside[name].dropna()
                hits, n = int(known.sum()), len(known)
                lower, upper = binomial_interval(hits, n)
                share = hits / n if n else float("nan")
                rows.append((name, float(level), share, lower, upper, n, len(inside) - n))
        columns = ["parameter", "level", "coverage", "lower", "upper", "intervals", "none"]
        table = pd.DataFrame(rows, columns=columns).set_index(["parameter", "level"])
        order = [(str(p), float(level)) for p in self.parameters for level in levels]
        return table.loc[[pair for pair in order if pair in table.index]]

    def headline(self) -> str:
        """How many simulations there are, and which intervals cover too little or too much."""
        words = (
            f"coverage of MSLE intervals, {len(self.estimates)} of {self.simulations} simulations"
        )
        table = self.summary()
        level = table.index.get_level_values("level").to_numpy(float)
        off = (table["upper"] < level) | (table["lower"] > level)
        if off.any():
            bad = table[off].reset_index()[["parameter", "level", "coverage"]]
            each = [
                f"{name} {100 * share:.0f} % at {100 * at:g} %"
                for name, at, share in bad.itertuples(index=False)
            ]
            words += "; outside the 99 % binomial interval: " + ", ".join(each)
        else:
            words += "; every coverage is within its 99 % binomial interval"
        none = table["none"].groupby("parameter").max()
        for name, count in none[none > 0].items():
            words += f"; no interval of {name} in {count} (an estimate at a boundary)"
        if self.failed:
            first = next(iter(self.failed))
            words += (
                f"; {len(self.failed)} have no estimates, which may bias the others (first number "
                f"{first}: {self.failed[first]})"
            )
        return words + ("; interrupted" if self.interrupted else "")

    def __str__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), '{:.3f}', blank='NaN')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = escape(self.headline(), quote=False)
        return f"<p>{words}</p>{html(self.summary(), '{:.3f}', blank='NaN')}"


def binomial_interval(hits: int, n: int) -> tuple[float, float]:
    """The interval of a share that ``hits`` of ``n`` tell, at 99 % (Clopper and Pearson 1934).

    >>> lower, upper = binomial_interval(0, 10)
    >>> lower, round(upper, 4)  # 1 - 0.005 ** (1 / 10)
    (0.0, 0.4113)
    """
    tail = (1 - CERTAINTY) / 2
    lower = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    upper = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return lower, upper


@dataclass(frozen=True, eq=False)
class _Job:
    """What every simulation needs."""

    model: MixedLogit
    design: ChoiceData
    truth: pd.DataFrame
    grid: GridChoice


def coverage(
    model: MixedLogit,
    design: ChoiceData,
    *,
    truth: Truth,
    simulations: int = 200,
    grid: GridChoice = "auto",
    rng: Seed = None,
    processes: int = 2,
    file: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Coverage:
    """Fit simulated choices by maximum simulated likelihood, and see if intervals cover the truth.

    Choices are drawn from the model at ``truth``, the model is fitted to them, and the intervals
    that the fit reports (robust standard errors) are compared with the truth at several levels.

    Parameters
    ----------
    model
        The model, of one class.
    design
        Attributes and choice sets of every simulation; its choices are not used.
    truth
        A fit, whose estimates are the truth; parameters by flat name; or a DataFrame with a row a
        draw from their law, such as of a posterior or a prior, which simulations take in turn.
    simulations
        Number N of simulations.
    grid
        As for `msle`.
    rng
        Seed or Generator. A simulation's own seed is its number.
    processes
        Processes that share the simulations; 1 stays in this one. In a script, processes need the
        call to stand under ``if __name__ == "__main__":``.
    file
        A file to which every finished simulation is added, see `bm.sbc`.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Coverage
        ``summary(levels)`` with binomial intervals, and a headline in words. Fits that do not
        converge are in ``failed``. Ctrl-C keeps what is finished.

    Raises
    ------
    SpecificationError
        If arguments do not fit together, persons have weights other than 1, the model has latent
        classes (whose order is another in other samples), a control function, or tied or bounded
        parameters, or ``file`` is of other simulations.

    References
    ----------
    Clopper and Pearson (1934) for intervals of shares.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data, model = bm.examples.electricity(), bm.MixedLogit("pf + cl")
    >>> truth = {"fixed[pf]": -0.6, "fixed[cl]": -0.15}
    >>> options = {"rng": 1, "processes": 1, "progress": False}
    >>> found = bm.coverage(model, data, truth=truth, simulations=20, **options)
    >>> found.summary([0.95])["intervals"].tolist()
    [20, 20]
    """
    arguments.whole("simulations", simulations, most=MOST_SIMULATIONS)
    arguments.seed("rng", rng)
    arguments.whole("processes", processes, most=MOST_PROCESSES)
    arguments.flag("progress", progress)
    path = result_file(file)
    problem = _checked(model, design)
    if problem.design.residuals is not None:
        raise SpecificationError(
            "coverage draws choices alone, and standard errors with a control function are of the "
            "first stage's sampling too, which is not drawn here: intervals would seem too wide; "
            "simulate prices and choices, as benchmarks/control_function.py does"
        )
    if not isinstance(grid, str) or grid != "auto":
        check_grid(problem, grid)
    table = _truth(problem, truth)
    rows = [[float(value) for value in row] for row in table.to_numpy(float)]
    key = {
        "model": json.dumps(model_record(model)),
        "design": design_key(problem),
        "truth": hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16],
        "grid": str(grid),
        "version": json.dumps(package_versions()),
    }
    task = Repeated(simulate, _Job(model, design, table, grid), "simulations", key)
    found = run_all(task, simulations, rng=rng, processes=processes, file=path, progress=progress)
    return _collected(problem, found.records, simulations, found.interrupted)


def simulate(job: _Job, seed: int, number: int) -> Record:
    """Truth, estimates and standard errors of one simulation, or why it has none."""
    rng = np.random.default_rng([seed, number])
    truth = job.truth.iloc[number % len(job.truth)]
    shown = {str(name): float(value) for name, value in truth.items()}
    data = simulate_choices(job.model, truth, job.design, rng)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = msle(job.model, data, grid=job.grid, rng=rng)
            if not fit.converged:
                return {"truth": shown, "failure": f"not converged: {fit.message}"}
            estimates, errors = fit.params, fit.std_errors
    except Exception as error:  # whatever it is: the others go on, and it is named
        return {"truth": shown, "failure": f"{type(error).__name__}: {error}"}
    return {
        "truth": shown,
        "estimates": {str(name): float(value) for name, value in estimates.items()},
        "std_errors": {str(name): float(value) for name, value in errors.items()},
    }


def _checked(model: MixedLogit, design: ChoiceData) -> Problem:
    problem = bind_sets(model, design)
    if not np.all(design.weights == 1.0):
        raise SpecificationError(
            "argument 'design': persons have weights, and choices are simulated for each of them "
            "once: leave the weights out"
        )
    if not problem.one_law:
        raise SpecificationError(
            "the order of latent classes is another in other samples, and so is what their "
            "intervals are of: leave the classes out"
        )
    given = model.constraints
    if given and (given.equal or given.linear or given.bounds):
        raise SpecificationError(
            f"coverage is of parameters that are free or held, and neither tied nor bounded "
            f"({given})"
        )
    return problem


def _truth(problem: Problem, truth: Any) -> pd.DataFrame:
    """Parameters by flat name, a row a draw of their law."""
    names = list(problem.parameters.names)
    if isinstance(truth, Fit):
        truth = truth.params
    if isinstance(truth, pd.DataFrame):
        rows = [dict(row) for _, row in truth.iterrows()]
    elif isinstance(truth, Mapping | pd.Series):
        rows = [dict(truth)]
    else:
        raise arguments.refused("truth", TRUTH, truth)
    if not rows:
        raise arguments.refused("truth", TRUTH, truth)
    for row in rows:
        try:
            problem.parameters.theta(row)  # every check of names and values
        except SpecificationError as error:
            raise SpecificationError(f"argument 'truth': {error}") from None
        for name, value in problem.model.constraints.fixed:
            if not np.isclose(row[name], value, rtol=1e-9, atol=1e-12):
                raise SpecificationError(
                    f"argument 'truth': {name} is {row[name]:g}, and every fit holds it at "
                    f"{value:g}, so that no interval is of these choices' model: give the same"
                )
    return pd.DataFrame(rows)[names].astype(float)


def _collected(
    problem: Problem, records: Mapping[int, Record], simulations: int, interrupted: bool
) -> Coverage:
    good = {n: record for n, record in records.items() if "estimates" in record}
    failed = {n: str(r["failure"]) for n, r in records.items() if "estimates" not in r}
    if not good:
        number, why = next(iter(failed.items()))
        raise SpecificationError(
            f"none of {len(failed)} simulations could be fitted; first number {number}: {why}"
        )
    held = {name for name, _ in problem.model.constraints.fixed}
    listed = tuple(p for p in problem.parameters.listed if str(p) not in held)
    index, names = pd.Index(list(good), name="simulation"), [str(p) for p in listed]

    def table(what: str) -> pd.DataFrame:
        return pd.DataFrame([record[what] for record in good.values()], index=index)[names]

    return Coverage(
        table("truth"),
        table("estimates"),
        table("std_errors"),
        listed,
        simulations,
        failed,
        interrupted,
    )
