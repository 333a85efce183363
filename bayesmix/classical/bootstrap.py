"""The bootstrap over persons: what estimates would have been in other samples of people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.classical.estimates import OF_TYPES
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import refuse_bounds
from bayesmix.classical.resampling import make_job, replications_of
from bayesmix.classical.summary import held_notes
from bayesmix.data.choices import ChoiceData
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import ConvergenceError, DataError, SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.leave_boundary import settled
from bayesmix.progress import tracked

MOST_REPLICATIONS, MOST_PROCESSES = 1_000_000, 1024


def bootstrap(
    fit: Fit,
    data: ChoiceData,
    replications: int = 200,
    *,
    rng: Seed = None,
    processes: int = 2,
    progress: bool = False,
) -> Bootstrap:
    """Estimate again on samples of persons drawn with replacement.

    A replication gives each person the weight of how often it was drawn (times its own weight), and
    starts from the fit's estimates on the fit's own grid: nodes belong to persons, so that the same
    serve. Where the fit has clusters, clusters are drawn in place of persons. The seed of a
    replication is its number: results do not depend on the number of processes.

    Replications know a standard error within a share ``1 / sqrt(2 D)`` of it: 5 % with 200 of them,
    one standard deviation. Where the model is right and people are many they agree with the robust
    standard errors: on the electricity data, six independent normals, within 7 % for all twelve
    parameters with 1,000 replications.

    Person-centred nodes stay where the fit anchored them, some standard errors from a replication's
    estimates. With few of them integration adds to the spread of small standard deviations: that of
    sd[seas] is 0.195 there on 64 nodes, 0.162 on 256 and 0.168 on 1,024, others are within 10 %. A
    grid of 256 nodes a person is safer here than the 64 that may do for the estimates.

    The first stage of a control function is estimated again in every replication. Where its
    clusters are within those of the fit, such as markets of a fit with ``cluster="market"``, both
    are drawn together; elsewhere its clusters are drawn apart from the persons.

    A standard deviation that a replication estimates at its boundary is 0 there, and the summary
    says in how many it is: percentile intervals then begin at 0. The bootstrap does not know the
    law of an estimate whose true value is at a boundary (Andrews 2000): standard errors are the
    spread over replications and no more, and `lr_test` tests whether there is any variation.

    Parameters
    ----------
    fit
        A fit by maximum simulated likelihood.
    data
        The data that it was fitted to.
    replications
        Number of samples D.
    rng
        Seed or Generator.
    processes
        Processes that share the work; 1 stays in this one. In a script, processes need the call to
        stand under ``if __name__ == "__main__":``.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Bootstrap
        Estimates of every replication, standard errors and percentile intervals. Replications that
        did not converge are named in ``failed``. Ctrl-C keeps those that are finished, and
        ``interrupted`` says so.

    Raises
    ------
    SpecificationError
        If the fit is of another estimator, or arguments are not positive.
    DataError
        If the data are not those of the fit.
    ConvergenceError
        If no replication converges.

    References
    ----------
    Efron (1979); Andrews (2000).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> again = bm.bootstrap(fit, data, 50, rng=1, processes=1)
    >>> again.params.shape
    (50, 2)
    >>> bool(abs(again.std_errors / fit.std_errors - 1).max() < 0.4)
    True
    """
    arguments.instance("fit", fit, Fit, "a fit, as bm.msle returns it")
    arguments.instance("data", data, ChoiceData, "the ChoiceData that the fit is of")
    arguments.whole("replications", replications, most=MOST_REPLICATIONS)
    arguments.whole("processes", processes, most=MOST_PROCESSES)
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    _check(fit, data)
    refuse_bounds(fit.model, "the bootstrap")
    seed = int(np.random.default_rng(rng).integers(2**63))
    found: dict[int, Array | None] = {}
    job = make_job(fit, data, seed)
    problem, errors = job.likelihood.problem, np.linalg.norm(job.root, axis=1)
    made = replications_of(job, replications, processes)
    interrupted = False
    try:
        bar = tracked(made, "bootstrap", total=replications, show=progress)
        for number, theta in bar:
            found[number] = None if theta is None else _settled(problem, theta, errors)
    except KeyboardInterrupt:
        if not found:
            raise
        interrupted = True
    finally:
        made.close()
    return _collected(fit, found, replications, interrupted)


def _settled(problem: Problem, theta: Array, errors: Array) -> Array:
    """`settled`, first-stage coefficients behind the free vector as they are."""
    size = len(errors)
    return np.concatenate([settled(problem, theta[:size], errors), theta[size:]])


def _check(fit: Fit, data: ChoiceData) -> None:
    if fit.estimator in OF_TYPES:
        made = OF_TYPES[fit.estimator]
        raise SpecificationError(
            f"types of {made} are estimated again by itself: {made}(..., replications=200)"
        )
    if fit.estimator != "MSLE":
        raise SpecificationError(
            f"bootstrap estimates again by maximum simulated likelihood, got a fit by "
            f"{fit.estimator}: its standard errors come from fit.covariance()"
        )
    if fit.market_constants is not None:
        raise SpecificationError(
            "bootstrap does not match shares of markets again: robust standard errors of the fit "
            "know that predicted shares are means over its persons"
        )
    if fingerprint(data) != fit.fingerprint:
        raise DataError("the data are not those of the fit: choices or weights differ")


def _collected(
    fit: Fit, found: dict[int, Array | None], replications: int, interrupted: bool
) -> Bootstrap:
    numbers = sorted(number for number, theta in found.items() if theta is not None)
    failed = tuple(sorted(number for number, theta in found.items() if theta is None))
    if not numbers:
        raise ConvergenceError(
            f"none of {len(found)} replications converged: the fit may be at a boundary or hardly "
            f"identified ({fit.message}); fit it on a finer grid"
        )
    whole = np.stack([theta for number in numbers if (theta := found[number]) is not None])
    thetas, first = np.split(whole, [fit.space.size], axis=1)
    params = pd.DataFrame(
        [fit.space.natural(theta) for theta in thetas],
        index=pd.Index(numbers, name="replication"),
        columns=pd.Index(fit.space.names, name="parameter"),
    )
    held = held_notes(fit)
    return Bootstrap(
        fit.params,
        thetas,
        params,
        fit.space,
        replications,
        failed,
        interrupted,
        held if (held != "").any() else None,
        first if first.size else None,
    )
