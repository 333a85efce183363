"""The exceptions that bayesmix raises: all ValueErrors, whose messages name the remedy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What an exception says: raised with a fault, its message is the fault's text.

    Parameters
    ----------
    what, remedy
        What is wrong, and what to do; the text has a colon between them.
    where
        Columns or parameters that it is about.
    """

    what: str
    remedy: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


class DataError(ValueError):
    """The user's data cannot be read as choices.

    Raised when `ChoiceData` is made (a column is missing, a situation has two choices, ...) and
    when what a model uses of them does not serve: an attribute with missing, infinite or
    non-numeric values, a column that does not vary within any situation or is collinear with
    others, a covariate that varies within persons.
    """


class SpecificationError(ValueError):
    """A model is not well formed, or does not fit the data it is given.

    Raised for formulas, mixing laws, priors and parameter names: a term that is random twice, a
    random term that is no column of the formula, a constant that cancels.
    """


class IntegrationError(ValueError):
    """A likelihood cannot be integrated over tastes with the grid that was asked for.

    Raised for impossible grids, and where the integral of a person's likelihood is not a positive
    finite number; the message names the person and a grid that would do.
    """


class ConvergenceError(ValueError):
    """An optimiser or a sampler did not arrive, so that its result must not be used.

    Raised when what follows needs a converged result; the message says where the search stopped and
    what to change.
    """
