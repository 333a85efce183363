"""The normal law of a fit's estimates, and draws from it."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.classical.estimates import OF_TYPES
from bayesmix.classical.first_stage_errors import first_stage_of
from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError


def krinsky_robb(fit: Fit, draws: int, rng: np.random.Generator) -> Array:
    """Free vectors (D, P + G) drawn from the law of a fit's estimates (Krinsky and Robb 1986).

    Behind the P entries stand the G coefficients of a control function's first stage, jointly.

    With the robust covariance by person (by cluster where the fit has clusters). Entries at the
    boundary, which have no normal law, stay where they are.

    Raises
    ------
    SpecificationError
        If the fit has no covariance matrix.
    """
    moving, part = normal_law(fit)
    whole = whole_vector(fit)
    thetas = np.repeat(whole[None, :], draws, axis=0)
    thetas[:, moving] = rng.multivariate_normal(whole[moving], part, size=draws)
    return thetas


def boundary_words(fit: Fit) -> str:
    """That intervals leave entries at a boundary where they are; "" where there are none."""
    names = np.array(fit.problem.parameters.names)[fit.information.silent]
    if not len(names):
        return ""
    them = "it" if len(names) == 1 else "them"
    return (
        f"{', '.join(names)} at the boundary 0: intervals leave {them} there, and know nothing of "
        "larger values, of which uncertainty=bm.bootstrap(fit, data) or a posterior does"
    )


def whole_vector(fit: Fit) -> Array:
    """The estimated free vector, and behind it first-stage coefficients (P + G,)."""
    first = None if fit.information.first is None else first_stage_of(fit)
    return fit.theta if first is None else np.concatenate([fit.theta, first])


def normal_law(fit: Fit) -> tuple[Flags, Array]:
    """Entries of `whole_vector` that have a normal law (P + G,), and their covariance."""
    if fit.estimator in OF_TYPES:
        made = OF_TYPES[fit.estimator]
        raise SpecificationError(
            f"types of {made} have no covariance matrix, and intervals are those of its "
            f"bootstrap: give uncertainty=found.bootstrap, of {made}(..., "
            "replications=200), and bm.individuals uncertainty=False, at the estimate alone"
        )
    covariance = fit.information.joint_covariance()
    moving = np.append(~fit.information.silent, np.ones(len(covariance) - len(fit.theta), bool))
    part = covariance[np.ix_(moving, moving)]
    if not moving.any():
        raise SpecificationError(
            "no estimate of the fit has a standard error, and so nothing that depends on them an "
            f"interval: {fit.message}; give uncertainty=bm.bootstrap(fit, data), or more persons"
        )
    if not np.isfinite(part).all():
        raise SpecificationError(
            "the fit has no covariance matrix, for its curvature is not that of a maximum: "
            f"{fit.message}"
        )
    return moving, part
