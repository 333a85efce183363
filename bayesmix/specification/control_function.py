"""A control function: what a price owes to unobserved demand, by its first stage's residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.formulas.reading import read

REFUSE, ZERO = "refuse", "zero"
MOST_POWERS = 5


@dataclass(frozen=True)
class ControlFunction:
    """The residual of an endogenous attribute's first stage, as a further column of the utility.

    Prices answer to what people like and no column says: a demand shock ``xi_l`` of a level ``l``,
    such as a product in a market. With instruments ``z_l`` that move prices and not utilities,

    ``p_l = z_l' gamma + mu_l``  and  ``v_itj = x_itj' delta + w_itj' beta_i + lambda mu_l(itj)``:

    given the residual ``mu_l`` what is left of the shock has nothing to do with the price. The
    first stage is by least squares, and each level counts once, however many people meet it.

    Its columns are called ``residual[price]``, ``residual[price]^2`` and so on: coefficients are
    ``fixed[residual[price]]``, or those of a law, ``random=[Normal("residual[price]")]``. Standard
    errors of fits carry the sampling of the first stage, see `MixedLogit` and `first_stage`.
    What is left of the shock beside the residual is in the logit's error, whose scale all
    coefficients are relative to (Petrin and Train 2010, section 2).

    Parameters
    ----------
    price
        The endogenous column, which the utility's formula names. It is the same in all rows of a
        level.
    instruments
        A formula of columns that move it and are not in the utility, ``"cost + C(region)"``, the
        same in all rows of a level.
    on
        The columns whose values make a level, ``("market", "alternative")``.
    exogenous
        A formula of the other regressors of the first stage, beside a constant. By default the
        columns of the utility's formula that do not depend on the price and are the same in all
        rows of each level; those that are not, such as a person's distance, are left out, and
        `first_stage` says which.
    powers
        Powers of the residual in the utility: 2 is the residual and its square.
    cluster
        The column of clusters within which levels depend on each other, the same in all rows of a
        level. By default the first of ``on`` where there are several, and else each level alone.
    new
        What predictions do with levels that the fit's data do not have: ``"refuse"``, or
        ``"zero"``, which takes their shock for its mean.

    Raises
    ------
    SpecificationError
        If an argument is of the wrong kind, or an instrument is the price itself.

    References
    ----------
    Petrin and Train (2010); Rivers and Vuong (1988). Standard errors: Murphy and Topel (1985);
    Karaca-Mandic and Train (2003).

    Examples
    --------
    >>> from bayesmix import ControlFunction, MixedLogit
    >>> control = ControlFunction("price", instruments="cost", on=("market", "alternative"))
    >>> control.residuals
    ('residual[price]',)
    >>> print(MixedLogit("price + quality", control=control))
    Multinomial logit
      utility   price + quality
      control   residual[price] of price on cost, by market and alternative
    """

    price: str
    instruments: str
    on: tuple[str, ...]
    exogenous: str | None = None
    powers: int = 1
    cluster: str | None = None
    new: str = REFUSE

    def __init__(
        self,
        price: str,
        *,
        instruments: str,
        on: str | Sequence[str],
        exogenous: str | None = None,
        powers: int = 1,
        cluster: str | None = None,
        new: str = REFUSE,
    ) -> None:
        keep = object.__setattr__
        keep(self, "price", arguments.text("price", price, "the name of a column"))
        words = "a formula in text, such as 'cost + C(region)'"
        keep(self, "instruments", arguments.text("instruments", instruments, words))
        given = (on,) if isinstance(on, str) else on
        keep(self, "on", arguments.names("on", given, "columns, such as ('market', 'alternative')"))
        named = [column for column in self.on if column.strip() and column != price]
        if not self.on or len(set(named)) < len(self.on):
            raise arguments.refused("on", "some different columns, and not the price", on)
        if exogenous is not None:
            arguments.text("exogenous", exogenous, words)
        keep(self, "exogenous", exogenous)
        keep(self, "powers", arguments.whole("powers", powers, most=MOST_POWERS))
        if cluster is not None:
            arguments.text("cluster", cluster, "the name of a column")
        keep(self, "cluster", cluster)
        keep(self, "new", arguments.one_of("new", new, (REFUSE, ZERO)))

    @property
    def formulas(self) -> tuple[str, ...]:
        """The formulas of the first stage."""
        return (self.instruments, *([] if self.exogenous is None else [self.exogenous]))

    @property
    def residuals(self) -> tuple[str, ...]:
        """The columns that it adds to the utility."""
        name = f"residual[{self.price}]"
        return (name, *(f"{name}^{power}" for power in range(2, self.powers + 1)))

    def check(self, trust: bool) -> None:
        """Refuse formulas that cannot be read, or that have the price on both sides."""
        for argument, formula in zip(("instruments", "exogenous"), self.formulas, strict=False):
            reading = read(formula, trust=trust)
            if self.price in reading.columns:
                raise SpecificationError(
                    f"argument {argument!r} of ControlFunction: {formula!r} names {self.price!r}, "
                    "the endogenous column itself: name what moves it, such as a cost"
                )
        if read(self.instruments, trust=trust).constant_alone:
            raise SpecificationError(
                "argument 'instruments' of ControlFunction is a constant alone: name columns that "
                f"move {self.price!r} and are not in the utility, such as a cost"
            )

    def record(self) -> dict[str, object]:
        """It as a record of strings, numbers and lists."""
        return {**vars(self), "on": list(self.on)}

    def __str__(self) -> str:
        names, by = ", ".join(self.residuals), " and ".join(self.on)
        also = "" if self.exogenous is None else f" beside {self.exogenous}"
        return f"{names} of {self.price} on {self.instruments}{also}, by {by}"
