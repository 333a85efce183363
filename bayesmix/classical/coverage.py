"""How often intervals of maximum simulated likelihood cover the truth, in simulated choices."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.centring.check_grid import check_grid
from bayesmix.classical.coverage_result import Coverage
from bayesmix.classical.fit import Fit
from bayesmix.classical.msle import GridChoice, msle
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.identity import package_versions
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.design_key import design_key
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.repeated import FAILURE, Record, Repeated, check_run, run_all, sorted_out
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.record import model_record

TRUTH = (
    "a fit, a mapping from flat names to numbers, or a DataFrame with a column a parameter and a "
    "row a draw from their law"
)
Truth = Fit | Mapping[str, float] | pd.DataFrame


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
    path = check_run(simulations, rng, processes, file, progress)
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
                return {"truth": shown, FAILURE: f"not converged: {fit.message}"}
            estimates, errors = fit.params, fit.std_errors
    except Exception as error:  # whatever it is: the others go on, and it is named
        return {"truth": shown, FAILURE: f"{type(error).__name__}: {error}"}
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
    check_one_class(model.latent, "coverage")
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
    good, failed = sorted_out(records, "fitted")
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
