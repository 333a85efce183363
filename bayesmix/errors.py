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

    Examples
    --------
    >>> import pandas as pd
    >>> import bayesmix as bm
    >>> frame = pd.DataFrame({"trip": [1, 1], "mode": ["bus", "car"], "choice": [1, 1]})
    >>> bm.ChoiceData.from_long(
    ...     frame, person=None, situation="trip", alternative="mode", chosen="choice")
    Traceback (most recent call last):
    bayesmix.errors.DataError: ...2 chosen rows...
    """


class SpecificationError(ValueError):
    """A model is not well formed, or does not fit the data it is given.

    Raised for formulas, mixing laws, priors and parameter names: a term that is random twice, a
    random term that is no column of the formula, a constant that cancels.

    Examples
    --------
    >>> import bayesmix as bm
    >>> bm.LogNormal("price", sign=2)
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: ...sign...
    """


class IntegrationError(ValueError):
    """A likelihood cannot be integrated over tastes with the grid that was asked for.

    Raised for impossible grids, and where the integral of a person's likelihood is not a positive
    finite number; the message names the person and a grid that would do.

    Examples
    --------
    >>> import bayesmix as bm
    >>> bm.population_grid(bm.gauss_hermite(64), dimension=10, persons=1)
    Traceback (most recent call last):
    bayesmix.errors.IntegrationError: ...
    """


class ConvergenceError(ValueError):
    """An optimiser or a sampler did not arrive, so that its result must not be used.

    Raised when what follows needs a converged result; the message says where the search stopped and
    what to change.

    Examples
    --------
    >>> import pandas as pd
    >>> import bayesmix as bm
    >>> frame = pd.DataFrame({"trip": [1, 1, 2, 2], "mode": ["bus", "car"] * 2})
    >>> frame["price"], frame["choice"] = [1, 2, 1, 3], [1, 0, 1, 0]
    >>> data = bm.ChoiceData.from_long(
    ...     frame, person=None, situation="trip", alternative="mode", chosen="choice")
    >>> bm.msle(bm.MixedLogit("price"), data)  # the cheaper one is always chosen
    Traceback (most recent call last):
    bayesmix.errors.ConvergenceError: ...
    """
