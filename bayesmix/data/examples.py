"""Data that ship with the package."""

from importlib.resources import files

import pandas as pd

from bayesmix.data.choices import ChoiceData


def electricity() -> ChoiceData:
    """Choices between electricity suppliers by 361 households: 4,308 situations, 4 alternatives.

    A stated-preference panel of up to 12 choices between four unlabelled suppliers. Columns: `id`
    household, `chid` situation, `alt` alternative 1 to 4, `choice` 0/1, `pf` fixed price (cents per
    kWh, 0 under the other two rates), `cl` contract length (years), `loc` local company, `wk`
    well-known company, `tod` time-of-day rates, `seas` seasonal rates (all four 0/1).

    Returns
    -------
    ChoiceData
        361 persons, 4,308 situations, 17,232 rows.

    Notes
    -----
    Collected for Huber and Train (2001), "On the similarity of classical and Bayesian estimates of
    individual mean partworths", Marketing Letters 12. Where the bundled file comes from, and its
    licence, is said in SOURCE.md beside it.

    Examples
    --------
    >>> data = electricity()
    >>> data.n_persons, data.n_situations, data.n_rows
    (361, 4308, 17232)
    """
    with files("bayesmix.data").joinpath("electricity.csv.gz").open("rb") as file:
        frame = pd.read_csv(file, compression="gzip")
    return ChoiceData.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )
