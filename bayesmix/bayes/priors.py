"""Priors of the population parameters, with defaults scaled to the data.

Means and fixed coefficients are normal, standard deviations half-normal, correlation matrices LKJ
(Lewandowski, Kurowicka and Joe 2009). Default scales say that one typical difference in an
attribute within a situation moves the utility by some 10 utils at most on average, and that tastes
differ by some 5: weak, for 5 utils turn a choice probability of 0.5 into 0.99.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.inverse_wishart import Covariance, InverseWishart, read_covariances
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import shift_units
from bayesmix.specification.parameter import CORRELATION, SD

MEAN_UTILS = 10.0
SD_UTILS = 5.0
INDEX_MEAN = 3.0
INDEX_SD = 2.0
LOG_SCALE_SD = 1.0
SHAPE_SD = 1.0

Prior = float | tuple[float, float] | InverseWishart


@dataclass(frozen=True, eq=False)
class Priors:
    """Locations and scales of the priors.

    Parameters
    ----------
    mean_location, mean_scale
        Of the normal priors of ``mean`` and ``shape`` (K + E,); an infinite scale where a mean's
        prior depends on the covariance.
    sd_scale
        Of the half-normal priors of ``sd`` (K,).
    fixed_location, fixed_scale
        Of the normal priors of ``fixed`` (F,).
    shift_location, shift_scale
        Of the normal priors of ``shift`` (M,).
    scale_location, scale_scale
        Of the lognormal priors of ``scale`` (G,): of its logarithm.
    covariances
        For each law of the model, its covariance's inverse-Wishart prior; None elsewhere.
    table
        All of them in words.
    """

    mean_location: Array
    mean_scale: Array
    sd_scale: Array
    fixed_location: Array
    fixed_scale: Array
    shift_location: Array
    shift_scale: Array
    scale_location: Array
    scale_scale: Array
    covariances: tuple[Covariance | None, ...]
    table: pd.DataFrame


def make_priors(problem: Problem, given: Mapping[str, Prior] | None = None) -> Priors:
    """Default priors, some replaced by the user's.

    Parameters
    ----------
    problem
        The model bound to data.
    given
        By flat name: ``"mean[x]"``, ``"shape[x]"`` and ``"fixed[x]"`` take (location, scale) of a
        normal law, ``"sd[x]"`` the scale of a half-normal one, ``"scale[x]"`` location and scale of
        the logarithm. ``"cov[a, b]"``, the terms of a correlated law (``"cov"`` where there is
        one), takes an `InverseWishart`.

    Raises
    ------
    SpecificationError
        If a name is unknown or a value is not a location and a positive scale.
    """
    space, unit = problem.parameters.within, 1.0 / problem.design.spread
    k, m = space.n_random, len(space.located)
    linear, scales = len(space.fixed) + len(space.shifts), len(space.scales)
    if problem.price >= 0:
        # A willingness to pay: what is worth a typical difference in the price.
        others = np.arange(len(unit)) != problem.price
        unit[others] /= unit[problem.price]
    # The centre of a logarithm is the coefficient of one util per typical difference; that of a
    # position between two bounds is their middle.
    logarithm = [c.law.unit == "logarithm" for c in problem.design.coefficients]
    ones = np.ones(len(space.shapes))
    starts = [start for c in problem.design.coefficients for start in c.shapes]
    centre = np.concatenate([np.where(logarithm, np.log(unit[:k]), 0.0), starts])
    own_scale = np.where(problem.index, INDEX_MEAN, MEAN_UTILS * unit[:k])
    mean_scale = np.concatenate([own_scale, SHAPE_SD * ones])
    sd_scale = np.where(problem.index, INDEX_SD, SD_UTILS * unit[:k])
    table = pd.DataFrame(
        {
            "law": ["normal"] * m
            + ["half-normal"] * k
            + ["normal"] * linear
            + ["lognormal"] * scales,
            "location": np.concatenate([centre[space.located], np.zeros(k + linear + scales)]),
            "scale": np.concatenate(
                [
                    mean_scale[space.located],
                    sd_scale,
                    MEAN_UTILS * unit[k:],
                    shift_units(problem, mean_scale),
                    np.full(scales, LOG_SCALE_SD),
                ]
            ),
        },
        index=pd.Index(np.array(space.names)[~space.of_kind(CORRELATION)], name="parameter"),
    )
    given = {} if given is None else given
    given = arguments.mapping("priors", given, "a mapping from flat names to priors")
    blocks = {n: v for n, v in given.items() if n.startswith("cov") or _is_wishart(v)}
    covariances = read_covariances(problem, blocks)
    replaced = _replaced(problem, covariances)
    for name, value in given.items():
        if name in replaced:
            raise SpecificationError(
                f"priors[{name!r}]: the inverse-Wishart prior of {replaced[name]!r} is about it "
                "already; leave one of them out"
            )
        if name not in blocks:
            table.loc[name, ["location", "scale"]] = read_prior(name, value, table)
    for name in replaced.keys() & set(table.index):
        table.loc[name, "scale"] = np.inf
    cuts = [m, m + k, m + k + len(space.fixed), m + k + linear]
    parts = np.split(table[["location", "scale"]].to_numpy(float), cuts)
    shown = _shown(problem, table, covariances, replaced)
    mean, sd, fixed, shift, scale = (part.T for part in parts)
    return Priors(
        mean_location=mean[0],
        mean_scale=mean[1],
        sd_scale=sd[1],
        fixed_location=fixed[0],
        fixed_scale=fixed[1],
        shift_location=shift[0],
        shift_scale=shift[1],
        scale_location=scale[0],
        scale_scale=scale[1],
        covariances=tuple(covariances),
        table=shown,
    )


def read_prior(name: str, value: Prior, table: pd.DataFrame) -> tuple[float, float]:
    """Location and scale of a prior that was given by name, checked."""
    if name not in table.index:
        near = get_close_matches(name, table.index.astype(str), 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {list(table.index)}"
        raise SpecificationError(
            f"priors: no parameter {name!r}{hint} (the LKJ prior's eta is set in the law)"
        )
    half = table.loc[name, "law"] == "half-normal"
    wanted = "a positive scale" if half else "(location, positive scale)"
    try:
        given: Any = value
        location, scale = (0.0, float(given)) if half else map(float, given)
    except (TypeError, ValueError):
        raise SpecificationError(f"priors[{name!r}] must be {wanted}, got {value!r}") from None
    if not (np.isfinite(location) and np.isfinite(scale) and scale > 0):
        raise SpecificationError(f"priors[{name!r}] must be {wanted}, got {value!r}")
    return location, scale


def _is_wishart(value: object) -> bool:
    return isinstance(value, InverseWishart)


def _replaced(problem: Problem, covariances: list[Covariance | None]) -> dict[str, str]:
    """Parameters whose own priors an inverse-Wishart prior replaces, and its name."""
    found: dict[str, str] = {}
    for law, prior in zip(problem.model.laws, covariances, strict=True):
        if prior is not None:
            kinds = ["sd"] if prior.mean_precision is None else ["mean", "sd"]
            name = f"cov[{', '.join(law.terms)}]"
            found |= {f"{kind}[{term}]": name for kind in kinds for term in law.terms}
    return found


def _shown(
    problem: Problem,
    table: pd.DataFrame,
    covariances: list[Covariance | None],
    replaced: Mapping[str, str],
) -> pd.DataFrame:
    """All priors in words: those of correlated laws below the others."""
    of_sd = np.array(problem.parameters.names)[problem.parameters.of_kind(SD)]
    own = table.drop([name for name in of_sd if name in replaced])
    rows = {}
    for law, prior in zip(problem.model.laws, covariances, strict=True):
        terms = ", ".join(law.terms)
        if prior is None:
            if law.correlated:
                rows[f"corr[{terms}]"] = f"LKJ(eta={law.eta:g})"
            continue
        rows[f"cov[{terms}]"] = str(prior)
        if prior.mean_precision is not None:
            means = [f"mean[{term}]" for term in law.terms]
            own.loc[means, "law"] = f"normal, covariance cov / {prior.mean_precision:g}"
            own.loc[means, "location"] = prior.mean_location
            own.loc[means, "scale"] = np.nan
    below = pd.DataFrame({"law": list(rows.values())}, index=pd.Index(rows, name="parameter"))
    return pd.concat([own, below])
