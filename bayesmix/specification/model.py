"""The model: a utility formula and the laws of its random coefficients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from html import escape
from typing import Any, cast

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import known_utility
from bayesmix.errors import SpecificationError
from bayesmix.specification.class_space import ClassSpace
from bayesmix.specification.classes import ROLE, Classes, share_covariates
from bayesmix.specification.covariates import Covariates, check_mean, covariates
from bayesmix.specification.formula import (
    Columns,
    Learnt,
    State,
    columns_like,
    evaluate,
    read,
)
from bayesmix.specification.means import Terms, check_terms, meanless
from bayesmix.specification.mixing import Coefficient, Law
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.reading import remember_trust
from bayesmix.specification.scale import Sources, check_scales, sources
from bayesmix.specification.variation import levels, spread


@dataclass(frozen=True)
class MixedLogit:
    """A mixed (random-coefficients) logit; without random terms, the multinomial logit.

    ``v_itj = x_itj' delta + w_itj' beta_i`` and ``P(j) = exp v_itj / sum_l exp v_itl``, the sum
    including the outside option (utility 0) where the data have one (Train 2009, chapter 6).

    Parameters
    ----------
    formula
        Utility in formulaic's syntax, such as ``"price + time + C(alt)"``. A name is a column, with
        dots too (``trip.cost``), and in backticks where it has blanks. ``{price / 100}``,
        ``{(alt == 'bus') * price}`` and ``np.log(price)`` compute row by row, with a list of
        functions of NumPy. What ``scale(x)``, ``center``, ``poly``, ``bs``, ``cr`` and statistics
        such as ``x.mean()`` or ``np.max(x)`` learn from the data of the fit holds on scenarios and
        other data. A column of an interaction that is 0 in every row, ``C(alt):time`` where walking
        has no time, has no coefficient, and `describe` says so. The base of constants is
        the first alternative; ``C(alt, contr.treatment(base="bus"))`` chooses another. With an
        outside option all alternatives have a constant, and ``"1 + price"`` is one that they share,
        ``Intercept``, and ``"1"`` alone the model without attributes; without, such a constant
        cancels, and is refused.
    random
        Laws of the random coefficients, and at most one `LatentClass`; every other column has a
        fixed coefficient.
    wtp
        The price column of a model in willingness-to-pay space (Train and Weeks 2005):
        ``v = a (p - w'x)``, ``a`` the price coefficient. Every other coefficient, fixed or random,
        is then a willingness to pay ``w_k`` in units of the price, ``beta_k = -a w_k``. The price
        coefficient is fixed, or of a law on one side of 0.
    scale
        A column of sources of data, such as revealed and stated choices, the same in all rows of a
        situation: utilities of each are multiplied by a scale, ``scale[SP]``, relative to the first
        source's (first category, or in sorted order; Ben-Akiva and Morikawa 1990; Swait and
        Louviere 1993). What is known of the utility (an offset) is not multiplied.
    trust
        Formulas are data: names, numbers, arithmetic, comparisons, and a list of functions. True
        runs whatever else stands in them as Python; each such term must be computed row by row.

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
    random: tuple[Law | Classes, ...] = field(default=())
    wtp: str | None = None
    scale: str | None = None
    trust: bool = field(default=False, compare=False, repr=False)

    def __init__(
        self,
        formula: str,
        random: Sequence[Law | Classes] | Law | Classes = (),
        *,
        wtp: str | None = None,
        scale: str | None = None,
        trust: bool = False,
    ) -> None:
        arguments.text("formula", formula, "a formula in text, such as 'price + time'")
        for name, column in (("wtp", wtp), ("scale", scale)):
            if column is not None:
                arguments.text(name, column, "the name of a column")
        laws = (random,) if isinstance(random, Law | Classes) else _laws(random)
        object.__setattr__(self, "formula", formula)
        object.__setattr__(self, "random", laws)
        object.__setattr__(self, "wtp", wtp)
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "trust", trust)
        read(formula, trust=trust)
        _check(self)
        if trust:
            remember_trust(self.formulas)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The formula, and those of means and of class shares."""
        share = () if self.latent is None else (self.latent.share,)
        return (self.formula, *(c.mean for c in self.coefficients), *share)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """The coefficients with a continuous law, in the order of the laws."""
        return tuple(c for law in self.laws for c in law.coefficients)

    @property
    def varying(self) -> tuple[Coefficient, ...]:
        """All coefficients that vary over people: those with a law, then the points of classes."""
        return self.coefficients + (self.latent.coefficients if self.latent else ())

    @property
    def latent(self) -> Classes | None:
        """The latent classes; None without any."""
        return next((law for law in self.random if isinstance(law, Classes)), None)

    @property
    def laws(self) -> tuple[Law, ...]:
        """The continuous laws, those inside of classes among them."""
        parts = (law.laws if isinstance(law, Classes) else (law,) for law in self.random)
        return tuple(law for part in parts for law in part)

    @property
    def within(self) -> MixedLogit:
        """The model of one latent class, whose points are fixed coefficients."""
        return MixedLogit(self.formula, self.laws, wtp=self.wtp, trust=self.trust)

    def design(
        self,
        data: ChoiceData,
        like: Design | None = None,
        *,
        scales: Sources | None = None,
        learnt: Learnt | None = None,
        estimated: bool = False,
    ) -> Design:
        """The columns of the utility on ``data``, checked.

        With ``like``, the design on the data of an estimation, what formulas learn from data
        (centres, knots, levels) is taken from it, and columns may be constant: for scenarios.
        With ``scales`` the sources are those, whichever of them are in ``data``, and with
        ``learnt`` formulas have learnt that elsewhere: for data other than a posterior's. Where the
        parameters are ``estimated`` already, columns may be constant.

        Raises
        ------
        SpecificationError
            If a random term is not a column of the utility, the formula has a constant that
            cancels, or two parameters would be called the same.
        DataError
            If a column is missing, not numeric, constant within situations, or collinear with
            others. What an error component multiplies may be collinear: it has no mean.
        """
        if like is not None:
            return _design_like(self, data, like)
        columns = evaluate(self.formula, data, trust=self.trust, learnt=learnt)
        for c in self.varying:
            _check_term("random term", c.term, (self.formula, columns), data)
        if self.wtp is not None:
            _check_term("wtp =", self.wtp, (self.formula, columns), data)
        how: dict[str, Any] = {"trust": self.trust, "learnt": learnt}
        persons = covariates(self.coefficients, data, **how)
        if not estimated:
            check_terms(Terms(columns.values, columns.names, self.varying, persons), data)
        shares = None if self.latent is None else share_covariates(self.latent, data, **how)
        found = None if self.scale is None else sources(self.scale, data, scales)
        if found is not None and scales is None and not estimated:
            check_scales(found, columns.values, data)
        where = [columns.names.index(c.term) for c in self.varying]
        rest = [m for m in range(len(columns.names)) if m not in where]
        space = model_space(self, tuple(columns.names[m] for m in rest), persons, shares)
        space = space if found is None else replace(space, scales=found.scaled)
        _check_flat_names(space.names)
        return Design(
            random=np.ascontiguousarray(columns.values[:, where]),
            fixed=np.ascontiguousarray(columns.values[:, rest]),
            spread=spread(columns.values, data)[where + rest],
            parameters=space,
            coefficients=self.varying,
            state=columns.state,
            persons=persons,
            shares=shares,
            offset=known_utility(data),
            sources=found,
        )

    def __str__(self) -> str:
        lines = [self.kind.capitalize()]
        lines.append(f"  utility   {self.formula}")
        lines += [f"  random    {law}" for law in self.random]
        if self.wtp is not None:
            lines.append(f"  WTP space price {self.wtp}; other coefficients in its units")
        if self.scale is not None:
            lines.append(f"  scale     by {self.scale}, relative to its first source")
        return "\n".join(lines)

    @property
    def kind(self) -> str:
        """What such a model is called."""
        if self.latent is not None:
            return "mixed logit with latent classes" if self.laws else "latent class logit"
        return "mixed logit" if self.random else "multinomial logit"

    def describe(self, data: ChoiceData) -> str:
        """The model in words, with its number of parameters on ``data``."""
        design = self.design(data)
        space = design.parameters
        fixed = f"\n  fixed     {', '.join(space.fixed)}" if space.fixed else ""
        empty = f"\n  {design.left_out}" if design.empty else ""
        return f"{self}{fixed}{empty}\n  {space.size} parameters"

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
        The laws' records, (K,); with latent classes those of points come last.
    state
        What the formula has learnt from the data.
    persons
        Covariates of the means.
    shares
        Covariates of the shares of latent classes.
    offset
        What is known of the utilities (R,), with a coefficient of 1; None where nothing is.
    sources
        The source of each situation, where they have scales of their own.
    levels
        What columns and offset that are far from 0 are less by in each situation, (T, K + F + 1):
        choices see differences alone, and these keep their digits. None where none is far.
    """

    random: Array
    fixed: Array
    spread: Array
    parameters: ParameterSpace
    coefficients: tuple[Coefficient, ...]
    state: State | None = None
    persons: Covariates | None = None
    shares: Covariates | None = None
    offset: Array | None = None
    sources: Sources | None = None
    levels: Array | None = None

    @property
    def columns(self) -> Array:
        """The attributes, those with random coefficients first, and the offset, (R, K + F + 1)."""
        offset = np.zeros(len(self.fixed)) if self.offset is None else self.offset
        return np.hstack([self.random, self.fixed, offset[:, None]])

    def centred(self, data: ChoiceData) -> Design:
        """The design with columns less what they are far from 0 by."""
        return self.less(levels(self.columns, data), data)

    def less(self, levels: Array | None, data: ChoiceData) -> Design:
        """The design with columns less ``levels``: a scenario's are those of its data."""
        if levels is None:
            return self
        parts = np.split(self.columns - levels[data.row_situation], self._cuts, axis=1)
        random, fixed, offset = map(np.ascontiguousarray, parts)
        known = None if self.offset is None else offset[:, 0]
        return replace(self, random=random, fixed=fixed, offset=known, levels=levels)

    def written(self, data: ChoiceData) -> Design:
        """The design with columns as the formula has them, whatever their level."""
        if self.levels is None:
            return self
        return replace(self.less(-self.levels, data), levels=None)

    @property
    def _cuts(self) -> list[int]:
        return [self.random.shape[1], self.random.shape[1] + self.fixed.shape[1]]

    @property
    def random_names(self) -> tuple[str, ...]:
        return self.parameters.random

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return self.parameters.fixed

    @property
    def learnt(self) -> Learnt:
        """What each formula has learnt from the data: centres, knots, statistics."""
        parts = [] if self.persons is None else [*self.persons.states.items()]
        parts += [] if self.shares is None else [*self.shares.states.items()]
        parts += [] if self.state is None else [(self.state.reading.formula, self.state)]
        return {formula: state.learnt for formula, state in parts if state.learnt}

    @property
    def empty(self) -> tuple[str, ...]:
        """Columns of the formula that are 0 in every row, and have no coefficient."""
        return () if self.state is None else self.state.empty

    @property
    def left_out(self) -> str:
        """These in words; "" without any."""
        have = "has" if len(self.empty) == 1 else "have"
        words = f"0 in every row, and so {have} no coefficient: {', '.join(self.empty)}"
        return words if self.empty else ""

    @property
    def meanless(self) -> Flags:
        """Columns (K + F,), those with a law first, whose coefficients have no common mean."""
        fixed = np.zeros(self.fixed.shape[1], dtype=bool)
        return np.concatenate([meanless(self.coefficients, self.persons), fixed])

    @property
    def within(self) -> Design:
        """The design of one latent class: its points are fixed coefficients."""
        space = cast(ClassSpace, self.parameters)
        random, points = np.split(self.random, [space.n_random], axis=1)
        return replace(
            self,
            random=np.ascontiguousarray(random),
            fixed=np.concatenate([points, self.fixed], axis=1),
            parameters=space.within,
            coefficients=self.coefficients[: space.n_random],
            shares=None,
        )


def _design_like(model: MixedLogit, data: ChoiceData, like: Design) -> Design:
    if like.state is None:
        raise SpecificationError("argument 'like' is not a design made by MixedLogit.design")
    columns = columns_like(model.formula, data, like.state)
    random, fixed = (
        np.ascontiguousarray(columns.values[:, [columns.names.index(n) for n in names]])
        for names in (like.random_names, like.fixed_names)
    )
    persons = covariates(model.coefficients, data, like.persons)
    shares = None if model.latent is None else share_covariates(model.latent, data, like.shares)
    found = None if model.scale is None else sources(model.scale, data, like.sources)
    return replace(
        like,
        random=random,
        fixed=fixed,
        persons=persons,
        shares=shares,
        offset=known_utility(data),
        sources=found,
        levels=None,
    )


def _laws(random: Sequence[Law | Classes]) -> tuple[Law | Classes, ...]:
    laws = tuple(random) if isinstance(random, Sequence) and not isinstance(random, str) else None
    if laws is None or not all(isinstance(law, Law | Classes) for law in laws):
        raise arguments.refused("random", "laws, such as [bm.Normal('price')]", random)
    return laws


def _check(model: MixedLogit) -> None:
    if sum(isinstance(law, Classes) for law in model.random) > 1:
        raise SpecificationError(
            "argument 'random' has two LatentClass: people are of one class in all that they "
            "do; name all terms in one, LatentClass('a', 'b', classes=4)"
        )
    if model.latent is not None and model.scale is not None:
        raise SpecificationError(
            f"scale={model.scale!r} with a LatentClass: scales of sources go with continuous laws "
            "alone; interact attributes with the source in the formula, such as "
            f"'price + price:C({model.scale})', or leave out one of the two"
        )
    for mean in {c.mean for c in model.coefficients}:
        check_mean(mean, trust=model.trust)
    if model.latent is not None:
        check_mean(model.latent.share, ROLE, trust=model.trust)
    terms = [c.term for c in model.varying]
    twice = sorted({t for t in terms if terms.count(t) > 1})
    if twice:
        raise SpecificationError(
            f"term {twice[0]!r} is given two laws: name it in one law of 'random' only"
        )
    for c in model.coefficients:
        if c.term == model.wtp and c.stops_at_0:
            raise SpecificationError(
                f"wtp={model.wtp!r}: some people's price coefficient is 0 by {c.law.words} law, "
                "and a willingness to pay divides by it: write TruncatedNormal in its place"
            )
        if c.term == model.wtp and not c.side:
            raise SpecificationError(
                f"wtp={model.wtp!r}: the law of the price coefficient has both signs, and a "
                f"willingness to pay divides by it: write LogNormal({model.wtp!r}, sign=-1), or "
                "leave it fixed"
            )


def _check_flat_names(names: Sequence[str]) -> None:
    """Refuse names of columns whose brackets and commas make two parameters' names one."""
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise SpecificationError(
            f"two parameters would be called {twice[0]!r}: names of columns or categories hold "
            "commas or brackets that make it so; rename one of them"
        )


def _check_term(what: str, term: str, utility: tuple[str, Columns], data: ChoiceData) -> None:
    formula, names = utility[0], utility[1].names
    if term in utility[1].state.empty:
        raise SpecificationError(
            f"{what} {term!r} is 0 in every row, and has no coefficient: leave it out of the laws"
        )
    if term not in names:
        near = get_close_matches(term, names, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        roles = (data.person, data.situation, data.alternative, data.chosen)
        if term in data.frame.columns and term not in roles and not near:
            hint = f"write {f'{formula} + {term}'!r}; "
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


def model_space(
    model: MixedLogit,
    fixed: tuple[str, ...],
    persons: Covariates | None = None,
    shares: Covariates | None = None,
) -> ParameterSpace:
    """Layout of the parameters of a model, with fixed coefficients by name.

    With latent classes it is a `ClassSpace`, which stands in for a `ParameterSpace` everywhere but
    where a coefficient must have one law.
    """
    latent = model.latent
    if latent is None:
        return space_of(model.laws, fixed, persons)
    space = ClassSpace(
        within=space_of(model.laws, latent.points + fixed, persons),
        classes=latent.number,
        points=latent.points,
        own=tuple(term for law in latent.laws for term in law.terms),
        constant=latent.share != "0" if shares is None else not shares.centred,
        covariates=() if shares is None else tuple(name for _, name in shares.shifts),
    )
    return cast(ParameterSpace, space)
