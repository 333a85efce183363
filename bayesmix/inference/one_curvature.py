"""Two fits by one likelihood, of which one restricts the other, at one curvature."""

from __future__ import annotations

from dataclasses import replace

from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.inference.held_nesting import restricts
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.parameter import SD


def at_one_curvature(efficient: Fit, consistent: Fit) -> tuple[Fit, Fit]:
    """The fits, of which one restricts the other, with the curvature and scores of the freer one.

    Estimates of one likelihood under more and under fewer constraints differ in as many directions
    as there are further constraints. Curvatures at each fit's own estimates would make it more.

    Raises
    ------
    SpecificationError
        If the restricted fit holds a standard deviation at 0 that the other estimates.
    """
    pair = efficient, consistent
    same_model = replace(efficient.model, constraints=Constraints()) == replace(
        consistent.model, constraints=Constraints()
    )
    same_data = bool(efficient.fingerprint) and efficient.fingerprint == consistent.fingerprint
    one_likelihood = {fit.estimator for fit in pair} == {"MSLE"}
    if not (same_model and same_data and one_likelihood):
        return pair
    sizes = [fit.information.size for fit in pair]
    tight, loose = pair if sizes[0] < sizes[1] else pair[::-1]
    if sizes[0] == sizes[1] or not restricts(tight, loose):
        return pair
    held, free = tight.information.held, loose.information.held
    for n, parameter in enumerate(tight.space.listed):
        still = held is not None and held[n] and tight.params[str(parameter)] == 0.0
        if parameter.kind == SD and still and (free is None or not free[n]):
            raise SpecificationError(
                f"the first fit holds {parameter} at 0, the boundary, where the difference of the "
                "estimates is not normal: use lr_test(restricted, full)"
            )
    information = replace(loose.information, constraint=tight.information.constraint)
    as_if = replace(tight, theta=loose.theta, information=information)
    return (as_if, loose) if tight is efficient else (loose, as_if)
