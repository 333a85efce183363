"""Whether draws of a posterior can be relied upon: figures, what they mean, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.bayes.importance import HEAVY
from bayesmix.bayes.posterior_accuracy import ERROR_SD
from bayesmix.bayes.posterior_accuracy import HEAVY as NODES_HEAVY
from bayesmix.bayes.read import effective_draws, posterior_draws
from bayesmix.reporting.diagnosis import Diagnosis, Finding
from bayesmix.reporting.diagnostics import ESS_LIMIT, RHAT_LIMIT, convergence
from bayesmix.reporting.sampler_statistics import chain_table

ENERGY_LIMIT = 0.3
"""Least E-BFMI of a chain whose energy moves freely (Betancourt 2016)."""


def diagnose(posterior: xr.DataTree) -> Diagnosis:
    """Check the draws of a posterior, and say in words what is wrong and what to do.

    Of chains: divergences, R-hat, effective numbers of draws (bulk and tail), energy (E-BFMI) and
    depth of trees. Of weighted draws: their effective number and the shape k of the tail of their
    weights, for R-hat and autocorrelation of draws that were resampled say nothing. Of both: the
    integration error. What a sampler has not recorded is called unknown, and not 0.

    Parameters
    ----------
    posterior
        What `bm.sample` returned, or another program's DataTree with a group ``posterior``.

    Returns
    -------
    Diagnosis
        ``good``, ``table``, ``troubles`` in words with remedies, ``parameters``, ``chains``.

    Raises
    ------
    SpecificationError
        If there is no posterior, or a draw is not a number.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021); Betancourt (2016, 2017); Vehtari,
    Simpson, Gelman, Yao and Gabry (2024).

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 500))
    >>> values = xr.Dataset({"x": (("chain", "draw"), draws)})
    >>> found = diagnose(xr.DataTree.from_dict({"posterior": values}))
    >>> found.good
    True
    >>> print(found.headline())  # doctest: +ELLIPSIS
    4 chains of 500 draws: nothing bad is seen; not known: divergences, energy, tree depth
    """
    draws = posterior_draws(posterior)
    attrs = dict(draws.attrs)
    parameters = convergence(posterior).drop(columns="divergences")
    chains = chain_table(posterior)
    method = str(attrs.get("method", "unknown" if chains.empty else "nuts"))
    shape = (draws.sizes["chain"], draws.sizes["draw"])
    if method == "importance":
        size = f"{shape[0] * shape[1]:,} resampled draws of importance sampling"
        parameters = parameters.assign(r_hat=np.nan, ess_bulk=np.nan, ess_tail=np.nan)
        worth = effective_draws(draws) if "ess" in attrs else np.nan
        findings = list(_of_weights(worth, attrs, shape[0] * shape[1]))
        chains = chains.iloc[:, :0]
    else:
        size = f"{shape[0]} chain{'s' * (shape[0] > 1)} of {shape[1]:,} draws"
        findings = [*_of_draws(parameters, shape[0]), *_of_chains(chains, shape[1], attrs)]
    findings += _of_model(attrs)
    return Diagnosis(tuple(findings), parameters, chains, method, size)


def _of_weights(ess: float, attrs: Mapping[str, Any], n: int) -> Iterator[Finding]:
    k = float(attrs.get("pareto_k", np.nan))
    least = min(ESS_LIMIT, n)
    yield _finding(
        "effective draws",
        ess,
        f"at least {least}",
        ess >= least,
        f"the {n:,} draws are worth {ess:,.0f} independent ones",
        "more draws=, or method='nuts'",
    )
    yield _finding(
        "Pareto k",
        k,
        f"at most {HEAVY}",
        k <= HEAVY,
        f"the tail of the weights has shape k = {k:.2f}"
        + ("" if k <= HEAVY else ", and averages depend on the few largest"),
        "method='nuts'",
    )


def _of_draws(parameters: pd.DataFrame, chains: int) -> Iterator[Finding]:
    rhat = parameters["r_hat"]
    yield _extreme(
        rhat,
        ("R-hat", f"below {RHAT_LIMIT}", "two chains of four draws, and draws that vary"),
        rhat.max() < RHAT_LIMIT,
        ("largest R-hat {value:.3f} ({name})", ", chains have not come to the same law"),
        "more tune= and draws=; where it stays, the posterior has several modes, or data and "
        "priors hardly tell a parameter (bm.check)",
    )
    if chains == 1:
        yield Finding(
            "chains",
            1.0,
            "at least 2",
            None,
            "there is one chain, whose R-hat compares its halves alone",
            "chains=4",
        )
    for column, name in (("ess_bulk", "bulk ESS"), ("ess_tail", "tail ESS")):
        ess = parameters[column]
        what = "means" if column == "ess_bulk" else "intervals"
        yield _extreme(
            ess,
            (name, f"above {ESS_LIMIT}", "four draws a chain, and draws that vary"),
            ess.min() > ESS_LIMIT,
            (f"least {name} {{value:,.0f}} ({{name}})", f", {what} have much Monte Carlo error"),
            "more draws=, or likelihood='marginal'",
        )


def _extreme(
    values: pd.Series,
    about: tuple[str, str, str],
    good: bool,
    words: tuple[str, str],
    remedy: str,
) -> Finding:
    """The worst of figures by parameter; what has none is said, and is not good."""
    check, wanted, needed = about
    missing = [str(name) for name in values.index[values.isna()]]
    known: dict[str, float] = {str(n): float(v) for n, v in values.dropna().items()}
    if not known:
        text = f"{check} cannot be computed: it needs {needed}"
        return Finding(check, float("nan"), wanted, None, text)
    name = (max if check == "R-hat" else min)(known, key=lambda one: known[one])
    text = words[0].format(value=known[name], name=name)
    text += "" if good else words[1]
    if missing:
        text += f"; none for {', '.join(missing)}, whose draws do not vary"
    fine = bool(good) and not missing
    return Finding(check, known[name], wanted, fine, text, "" if fine else remedy)


def _of_chains(chains: pd.DataFrame, draws: int, attrs: Mapping[str, Any]) -> Iterator[Finding]:
    total, persons = draws * len(chains), attrs.get("likelihood") == "hierarchical"
    elsewhere = "likelihood='marginal', which integrates persons out" if persons else ""
    count = _sum(chains, "divergences")
    yield _finding(
        "divergences",
        count,
        "0",
        count == 0,
        f"{count:,.0f} of {total:,} draws diverged"
        + ("" if count == 0 else ", and what lies beyond these places is missing from the draws"),
        elsewhere
        or "priors that keep standard deviations away from 0, or fewer random coefficients",
    )
    energy = chains["E-BFMI"].min(skipna=False) if "E-BFMI" in chains else float("nan")
    yield _finding(
        "energy",
        float(energy),
        f"at least {ENERGY_LIMIT}",
        energy >= ENERGY_LIMIT,
        f"least E-BFMI {energy:.2f}"
        + (
            "" if energy >= ENERGY_LIMIT else ": energy moves slowly, and tails are hardly explored"
        ),
        elsewhere or "more tune=, or priors with lighter tails",
    )
    deepest = _sum(chains, "deepest trees")
    yield _finding(
        "tree depth",
        deepest,
        "0",
        deepest == 0,
        f"{deepest:,.0f} of {total:,} trajectories were ended at the largest depth"
        + ("" if deepest == 0 else ": slow, not wrong, for steps are short beside the posterior"),
        elsewhere or "more tune=",
    )


def _of_model(attrs: Mapping[str, Any]) -> Iterator[Finding]:
    error = attrs.get("integration_error_sd")
    if error is not None:
        yield _finding(
            "integration",
            float(error),
            f"sd at most {ERROR_SD} nats",
            float(error) <= ERROR_SD,
            str(attrs.get("integration", "integration error of the log-likelihood")),
            "grid='auto', or more nodes",
        )
    tail = float(attrs.get("integration_pareto_k", np.nan))
    if tail > NODES_HEAVY:
        yield _finding(
            "nodes",
            tail,
            f"Pareto k at most {NODES_HEAVY}",
            False,
            f"the weights of a person's nodes have a tail of shape k = {tail:.2f}: integrals there "
            "depend on the few largest, and may be off by more than is seen",
            "grid='auto', or more nodes",
        )
    if "label_switching" in attrs:
        yield _finding(
            "classes",
            float(attrs["label_switching"]),
            "0",
            not attrs["label_switching"],
            str(attrs.get("labels", "classes are numbered alike in all chains")),
            "read each chain by itself, or fewer classes",
        )
    if "fallback" in attrs:
        yield Finding("method", float("nan"), "", True, f"NUTS sampled: {attrs['fallback']}")


def _finding(check: str, value: float, wanted: str, good: bool, words: str, remedy: str) -> Finding:
    if not np.isfinite(value) and not np.isinf(value):
        return Finding(check, float("nan"), wanted, None, "the sampler has not recorded it")
    return Finding(check, value, wanted, bool(good), words, "" if good else remedy)


def _sum(chains: pd.DataFrame, name: str) -> float:
    return float(chains[name].sum()) if name in chains else float("nan")
