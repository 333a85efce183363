"""Markets: products that are described once, offered to every person of choice data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arguments import flag, instance, mapping
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.known_columns import KnownColumns
from bayesmix.data.known_utility import known_utility
from bayesmix.data.products import (
    check_attributes,
    check_owners,
    labelled_products,
    products_table,
)
from bayesmix.data.table import UNOBSERVED
from bayesmix.data.widen import levels_in_use
from bayesmix.errors import DataError

MARKET = "market"
"""Label of the one situation of each person."""


def market(
    described: Sequence[Mapping[str, Any]] | pd.DataFrame,
    data: ChoiceData,
    *,
    products: str | None = None,
    outside_option: bool | None = None,
    like: Mapping[str, Hashable] | None = None,
    owners: str | None = None,
) -> ChoiceData:
    """A market of products, each described once, that is offered to every person of the data.

    Every person has one situation, labelled "market", with all products in it, and keeps weight and
    those columns that are the same in all of the person's rows, such as income. Nobody has chosen:
    results predict for it. It goes wherever choice data do, `shares`, `diversion`, `elasticities`,
    `surplus`, `person_draws`, and changes as they do, by ``with_attribute``, ``without`` and
    ``with_alternative``. Markets made of the same data have the same persons, and are scenarios of
    each other: ``bm.surplus(fit, now, scenario=then)``.

    Parameters
    ----------
    described
        Attributes of J products, ``[{"price": 2.0, "zoom": 1}, ...]``, or a frame with a row
        a product. Of the data's columns those that the model uses and that vary within persons have
        to be there; what is given takes the place of a person's own.
    data
        The persons: choice data with the model's columns, such as those that it was fitted to.
        Of data with constants of `match_shares` every product has to have one, too.
    products
        The column of ``described`` with the products' labels, which the alternatives then have. By
        default the data's column of alternatives where it is described, as constants of
        alternatives ask for, and "product 1", "product 2", ... elsewhere.
    outside_option
        Whether nothing can be bought: as in the data by default. False: shares are of choices
        among these products alone.
    like
        By label of a product that the data do not know: the alternative whose constants it has.
    owners
        The column of ``described`` with the firm that owns each product, which the data need not
        have: ``bm.Firms`` reads it by the same name.

    Returns
    -------
    ChoiceData

    Raises
    ------
    DataError
        If a product lacks an attribute that another has, or a known part of the utility, a column
        is unknown or of another kind than the data's, or labels are not distinct.
    SpecificationError
        If an argument is of another kind.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> plain = {"pf": 7, "cl": 1, "loc": 0, "wk": 0, "tod": 0, "seas": 0}
    >>> now = bm.market([plain, {**plain, "pf": 8, "loc": 1}], data)
    >>> found = bm.shares(fit, now, draws=20, rng=1)["estimate"]
    >>> odds = fit.params["fixed[pf]"] + fit.params["fixed[loc]"]
    >>> bool(abs(found[1] / found[0] - np.exp(odds)) < 1e-9)
    True
    >>> cheaper = now.with_attribute("pf", 6, alternative="product 1")
    >>> gain = bm.surplus(fit, now, scenario=cheaper, price="pf", draws=20, rng=1)
    >>> bool(found[0] < gain["estimate"] < 1)  # a cent less for those who take it, and more do
    True
    """
    instance("data", data, ChoiceData, "ChoiceData, whose persons the products are offered to")
    if outside_option is not None:
        flag("outside_option", outside_option)
    data = data.first_choices()
    table = products_table(described)
    labels, table = labelled_products(table, data, products)
    check_owners(owners, table, data)
    check_attributes(table.drop(columns=[] if owners is None else [owners]), data, labels)
    offered = len(labels)
    rows = _own(data, list(table.columns))
    frame = pd.concat(
        [
            rows.loc[rows.index.repeat(offered)].reset_index(drop=True),
            pd.concat([table] * data.n_persons, ignore_index=True),
        ],
        axis="columns",
    )
    frame[data.alternative] = pd.Series(list(labels) * data.n_persons, dtype=_kind(labels))
    offset, matched = data.known.offset, data.known.matched
    if offset is not None and offset not in frame.columns:
        raise DataError(
            f"the data have the offset {show(offset)}, a known part of the utility: every product "
            "has to have one"
        )
    if matched is not None and matched not in table.columns:
        raise DataError(
            f"the data have constants {show(matched)} of bm.match_shares, a known part of the "
            "utility: every product has to have one; or make the market of the data without them, "
            "and match its own shares"
        )
    outside = data.outside_option if outside_option is None else bool(outside_option)
    if outside and not data.outside_option:
        raise DataError(
            "argument 'outside_option': the data have none, and no model of them says what it is "
            "worth: leave it out"
        )
    found = replace(
        data,
        frame=levels_in_use(frame),
        situations=_situations(data),
        alternatives=labels,
        chosen=None,
        person_start=np.arange(data.n_persons + 1),
        situation_start=offered * np.arange(data.n_persons + 1),
        alternative_code=np.tile(np.arange(offered), data.n_persons),
        chosen_row=np.full(data.n_persons, UNOBSERVED, dtype=np.int64),
        outside_option=outside,
        forced=data.forced or outside != data.outside_option,
        rows=pd.Index([f"{MARKET}: {label}" for label in labels] * data.n_persons),
        files=None,
        rows_left_out=0,
        situations_left_out=0,
        booleans=data.booleans & {str(name) for name in frame.columns},
        stand_ins=_stand_ins(like, labels, data),
        known=KnownColumns(offset, matched=matched),
        origin=data if data.origin is None else data.origin,
    )
    known_utility(found)  # refuses what is not finite
    return found


def _own(data: ChoiceData, described: list[str]) -> pd.DataFrame:
    """A row a person (I,): labels, and what is the same in all rows of the person."""
    sizes = np.bincount(data.row_person, minlength=data.n_persons)
    if not sizes.all():
        raise DataError(
            f"person {show(data.persons[int(np.flatnonzero(sizes == 0)[0])])} has lost all rows in "
            "this scenario, and with them all that is known of them: make the market of the data "
            "before"
        )
    first = np.append(0, sizes.cumsum())[:-1]
    dropped = [*described, data.chosen, data.alternative]
    frame = data.frame.drop(columns=[c for c in dropped if c in data.frame.columns])
    kept = []
    for name in frame.columns:
        codes = pd.factorize(frame[name])[0]
        same = np.array_equal(codes, codes[first][data.row_person])
        if name == data.situation or (same and (codes >= 0).all()):
            kept.append(name)
    own = frame[kept].iloc[first].reset_index(drop=True)
    if data.person is not None:
        own[data.situation] = MARKET
    return own


def _situations(data: ChoiceData) -> pd.MultiIndex:
    if data.person is None:
        return data.situations
    labels = [MARKET] * data.n_persons
    return pd.MultiIndex.from_arrays([data.persons, labels], names=data.situations.names)


def _kind(labels: Sequence[Hashable]) -> Any:
    return None if all(isinstance(label, int | float) for label in labels) else object


def _stand_ins(
    like: Mapping[str, Hashable] | None, labels: Sequence[Hashable], data: ChoiceData
) -> dict[Hashable, Hashable]:
    """New label -> alternative of the data whose constants it has."""
    if like is None:
        return {}
    found: dict[Hashable, Hashable] = {}
    for label, known in mapping("like", like, "a mapping, new label -> alternative").items():
        if label not in labels or label in data.alternatives:
            raise DataError(
                f"argument 'like': {show(label)} is no new product; these are "
                f"{first_few([n for n in labels if n not in data.alternatives], 12)}"
            )
        if not isinstance(known, Hashable) or known not in data.alternatives:
            raise DataError(
                f"argument 'like': the data have no alternative {show(known)}; "
                f"{nearest(known, data.alternatives)}"
            )
        found[label] = data.stand_ins.get(known, known)
    return found
