"""By which path and in which form a posterior is sampled: imports nothing that samples."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bayesmix import arguments
from bayesmix.bayes.importance_check import why_not_whitened
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem

FIRST_NODES = 128
"""Nodes a person of the first marginal grid."""
NODE_BYTES = 4 * 2**30
"""Memory of the nodes beyond which persons are sampled and not integrated."""
Path = Literal["marginal", "hierarchical", "auto"]
Method = Literal["nuts", "importance"]
Centring = bool | Literal["auto", "partial"]


def check_centring(noncentred: Any) -> Centring:
    """A form of the hierarchical path, as Python's own True or False where it is one of these."""
    if isinstance(noncentred, bool | np.bool_):
        return bool(noncentred)
    if isinstance(noncentred, str) and noncentred in ("auto", "partial"):
        return "auto" if noncentred == "auto" else "partial"
    raise arguments.refused("noncentred", "True, False, 'partial' or 'auto'", noncentred)


def sampled_path(problem: Problem, likelihood: str) -> tuple[str, str]:
    """The path, and why.

    Raises
    ------
    SpecificationError
        If persons are to be sampled who have weights.
    """
    path, why = likelihood, "as asked for"
    if likelihood == "auto":
        classes = problem.parameters.classes
        need = 8 * problem.n_persons * problem.parameters.n_random * FIRST_NODES * classes
        path, why = "marginal", "the posterior of the population alone is quicker to sample"
        if need > NODE_BYTES:
            path, why = "hierarchical", f"the nodes would take {need / 2**30:.0f} GiB"
    # One of weight 0 is left out, as in refits without a person.
    weighted = problem.parameters.n_random and not np.isin(problem.data.weights, (0.0, 1.0)).all()
    if path == "hierarchical" and weighted:
        raise SpecificationError(
            "persons have weights, which multiply integrated log-likelihoods, and the hierarchical "
            f"path ({why}) has one sampled vector a person and no integrals: "
            "take likelihood='marginal', or data without weights"
        )
    return path, why


def check_segments(problem: Problem, path: str, method: str, noncentred: Centring) -> None:
    """Refuse checkpoints of what is not sampled in segments."""
    why = ""
    if method == "importance":
        why = "importance sampling takes seconds, and has no chains to go on with"
    elif why_not_whitened(problem) or noncentred is False:
        why = (
            "chains are kept in segments of models with random coefficients, without latent "
            "classes and without noncentred=False: PyMC's are whole or not at all"
        )
    if why:
        raise SpecificationError(f"argument 'checkpoint': {why}; leave it out")
