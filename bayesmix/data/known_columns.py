"""Which columns are known parts of the utility: an offset, the correction for sampling."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmix.errors import DataError


@dataclass(frozen=True)
class KnownColumns:
    """Columns that enter the utility with a coefficient of 1.

    Parameters
    ----------
    offset
        Added as it is.
    sampling
        Probability with which an alternative was drawn into the set: minus its logarithm is added.
    correction
        That logarithm itself, subtracted; in place of ``sampling``.
    matched
        Constants that make predicted shares equal given ones, added: they are of a result, and not
        of the data that it was estimated on.
    """

    offset: str | None = None
    sampling: str | None = None
    correction: str | None = None
    matched: str | None = None

    def __post_init__(self) -> None:
        if self.sampling is not None and self.correction is not None:
            raise DataError(
                "give sampling=, a probability, or correction=, its logarithm, not both: either "
                "corrects for the sampling of alternatives"
            )

    @property
    def sampled(self) -> str | None:
        """The column that says how alternatives were sampled."""
        return self.correction if self.sampling is None else self.sampling
