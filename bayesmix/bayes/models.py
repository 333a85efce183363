"""PyMC models: hierarchical (a latent vector a person) and marginal (integrated over a grid)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pymc as pm

from bayesmix import arguments
from bayesmix.bayes.by_classes import pymc_model_of
from bayesmix.bayes.control import refuse_control
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.centring.check_grid import check_grid
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.problem import Grid
from bayesmix.specification.model import MixedLogit

Kind = Literal["hierarchical", "marginal"]


def pymc_model(
    model: MixedLogit,
    data: ChoiceData,
    *,
    likelihood: Kind = "hierarchical",
    grid: Grid | None = None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
) -> pm.Model:
    """The model as a plain ``pm.Model``, to use as one likes.

    Variables ``mean`` and ``sd`` (dimension ``random``), ``corr`` (dimension ``pair``, for laws
    with correlation) and ``fixed`` (dimension ``term``); the hierarchical model has ``z`` (person,
    random) besides. The log-likelihood is a potential of that name. With latent classes there is
    ``share`` too, and one coefficient keeps the classes in order (`bayesmix.bayes.class_labels`).

    Parameters
    ----------
    model, data
        What to fit, on what.
    likelihood
        ``"hierarchical"``: one latent vector a person. ``"marginal"``: integrated over ``grid``.
    grid
        A grid as used by a fit, such as ``fit.grid``; for the marginal likelihood only.
    priors
        Replacements of default priors by flat name; see `bayesmix.bayes.priors.make_priors`.
    noncentred
        Whether the hierarchical model samples standard normals ``z`` and not the indices.

    Returns
    -------
    pymc.Model
        With the variables above, and nothing sampled yet.

    Raises
    ------
    SpecificationError
        If the marginal likelihood has no grid, or a prior does not fit the model.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.pymc_model(bm.MixedLogit("cl", random=[bm.Normal("cl")]), data)
    >>> sorted(variable.name for variable in model.free_RVs)
    ['mean', 'sd', 'z']
    """
    arguments.one_of("likelihood", likelihood, ("hierarchical", "marginal"))
    arguments.flag("noncentred", noncentred)
    check_arguments(model, data)
    if likelihood == "marginal" and grid is None and model.laws:
        raise SpecificationError(
            "the marginal likelihood needs a grid: pass grid=fit.grid, or use bm.sample, "
            "which makes one"
        )
    refuse_control(model, "bm.pymc_model")
    refuse_constraints(model)
    problem = bind(model, data)
    if likelihood == "hierarchical" or not model.laws:
        return pymc_model_of(problem, None, priors, noncentred)
    if isinstance(grid, Rule | Centred):
        raise SpecificationError(
            f"argument 'grid' must be a grid as used by a fit, such as fit.grid, got {grid}"
        )
    check_grid(problem, grid)
    return pymc_model_of(problem, grid, priors, noncentred)


def refuse_constraints(model: MixedLogit) -> None:
    """Refuse what a model in PyMC's own variables does not know.

    Raises
    ------
    SpecificationError
        If parameters are held, tied or bounded.
    """
    if isinstance(model, MixedLogit) and model.constraints:
        raise SpecificationError(
            f"pymc_model does not hold or tie parameters ({model.constraints}): use bm.sample, "
            "which holds them, or bm.msle"
        )
