"""Shares by sample enumeration (Train 2009, chapter 2), with their uncertainty."""

from __future__ import annotations

from functools import partial
from typing import Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import one_of
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Here, Sample, dataset, enumerate_sample, squeezed
from bayesmix.errors import SpecificationError
from bayesmix.kernels.nested_demand import nested_shares
from bayesmix.kernels.shares import row_shares
from bayesmix.kernels.substitution import Size

RULES = ("preference", "first-choice")
SHARP = 1e9
"""Utils that a util counts for where the best alternative is taken: at what is not within 1e-7 of
a tie the logit is 0 or 1 to all digits, and at a tie it shares."""


def shares(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    products: str | None = None,
    rule: str = "preference",
    **how: Unpack[Options],
) -> xr.Dataset:
    """Expected shares of the alternatives among the people of the data, or in a scenario.

    ``S_j = sum_it w_i E[P_itj(beta_i)] / sum_it w_i`` over situations, the expectation over the
    population's coefficients on scrambled Sobol nodes. An alternative that a situation
    does not offer has a share of 0 there.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    data
        The data that it was fitted to, or other sets with the same columns, which need no choices.
    scenario
        Made from ``data`` (or ``predict``) by ``with_attribute``, ``without`` or
        ``with_alternative``; the sets as they are by default. The same ``rng`` gives the same
        nodes, so that scenarios compare.
    predict
        Choice sets to predict for, where these are others than ``data``: those of a posterior whose
        formula has learnt from its data, and new ones of people who are known by their choices in
        ``data``, ``shares(fit, past, predict=holdout, people="known")``. Persons are found by their
        labels. Without it known people are those of the estimation, at their own sets.
    by
        A column that is the same in all rows of a situation: shares of each of its segments.
    products
        A column of the rows' products, such as brands where alternatives are mere positions: they
        take the place of the alternatives. Rows of one product in a situation are counted, and
        where something changes they change, together: a removal takes all of them away.
    rule
        ``"preference"``: shares of preference, the mean probabilities above. ``"first-choice"``:
        the share of people whose utility, without its extreme value error, is highest there,
        ``E[1(v_itj(beta_i) = max_k v_itk(beta_i))]``, ties shared: what is chosen if nothing but
        the attributes decides. It jumps from person to person, and the more ``nodes`` the less its
        noise; the delta method, which needs derivatives, is refused.
    **how
        How it is computed, the same for all functions of demand: ``interval=0.95``, the probability
        of the intervals; ``draws=200`` of the parameters; ``rng``, a seed or Generator;
        ``uncertainty="krinsky-robb"``, ``"delta"`` or the result of ``bm.bootstrap`` for a fit;
        ``people="population"``, or ``"known"`` for each person's coefficients given the person's
        choices; ``nodes=256`` a person; ``progress=True``, whether to show a bar.

    Returns
    -------
    xarray.Dataset
        ``estimate`` (at a fit's estimates, the mean over a posterior), ``low`` and ``high``, by
        ``alternative`` (with "outside" where there is an outside option) and, with ``by``,
        ``segment``.

    Raises
    ------
    DataError
        If the scenario is not made from ``data``, ``by`` varies within situations, or choices
        would be predicted from themselves: of known people who are not the estimation's.
    SpecificationError
        If ``result`` is of another kind, or a fit has no covariance matrix.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> now = bm.shares(fit, data, draws=50, rng=1)
    >>> float(now["estimate"].sum().round(12))
    1.0
    >>> without = bm.shares(fit, data, scenario=data.without(4), draws=50, rng=1)
    >>> bool((without["estimate"] > now["estimate"].sel(alternative=[1, 2, 3])).all())
    True
    """
    asked = settle(how, shares)
    sharp = one_of("rule", rule, RULES) == "first-choice"
    if sharp and asked.uncertainty == "delta":
        raise SpecificationError(
            "argument 'uncertainty': shares of first choices have jumps, and no derivatives for "
            "'delta': take 'krinsky-robb' or a bootstrap"
        )
    found = enumerate_sample(result, data, Where(scenario, by, products, predict), asked)
    values = found.of(lambda theta: expected(found, theta, sharp), "shares")
    return squeezed(dataset(found, values, ["alternative"], {"alternative": found.labels}), by)


def expected(found: Sample, theta: Array, sharp: bool = False) -> Array:
    """Shares (G, A) at one free vector, the outside option's last; ``sharp``: of first choices."""
    sums = list(found.over(theta, partial(_sums, size=found.size, sharp=sharp)))
    return np.sum(sums, axis=0) / found.mass[:, None]


def _sums(here: Here, *, size: Size, sharp: bool) -> Array:
    return here.piece.add_up(first_choices(here) if sharp else of_rows(here), size)


def first_choices(here: Here) -> Array:
    """Share of nodes at which each row of a piece is best: the logit of utilities times `SHARP`."""
    # Errors are left out here, and with them what nests say of these.
    panel = here.rows._replace(person_start=here.sets.person_start, x=SHARP * here.rows.x)
    return row_shares(panel, SHARP * here.base, here.mixture)


def of_rows(here: Here) -> Array:
    """Share of each row of a piece, the outside option's among them."""
    # The kernel reads the nodes of a person: situations are grouped by person again.
    panel = here.rows._replace(person_start=here.sets.person_start)
    if here.nests is not None:
        return nested_shares(panel, here.nests, here.base, here.mixture)[0]
    return row_shares(panel, here.base, here.mixture)
