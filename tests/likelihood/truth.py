"""A small panel whose integrals are known by brute force, to judge certificates by."""

from functools import cache

import numpy as np

from bayesmix import LogNormal, Normal
from bayesmix.accuracy.certify import certify
from bayesmix.centring.grids import centre
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.simulated import choice_data, simulated

AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.5}
LAWS = {"normal": Normal("x", "y"), "lognormal": LogNormal("x", "y")}


class Case:
    """A small panel with unequal weights, and the truth by brute force.

    Products of 40 points are still off by 0.02 nats and 0.03 standard errors here.
    """

    def __init__(self, law):
        model = MixedLogit("x + y", random=LAWS[law])
        self.data = simulated(model, AT, 60, 6)
        frame = self.data.frame.assign(weight=1.0 + self.data.frame["who"] % 3)
        self.data = choice_data(frame, weights="weight")
        self.problem = bind(model, self.data)
        self.theta = self.problem.parameters.theta(AT)
        self.logp, self.scores = self.by_person(centred(sobol(2**16)), 1)
        weighted = self.scores * self.data.weights[:, None]
        self.covariance = np.linalg.inv(weighted.T @ self.scores)
        jacobian = self.problem.parameters.jacobian(self.theta)
        self.errors = np.sqrt(np.diag(jacobian @ self.covariance @ jacobian.T))
        self.to_shift = -jacobian @ self.covariance / self.errors[:, None]

    def grid(self, rule, seed=None):
        if "centred" in str(rule):
            return centre(self.problem, rule, self.theta, seed)
        return population_grid(rule, 2, self.problem.n_persons, seed)

    def by_person(self, rule, seed=None):
        return Likelihood(self.problem, self.grid(rule, seed)).by_person(self.theta)

    def truth(self, grid):
        """Error of the log-likelihood, and shifts of the estimates, of a grid."""
        logp, scores = Likelihood(self.problem, grid).by_person(self.theta)
        w = self.data.weights
        return w @ (logp - self.logp), self.to_shift @ (w @ (self.scores - scores))

    def certify(self, grid, seed=0):
        return certify(self.problem, self.theta, grid, self.covariance, self.errors, seed)


@cache
def case(law="normal"):
    return Case(law)
