"""Which posteriors have whitened coordinates; asked before anything is imported that samples."""

from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.classes import why_not


def why_not_whitened(problem: Problem, path: str = "marginal") -> str:
    """Why a posterior has no whitened coordinates of the population alone; "" where it has."""
    if path == "hierarchical":
        return "persons are sampled, and their tastes are too many to weigh"
    if not problem.model.random and problem.design.residuals is None:
        return "no coefficient is random, and nothing is integrated"
    return why_not(problem.model.latent, "whitening")


def check_importance(problem: Problem, path: str, tune: int | None) -> None:
    """Refuse importance sampling where there is no marginal posterior in whitened coordinates.

    Raises
    ------
    SpecificationError
        If persons are sampled, coefficients do not vary, there are latent classes, or tuning steps
        are asked for.
    """
    why = why_not_whitened(problem, path)
    if not why and tune is not None:
        raise SpecificationError(
            "argument 'tune' is about the chains of method='nuts': leave it out with "
            "method='importance'"
        )
    if why:
        raise SpecificationError(f"method='importance' is not for this model: {why}; use 'nuts'")
