"""The one result type of the classical estimators."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

import pandas as pd

from bayesmix.classical.clusters import clustered
from bayesmix.classical.predict import predict as predicted
from bayesmix.classical.reported import Reported
from bayesmix.classical.storage import load, save

if TYPE_CHECKING:
    from bayesmix.data.choices import ChoiceData
    from bayesmix.integration.grids import Seed


class Fit(Reported):
    """Estimates of a mixed logit, with what is needed to judge them.

    Parameters
    ----------
    estimator
        ``"MSLE"``, ``"MSM"`` or ``"MSS"``; of points with shares ``"NPMLE"`` or ``"LML"``.
    model
        The model that was fitted.
    space
        Names and layout of its parameters.
    theta
        The free vector (P,) at the optimum.
    loglik
        Weighted log-likelihood on the fit's grid, nats.
    loglik_multinomial
        The multinomial logit's, nats: of coefficients that are the same for everybody, those of
        error components 0. Their means by covariates are no part of it.
    information
        Curvature and scores at the optimum.
    grid
        The grid as used; other estimators accept it.
    integration
        Certificate of the integration error; for moments and scores, which simulation does not
        bias, its part of variances. None where there is nothing to integrate.
    optima
        One row a start: log-likelihood reached, evaluations, whether it converged, and the grid
        on which it was reached (``grid="auto"`` compares starts on a coarse one).
    converged, message
        Whether the optimiser converged, and what there is to know.
    n_persons, n_situations
        Counts.
    seconds
        Wall time of the fit.
    fingerprint
        Digest of the choices and weights; tests compare fits of the same ones alone.
    problem
        The model bound to the data that it was fitted to, for what needs them again.
    overidentification
        Test of the moments that are more than parameters; None for other estimators than MSM.
    market_constants
        Constants by market and alternative, of a fit with ``market_shares=``; None elsewhere.
    at_bounds
        Flat names of parameters that the search left at a bound of the model's `Constraints`, and
        that count as estimated.
    """

    def clustered(self, data: ChoiceData, column: str) -> Fit:
        """The same estimates with standard errors by cluster; see `msle`'s ``cluster``."""
        return clustered(self, data, column)

    def predict(
        self,
        data: ChoiceData | None = None,
        *,
        scenario: ChoiceData | None = None,
        predict: ChoiceData | None = None,
        people: str = "population",
        rng: Seed = 0,
    ) -> pd.DataFrame:
        """Predicted probability of every alternative in every situation, at the estimates.

        ``E[P_itj(beta)]``, the expectation over the population's coefficients on 256 scrambled
        Sobol nodes a person: what is expected of a person of whom no choice is known. See
        `bayesmix.predict` for intervals and posteriors, `shares` for averages.

        Parameters
        ----------
        data
            The data of the fit by default, or new data with the same columns: of one set too, and
            without choices. Centres, levels and the like that formulas have learnt stay those of
            the fit's data.
        scenario
            Made from ``data`` (or ``predict``) by ``with_attribute``, ``without`` or
            ``with_alternative``.
        predict
            Choice sets to predict for, where these are others than ``data``.
        people
            ``"known"``: each person's coefficients have their law given the person's choices in
            ``data``; to predict new sets of the same persons give these as ``predict``.
        rng
            Seed or Generator of the scrambles; with the same one scenarios compare.

        Returns
        -------
        pandas.DataFrame
            ``person``, ``situation``, ``alternative`` and ``probability``, in the order of
            ``data.frame``; the index holds the labels of the rows of the user's table. With an
            outside option each situation has a further row, ``"outside"``, with that label too.

        Raises
        ------
        DataError
            If data or scenario are no choice data, or have an outside option where the fit has
            none (or the reverse); with ``people="known"`` if choices would be predicted from
            themselves, or ``predict`` has persons of whom ``data`` have no choices.
        SpecificationError
            If the data have categories that the fit has no coefficient for.

        References
        ----------
        Train (2009), chapter 2.

        Examples
        --------
        >>> import bayesmix as bm
        >>> data = bm.examples.electricity()
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
        >>> found = fit.predict()
        >>> float(found.groupby(["person", "situation"])["probability"].sum().max().round(12))
        1.0
        >>> without = fit.predict(scenario=data.without(4))
        >>> without["alternative"].unique().tolist()
        [1, 2, 3]
        """
        return predicted(self, data, scenario, predict, people, rng)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fit as JSON; `load` reads it."""
        save(self, path)

    @staticmethod
    def load(path: str | PathLike[str], data: ChoiceData, *, trust: bool = False) -> Fit:
        """The fit that `save` wrote.

        A file is data: nothing in it is run, unless it is trusted.

        Parameters
        ----------
        path
            A file that `save` wrote.
        data
            The data of the fit, from which its grid is made again, node by node.
        trust
            True runs the Python that the model's formula holds, where it was fitted with
            ``MixedLogit(..., trust=True)``.

        Raises
        ------
        SpecificationError
            If the formula holds Python, and is not trusted.
        DataError
            If the file is no fit or of another version, or the log-likelihood on ``data`` is not
            the stored one: other choices, attributes or weights.

        Examples
        --------
        >>> import tempfile
        >>> import bayesmix as bm
        >>> data = bm.examples.electricity()
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(f"{folder}/fit.json")
        ...     again = bm.Fit.load(f"{folder}/fit.json", data)
        >>> bool((again.covariance() == fit.covariance()).all(axis=None))
        True
        """
        return load(Fit, path, data, trust=trust)
