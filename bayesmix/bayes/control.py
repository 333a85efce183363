"""Control functions in posteriors: their first stage is a part of the model."""

from __future__ import annotations

from typing import Any

from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.nests import refuse_nests

FIRST_STAGE_PRIOR = (
    "price equation of a control function: coefficients flat, variance s2 with density 1 / s2"
)


def refuse_control(model: Any, what: str) -> None:
    """Refuse a model whose first stage would have to be drawn by ``what``, and nests."""
    refuse_posterior_nests(model)
    if isinstance(model, MixedLogit) and model.control is not None:
        raise SpecificationError(
            f"{what} does not know control functions, whose first stage is drawn jointly with the "
            "other parameters, and whose prior is flat: bm.sample has it in the posterior"
        )


def refuse_posterior_nests(model: Any) -> None:
    """Refuse a model with nests."""
    if isinstance(model, MixedLogit):
        refuse_nests(model.nests, "a posterior")


def check_first_stage(problem: Problem, *, centred: bool) -> None:
    """Refuse control functions whose first stage is not drawn jointly with the rest.

    Raises
    ------
    SpecificationError
        If persons of one class are sampled in the centred form, or a residual's coefficient is
        random or a willingness to pay.
    """
    control = problem.model.control
    if control is None:
        return
    random = [name for name in control.residuals if name in problem.parameters.random]
    why = {
        "persons that are integrated out, or sampled without noncentred=False": centred,
        "utilities in preference space, without wtp=": problem.price >= 0,
        f"coefficients of residuals that are fixed, and {random} have a law": bool(random),
    }
    for words, wrong in why.items():
        if wrong:
            raise SpecificationError(
                f"a posterior with a control function has its first stage as a part of the model, "
                f"for {words}; or use bm.msle, whose standard errors carry the first stage, and "
                "bm.bootstrap"
            )
