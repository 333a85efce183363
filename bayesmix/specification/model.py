"""The model: a utility formula and the laws of its random coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from html import escape

import numpy as np
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.data.known import known_utility
from bayesmix.errors import SpecificationError
from bayesmix.specification.covariates import Covariates, check_mean, covariates
from bayesmix.specification.formula import State, columns_like, evaluate, parse
from bayesmix.specification.mixing import Coefficient, Law
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.scale import Sources, check_scales, sources
from bayesmix.specification.variation import check_variation, spread

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MixedLogit:
    """A mixed (random-coefficients) logit; without random terms, the multinomial logit.

    ``v_itj = x_itj' delta + w_itj' beta_i`` and ``P(j) = exp v_itj / sum_l exp v_itl``, the sum
    including the outside option (utility 0) where the data have one (Train 2009, chapter 6).

    Parameters
    ----------
    formula
        Utility in formulaic's syntax, such as ``"price + time + C(alt)"``. The base of constants is
        the first alternative; ``C(alt, contr.treatment(base="bus"))`` chooses another. With an
        outside option all alternatives have a constant.
    random
        Laws of the random coefficients; every other column has a fixed coefficient.
    wtp
        The price column of a model in willingness-to-pay space (Train and Weeks 2005):
        ``v = a (p - w'x)``, ``a`` the price coefficient. Every other coefficient, fixed or random,
        is then a willingness to pay ``w_k`` in units of the price, ``beta_k = -a w_k``. The price
        coefficient is fixed or lognormal.
    scale
        A column of sources of data, such as revealed and stated choices, the same in all rows of a
        situation: utilities of each are multiplied by a scale, ``scale[SP]``, relative to the first
        source's (first category, or in sorted order; Ben-Akiva and Morikawa 1990; Swait and
        Louviere 1993). What is known of the utility (an offset) is not multiplied.

    Raises
    ------
    SpecificationError
        If the formula cannot be read, a term is given two laws, or the law of the price coefficient
        has both signs in WTP space.

    Examples
    --------
    >>> from bayesmix import LogNormal, MixedLogit, Normal
    >>> print(MixedLogit("price + time", random=[LogNormal("price", sign=-1)]))
    Mixed logit
      utility   price + time
      random    independent lognormal: -exp(price)
    """

    formula: str
    random: tuple[Law, ...] = field(default=())
    wtp: str | None = None
    scale: str | None = None

    def __init__(
        self,
        formula: str,
        random: Sequence[Law] | Law = (),
        *,
        wtp: str | None = None,
        scale: str | None = None,
    ) -> None:
        laws = (random,) if isinstance(random, Law) else tuple(random)
        object.__setattr__(self, "formula", formula)
        object.__setattr__(self, "random", laws)
        object.__setattr__(self, "wtp", wtp)
        object.__setattr__(self, "scale", scale)
        parse(formula)
        for law in laws:
            if not isinstance(law, Law):
                raise SpecificationError(
                    f"argument 'random' holds laws such as Normal('price'), got {law!r}"
                )
        for mean in {c.mean for c in self.coefficients}:
            check_mean(mean)
        terms = [c.term for c in self.coefficients]
        twice = sorted({t for t in terms if terms.count(t) > 1})
        if twice:
            raise SpecificationError(
                f"term {twice[0]!r} is given two laws: name it in one law of 'random' only"
            )
        for c in self.coefficients:
            if c.term == wtp and not c.lognormal:
                raise SpecificationError(
                    f"wtp={wtp!r}: the law of the price coefficient has both signs, and a "
                    f"willingness to pay divides by it: write LogNormal({wtp!r}, sign=-1), or "
                    "leave it fixed"
                )

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """The random coefficients, in the order of the laws."""
        return tuple(c for law in self.random for c in law.coefficients)

    def design(self, data: ChoiceData, like: Design | None = None) -> Design:
        """The columns of the utility on ``data``, checked.

        With ``like``, the design on the data of an estimation, what formulas learn from data
        (centres, knots, levels) is taken from it, and columns may be constant: for scenarios.

        Raises
        ------
        SpecificationError
            If a random term is not a column of the utility.
        DataError
            If a column is missing, not numeric, constant within situations or collinear.
        """
        if like is not None:
            return _design_like(self, data, like)
        columns = evaluate(self.formula, data)
        for c in self.coefficients:
            _check_term("random term", c.term, self.formula, columns.names)
        if self.wtp is not None:
            _check_term("wtp =", self.wtp, self.formula, columns.names)
        check_variation(columns.values, columns.names, data)
        persons = covariates(self.coefficients, data)
        found = None if self.scale is None else sources(self.scale, data)
        if found is not None:
            check_scales(found, columns.values, data)
        where = [columns.names.index(c.term) for c in self.coefficients]
        rest = [m for m in range(len(columns.names)) if m not in where]
        return Design(
            random=np.ascontiguousarray(columns.values[:, where]),
            fixed=np.ascontiguousarray(columns.values[:, rest]),
            spread=spread(columns.values, data)[where + rest],
            parameters=replace(
                space_of(self.random, tuple(columns.names[m] for m in rest), persons),
                scales=() if found is None else found.scaled,
            ),
            coefficients=self.coefficients,
            state=columns.state,
            persons=persons,
            offset=known_utility(data),
            sources=found,
        )

    def __str__(self) -> str:
        lines = ["Mixed logit" if self.random else "Multinomial logit"]
        lines.append(f"  utility   {self.formula}")
        lines += [f"  random    {law}" for law in self.random]
        if self.wtp is not None:
            lines.append(f"  WTP space price {self.wtp}; other coefficients in its units")
        if self.scale is not None:
            lines.append(f"  scale     by {self.scale}, relative to its first source")
        return "\n".join(lines)

    def describe(self, data: ChoiceData) -> str:
        """The model in words, with its number of parameters on ``data``."""
        space = self.design(data).parameters
        fixed = f"\n  fixed     {', '.join(space.fixed)}" if space.fixed else ""
        return f"{self}{fixed}\n  {space.size} parameters"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self), quote=False)}</pre>"


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of a utility on given data.

    Parameters
    ----------
    random
        Attributes (R, K) with random coefficients, in the order of the laws.
    fixed
        Attributes (R, F) with fixed coefficients.
    spread
        Root mean square (K + F,) of each column within situations: utils per unit coefficient.
    parameters
        Names and layout of the parameters.
    coefficients
        The laws' records, (K,).
    state
        What the formula has learnt from the data.
    persons
        Covariates of the means.
    offset
        What is known of the utilities (R,), with a coefficient of 1; None where nothing is.
    sources
        The source of each situation, where they have scales of their own.
    """

    random: Array
    fixed: Array
    spread: Array
    parameters: ParameterSpace
    coefficients: tuple[Coefficient, ...]
    state: State | None = None
    persons: Covariates | None = None
    offset: Array | None = None
    sources: Sources | None = None

    @property
    def random_names(self) -> tuple[str, ...]:
        return self.parameters.random

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return self.parameters.fixed


def _design_like(model: MixedLogit, data: ChoiceData, like: Design) -> Design:
    if like.state is None:
        raise SpecificationError("argument 'like' is not a design made by MixedLogit.design")
    columns = columns_like(model.formula, data, like.state)
    random, fixed = (
        np.ascontiguousarray(columns.values[:, [columns.names.index(n) for n in names]])
        for names in (like.random_names, like.fixed_names)
    )
    persons = covariates(model.coefficients, data, like.persons)
    found = None if model.scale is None else sources(model.scale, data, like.sources)
    return replace(
        like,
        random=random,
        fixed=fixed,
        persons=persons,
        offset=known_utility(data),
        sources=found,
    )


def _check_term(what: str, term: str, formula: str, names: Sequence[str]) -> None:
    if term not in names:
        near = get_close_matches(term, names, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SpecificationError(
            f"{what} {term!r} is not in the formula {formula!r}: {hint}"
            f"its columns are {list(names)}"
        )


def space_of(
    laws: Sequence[Law], fixed: tuple[str, ...], persons: Covariates | None = None
) -> ParameterSpace:
    """Layout of the parameters of these laws and of fixed coefficients by name."""
    blocks: list[tuple[int, ...]] = []
    position = 0
    for law in laws:
        here = range(position, position + len(law.coefficients))
        blocks += [tuple(here)] if law.correlated else [(k,) for k in here]
        position += len(law.coefficients)
    names = tuple(c.term for law in laws for c in law.coefficients)
    if persons is None:
        coefficients = [c for law in laws for c in law.coefficients]
        centred = tuple(k for k, c in enumerate(coefficients) if c.mean == "0")
        return ParameterSpace(names, fixed, tuple(blocks), centred)
    return ParameterSpace(names, fixed, tuple(blocks), persons.centred, persons.shifts)
