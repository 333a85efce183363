"""bayesmix: mixed (random-coefficients) logit, in both traditions, on the same integration grids.

Symbols, the same everywhere:

==========  =====================================================================
I           persons
T           situations (of all persons)
R           rows: alternatives offered, over all situations
S           nodes of an integration grid (of a person)
K           random coefficients
F           fixed coefficients
P           parameters
D           draws
beta        coefficients of a person, (I or 1, K, S)
b           their Gaussian index, ``beta = T(b)``, ``b = loc + L u`` (all laws: ``T(L u; loc, s)``)
u, z        coordinates in the space of standard normals
l, logp     log-probability of a person's choices, (I, S) by node or (I,) integrated
theta       the free vector that optimisers move, (P,)
==========  =====================================================================
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesmix.accuracy.integration_error import integration_error
    from bayesmix.accuracy.refine import Tolerance
    from bayesmix.bayes.inverse_wishart import InverseWishart
    from bayesmix.bayes.models import pymc_model
    from bayesmix.bayes.sampling import sample
    from bayesmix.classical.bootstrap import Bootstrap, bootstrap
    from bayesmix.classical.fit import Fit
    from bayesmix.classical.msle import msle
    from bayesmix.classical.msm import msm
    from bayesmix.classical.mss import mss
    from bayesmix.data import examples
    from bayesmix.data.choices import ChoiceData
    from bayesmix.demand.class_probabilities import class_probabilities
    from bayesmix.demand.curve import price_curve
    from bayesmix.demand.diversion import diversion, marginal_consumers
    from bayesmix.demand.elasticities import elasticities
    from bayesmix.demand.individuals import individuals
    from bayesmix.demand.predictions import predict
    from bayesmix.demand.shares import shares
    from bayesmix.demand.surplus import surplus
    from bayesmix.demand.wtp import wtp
    from bayesmix.errors import (
        ConvergenceError,
        DataError,
        IntegrationError,
        SpecificationError,
    )
    from bayesmix.identification.check import check
    from bayesmix.inference.hausman import hausman_test
    from bayesmix.inference.likelihood_ratio import lr_test
    from bayesmix.inference.wald import HypothesisTest, wald_test
    from bayesmix.integration.grids import population_grid
    from bayesmix.integration.overview import rule_table
    from bayesmix.integration.rules import (
        centred,
        gauss_hermite,
        halton,
        mlhs,
        monte_carlo,
        sobol,
        sparse,
        trapezoid,
    )
    from bayesmix.likelihood.simulate import simulate_choices
    from bayesmix.reporting.accuracy import compare_rules, plot_rules
    from bayesmix.reporting.compare import compare
    from bayesmix.reporting.demand_plots import (
        plot_diversion,
        plot_matrix,
        plot_price_curve,
        plot_wtp,
    )
    from bayesmix.reporting.demand_tables import demand_table
    from bayesmix.reporting.latex import to_latex
    from bayesmix.specification.bounded import (
        CensoredNormal,
        JohnsonSB,
        Triangular,
        TruncatedNormal,
        Uniform,
    )
    from bayesmix.specification.classes import LatentClass
    from bayesmix.specification.mixing import Correlated, LKJNormal, LogNormal, Normal
    from bayesmix.specification.model import MixedLogit
    from bayesmix.specification.one_sided import Exponential, Gamma

__version__ = version("bayesmix")

# Where each public name lives: modules are imported when a name is first used, so that importing
# the package is quick and needs neither a sampler nor a plotting library.
_HOMES = {
    "bayes.inverse_wishart": ["InverseWishart"],
    "bayes.models": ["pymc_model"],
    "bayes.sampling": ["sample"],
    "classical.bootstrap": ["Bootstrap", "bootstrap"],
    "classical.fit": ["Fit"],
    "inference.hausman": ["hausman_test"],
    "inference.wald": ["HypothesisTest", "wald_test"],
    "inference.likelihood_ratio": ["lr_test"],
    "classical.msle": ["msle"],
    "classical.msm": ["msm"],
    "classical.mss": ["mss"],
    "data.choices": ["ChoiceData"],
    "demand.class_probabilities": ["class_probabilities"],
    "demand.curve": ["price_curve"],
    "demand.diversion": ["diversion", "marginal_consumers"],
    "demand.elasticities": ["elasticities"],
    "demand.individuals": ["individuals"],
    "demand.predictions": ["predict"],
    "demand.shares": ["shares"],
    "demand.surplus": ["surplus"],
    "demand.wtp": ["wtp"],
    "errors": ["ConvergenceError", "DataError", "IntegrationError", "SpecificationError"],
    "integration.grids": ["population_grid"],
    "integration.overview": ["rule_table"],
    "integration.rules": [
        "centred",
        "gauss_hermite",
        "halton",
        "mlhs",
        "monte_carlo",
        "sobol",
        "sparse",
        "trapezoid",
    ],
    "accuracy.integration_error": ["integration_error"],
    "accuracy.refine": ["Tolerance"],
    "identification.check": ["check"],
    "likelihood.simulate": ["simulate_choices"],
    "reporting.accuracy": ["compare_rules", "plot_rules"],
    "reporting.compare": ["compare"],
    "reporting.demand_plots": ["plot_diversion", "plot_matrix", "plot_price_curve", "plot_wtp"],
    "reporting.demand_tables": ["demand_table"],
    "reporting.latex": ["to_latex"],
    "specification.bounded": [
        "CensoredNormal",
        "JohnsonSB",
        "Triangular",
        "TruncatedNormal",
        "Uniform",
    ],
    "specification.classes": ["LatentClass"],
    "specification.mixing": ["Correlated", "LKJNormal", "LogNormal", "Normal"],
    "specification.model": ["MixedLogit"],
    "specification.one_sided": ["Exponential", "Gamma"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bootstrap",
    "CensoredNormal",
    "ChoiceData",
    "ConvergenceError",
    "Correlated",
    "DataError",
    "Exponential",
    "Fit",
    "Gamma",
    "HypothesisTest",
    "IntegrationError",
    "InverseWishart",
    "JohnsonSB",
    "LKJNormal",
    "LatentClass",
    "LogNormal",
    "MixedLogit",
    "Normal",
    "SpecificationError",
    "Tolerance",
    "Triangular",
    "TruncatedNormal",
    "Uniform",
    "bootstrap",
    "centred",
    "check",
    "class_probabilities",
    "compare",
    "compare_rules",
    "demand_table",
    "diversion",
    "elasticities",
    "examples",
    "gauss_hermite",
    "halton",
    "hausman_test",
    "individuals",
    "integration_error",
    "lr_test",
    "marginal_consumers",
    "mlhs",
    "monte_carlo",
    "msle",
    "msm",
    "mss",
    "plot_diversion",
    "plot_matrix",
    "plot_price_curve",
    "plot_rules",
    "plot_wtp",
    "population_grid",
    "predict",
    "price_curve",
    "pymc_model",
    "rule_table",
    "sample",
    "shares",
    "simulate_choices",
    "sobol",
    "sparse",
    "surplus",
    "to_latex",
    "trapezoid",
    "wald_test",
    "wtp",
]


def __getattr__(name: str) -> Any:
    if name == "examples":
        return import_module("bayesmix.data.examples")
    if name not in _HOME:
        raise AttributeError(f"module 'bayesmix' has no attribute {name!r}")
    value = getattr(import_module(f"bayesmix.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
