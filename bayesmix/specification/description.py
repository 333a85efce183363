"""The record of a model: a utility formula and the laws of its random coefficients."""

from __future__ import annotations

from dataclasses import dataclass, field

from bayesmix.specification.classes import Classes, classes_of, laws_of
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.control_function import ControlFunction
from bayesmix.specification.laws.coefficient import Coefficient, Law
from bayesmix.specification.nests import Nests


@dataclass(frozen=True)
class Description:
    """What a `MixedLogit` is made of, whose parameters these are; what reads models takes it."""

    formula: str
    random: tuple[Law | Classes, ...] = field(default=())
    wtp: str | None = None
    scale: str | None = None
    constraints: Constraints = field(default=Constraints())
    control: ControlFunction | None = None
    nests: Nests | None = None
    trust: bool = field(default=False, compare=False, repr=False)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The formula, and those of means, of class shares and of a first stage."""
        means = (c.mean for c in self.coefficients)
        control = () if self.control is None else self.control.formulas
        return (self.formula, *means, *self.latent.formulas, *control)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """The coefficients with a continuous law, in the order of the laws."""
        return tuple(c for law in self.laws for c in law.coefficients)

    @property
    def varying(self) -> tuple[Coefficient, ...]:
        """All coefficients that vary over people: those with a law, then the points of classes."""
        return self.coefficients + self.latent.coefficients

    @property
    def latent(self) -> Classes:
        """The C >= 1 classes."""
        return classes_of(self.random)

    @property
    def laws(self) -> tuple[Law, ...]:
        """The continuous laws, those inside of classes among them."""
        return laws_of(self.random)

    def __str__(self) -> str:
        lines = [self.kind.capitalize()]
        lines.append(f"  utility   {self.formula}")
        lines += [f"  random    {law}" for law in self.random]
        if self.wtp is not None:
            lines.append(f"  WTP space price {self.wtp}; other coefficients in its units")
        if self.scale is not None:
            lines.append(f"  scale     by {self.scale}, relative to its first source")
        if self.control is not None:
            lines.append(f"  control   {self.control}")
        if self.nests is not None:
            lines.append(f"  nests     {self.nests}")
        if self.constraints:
            lines.append(f"  held      {self.constraints}")
        return "\n".join(lines)

    @property
    def kind(self) -> str:
        """What such a model is called."""
        if self.nests is None:
            return self.latent.model(self.laws)
        kind = "cross-nested logit" if self.nests.crossed else "nested logit"
        return f"mixed {kind}" if self.laws else kind
