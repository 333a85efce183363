"""Types of people as a latent class logit, and samples of persons as its replications."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.accuracy.certify import exact
from bayesmix.arrays import Array
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.classical.covariance import Information
from bayesmix.classical.fit import Fit
from bayesmix.classical.types import Types
from bayesmix.data.choices import ChoiceData
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.type_search import WeightedPoints
from bayesmix.specification.classes import LatentClass
from bayesmix.specification.model import MixedLogit

NO_TYPE = np.log(1e-300)
"""Logarithm of the share of a class that is none: replications have different numbers of types."""


@dataclass(frozen=True, eq=False)
class ClassLogitOf:
    """Mixtures as latent class logits of so many classes."""

    model: MixedLogit
    data: ChoiceData
    types: Types
    size: int
    estimator: str = "NPMLE"

    def problem(self) -> Problem:
        classes = LatentClass(*self.types.terms, classes=self.size)
        return bind(MixedLogit(self.model.formula, [classes], trust=self.model.trust), self.data)

    def fit(self, at: WeightedPoints, words: str, logit: float, begun: float) -> Fit:
        """The fit at a mixture, with its scores and without curvature."""
        problem = self.problem()
        theta = class_theta(problem, at, self.size)
        grid = points_grid(problem)
        logp, scores = Likelihood(problem, grid).by_person(theta)
        loglik = float(weighted_sum(self.data.weights, logp))
        unknown = np.full((len(theta), len(theta)), np.nan)
        found = {"loglik": [loglik], "evaluations": [0], "converged": [True], "grid": [str(grid)]}
        return Fit(
            estimator=self.estimator,
            model=problem.model,
            space=problem.parameters,
            theta=theta,
            loglik=loglik,
            loglik_multinomial=logit,
            information=Information(unknown, scores, self.data.weights),
            grid=grid,
            integration=exact(problem),
            optima=pd.DataFrame(found, index=pd.Index([1], name="start")),
            converged=True,
            message=words,
            n_persons=problem.n_persons,
            n_situations=self.data.n_situations,
            seconds=time.perf_counter() - begun,
            fingerprint=fingerprint(self.data),
            problem=problem,
        )


def class_theta(problem: Problem, at: WeightedPoints, size: int) -> Array:
    """The free vector of a latent class logit of so many classes; those too many have no share."""
    places = np.minimum(np.arange(size), len(at.weights) - 1)
    own = np.arange(size) < len(at.weights)
    logs = np.where(own, np.log(at.weights[places]), NO_TYPE)
    fixed = np.tile(at.fixed, (size, 1))
    # Fixed coefficients within a class are its point, and then those of everybody.
    thetas = np.hstack([at.points[places], fixed])
    return problem.parameters.join(thetas, (logs - logs[0])[:, None])


def bootstrap_of(fit: Fit, drawn: dict[int, WeightedPoints | None], size: int) -> Bootstrap:
    """Replications as free vectors of the fit's own layout.

    Raises
    ------
    ConvergenceError
        If none converged.
    """
    numbers = [number for number, own in drawn.items() if own is not None]
    if not numbers:
        raise ConvergenceError(
            f"none of {len(drawn)} replications converged: ask for a larger tolerance="
        )
    thetas = np.stack(
        [class_theta(fit.problem, own, size) for own in drawn.values() if own is not None]
    )
    params = pd.DataFrame(
        [fit.space.natural(theta) for theta in thetas],
        index=pd.Index(numbers, name="replication"),
        columns=pd.Index(fit.space.names, name="parameter"),
    )
    failed = tuple(number for number, own in drawn.items() if own is None)
    return Bootstrap(fit.params, thetas, params, fit.space, len(drawn), failed)
