"""Simulation-based calibration: whether posteriors of simulated choices are what they ought to be.

Parameters are drawn from the prior, choices from the model at these, and the posterior of the
choices is drawn as a user would draw it. Then the truth is a draw of the posterior, too, and its
rank among the others uniform (Talts, Betancourt, Simpson, Vehtari and Gelman 2018).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.bayes.class_priors import prior_key
from bayesmix.bayes.control import refuse_control
from bayesmix.bayes.importance_check import check_importance
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_values import is_whole
from bayesmix.bayes.sbc_ranks import SBC
from bayesmix.bayes.sbc_simulation import Calibration, Method, simulate
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.identity import package_versions
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.design_key import design_key
from bayesmix.likelihood.problem import Problem
from bayesmix.repeated import Record, Repeated, check_run, run_all, sorted_out
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.record import model_record

METHODS = ("importance", "marginal", "hierarchical")


def sbc(
    model: MixedLogit,
    design: ChoiceData,
    *,
    simulations: int = 200,
    method: Method = "importance",
    priors: Mapping[str, PriorLike] | None = None,
    draws: int = 100,
    rng: Seed = None,
    processes: int = 2,
    file: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> SBC:
    """Rank parameters drawn from the prior among draws of the posteriors of simulated choices.

    ``theta ~ prior``, ``y ~ p(y | theta)``, ``theta_1 .. theta_L ~ p(theta | y)``: the rank of
    each ``f(theta)``, the number of ``f(theta_l)`` below it, is uniform on 0 .. L. Ranked are all
    parameters by flat name, and the log-likelihood, which sees what the parameters one by one do
    not (Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari 2025).

    Draws are thinned to L of each posterior; where fewer are effective, chains run again at twice
    their length, at most twice. A simulation that cannot be sampled is named in ``failed``.

    Parameters
    ----------
    model
        The model, of one class.
    design
        Attributes and choice sets of every simulation; its choices are not used. Default priors
        are scaled by its attributes, not by choices.
    simulations
        Number N of simulations.
    method
        ``"importance"``, ``"marginal"`` (NUTS, persons integrated out) or ``"hierarchical"``
        (NUTS, persons sampled): see `bm.sample`.
    priors
        Replacements of default priors by flat name, for drawing as well as for fitting.
    draws
        Draws L of each posterior among which the truth is ranked.
    rng
        Seed or Generator. A simulation's own seed is its number.
    processes
        Processes that share the simulations; 1 stays in this one. In a script, processes need the
        call to stand under ``if __name__ == "__main__":``.
    file
        A file to which every finished simulation is added. The same call goes on with it, and may
        ask for more of them; with another model, design, priors or version it is refused.
    progress
        Whether to show a progress bar.

    Returns
    -------
    SBC
        Ranks, a summary in words, `SBC.difference` with simultaneous bands (`bm.plot_sbc`), and
        ``tree`` for ArviZ. Ctrl-C keeps what is finished.

    Raises
    ------
    SpecificationError
        If model, priors or arguments do not fit together, persons have weights other than 1 (a
        weighted likelihood is not that of the simulated choices), the model has latent classes,
        or ``file`` is of other simulations.

    References
    ----------
    Talts et al. (2018); Säilynoja, Bürkner and Vehtari (2022) for the bands.

    Examples
    --------
    >>> import bayesmix as bm
    >>> import numpy as np, pandas as pd
    >>> row = np.arange(20 * 5 * 2)
    >>> frame = pd.DataFrame({"id": row // 10, "task": row // 2, "alt": row % 2, "y": 1 - row % 2})
    >>> frame["x"] = np.random.default_rng(1).normal(size=len(row))
    >>> roles = {"person": "id", "situation": "task", "alternative": "alt", "chosen": "y"}
    >>> design = bm.ChoiceData.from_long(frame, **roles)
    >>> model = bm.MixedLogit("x", random=[bm.Normal("x")])
    >>> priors = {"mean[x]": (0.0, 1.0), "sd[x]": 1.0}
    >>> options = {"priors": priors, "processes": 1, "progress": False}
    >>> found = bm.sbc(model, design, simulations=3, rng=1, **options)
    >>> list(found.ranks.columns)
    ['mean[x]', 'sd[x]', 'log_likelihood']
    """
    arguments.one_of("method", method, METHODS)
    arguments.whole("draws", draws, least=10)
    path = check_run(simulations, rng, processes, file, progress)
    problem = _checked(model, design)
    if method == "importance":
        check_importance(problem, "marginal", None)
    task = Repeated(
        work=simulate,
        job=Calibration(model, design, method, priors, draws),
        words="simulations",
        key={
            "model": json.dumps(model_record(model)),
            "design": design_key(problem),
            "priors": prior_key(problem, priors),
            "method": method,
            "draws": str(draws),
            "version": json.dumps(package_versions()),
        },
    )
    found = run_all(task, simulations, rng=rng, processes=processes, file=path, progress=progress)
    return _collected(found.records, task.job, simulations, found.interrupted)


def _checked(model: MixedLogit, design: ChoiceData) -> Problem:
    if isinstance(design, ChoiceData) and not np.all(design.weights == 1.0):
        raise SpecificationError(
            "argument 'design': persons have weights, and a weighted likelihood is not that of "
            "the choices that are simulated: leave the weights out"
        )
    problem = bind_sets(model, design)
    refuse_control(model, "bm.sbc")
    check_one_class(model.latent, "sbc")
    if not is_whole(problem):
        raise SpecificationError(
            f"parameters are drawn from the prior, which is known where means and the like are "
            f"held, and not parts of a covariance ({model.constraints})"
        )
    return problem


def _collected(
    records: Mapping[int, Record], job: Calibration, simulations: int, interrupted: bool
) -> SBC:
    good, failed = sorted_out(records, "sampled")
    index = pd.Index(list(good), name="simulation")
    return SBC(
        ranks=pd.DataFrame([record["ranks"] for record in good.values()], index=index),
        truth=pd.DataFrame([record["truth"] for record in good.values()], index=index),
        draws=job.draws,
        simulations=simulations,
        method=job.method,
        failed=failed,
        ess=pd.Series([record["ess"] for record in good.values()], index=index, name="ess"),
        fallbacks=sum(record["fallback"] for record in good.values()),
        interrupted=interrupted,
    )
