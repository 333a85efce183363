"""Which models importance sampling is not for; asked before anything is imported that samples."""

from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem


def check_importance(problem: Problem, path: str, tune: int | None) -> None:
    """Refuse importance sampling where there is no marginal posterior in whitened coordinates.

    Raises
    ------
    SpecificationError
        If persons are sampled, coefficients do not vary, there are latent classes, or tuning steps
        are asked for.
    """
    why = ""
    if path == "hierarchical":
        why = "persons are sampled, and their tastes are too many to weigh"
    elif not problem.model.random:
        why = "no coefficient is random, and nothing is integrated"
    elif not problem.one_law:
        why = "latent classes have posteriors of several modes"
    elif tune is not None:
        raise SpecificationError(
            "argument 'tune' is about the chains of method='nuts': leave it out with "
            "method='importance'"
        )
    if why:
        raise SpecificationError(f"method='importance' is not for this model: {why}; use 'nuts'")
