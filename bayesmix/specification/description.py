"""The record of a model: a utility formula and the laws of its random coefficients."""

from __future__ import annotations

from dataclasses import dataclass, field

from bayesmix.specification.classes import Classes
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.laws.coefficient import Coefficient, Law


@dataclass(frozen=True)
class Description:
    """What a `MixedLogit` is made of, whose parameters these are; what reads models takes it."""

    formula: str
    random: tuple[Law | Classes, ...] = field(default=())
    wtp: str | None = None
    scale: str | None = None
    constraints: Constraints = field(default=Constraints())
    trust: bool = field(default=False, compare=False, repr=False)

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

    def __str__(self) -> str:
        lines = [self.kind.capitalize()]
        lines.append(f"  utility   {self.formula}")
        lines += [f"  random    {law}" for law in self.random]
        if self.wtp is not None:
            lines.append(f"  WTP space price {self.wtp}; other coefficients in its units")
        if self.scale is not None:
            lines.append(f"  scale     by {self.scale}, relative to its first source")
        if self.constraints:
            lines.append(f"  held      {self.constraints}")
        return "\n".join(lines)

    @property
    def kind(self) -> str:
        """What such a model is called."""
        if self.latent is not None:
            return "mixed logit with latent classes" if self.laws else "latent class logit"
        return "mixed logit" if self.random else "multinomial logit"
