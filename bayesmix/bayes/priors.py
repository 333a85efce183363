"""Priors of the population parameters, with defaults scaled to the data.

Means and fixed coefficients are normal, standard deviations half-normal, correlation matrices LKJ
(Lewandowski, Kurowicka and Joe 2009), unless others are given: of a parameter by its flat name, or
of a group of them by its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.bayes.inverse_wishart import Covariance, read_covariances
from bayesmix.bayes.prior_defaults import default_laws
from bayesmix.bayes.prior_laws import PriorLike, is_wishart, read_eta, read_law
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.close_names import close_name
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.parameter import SD

PLAIN = ("normal", "half-normal", "lognormal")
"""Families that a location and a scale say all of."""
GROUPS = ("mean", "shape", "sd", "fixed", "shift", "scale")


@dataclass(frozen=True, eq=False)
class Priors:
    """Laws of the parameters of a model with one class.

    Parameters
    ----------
    laws
        Of all parameters but correlations, by flat name.
    mean
        Of ``mean`` and ``shape``; none where a mean's prior depends on the covariance.
    sd, fixed, shift, scale
        Of ``sd`` (K), ``fixed`` (F), ``shift`` (M) and ``scale`` (G).
    etas
        For each law of the model, LKJ's eta of its correlations; None elsewhere.
    covariances
        For each law of the model, its covariance's inverse-Wishart prior; None elsewhere.
    table
        All of them in words.
    """

    laws: Mapping[str, Law]
    mean: Laws
    sd: Laws
    fixed: Laws
    shift: Laws
    scale: Laws
    etas: tuple[float | None, ...]
    covariances: tuple[Covariance | None, ...]
    table: pd.DataFrame

    def with_laws(self, laws: Mapping[str, Law]) -> Priors:
        """The same with other laws of all the same parameters."""
        listed, parts = (
            iter(laws.values()),
            (self.mean, self.sd, self.fixed, self.shift, self.scale),
        )
        mean, sd, fixed, shift, scale = (Laws(tuple(islice(listed, len(one)))) for one in parts)
        return replace(self, laws=laws, mean=mean, sd=sd, fixed=fixed, shift=shift, scale=scale)


def make_priors(problem: Problem, given: Mapping[str, PriorLike] | None = None) -> Priors:
    """Default priors, some replaced by the user's.

    Parameters
    ----------
    problem
        The model bound to data.
    given
        By flat name, or by kind for all that have no prior by name: ``"mean[x]"`` and ``"mean"``,
        ``"shape"``, ``"sd"``, ``"fixed"``, ``"shift"``, ``"scale"``. ``"mean[x]"``, ``"shape[x]"``,
        ``"fixed[x]"`` and ``"shift[x, z]"`` take (location, scale) of a normal law, ``"sd[x]"`` the
        scale of a half-normal one, ``"scale[x]"`` location and scale of the logarithm; or a
        `Prior`, or a law of PyMC, PreliZ or bambi. ``"corr[a, b]"``, the terms of a correlated law
        (``"corr"`` of all), takes LKJ's eta; ``"cov[a, b]"`` (``"cov"`` where there is one such
        law) an `InverseWishart`.

    Raises
    ------
    SpecificationError
        If a name is unknown, or a value is no law of the parameter's.
    """
    given = {} if given is None else given
    given = arguments.mapping("priors", given, "a mapping from flat names, or kinds, to priors")
    defaults = default_laws(problem)
    blocks = {n: v for n, v in given.items() if n.startswith("cov") or is_wishart(v)}
    covariances = read_covariances(problem, blocks)
    replaced = _replaced(problem, covariances)
    etas = _etas(problem, given, covariances)
    others = {n: v for n, v in given.items() if n not in blocks and not _of_correlations(n)}
    for name in others:
        if name in replaced:
            raise SpecificationError(
                f"priors[{name!r}]: the inverse-Wishart prior of {replaced[name]!r} is about it "
                "already; leave one of them out"
            )
    own = {name: law for name, law in defaults.items() if name not in replaced}
    laws = replaced_laws(own, others, [*_correlated(problem), "cov"])
    every = {name: laws.get(name, Law("none")) for name in defaults}
    space = problem.parameters.within
    m, k, f = len(space.located), space.n_random, len(space.fixed)
    ends = np.cumsum([m, k, f, len(space.shifts), len(space.scales)])
    listed = tuple(every.values())
    parts = (Laws(listed[a:b]) for a, b in zip([0, *ends], ends, strict=False))
    mean, sd, fixed, shift, scale = parts
    table = _shown(problem, every, etas, covariances, replaced)
    return Priors(every, mean, sd, fixed, shift, scale, etas, tuple(covariances), table)


def replaced_laws(
    defaults: Mapping[str, tuple[Law, float]],
    given: Mapping[str, PriorLike],
    also: Iterable[str] = (),
) -> dict[str, Law]:
    """Laws by flat name: those given by name, else those of the name's kind, else the defaults.

    ``also`` are further names that a message may offer.
    """
    laws = {name: law for name, (law, _) in defaults.items()}
    kinds = dict.fromkeys(name.partition("[")[0] for name in defaults)
    for name, value in given.items():
        if name in kinds:
            for one in (n for n in defaults if n.partition("[")[0] == name):
                laws[one] = read_law(name, value, *defaults[one])
    for name, value in given.items():
        if name in kinds:
            continue
        if name not in defaults:
            raise unknown(name, [*defaults, *kinds, *also])
        laws[name] = read_law(name, value, *defaults[name])
    return laws


def unknown(name: str, known: list[str]) -> SpecificationError:
    """The error of a name that no parameter has."""
    if name in GROUPS or name.startswith("corr"):
        listed = [one for one in known if one.startswith("corr")] or known
        hint = f"; expected one of {listed}"
    else:
        near = close_name(name, known)
        hint = f"; did you mean {near!r}?" if near else f"; expected one of {known}"
    return SpecificationError(f"priors: no parameter {name!r}{hint}")


def words(law: Law) -> tuple[str, float, float]:
    """Law, location and scale as a table shows them; NaN where a family has none."""
    if law.kind in PLAIN or law.kind == "laplace":
        name = law.kind
    else:
        pairs = zip(law.own.parameters, law.values, strict=True)
        shown = not {"location", "scale"} & set(law.own.parameters) or law.kind == "inverse-gamma"
        inner = [f"{k}={v:g}" for k, v in pairs if shown or k not in ("location", "scale")]
        name = f"{law.kind}({', '.join(inner)})"
        if shown:
            return name, float("nan"), float("nan")
    location = 0.0 if law.own.positive and law.kind != "lognormal" else law.value("location")
    return name, location, law.value("scale")


def as_table(laws: Mapping[str, Law]) -> pd.DataFrame:
    """Laws in words, by flat name."""
    index = pd.Index(list(laws), name="parameter")
    rows = [words(law) for law in laws.values()]
    return pd.DataFrame(rows, columns=["law", "location", "scale"], index=index)


def _of_correlations(name: str) -> bool:
    return name.partition("[")[0] == "corr"


def _correlated(problem: Problem) -> dict[str, int]:
    """Names of the blocks of correlations, and their laws' places."""
    laws = enumerate(problem.model.laws)
    return {f"corr[{', '.join(law.terms)}]": n for n, law in laws if law.correlated}


def _etas(
    problem: Problem,
    given: Mapping[str, PriorLike],
    covariances: list[Covariance | None],
) -> tuple[float | None, ...]:
    """LKJ's eta of each law of the model."""
    places, etas = _correlated(problem), [law.eta for law in problem.model.laws]
    own = {name: value for name, value in given.items() if _of_correlations(name)}
    free = [name for name, n in places.items() if covariances[n] is None]
    for name, value in sorted(own.items(), key=lambda pair: pair[0] != "corr"):
        which = free if name == "corr" else [name]
        if (name != "corr" and name not in places) or not which:
            some = f"expected 'corr' or one of {free}" if free else "no law has LKJ's prior"
            raise SpecificationError(f"priors: {name!r} names no correlated law; {some}")
        for one in which:
            if one not in free:
                raise SpecificationError(
                    f"priors[{name!r}]: the law's covariance has an inverse-Wishart prior; leave "
                    "one of them out"
                )
            etas[places[one]] = read_eta(name, value)
    return tuple(etas)


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
    laws: Mapping[str, Law],
    etas: tuple[float | None, ...],
    covariances: list[Covariance | None],
    replaced: Mapping[str, str],
) -> pd.DataFrame:
    """All priors in words: those of correlated laws below the others."""
    of_sd = np.array(problem.parameters.names)[problem.parameters.of_kind(SD)]
    gone = {name for name in replaced if name in of_sd}
    own = as_table({name: law for name, law in laws.items() if name not in gone})
    rows = {}
    for law, eta, prior in zip(problem.model.laws, etas, covariances, strict=True):
        terms = ", ".join(law.terms)
        if prior is None:
            if law.correlated:
                rows[f"corr[{terms}]"] = f"LKJ(eta={eta:g})"
            continue
        rows[f"cov[{terms}]"] = str(prior)
        if prior.mean_precision is not None:
            means = [f"mean[{term}]" for term in law.terms]
            own.loc[means, "law"] = f"normal, covariance cov / {prior.mean_precision:g}"
            own.loc[means, "location"] = prior.mean_location
            own.loc[means, "scale"] = np.nan
    below = pd.DataFrame({"law": list(rows.values())}, index=pd.Index(rows, name="parameter"))
    return pd.concat([own, below])
