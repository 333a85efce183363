"""The model: a utility formula and the laws of its random coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from bayesmix import arguments
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import known_utility
from bayesmix.data.pages import taken
from bayesmix.formulas.formula import (
    Learnt,
    evaluate,
    read,
)
from bayesmix.formulas.reading import remember_trust
from bayesmix.formulas.variation import spread
from bayesmix.specification.classes import Classes, given_laws, share_covariates
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.control_function import ControlFunction
from bayesmix.specification.covariates import covariates
from bayesmix.specification.description import Description
from bayesmix.specification.design import Design, design_like
from bayesmix.specification.first_stage import first_stage
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.means import Terms, check_terms
from bayesmix.specification.model_checks import check_description, check_flat_names, check_term
from bayesmix.specification.model_space import model_space
from bayesmix.specification.nests import Nests, check_nests, memberships
from bayesmix.specification.residuals import with_residuals
from bayesmix.specification.scale import Sources, check_scales, sources


class MixedLogit(Description):
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
    constraints
        What is held, tied or bounded, in every estimator: `bayesmix.Constraints`.
    control
        `bayesmix.ControlFunction` of an attribute that answers to unobserved demand, such as a
        price: its first stage's residual is a further column of the utility.
    nests
        `bayesmix.Nests` of alternatives: the nested logit, and the cross-nested, as the kernel
        under whatever coefficients are random.
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

    def __init__(
        self,
        formula: str,
        random: Sequence[Law | Classes] | Law | Classes = (),
        *,
        wtp: str | None = None,
        scale: str | None = None,
        constraints: Constraints | None = None,
        control: ControlFunction | None = None,
        nests: Nests | None = None,
        trust: bool = False,
    ) -> None:
        arguments.text("formula", formula, "a formula in text, such as 'price + time'")
        for name, column in (("wtp", wtp), ("scale", scale)):
            if column is not None:
                arguments.text(name, column, "the name of a column")
        object.__setattr__(self, "formula", formula)
        object.__setattr__(self, "random", given_laws(random))
        object.__setattr__(self, "wtp", wtp)
        object.__setattr__(self, "scale", scale)
        none = Constraints() if constraints is None else constraints
        meaning = "a record, bm.Constraints(fixed={'sd[x]': 0})"
        object.__setattr__(
            self, "constraints", arguments.instance("constraints", none, Constraints, meaning)
        )
        if control is not None:
            meaning = "a record, bm.ControlFunction('price', instruments='cost', on=('market',))"
            arguments.instance("control", control, ControlFunction, meaning)
            control.check(trust)
        object.__setattr__(self, "control", control)
        if nests is not None:
            meaning = "a record, bm.Nests({'public': ['train', 'bus']})"
            arguments.instance("nests", nests, Nests, meaning)
            object.__setattr__(self, "constraints", nests.bounds(self.constraints))
        object.__setattr__(self, "nests", nests)
        object.__setattr__(self, "trust", trust)
        read(formula, trust=trust)
        check_description(self)
        if trust:
            remember_trust(self.formulas)

    @property
    def within(self) -> MixedLogit:
        """The model of one latent class, whose points are fixed coefficients."""
        return MixedLogit(
            self.formula, self.laws, wtp=self.wtp, control=self.control, trust=self.trust
        )

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
            return design_like(self, data, like)
        columns, residuals = evaluate(self.formula, data, trust=self.trust, learnt=learnt), None
        if self.control is not None:
            residuals = first_stage(self.control, columns, data, trust=self.trust)
            columns = with_residuals(columns, residuals)
        for c in self.varying:
            check_term("random term", c.term, (self.formula, columns), data)
        if self.wtp is not None:
            check_term("wtp =", self.wtp, (self.formula, columns), data)
        how: dict[str, Any] = {"trust": self.trust, "learnt": learnt}
        persons = covariates(self.coefficients, data, **how)
        if not estimated:
            check_terms(Terms(columns.values, columns.names, self.varying, persons), data)
        shares = share_covariates(self.latent, data, **how)
        found = None if self.scale is None else sources(self.scale, data, scales)
        if found is not None and scales is None and not estimated:
            check_scales(found, columns.values, data)
        nests = None
        if self.nests is not None:
            check_nests(self.nests, data)
            nests = memberships(self.nests, data, estimated=estimated)
        where = [columns.names.index(c.term) for c in self.varying]
        rest = [m for m in range(len(columns.names)) if m not in where]
        fixed = tuple(columns.names[m] for m in rest)
        space = model_space(self, fixed, persons, shares, () if found is None else found.scaled)
        check_flat_names(space.names)
        return Design(
            random=taken(columns.values, where, data.folder),
            fixed=taken(columns.values, rest, data.folder),
            spread=spread(columns.values, data)[where + rest],
            parameters=space,
            coefficients=self.varying,
            state=columns.state,
            persons=persons,
            shares=shares,
            offset=known_utility(data),
            sources=found,
            residuals=residuals,
            nests=nests,
        )

    def describe(self, data: ChoiceData) -> str:
        """The model in words, with its number of parameters on ``data``."""
        design = self.design(data)
        space = design.parameters
        fixed = f"\n  fixed     {', '.join(space.fixed)}" if space.fixed else ""
        empty = f"\n  {design.left_out}" if design.empty else ""
        return f"{self}{fixed}{empty}\n  {space.size} parameters"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self), quote=False)}</pre>"
