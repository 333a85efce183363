"""Priors of latent classes: those of the model within a class, in each class, and of the shares."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.bayes.held import with_held
from bayesmix.bayes.prior_defaults import default_laws
from bayesmix.bayes.prior_laws import Prior, PriorLike, is_wishart, read_law
from bayesmix.bayes.priors import Priors, as_table, make_priors, replaced_laws, unknown
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.classes import check_one_class

SHARE_SD = 2.0
"""Of the normal prior of a share's constant: odds between classes of 1 to 50 are two of them."""


@dataclass(frozen=True, eq=False)
class ClassPriors:
    """Laws of all parameters but correlations, by flat name, and those of the model in a class.

    Parameters
    ----------
    laws
        By flat name, in every class.
    within
        Of the model in a class, as long as no class has priors of its own.
    names
        For each class, by a parameter's name in it, its flat name.
    table
        All of them in words.
    """

    laws: Mapping[str, Law]
    within: Priors
    names: tuple[Mapping[str, str], ...]
    table: pd.DataFrame

    @property
    def etas(self) -> tuple[float | None, ...]:
        """LKJ's eta of the correlations of each law of the model; None elsewhere."""
        return self.within.etas

    def of_class(self, c: int) -> Priors:
        """Priors of the parameters in class c (from 0), by their names within it."""
        names = self.names[c]
        return self.within.with_laws({name: self.laws[names[name]] for name in self.within.laws})

    def of(self, names: list[str]) -> Laws:
        """The laws of some parameters."""
        return Laws(tuple(self.laws[name] for name in names))


def prior_table(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> pd.DataFrame:
    """Law, location and scale of the prior of every parameter, by flat name; see `class_priors`."""
    return class_priors(problem, given).table


def prior_words(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> str:
    """`prior_table` as text, the same whatever pandas' options of display are."""
    with pd.option_context("display.precision", 6, "display.float_format", None):
        return prior_table(problem, given).to_string()


def prior_key(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> str:
    """All digits of all priors, where a table rounds: what results on disk are known by."""
    own = class_priors(problem, given)
    laws = {name: (law.kind, law.values) for name, law in own.laws.items()}
    numbers = [
        None
        if one is None
        else (one.df, one.root.tolist(), one.mean_location.tolist(), one.mean_precision)
        for one in own.within.covariances
    ]
    return json.dumps([laws, own.etas, numbers])


def same_priors(
    attributes: Mapping[str, Any], problem: Problem, given: Mapping[str, PriorLike] | None
) -> bool:
    """Whether a posterior's attributes tell of these priors, of which tables show few digits.

    Posteriors of earlier builds have the table alone.
    """
    stored = attributes.get("prior_record")
    if stored is None:
        return bool(attributes.get("priors") == prior_words(problem, given))
    return _same(json.loads(stored), json.loads(prior_key(problem, given)))


def _same(one: Any, other: Any) -> bool:
    """Whether two records are equal, numbers but for the last digits that another machine rounds.

    >>> _same({"sd": ["half-normal", [0.1]]}, {"sd": ["half-normal", [0.1 + 1e-17]]})
    True
    >>> _same([0.1], [0.1000001]), _same([0.1], [0.1, 0.2])
    (False, False)
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and _same(list(one.values()), list(other.values()))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-10)
    return bool(one == other)


def class_priors(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> ClassPriors:
    """The prior of every parameter, of models with one class too.

    Defaults within classes are those of `bayesmix.bayes.priors.make_priors`, the same in each; the
    shares' coefficients have normal priors of standard deviation 2, over the size of the covariate.
    Correlations have LKJ priors, in each class. ``given`` replaces some, as in `make_priors`: by
    kind, ``"share"`` too, by name in all classes, or by the name in one.

    Raises
    ------
    SpecificationError
        If a name is unknown, or a value is no law of the parameter's.
    """
    within, space = problem.within, problem.parameters
    given = {} if given is None else given
    given = arguments.mapping("priors", given, "a mapping from flat names, or kinds, to priors")
    for name in (name for name, value in given.items() if is_wishart(value)):
        check_one_class(problem.model.latent, "inverse-Wishart", name)
    for name in (n for n, v in given.items() if isinstance(v, Prior) and v.law.kind == "horseshoe"):
        check_one_class(problem.model.latent, "horseshoe", name)
    in_all = set(within.parameters.names)  # what differs between classes has a name in each
    own = (in_all ^ set(space.names)) | {share.kind.name for share in space.shares}
    outer = {n: v for n, v in given.items() if n not in own}
    known = [*within.parameters.names, *space.names]
    for name in outer:
        if "[" in name and not name.startswith(("corr", "cov")) and name not in known:
            raise unknown(name, known)
    inner, units = make_priors(within, outer), default_laws(within)
    names = tuple(
        {
            str(parameter): space.names[place]
            for parameter, place in zip(within.parameters.listed, places, strict=True)
            if str(parameter) in inner.laws
        }
        for places in space.select_printed
    )
    plain = {flat: name for each in names for name, flat in each.items()}
    laws = {name: inner.laws[plain[name]] for name in space.names if name in plain}
    shares = {n: v for n, v in given.items() if n.partition("[")[0] == "share"}
    for name in (n for n in given if n in own and n in plain):
        laws[name] = read_law(name, given[name], *units[plain[name]])
    laws |= replaced_laws(_shares(problem), shares)
    table = with_held(problem, _shown(laws, inner, plain))
    return ClassPriors(laws, inner, names, table)


def _shown(laws: Mapping[str, Law], inner: Priors, plain: Mapping[str, str]) -> pd.DataFrame:
    """All priors in words: those of one class where they are its, and of correlated laws below."""
    said = inner.table
    gone = {name for name, own in plain.items() if own not in said.index}
    whole = as_table({name: law for name, law in laws.items() if name not in gone})
    same = [n for n in whole.index if n in plain and laws[n] == inner.laws[plain[n]]]
    whole.loc[same] = said.loc[[plain[name] for name in same]].to_numpy()
    below = said.loc[[name for name in said.index if name not in inner.laws]]
    return pd.concat([whole, below]) if len(below) else whole


def _shares(problem: Problem) -> dict[str, tuple[Law, float]]:
    """Default laws and units of the coefficients of the shares."""
    size = np.sqrt((problem.share_z**2).mean(axis=0))
    units = np.tile(1.0 / np.where(size > 0, size, 1.0), problem.parameters.classes - 1)
    laws = [(Law("normal", (0.0, SHARE_SD * float(unit))), float(unit)) for unit in units]
    return dict(zip(problem.parameters.share_names, laws, strict=True))
