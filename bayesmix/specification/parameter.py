"""What a parameter is: its kind, what it is of, and so its name and the scale of its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Scale = Literal["identity", "log", "Fisher z", "logit"]


@dataclass(frozen=True)
class Kind:
    """A kind of parameters, or of quantities that parameters imply.

    Parameters
    ----------
    name
        What stands before the brackets of flat names: ``"mean"`` of ``"mean[price]"``.
    scale
        The transformation to a scale without bounds, on which intervals are symmetric.
    neutral
        The value that a z ratio compares with: of no effect.
    """

    name: str
    scale: Scale = "identity"
    neutral: float = 0.0


MEAN, FIXED, SHIFT, SHARE = Kind("mean"), Kind("fixed"), Kind("shift"), Kind("share")
SHAPE = Kind("shape")
"""Of a law that has more than a location and a scale: any number, see the law."""
SD, CORRELATION = Kind("sd", "log"), Kind("corr", "Fisher z")
SCALE = Kind("scale", "log", neutral=1.0)
NEST = Kind("nest", "log", neutral=1.0)
"""Log-sum coefficient of a nest: an interval that has 1 in it says that it may be the logit."""
LOGGED = (SCALE, NEST)
"""Kinds whose logarithms are entries of the free vector."""
CHOLESKY, LOG_SCALE, LOG_NEST = Kind("chol"), Kind("log scale"), Kind("log nest")
"""Entries of the free vector that are not printed as they are."""
IMPLIED_MEAN, IMPLIED_MEDIAN = Kind("implied mean"), Kind("implied median")
IMPLIED_SD = Kind("implied sd", "log")
IMPLIED_CORRELATION = Kind("implied corr", "Fisher z")
SHARE_POSITIVE, SHARE_NEGATIVE = Kind("share positive", "logit"), Kind("share negative", "logit")
CLASS_SHARE = Kind("class share", "logit")
VALUE = Kind("value")
"""Of anything else, such as a function of parameters."""


@dataclass(frozen=True)
class Parameter:
    """A parameter, or a quantity that parameters imply.

    Parameters
    ----------
    kind
        Its kind.
    label
        What it is of: coefficients, covariates, sources; with the class's number in latent classes.
    terms
        The coefficients that it is about; none for scales and shares.
    number
        Of a latent class's own, the number of the class, from 1.

    Examples
    --------
    >>> str(Parameter(CORRELATION, "pf, cl", ("pf", "cl")))
    'corr[pf, cl]'
    >>> str(Parameter(SD, "pf", ("pf",)).of_class(2))
    'sd[pf, 2]'
    """

    kind: Kind
    label: str
    terms: tuple[str, ...] = ()
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.kind.name}[{self.label}]"

    def of_class(self, number: int) -> Parameter:
        """The same of a latent class, numbered from 1."""
        return replace(self, label=f"{self.label}, {number}", number=number)
